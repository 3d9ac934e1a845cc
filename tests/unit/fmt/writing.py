"""Documents by chance, laid out by chance: comments, anchors, quotes, indentation, empty lines."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

TEXTS = st.sampled_from(
    ["devs", "ops", "NO", "yes", "1.20", "0.60.0", "10.20.0.0/16", "fd00::/8", "${var:x}", "a: b", "a #b", "it's", 'a"b',
     "C:\\x", "2001-12-14", "22:22", "0o7", "~", "", "*", "@", "-x", "? y", "tcp/443", "90m", "24h", "never", "x, y", "ä ö",
     "\u200b", "tail ", "y", "=", "<<", "null", "true", "{", "[a]", "%a", "!a", "&a", "#a", "a\u2028b", "😀"]
)  # fmt: skip
SCALARS = TEXTS | st.sampled_from([True, False, None, 1, 443, 0])
FIELDS = ["peers", "from", "to", "allow", "posture", "enabled", "description", "previously", "id", "expires_in", "odd",
          "routers", "resources", "records", "A", "ttl", "ssh", "at_least", "peer", "metric"]  # fmt: skip
ROOTS = ["version", "manage", "guards", "vars", "groups", "policies", "networks", "routes", "dns", "setup_keys",
         "service_users", "users", "peers", "account", "unmanaged", "tests", "remove"]  # fmt: skip
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS) | TEXTS, inner, max_size=4),
    max_leaves=12,
)
ROOT = st.dictionaries(st.sampled_from(ROOTS), VALUES | st.dictionaries(TEXTS, VALUES, max_size=3), max_size=5)


class Writer:
    """Writes one document; what is left open is drawn."""

    def __init__(self, draw: Any) -> None:
        self.draw = draw
        self.comments: list[str] = []
        self.anchors: list[str] = []

    def chance(self, weight: int = 4) -> bool:
        return self.draw(st.integers(0, weight)) == weight

    def comment(self) -> str:
        self.comments.append(f"# c{len(self.comments)}.")
        return self.comments[-1]

    def tail(self) -> str:
        """What may stand at the end of a line."""
        blank = " " * self.draw(st.integers(0, 2))
        return f"{blank} {self.comment()}{blank}" if self.chance() else blank

    def between(self, column: int) -> str:
        """Lines that say nothing."""
        text = ""
        while self.chance():
            margin = " " * max(0, column + self.draw(st.integers(-3, 3)))
            text += f"{margin}{self.comment()}\n" if self.chance(1) else self.draw(st.sampled_from(["\n", "  \n"]))
        return text

    def anchor(self) -> str:
        if not self.chance(9):
            return ""
        name = f"a{self.draw(st.integers(0, 3))}"
        self.anchors.append(name)
        return f"&{name} "

    def alias(self) -> str:
        return f"*{self.draw(st.sampled_from(self.anchors))}" if self.anchors and self.chance(9) else ""

    def scalar(self, value: Any, *, flow: bool) -> str:
        if not isinstance(value, str):
            return json.dumps(value)
        forms = [json.dumps(value), json.dumps(value, ensure_ascii=False).replace("\u2028", "\\u2028")]
        if value.isprintable():
            forms.append("'" + value.replace("'", "''") + "'")
        if value.replace("/", "").replace(".", "").isalnum() and value:
            forms += [value] * 3
        return self.draw(st.sampled_from(forms))

    def flow(self, value: Any, column: int) -> str:
        if alias := self.alias():
            return f"{alias} "
        mark = self.anchor()
        if isinstance(value, dict):
            parts = [f"{self.scalar(k, flow=True)}: {self.flow(v, column)}" for k, v in value.items()]
            return mark + self.brackets("{", parts, "}", column)
        if isinstance(value, list):
            return mark + self.brackets("[", [self.flow(item, column) for item in value], "]", column)
        return mark + self.scalar(value, flow=True)

    def brackets(self, opening: str, parts: list[str], closing: str, column: int) -> str:
        text = opening + self.space(column)
        for index, part in enumerate(parts):
            text += part + self.space(column)
            if index + 1 < len(parts) or self.chance():
                text += "," + self.space(column, least=" ")
        return text + closing

    def space(self, column: int, least: str = "") -> str:
        if self.chance(9):
            return f"{self.tail()}\n{self.between(column + 3)}{' ' * (column + self.draw(st.integers(2, 5)))}"
        return least + " " * self.draw(st.integers(0, 1))

    def block(self, value: Any, column: int) -> str:
        """A value behind a colon or dash, with the end of its line."""
        if alias := self.alias():
            return f" {alias}{self.tail()}\n"
        if value and isinstance(value, (dict, list)) and not self.chance():
            return self.nested(value, column)
        if isinstance(value, str) and value.isprintable() and value and self.chance():
            return self.literal(value, column)
        if value is None and self.chance(1):
            return f"{self.tail()}\n"
        return f" {self.flow(value, column)}{self.tail()}\n"

    def nested(self, value: Any, column: int) -> str:
        mark = self.anchor()
        margin = column + self.draw(st.integers(1, 4))
        head = f" {mark.strip()}{self.tail()}\n" if mark else f"{self.tail()}\n"
        if isinstance(value, list) and self.chance(1):
            margin = column
        return head + (self.items if isinstance(value, list) else self.entries)(value, margin)

    def literal(self, value: str, column: int) -> str:
        sign = self.draw(st.sampled_from("|>")) + self.draw(st.sampled_from(["", "-", "+"]))
        lines = [value, self.draw(st.sampled_from(["", "  more", "# none"])), "end"]
        indent = self.draw(st.integers(1, 4))
        digit = str(indent) if value[0] == " " or self.chance() else ""
        content = "".join(f"{' ' * (column + indent)}{line}\n" if line else "\n" for line in lines)
        return f" {sign[0]}{digit}{sign[1:]}{self.tail()}\n{content}" + self.draw(st.sampled_from(["", "\n", "\n\n"]))

    def entries(self, value: dict[str, Any], column: int) -> str:
        text = ""
        for key, item in value.items():
            text += f"{self.between(column)}{' ' * column}{self.scalar(key, flow=False)}:{self.block(item, column)}"
        return text

    def items(self, value: list[Any], column: int) -> str:
        text = ""
        for item in value:
            text += f"{self.between(column)}{' ' * column}-"
            if isinstance(item, dict) and item and self.chance(1):
                gap = self.draw(st.integers(1, 3))
                inner = self.entries(item, column + 1 + gap)
                first = inner.lstrip("\n ")
                text += " " * gap + first if inner == " " * (column + 1 + gap) + first else "\n" + inner
            else:
                text += self.block(item, column)
        return text


@st.composite
def documents(draw: Any) -> tuple[str, list[str]]:
    """A text, and its comments."""
    writer = Writer(draw)
    value = draw(ROOT)
    head = draw(st.sampled_from(["", "", "---\n", "%YAML 1.2\n---\n", "--- # start\n"]))
    column = draw(st.sampled_from([0, 0, 2]))
    body = writer.entries(value, column) if value and not writer.chance(9) else writer.flow(value, 0) + "\n"
    text = head + body + writer.between(0) + draw(st.sampled_from(["", "...\n"]))
    if draw(st.booleans()):
        text = text.removesuffix("\n")
    comments = writer.comments + (["# start"] if "# start" in head else [])
    return draw(st.sampled_from([text, text, text.replace("\n", "\r\n")])), comments
