"""What a colleague sees who has never seen nbsync, of files as people break them: each is mended without asking.

The files are in tests/golden/broken, a folder for each; what is said is in tests/golden/test_broken_files.
`pytest --snapshot-update` writes that anew; then read the difference.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.cli.main import run
from tests.unit.render.test_text import GOLDEN, GoldenFiles

CASES = sorted(path.name for path in (GOLDEN / "broken").iterdir())
OF_THE_ACCOUNT = {"unknown_reference", "unknown_posture_check"}
INVALID = 3


@pytest.mark.parametrize("case", CASES)
def test_broken_file(case, snapshot, capsys, folder, monkeypatch):
    monkeypatch.chdir(GOLDEN / "broken" / case)
    over = [argument for path in sorted(Path.cwd().glob("*.overlay")) for argument in ("--overlay", path.name)]
    command = ["plan", "--simulate", "--quiet"] if case in OF_THE_ACCOUNT else ["validate"]
    assert run([*command, *over]) == INVALID
    printed = "".join(capsys.readouterr())
    assert printed == snapshot.use_extension(GoldenFiles)
    assert ".yaml:" in printed or ".overlay:" in printed
    assert "  help: " in printed
    assert "Traceback" not in printed
