"""What is small stands in one line, what is not below; comments stand above and cannot break out."""

from __future__ import annotations

from textwrap import dedent

from reconciler.export.yaml import WIDTH, Block, Rows, document
from tests.unit.export.test_scalars import loaded


def test_small_mappings_stand_in_one_line():
    """Larger ones have a line for each key, and an empty mapping none at all."""
    text = document(Block({"groups": Block({"ops": None, "gateways": {"peers": ["gw-1", "gw-2"]}})}))
    assert text == "groups:\n  ops:\n  gateways: {peers: [gw-1, gw-2]}\n"


def test_what_is_too_wide_stands_below():
    """A list has a line for each item then, if it is too wide itself."""
    long = ["a" * 40, "b" * 40, "c" * 40]
    text = document(Block({"policies": Block({"x": {"from": "ops", "to": long, "allow": "all"}})}))
    expected = f"""\
        policies:
          x:
            from: ops
            to:
              - {long[0]}
              - {long[1]}
              - {long[2]}
            allow: all
        """
    assert text == dedent(expected)


def test_line_is_as_wide_as_allowed():
    """One more column, and it stands below."""
    head = "  x: {from: "
    fits = "a" * (WIDTH - len(head) - 1)
    assert document(Block({"x": Block({"x": {"from": fits}})})).splitlines()[1] == f"{head}{fits}}}"
    assert document(Block({"x": Block({"x": {"from": fits + "a"}})})).splitlines()[1] == "  x:"


def test_mapping_in_list_begins_behind_dash():
    """Its other keys stand below the first."""
    text = document(Block({"processes": [{"linux": "/opt/" + "a" * 60, "macos": "/Library/" + "b" * 60}]}))
    assert text == f"processes:\n  - linux: /opt/{'a' * 60}\n    macos: /Library/{'b' * 60}\n"


def test_comments_stand_above_keys_and_items():
    """They are wrapped, and have the margin of what they speak of."""
    rows = Rows()
    rows.put("policy/a", ["it has two rules", "split it"])
    rows.put("policy/b")
    block = Block()
    block.put("unmanaged", rows, ["word " * 40])
    lines = document(block).splitlines()
    assert [line[:2] for line in lines[:3]] == ["# ", "# ", "# "]
    assert lines[3:] == ["unmanaged:", "  # it has two rules", "  # split it", "  - policy/a", "  - policy/b"]


def test_comment_cannot_break_out():
    """Whatever a name holds, it stays one comment, harmless for terminals and CI logs."""
    block = Block()
    block.put("a", 1, ["x\nb: 2", "\x1b[31m \u2028 \x85 ##[error]"])
    text = document(block)
    assert loaded(text) == {"a": 1}
    assert not set(text) & set("\x1b\u2028\x85")
    assert "##[error]" not in text


def test_larger_parts_are_set_apart():
    """Single lines stand together."""
    root = Block({"version": 1, "also": 2, "groups": Block({"ops": None}), "policies": Block({"x": None})})
    assert document(root) == "version: 1\nalso: 2\n\ngroups:\n  ops:\n\npolicies:\n  x:\n"


def test_long_keys_are_keys():
    """YAML takes a key of more than 1024 characters only behind a question mark."""
    value = {"x" * 2000: {"y" * 2000: ["z"]}}
    assert loaded(document(Block({"groups": Block(value)}))) == {"groups": value}
