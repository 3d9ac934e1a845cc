"""Whatever stands in the files, nbsync answers with errors that have places and ways out; it never falls over."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.cli.main import run
from schemas import KINDS
from schemas._core.document import Guards, Limit

ROOT_KEYS = ["manage", "guards", "vars", "unmanaged", *{kind.section[0] for kind in KINDS.values() if not kind.parent}]
FIELDS = sorted(
    {info.alias or name for kind in KINDS.values() for name, info in kind.model.model_fields.items()}
    | {step for kind in KINDS.values() for step in kind.section}
    | set(Guards.model_fields)
    | set(Limit.model_fields)
    | {
        "at_least",
        "peer",
        "resource",
        "network",
        "value",
        "allow",
        "deny",
        "A",
        "AAAA",
        "CNAME",
        "linux",
        "macos",
        "android",
    }
)
NAMES = ["a", "b", "All", "x.y", "@", "*", "a/b", "ana@acme.io", "group", "policy/x", "default", "", "ä"]
TEXTS = ["", "a", "All", "tcp/443", "all", "tcp", "10.0.0.1", "10.0.0.0/8", "fd00::/64", "1.2.3", "DE", "DE/Berlin", "90d", "never",
         "full", "admin", "owner", "reusable", "one-off", "n/r", "x.y", "*.x", "%", "${var:v}", "$${", "policy/*", "\x1b[31m", "ß"]  # fmt: skip
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 70_000),
    st.sampled_from([0.5, 1e308, float("inf"), 10**30]),
    st.sampled_from(TEXTS),
    st.text(max_size=5),
)
trees = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=4)
        | st.dictionaries(st.sampled_from(NAMES), inner, max_size=2)
    ),
    max_leaves=12,
)
objects = st.dictionaries(st.sampled_from(FIELDS), trees, max_size=6)
sections = st.one_of(trees, st.dictionaries(st.sampled_from(NAMES), st.one_of(objects, trees), max_size=3))
documents = st.dictionaries(st.sampled_from(ROOT_KEYS), sections, max_size=4)


def validated(folder: Path, document: dict[str, Any]) -> Any:
    """What `validate -o json` says of a document; JSON is YAML."""
    path = folder / "any.yaml"
    path.write_text(
        json.dumps({"version": 1, **document}, ensure_ascii=False).replace("Infinity", ".inf"), encoding="utf-8"
    )
    with redirect_stdout(io.StringIO()) as out:
        code = run(["validate", "-o", "json", str(path)])
    shown = json.loads(out.getvalue())
    assert shown["exit_code"] == code
    return shown


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(document=documents)
def test_any_document_is_valid_or_has_errors_with_places(folder: Path, document: dict[str, Any]) -> None:
    shown = validated(folder, document)
    assert shown["exit_code"] in (0, 3)
    assert all(found["code"] != "NBS999" and found["help"] for found in shown["diagnostics"])
    assert all(found["line"] and found["column"] for found in shown["diagnostics"])
    assert any(found["severity"] == "error" for found in shown["diagnostics"]) == (shown["exit_code"] == 3)
