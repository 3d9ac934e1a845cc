"""The tree is what ruamel.yaml's own loader makes of the same text, and what was dumped is what is read."""

import io
import json
import math

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from reconciler.load import Map, Seq, Sources
from reconciler.load.findings import Budget, Findings
from reconciler.load.yaml import load

RELAXED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])

TEXTS = st.one_of(
    st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), max_size=12),
    st.sampled_from(
        ["NO", "on", "yes", "010", "0x1f", "1e3", "0.30", "~", "null", "true", "", "fd00::/8", "::", "fe80::1", "a: b", "#x",
         "x #y", "- a", "*.x", "&a", "!t", "[a]", "{a}", "@", "%x", "'", '"', "\n", "a\nb", " a ", "2024-01-01", "12:30:45",
         "1_000", "<<", "=", "${", "$", "\ue000", "é😀", "\x85", "\u2028x", "?x"]
    ),
)  # fmt: skip
SCALARS = st.one_of(TEXTS, st.integers(), st.booleans(), st.none(), st.floats(allow_nan=False, allow_infinity=False))
TREES = st.dictionaries(
    TEXTS,
    st.recursive(
        SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4), max_leaves=15
    ),
    max_size=5,
)
TOKENS = st.sampled_from(
    ["a", "b", "key", "- ", ": ", ":", "? ", ", ", "[", "]", "{", "}", "\n", "\n  ", "\n- ", "\n  - ", '"', "'", "#", " #", "&x ",
     "*x", "!!str ", "|\n", ">\n", "---\n", "1", "0x1f", "0.30", "010", "1e3", ".inf", "no", "fd00::/8", "::1", "fe80::", "true",
     "null", "~", "\t", "\r\n", "é", "😀", "\\", "x: y", "\na: b", "\nc: [1, 2]", "\nd: {e: f}", " ", "  "]
)  # fmt: skip


def ours(text):
    sources = Sources()
    findings = Findings(sources)
    return load(text, sources.add("text.yaml"), Budget(), findings), findings.diagnostics


def plain(node):
    """The tree without types and marks of ours, and such that 1, 1.0 and True differ."""
    if isinstance(node, dict):
        return {key: plain(value) for key, value in node.items()}
    if isinstance(node, list):
        return [plain(value) for value in node]
    return (type(node), "nan" if isinstance(node, float) and math.isnan(node) else node)


def check_marks(node):
    if isinstance(node, Map):
        assert node.keys() == node.keys_at.keys() == node.values_at.keys()
        for value in node.values():
            check_marks(value)
    elif isinstance(node, Seq):
        assert len(node) == len(node.items_at)
        for value in node:
            check_marks(value)


@RELAXED
@given(TREES)
def test_json_is_read_as_it_is(tree):
    root, diagnostics = ours(json.dumps(tree, ensure_ascii=False))
    assert diagnostics == []
    assert plain(root) == plain(tree)
    check_marks(root)


@RELAXED
@given(TREES)
def test_what_ruamel_dumps_is_read_as_it_was(tree):
    # These it dumps as ends of lines, as YAML 1.1 has it.
    assume(not {"\x85", "\u2028", "\u2029"} & set(json.dumps(tree, ensure_ascii=False)))
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.allow_unicode = True
    stream = io.StringIO()
    yaml.dump(tree, stream)
    root, diagnostics = ours(stream.getvalue())
    assert diagnostics == []
    assert plain(root or {}) == plain(tree)
    check_marks(root)


@pytest.mark.filterwarnings("ignore::ruamel.yaml.error.ReusedAnchorWarning")
@RELAXED
@given(st.lists(TOKENS, max_size=14).map("".join))
def test_any_text_is_read_as_ruamel_reads_it(text):
    root, diagnostics = ours(text)
    check_marks(root)
    try:
        theirs = YAML(typ="safe", pure=True).load(text)
    except (YAMLError, ValueError, TypeError):
        return
    if root is not None and not diagnostics and all(isinstance(key, str) for key in _keys(theirs)):
        assert plain(root) == plain(theirs)


@RELAXED
@given(st.text(max_size=40) | st.lists(TOKENS | TEXTS, max_size=10).map("".join))
def test_nothing_raises(text):
    root, diagnostics = ours(text)
    assert root is None or isinstance(root, Map)
    assert all(found.place and found.message for found in diagnostics)


def _keys(node):
    if isinstance(node, dict):
        yield from node
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from _keys(child)
