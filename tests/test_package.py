"""What a wheel holds, and that it works beside packages that own the same import names."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An sdist, and the wheel built from it."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_wheel_brings_no_import_name_that_others_could_own(distributions: Path) -> None:
    [wheel] = distributions.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.partition("/")[0] for name in names if ".dist-info" not in name} == {"nbsync_app"}
    inside = [
        "lib/reconciler/starter/files/github.yaml",
        "lib/schemas/policy.py",
        "lib/schemas/_core/kind.py",
        "lib/reconciler/explain/codes/NBS201.toml",
    ]
    for needed in ("__init__.py", "lib/reconciler/py.typed", *inside):
        assert f"nbsync_app/{needed}" in names
    assert "nbsync_app/lib/reconciler/_launcher.py" not in names


def test_sdist_holds_what_a_packager_needs(distributions: Path) -> None:
    [sdist] = distributions.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {
        "pyproject.toml",
        "README.md",
        "LICENSE",
        "docs/codes/NBS201.md",
        "reconciler/_launcher.py",
        "schemas/group.py",
        "tests/test_package.py",
    } <= names


def test_wheel_runs_beside_a_package_that_owns_schemas(distributions: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "env", with_pip=True)
    python = tmp_path / "env" / "bin" / "python"
    [wheel] = distributions.glob("*.whl")
    subprocess.run([python, "-m", "pip", "install", "-q", "--no-deps", "--no-index", str(wheel)], check=True)
    site = Path(_output(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=tmp_path).strip())
    for name in ("schemas", "reconciler"):
        (site / name).mkdir()
        (site / name / "__init__.py").write_text("OWNER = 'somebody else'\n")
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    nbsync = tmp_path / "env" / "bin" / "nbsync"

    assert _output(nbsync, "--version", cwd=tmp_path).startswith("nbsync ")
    (tmp_path / "net.yaml").write_text("version: 1\ngroups: {interns: }\n")
    assert "valid" in _output(nbsync, "validate", "net.yaml", cwd=tmp_path)
    assert "+ group/interns" in _output(nbsync, "plan", "net.yaml", "--simulate", "-q", cwd=tmp_path)
    assert _output(python, "-c", "import schemas; print(schemas.OWNER)", cwd=tmp_path) == "somebody else\n"


def _output(*command: Path | str, cwd: Path) -> str:
    done = subprocess.run(list(map(str, command)), cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
