"""The layout, rule by rule: what goes in, what comes out, and that it stays so."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from reconciler.fmt import formatted
from reconciler.fmt.shapes import root_shape
from schemas import KINDS, in_order
from schemas._core.fields import Resource, Text
from schemas._core.kind import Endpoint, Kind

HERE = Path("x.yaml")


def fmt(text: str, **how: Any) -> str:
    """The text in its layout, which stays as it is a second time."""
    result = formatted(dedent(text).removeprefix("\n"), HERE, **how)
    assert formatted(result, HERE, **how) == result
    return result


def becomes(before: str, after: str) -> None:
    assert fmt(before) == dedent(after).removeprefix("\n")


def test_root_keys_and_fields_have_one_order_and_names_have_none() -> None:
    becomes(
        """
        tests: []
        unmanaged: [policy/x]
        policies:
          z: {description: d, to: b, from: a, allow: all, id: 7x, protect: true}
          a: {to: b, from: a, allow: all}
        groups: {z: , a: }
        version: 1
        """,
        """
        version: 1
        groups: {z: , a: }
        policies:
          z: {id: 7x, from: a, to: b, allow: all, description: d, protect: true}
          a: {from: a, to: b, allow: all}
        unmanaged: [policy/x]
        tests: []
        """,
    )


def test_unknown_keys_stand_last_as_they_are() -> None:
    becomes("groups: {a: {zz: 1, aa: 2, peers: [x]}}\n", "groups: {a: {peers: [x], zz: 1, aa: 2}}\n")


def test_a_new_kind_needs_no_word_here() -> None:
    class Printer(Resource):
        model: Text
        place: Text = ""

    kind = Kind(name="printer", model=Printer, section=("printers",), endpoint=Endpoint("/printers"))
    shape = root_shape(in_order([*KINDS.values(), kind]))
    text = "unmanaged: []\nprinters: {p: {place: x, model: y}}\ngroups: {}\n"
    assert fmt(text, shape=shape) == "groups: {}\nprinters: {p: {model: y, place: x}}\nunmanaged: []\n"


def test_comments_move_with_their_keys() -> None:
    becomes(
        """
        # the file

        # about policies
        policies:   # here
          # first
          p:
              # a heading

              to: db    # whom
              # who
              # and why
              from: ops
              allow: all
              # the end of p
          # the end of policies
        # the version
        version: 1
        # the end
        """,
        """
        # the file

        # the version
        version: 1
        # about policies
        policies:   # here
          # first
          p:
            # a heading

            # who
            # and why
            from: ops
            to: db    # whom
            allow: all
            # the end of p
          # the end of policies
        # the end
        """,
    )


def test_comments_for_editors_stay_at_the_head() -> None:
    line = "# yaml-language-server: $schema=nbsync.json\n"
    becomes(f"{line}groups: {{}}\nversion: 1\n", f"{line}version: 1\ngroups: {{}}\n")


def test_comments_above_the_first_key_of_an_item_stand_above_its_dash() -> None:
    becomes(
        """
        networks:
          n:
            routers:
            # the first
            -   metric: 1
                # which
                peer: gw
            # the end
        """,
        """
        networks:
          n:
            routers:
              # the first
              # which
              - peer: gw
                metric: 1
            # the end
        """,
    )


def test_comments_inside_of_brackets() -> None:
    becomes(
        """
        policies:
          p: {
            to: db,  # whom
            # who
            from: [ops,   # people
               devs],
            allow: all # what
            # end
            }
        """,
        """
        policies:
          p: {
            # who
            from: [ops,   # people
              devs],
            to: db,  # whom
            allow: all # what
            # end
          }
        """,
    )


def test_brackets_that_are_filled_keep_their_order_where_comments_stand_between() -> None:
    text = "policies:\n  p: {to: db, # whom\n    from: ops}\n"
    assert fmt(text) == text


@pytest.mark.parametrize("sign", ["|", ">", "|-", "|+", ">+"])
def test_block_scalars_keep_their_lines(sign: str) -> None:
    becomes(
        f"""
        groups:
            a:
                owner: {sign}
                     # no comment
                       more
                # a comment
                peers: [x]
        """,
        f"""
        groups:
          a:
            # a comment
            peers: [x]
            owner: {sign}
              # no comment
                more
        """,
    )


def test_block_scalars_with_an_indentation_of_their_own() -> None:
    becomes(
        "groups:\n    a:\n        owner: |3\n             deep\n           flat\n",
        "groups:\n  a:\n    owner: |2\n        deep\n      flat\n",
    )


def test_a_comment_below_a_block_scalar_does_not_become_a_part_of_it() -> None:
    becomes(
        "groups:\n  a:\n    owner: |\n          text\n        # a comment\n  b:\n",
        "groups:\n  a:\n    owner: |\n      text\n    # a comment\n  b:\n",
    )


def test_a_block_scalar_without_a_newline_at_the_end_of_the_file() -> None:
    assert fmt("groups:\n  a:\n    owner: |\n      text") == "groups:\n  a:\n    owner: |-\n      text\n"


def test_no_empty_line_comes_below_a_scalar_that_would_keep_it() -> None:
    becomes(
        "groups:\n  a: 1\n\nversion:\n  |+\n   x\nusers: {}\n",
        "version:\n  |+\n  x\ngroups:\n  a: 1\nusers: {}\n",
    )


def test_empty_lines_and_ends_of_lines() -> None:
    becomes("\n\nversion: 1  \r\n\r\n\r\n\r\ngroups: {}\t\n\n\n", "version: 1\n\ngroups: {}\n")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("'ops'", "ops"),
        ('"${var:x}"', "${var:x}"),
        ("'a: b'", '"a: b"'),
        ("'a \"b\": c'", "'a \"b\": c'"),
        (r'"C:\\x: y"', r'"C:\\x: y"'),
        ('"fd00::/8"', "fd00::/8"),
        ("0.60.0", "0.60.0"),
        ('"caf\\u00e9"', "café"),
        *((text, text) for text in ('"NO"', '"yes"', '"on"', '"off"', '"y"', '"1.20"', '"2001-12-14"', '"0o7"', '"22:22"')),
        *((text, text) for text in ('"~"', '""', '"null"', '" a"', '"1_000"', '"="', '"@"', '"*x"', "NO", "plain text")),
    ],
)  # fmt: skip
def test_quotes(before: str, after: str) -> None:
    assert fmt(f"vars:\n  x: {before}\n") == f"vars:\n  x: {after}\n"


@pytest.mark.parametrize("text", ['"fd00::/8"', '"${var:x}"', '"a,b"', '"?x"'])
def test_quotes_between_brackets(text: str) -> None:
    assert fmt(f"unmanaged: [{text}]\n") == f"unmanaged: [{text}]\n"


def test_lists_of_one() -> None:
    becomes(
        """
        policies:
          p:
            from: [a]
            to:
            - "b"
            allow: ["tcp/443"]
            posture: [x] # why
            previously: [
              old,
            ]
        """,
        """
        policies:
          p:
            from: a
            to: b
            allow: tcp/443
            posture: x # why
            previously: old
        """,
    )


@pytest.mark.parametrize(
    "value",
    ["[a, b]", "&x [a]", "[&x a]", "[*y]", '["${var:x}"]', "[]", "[1]", "[null]", "[{peer: a}]", "[a # why\n    ]"],
)
def test_lists_that_stay(value: str) -> None:
    text = f"vars: {{y: &y a}}\npolicies:\n  p:\n    from: {value}\n"
    assert fmt(text) == text


def test_other_lists_of_one_stay() -> None:
    text = "groups: {a: {peers: [x]}}\npolicies: {p: {ssh: {a: [root]}, ports: [22]}}\n"
    assert fmt(text) == text


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("90m", "1h30m"),
        ('"24h"', "1d"),
        ("never", "never"),
        ("0s", "0s"),
        ("soon", "soon"),
        ("&a 60s # x", "&a 60s # x"),
    ],
)
def test_durations(before: str, after: str) -> None:
    text = "setup_keys:\n  k:\n    type: reusable\n    expires_in: "
    assert fmt(f"{text}{before}\n") == f"{text}{after}\n"


def test_empty_objects() -> None:
    becomes(
        "groups:\n  a: {}\n  b: null # why\n  c: &c {}\n  d: ~\npolicies:\n  p: {}\n",
        "groups:\n  a:\n  b: # why\n  c: &c {}\n  d:\npolicies:\n  p: {}\n",
    )


def test_anchors_come_before_their_aliases() -> None:
    text = "policies:\n  p:\n    to: &x [a, b]\n    from: *x\n    allow: all\n"
    assert fmt(text) == text


def test_what_has_an_anchor_keeps_its_form() -> None:
    text = "groups: &g\n  a: {}\n  b:\n    previously: [c]\nvars:\n  x: *g\n"
    assert fmt(text) == text


def test_merge_keys_come_first() -> None:
    becomes(
        "vars:\n  x: &x {allow: all}\npolicies:\n  p:\n    to: b\n    <<: *x\n    from: a\n",
        "vars:\n  x: &x {allow: all}\npolicies:\n  p:\n    <<: *x\n    from: a\n    to: b\n",
    )


def test_marks_stay() -> None:
    becomes("%YAML 1.2\n---   # x\n  version:   1\n...\n", "%YAML 1.2\n---   # x\nversion: 1\n...\n")


def test_files_of_json() -> None:
    becomes('{"version":1,\n"groups":{"a":{}}\n}', "{version: 1,\n  groups: {a: {}}\n}\n")


def test_text_of_several_lines() -> None:
    becomes(
        'groups:\n    a:\n        owner: "one\n            two \\\n      three\n\n  four"\n',
        'groups:\n  a:\n    owner: "one\n      two \\\n      three\n\n      four"\n',
    )


@pytest.mark.parametrize(
    "text",
    ['"x\\u202ey"', '"\\u200b"', '"\\u00a0x"', "'x\u202ey'", '"x\u200d"', '"\\U000e0001"'],
)
def test_what_does_not_show_stays_as_it_is_written(text: str) -> None:
    """An escape that shows a bidi mark does not become the mark, nor lose the quotes around it."""
    assert fmt(f"vars: {{x: {text}}}\n") == f"vars: {{x: {text}}}\n"
    assert fmt(f"vars:\n  {text}: {text}\n") == f"vars:\n  {text}: {text}\n"


def test_of_comments_only_blanks_and_tabs_at_the_end_go() -> None:
    assert fmt("version: 1 # x\u00a0 \t\n# y\u3000\n") == "version: 1 # x\u00a0\n# y\u3000\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("vars:\n x: |+\n  end\n    \n", "vars:\n  x: |+\n    end\n      \n"),
        ("vars:\n x: |+\n  end\n    ", "vars:\n  x: |-\n    end\n      \n"),
    ],
)
def test_a_last_line_of_blanks_that_says_something_stays(before: str, after: str) -> None:
    """Blanks further in than the text are text."""
    assert formatted(before, HERE) == after
    assert formatted(after, HERE) == after
