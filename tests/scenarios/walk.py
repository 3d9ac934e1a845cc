"""Walks: desired states of an account one after the other, as the YAML files beside this module write them down.

A walk file is a mapping. `steps` is the walk; the other keys say where it can be walked:

    only_simulated: why a real server cannot be taken along
    only_if_fresh: why the account has to be a new one: what else is in it would feel the walk
    server: environment of the simulated server, {NB_DISABLE_GEOLOCATION: "false"}
    set_up_by_login: the simulated account is one that people of other identity providers join

On a real account (`NBSYNC_LIVE_URL`, `NBSYNC_LIVE_TOKEN` of a service user with the role admin) a walk leaves alone what it
finds: that is `unmanaged` to all its documents, plans are applied only if they are line by line as expected, and in the end
what was made is deleted and what settings were is put back. A walk that would meet objects of the names that it makes is
skipped. Machines join through the program `NBSYNC_LIVE_JOINER`, see `account.Real`; without it such walks are skipped.

A step declares, plans, compares, applies, and plans again; the second plan has to be empty:

    title: one sentence that is true afterwards
    meanwhile: what happens to the account behind nbsync's back, before it plans
    desired: the document without `version`, as a mapping or as text; left out: as in the step before
    overlay: a second document, laid over the first
    allow, allow_empty: what `--allow` and `--allow-empty` lift; unless the walk is for a new account or the document has guards,
        any number of deletes is allowed, since their share depends on what else is there
    plan: every change, one a line, in any order: `+ address`, `~ address (fields)`, `> address (was key, fields)`,
        `± address (fields)`, `- address`; left out: none
    order: some of these lines, in the order in which the changes have to be made
    warnings: for each warning a part of its text
    exit, errors: 3 or 5 and for each error or refusal a part of its text; nothing is applied then
    unmanaged: how many objects the walk made that nothing declares any more
    api: for addresses, fields of the object as the API shows it in the end; null: it is not there

What happens meanwhile is a request (`put`, `post` or `delete` with a path below /api and a `body`) or an `event` of the
simulator; `as` gives the id in its answer a name. In all of these, in `desired`, `plan`, `order` and `api`, the text
`<address>` (or `<name>` of an `as`) stands for an id. The event `peer_joins` goes without `setup_key`: a key for one use is made and taken away again, and
`auto_groups` are its groups.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict
from ruamel.yaml import YAML

FOLDER = Path(__file__).parent
Document = dict[str, Any] | str
"""What a file says, without `version`."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


Lines = Annotated[tuple[str, ...], BeforeValidator(lambda text: tuple(text.splitlines()))]


class Step(_Strict):
    """One desired state and what it takes to get there; see above."""

    title: str
    meanwhile: tuple[dict[str, Any], ...] = ()
    desired: Document | None = None
    overlay: dict[str, Any] | None = None
    allow: tuple[str, ...] = ()
    allow_empty: tuple[str, ...] = ()
    plan: Lines = ()
    order: Lines = ()
    warnings: tuple[str, ...] = ()
    exit: int = 0
    errors: tuple[str, ...] = ()
    unmanaged: int | None = None
    api: dict[str, dict[str, Any] | None] = {}


class Walk(_Strict):
    """A file of steps; see above."""

    only_simulated: str = ""
    only_if_fresh: str = ""
    server: dict[str, str] = {}
    set_up_by_login: bool = False
    steps: tuple[Step, ...]

    @property
    def has_peers(self) -> bool:
        """Machines join on this walk."""
        return any(one.get("event") == "peer_joins" for step in self.steps for one in step.meanwhile)

    def documents(self) -> Iterator[tuple[Step, Document]]:
        """Every step with the document that it declares."""
        document: Document = {}
        for step in self.steps:
            document = document if step.desired is None else step.desired
            yield step, document


def names() -> list[str]:
    """Names of all walks."""
    return sorted(file.stem for file in FOLDER.glob("*.yaml"))


@cache
def load(name: str) -> Walk:
    """Read one walk."""
    content: Any = YAML(typ="safe", pure=True).load((FOLDER / f"{name}.yaml").read_text("utf-8"))
    return Walk.model_validate(content)


def text_of(document: Document) -> str:
    """A document as a file has it; JSON is YAML."""
    return f"version: 1\n{document}" if isinstance(document, str) else json.dumps({"version": 1, **document}, indent=1)
