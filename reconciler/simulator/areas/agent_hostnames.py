"""Agent network: names of gateways, and the labels that the server draws for them."""

import random
from typing import Final

from reconciler.simulator.text import lowered, quoted

MAX_HOSTNAME: Final = 253
MAX_LABEL: Final = 63

_ALLOWED: Final = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-")
_ADJECTIVES: Final = [
    "agile",
    "ancient",
    "brave",
    "breezy",
    "candid",
    "careful",
    "cheerful",
    "clever",
    "curious",
    "dapper",
    "daring",
    "eager",
    "earnest",
    "fabled",
    "faithful",
    "famous",
    "fearless",
    "fluent",
    "gallant",
    "gentle",
    "gleaming",
    "graceful",
    "happy",
    "hardy",
    "honest",
    "humble",
    "jolly",
    "keen",
    "kindly",
    "lively",
    "loyal",
    "lucid",
    "mellow",
    "merry",
    "mighty",
    "modest",
    "nimble",
    "noble",
    "patient",
    "playful",
    "plucky",
    "polite",
    "proud",
    "quick",
    "quiet",
    "radiant",
    "ready",
    "robust",
    "serene",
    "sincere",
    "sleek",
    "smart",
    "snug",
    "spirited",
    "steady",
    "sturdy",
    "subtle",
    "sunlit",
    "swift",
    "tidy",
    "trusty",
    "upbeat",
    "useful",
    "vigorous",
    "warm",
    "willing",
    "wise",
    "witty",
    "zesty",
]
_NOUNS: Final = [
    "acorn",
    "alder",
    "anchor",
    "aspen",
    "aurora",
    "badger",
    "bamboo",
    "basil",
    "beacon",
    "birch",
    "bison",
    "brook",
    "canyon",
    "cedar",
    "cliff",
    "clover",
    "comet",
    "coral",
    "cove",
    "crane",
    "crater",
    "creek",
    "delta",
    "dolphin",
    "dune",
    "eagle",
    "ember",
    "falcon",
    "fern",
    "finch",
    "fjord",
    "forest",
    "garnet",
    "geyser",
    "glacier",
    "grove",
    "harbor",
    "hazel",
    "heron",
    "island",
    "jasper",
    "juniper",
    "lagoon",
    "lantern",
    "larch",
    "laurel",
    "lichen",
    "lotus",
    "lynx",
    "maple",
    "marble",
    "meadow",
    "meteor",
    "mesa",
    "moss",
    "nebula",
    "oasis",
    "ocean",
    "olive",
    "opal",
    "orchid",
    "osprey",
    "otter",
    "pebble",
    "pine",
    "plateau",
    "poplar",
    "prairie",
    "quartz",
    "raven",
    "reef",
    "ridge",
    "river",
    "sage",
    "sequoia",
    "shore",
    "sparrow",
    "spruce",
    "summit",
    "thicket",
    "tundra",
    "valley",
    "willow",
    "zephyr",
]


class HostnameError(ValueError):
    """A text that is no name of a gateway; says why."""


def draw_label(source: random.Random) -> str:
    """``<adjective>-<noun>``."""
    return f"{source.choice(_ADJECTIVES)}-{source.choice(_NOUNS)}"


def normalised(given: str) -> str:
    """The name in lower case without blanks around it; an IP address and a single label will do.

    Raises:
        HostnameError: it is too long, or has a label that is none.
    """
    hostname = lowered(given.strip())
    if len(hostname.encode()) > MAX_HOSTNAME:
        raise HostnameError(f"hostname exceeds {MAX_HOSTNAME} characters")
    for label in hostname.split("."):
        if flaw := _flaw(label):
            raise HostnameError(f"invalid hostname {quoted(hostname)}: {flaw}")
    return hostname


def _flaw(label: str) -> str | None:
    if not label:
        return "empty label (leading, trailing or doubled dot)"
    if len(label.encode()) > MAX_LABEL:
        return f"label {quoted(label)} exceeds {MAX_LABEL} characters"
    if label.startswith("-") or label.endswith("-"):
        return f"label {quoted(label)} must not start or end with a hyphen"
    wrong = next((character for character in label if character not in _ALLOWED), None)
    return f"label {quoted(label)} contains invalid character {_in_single_quotes(wrong)}" if wrong else None


def _in_single_quotes(character: str) -> str:
    escaped = {"'": "\\'", '"': '"'}.get(character, quoted(character)[1:-1])
    return f"'{escaped}'"
