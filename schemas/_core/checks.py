"""The checks of a posture check: their forms in the files and in the API."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import AfterValidator, model_validator

from schemas._core.codec import kept_items
from schemas._core.fields import (
    AddressRange,
    AsTuple,
    JsonObject,
    Name,
    NotEmpty,
    Strict,
    Unordered,
    Version,
    country_code,
    invalid,
)
from schemas._core.shapes import ANY_TEXT, COUNTRY, SOME, Shape, at_least_one, exactly_one

CHECKS = {
    "netbird_version": "nb_version_check",
    "os_version": "os_version_check",
    "locations": "geo_location_check",
    "network_ranges": "peer_network_range_check",
    "processes": "process_check",
}
"""Checks by their names in the files and in the API."""

OS_FIELDS = {
    "android": ("android", "min_version"),
    "ios": ("ios", "min_version"),
    "macos": ("darwin", "min_version"),
    "linux_kernel": ("linux", "min_kernel_version"),
    "windows_kernel": ("windows", "min_kernel_version"),
}


class OsVersion(Strict):
    """Least versions by operating system; a system without an entry does not pass."""

    android: Version | None = None
    """Android, at least."""

    ios: Version | None = None
    """iOS, at least."""

    macos: Version | None = None
    """macOS, at least."""

    linux_kernel: Version | None = None
    """Linux: version of the kernel, at least."""

    windows_kernel: Version | None = None
    """Windows: version of the kernel, at least."""

    RULES = (at_least_one(*OS_FIELDS),)

    @model_validator(mode="after")
    def _some(self) -> Self:
        if not any(getattr(self, system) for system in OS_FIELDS):
            raise invalid("os_version names no system", f"name at least one of {', '.join(OS_FIELDS)}")
        return self


def _location(value: str) -> str:
    country, slash, city = value.partition("/")
    country_code(country)
    if slash and not city:
        raise invalid(f"'{value}' has no city after the slash", "write DE, or DE/Berlin")
    return value


_PLACE = Shape("place", f"{COUNTRY}(?:/{ANY_TEXT}+)?", "write DE, or DE/Berlin", ("DE", "DE/Berlin"))
Location = Annotated[str, AfterValidator(_location), _PLACE]


class _AllowOrDeny(Strict):
    RULES = (exactly_one("allow", "deny"),)

    @model_validator(mode="after")
    def _one(self) -> Self:
        given = [name for name in ("allow", "deny") if getattr(self, name) is not None]
        if len(given) != 1 or not getattr(self, given[0]):
            raise invalid(
                "exactly one of allow and deny is needed, with at least one entry",
                "write what is let in under allow, or what is not under deny",
            )
        return self

    @property
    def said(self) -> tuple[str, tuple[str, ...]]:
        """`allow` or `deny`, and the list that stands there."""
        action = "allow" if getattr(self, "allow", None) is not None else "deny"
        return action, getattr(self, action)


class Locations(_AllowOrDeny):
    """Countries and cities from which peers may, or may not, connect."""

    allow: Annotated[tuple[Location, ...], AsTuple, Unordered, SOME] | None = None
    """Places: `DE`, or `DE/Berlin` from which alone peers may connect."""

    deny: Annotated[tuple[Location, ...], AsTuple, Unordered, SOME] | None = None
    """Places: `DE`, or `DE/Berlin` from which peers may not connect."""


class NetworkRanges(_AllowOrDeny):
    """Networks in which peers may, or may not, be."""

    allow: Annotated[tuple[AddressRange, ...], AsTuple, Unordered, SOME] | None = None
    """Networks as CIDR of which a peer has to be in one."""

    deny: Annotated[tuple[AddressRange, ...], AsTuple, Unordered, SOME] | None = None
    """Networks as CIDR in which a peer may not be."""


class Process(Strict):
    """A program that must run; its path by operating system."""

    linux: Name | None = None
    """Path of the program on Linux."""

    macos: Name | None = None
    """Path of the program on macOS."""

    windows: Name | None = None
    """Path of the program on Windows."""

    RULES = (at_least_one("linux", "macos", "windows"),)

    @model_validator(mode="after")
    def _some(self) -> Self:
        if not (self.linux or self.macos or self.windows):
            raise invalid("a process needs at least one path", "give a path for linux, macos or windows")
        return self


def _by_path(processes: tuple[Process, ...]) -> tuple[Process, ...]:
    return tuple(sorted(set(processes), key=lambda p: (p.linux or "", p.macos or "", p.windows or "")))


Processes = Annotated[tuple[Process, ...], AsTuple, NotEmpty, AfterValidator(_by_path), SOME]


def seen_check(check: str, seen: JsonObject) -> Any:
    """One check of an answer in the files' words."""
    if check == "netbird_version":
        return seen["min_version"]
    if check == "os_version":
        return {said: seen[os][key] for said, (os, key) in OS_FIELDS.items() if seen.get(os)}
    if check == "processes":
        return [
            {system: path for system in ("linux", "macos", "windows") if (path := process.get(_path_key(system)))}
            for process in seen["processes"]
        ]
    if check == "locations":
        places = ["/".join(filter(None, (p["country_code"], p.get("city_name")))) for p in seen["locations"]]
        return {seen["action"]: places}
    return {seen["action"]: seen["ranges"]}


def wire_check(check: str, wanted: Any, seen: JsonObject) -> JsonObject:
    """One check as the API wants it, laid over what it shows."""
    if check == "netbird_version":
        return {**seen, "min_version": wanted}
    if check == "os_version":
        unknown = {os: value for os, value in seen.items() if os not in {name for name, _ in OS_FIELDS.values()}}
        said = {said: getattr(wanted, said) for said in OS_FIELDS}
        return {
            **unknown,
            **{OS_FIELDS[name][0]: {OS_FIELDS[name][1]: version} for name, version in said.items() if version},
        }
    if check == "processes":
        paths = [{_path_key(s): getattr(process, s) or "" for s in ("linux", "macos", "windows")} for process in wanted]
        return {**seen, "processes": kept_items(paths, seen.get("processes"))}
    action, entries = wanted.said
    if check == "locations":
        return {
            **seen,
            "action": action,
            "locations": kept_items([_place(entry) for entry in entries], seen.get("locations")),
        }
    return {**seen, "action": action, "ranges": list(entries)}


def _path_key(system: str) -> str:
    return f"{'mac' if system == 'macos' else system}_path"


def _place(text: str) -> JsonObject:
    country, _, city = text.partition("/")
    return {"country_code": country, **({"city_name": city} if city else {})}
