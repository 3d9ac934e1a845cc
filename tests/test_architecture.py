"""What holds the parts apart: imports go one way, and nothing but its own file knows a kind by name."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.simulator.permissions import CREATE, DELETE, ROLES, UPDATE
from reconciler.simulator.registry import routes
from schemas import KINDS
from schemas._core.people import may_write

ROOT = Path(__file__).parents[1]
MODULES = [path for path in sorted((ROOT / "reconciler").rglob("*.py")) if "simulator" not in path.parts]
HOMONYMS = {("settings.py", "token"), *((name, "account") for name in ("change.py", "runs.py", "schema.py"))}
"""Texts that are the name of a kind and mean something else: the caller's own token; where a change, or a run, was made."""


def test_imports_go_one_way() -> None:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def literals(path: Path) -> Iterator[str]:
    """Texts in the code of a module: all but docstrings."""
    tree = ast.parse(path.read_text("utf-8"))
    bodies = [node.body for node in ast.walk(tree) if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)]
    docs = {id(body[0].value) for body in bodies if body and isinstance(body[0], ast.Expr)}
    docs |= {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
            yield node.value


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_module_names_a_kind(path: Path) -> None:
    named = {text for text in literals(path) if text in KINDS and (path.name, text) not in HOMONYMS}
    assert not named


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_file_of_its_own_and_a_walk(kind: str) -> None:
    assert (ROOT / "schemas" / f"{kind}.py").is_file()
    assert (ROOT / "tests" / "scenarios" / f"{kind}.yaml").is_file()


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_simulated(kind: str) -> None:
    endpoint = KINDS[kind].endpoint
    wanted = {("GET", endpoint.path)} if endpoint.path else set()
    if not endpoint.singleton:
        wanted |= {("POST", endpoint.create_path)} if endpoint.creates else set()
        wanted |= {("DELETE", endpoint.item_path)} if endpoint.deletes else set()
    wanted |= {("PUT", endpoint.item_path)} if endpoint.updates else set()
    served = {(route.method, blank(route.path)) for route in routes()}
    assert {(method, blank(path)) for method, path in wanted} <= served


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_says_which_permission_writing_needs(kind: str) -> None:
    """Of each role the kind's module says what the server's own table does."""
    module, endpoint = KINDS[kind].module, KINDS[kind].endpoint
    needed = {UPDATE} if endpoint.updates else set()
    if not endpoint.singleton:
        needed |= ({CREATE} if endpoint.creates else set()) | ({DELETE} if endpoint.deletes else set())
    assert {role: may_write(role, module) for role in ROLES} == {
        role: needed <= matrix[module] for role, matrix in ROLES.items()
    }


def blank(path: str) -> str:
    """A path with all variables alike: {id} and <network_id> become *."""
    parts = path.split("/")
    return "/".join("*" if part.startswith(("{", "<")) else part for part in parts)


def declared_in(example: Path) -> set[str]:
    """Kinds that an example declares, by the files alone."""
    from reconciler.load import read
    from reconciler.load.document import sections, understand

    objects, singletons = sections(KINDS)
    document = read([example], environ={}, objects=objects, singletons=singletons)
    return understand(document.root, document.sources, document.removed, KINDS).kinds


def test_every_kind_is_in_an_example() -> None:
    examples = [path for path in (ROOT / "examples").iterdir() if path.is_dir() and path.name != "demo"]
    assert set().union(*map(declared_in, examples)) == KINDS.keys()


@pytest.mark.parametrize("path", sorted((ROOT / "schemas").glob("*.py")), ids=lambda path: path.name)
def test_kinds_import_neither_the_engine_nor_one_another(path: Path) -> None:
    if path.name == "__init__.py":
        return
    imported = {
        name
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names])
    }
    assert not {name for name in imported if name.startswith("reconciler")}
    assert not {name for name in imported if name.startswith("schemas.") and not name.startswith("schemas._core")}
