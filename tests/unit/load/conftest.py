from pathlib import Path

import pytest

from reconciler.load import Document, read

OBJECTS = frozenset({("groups",), ("policies",), ("dns", "zones")})
SINGLETONS = frozenset({("account",)})


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The working directory of a test, empty."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def load(folder):
    """Reads texts as files `a.yaml`, `b.yaml`, … and overlays as `over1.yaml`, `over2.yaml`, …."""

    def load(*texts: str | bytes, overlays=(), variables=None, environ=None, files=None) -> Document:
        def write(name: str, text: str | bytes) -> Path:
            path = Path(name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
            return path

        for name, text in (files or {}).items():
            write(name, text)
        base = [write(f"{chr(ord('a') + index)}.yaml", text) for index, text in enumerate(texts)]
        over = [write(f"over{index}.yaml", text) for index, text in enumerate(overlays, 1)]
        return read(
            base, overlays=over, variables=variables, environ=environ or {}, objects=OBJECTS, singletons=SINGLETONS
        )

    return load


@pytest.fixture
def problems(load):
    """Reads texts like `load`, and returns what is wrong as `FILE:LINE:COLUMN CODE`."""

    def problems(*texts, **options) -> list[str]:
        return [f"{found.place} {found.code}" for found in load(*texts, **options).diagnostics]

    return problems


@pytest.fixture
def only(load):
    """Reads texts like `load`, and returns the one thing that is wrong."""

    def only(*texts, **options):
        (found,) = load(*texts, **options).diagnostics
        return found

    return only
