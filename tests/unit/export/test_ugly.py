"""An account of 500 objects that years of clicks and scripts have made: taken over by the commands of the README."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from reconciler.cli.main import run
from tests.unit.export.accounts import Simulated
from tests.unit.export.growing import Growing

ADOPTION = [
    ["export", "--out", "netbird"],
    ["validate", "netbird"],
    ["fmt", "--check", "netbird"],
    ["plan", "netbird", "--detailed-exitcode"],
]
LIVE = {"export", "plan"}


@pytest.fixture
def nbsync(account: Simulated, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Runs a command line against the account in an empty folder; answers exit code and what was printed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(
        "reconciler.cli.simulated.simulated", lambda _: (account.api._settings, account.simulator.transport())
    )

    def nbsync(*arguments: str) -> tuple[int, str]:
        code = run([*arguments, "--simulate"] if arguments[0] in LIVE else arguments)
        return code, "".join(capsys.readouterr())

    return nbsync


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_adoption_needs_no_hand_work(account, nbsync, seed):
    """Also when the files own everything that they could own."""
    Growing(account, Random(seed)).grow_to(500)
    for command in ADOPTION:
        assert (command, *nbsync(*command))[:2] == (command, 0)
    head = Path("netbird/nbsync.yaml")
    head.write_text(head.read_text(encoding="utf-8").replace("default: no-delete", "default: full"), encoding="utf-8")
    code, printed = nbsync(*ADOPTION[-1])
    assert code == 0, printed
    assert "No changes: the account is as the files say" in printed


@pytest.mark.parametrize("kind", ["account", "group", "peer", "user"])
def test_kinds_of_which_export_leaves_things_out_are_whole_by_name(account, nbsync, kind):
    """So that files can own them: `peers: full` deletes no peer."""
    Growing(account, Random(kind)).grow_to(200)
    assert nbsync("export", "--kind", kind, "--out", "netbird")[0] == 0
    head = Path("netbird/nbsync.yaml")
    owned = "default: full" if kind == "account" else f"default: full\n  {kind}s: full"
    head.write_text(head.read_text(encoding="utf-8").replace("default: no-delete", owned), encoding="utf-8")
    code, printed = nbsync("plan", "netbird", "--detailed-exitcode")
    assert code == 0, printed
