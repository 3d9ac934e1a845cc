"""`nbsync export` as a person calls it."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.api.client import ReadApi
from reconciler.cli.main import run
from tests.unit.export.accounts import section
from tests.unit.export.test_selection import root_keys

FILES = ["dns", "groups", "nbsync", "networks", "policies", "posture_checks", "service_users", "setup_keys", "users"]


@pytest.fixture
def nbsync(capsys, monkeypatch, tmp_path):
    """Runs a command line in an empty folder; answers exit code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)
    for name in ("NB_MANAGEMENT_URL", "NB_PAT", "NB_ACCESS_TOKEN", "NBSYNC_DEBUG"):
        monkeypatch.delenv(name, raising=False)

    def nbsync(*arguments: str) -> tuple[int, str, str]:
        code = run(arguments)
        return (code, *capsys.readouterr())

    return nbsync


@pytest.fixture
def export(nbsync):
    """Runs `nbsync export` against the example account."""
    return lambda *arguments: nbsync("export", *arguments, "--simulate")


def names(folder: str) -> list[str]:
    """Names of the YAML files in a folder."""
    return sorted(path.stem for path in Path(folder).glob("*.yaml"))


def test_one_document_goes_to_stdout(export):
    """Progress goes to stderr."""
    code, out, err = export()
    assert code == 0
    assert out.startswith("# The NetBird account at http://127.0.0.1")
    assert "  devs-to-web: {from: devs, to: web-servers, allow: [tcp/80, tcp/443]}\n" in out
    assert err == "reading the account\n"
    assert export("-q")[2] == ""


def test_folder_gets_a_file_for_each_root_key(export, nbsync):
    """Together they are what stdout would have got."""
    code, out, err = export("--out", "net/bird")
    assert (code, out) == (0, "")
    assert err.endswith("wrote 9 files to net/bird\n")
    assert names("net/bird") == FILES
    whole = export()[1]
    for name in FILES[:2] + FILES[3:]:
        assert Path(f"net/bird/{name}.yaml").read_text() in f"{whole}\n"
    assert nbsync("validate", "net/bird")[0] == 0
    assert nbsync("plan", "net/bird", "--simulate", "--detailed-exitcode")[0] == 0


def test_folder_can_get_one_file(export):
    """The very text that stdout would have got."""
    assert export("--out", "here", "--layout", "one")[0] == 0
    assert names("here") == ["nbsync"]
    lines = Path("here/nbsync.yaml").read_text().splitlines()
    assert root_keys("\n".join(lines)) == root_keys(export()[1])


def test_files_are_not_overwritten(export):
    """The message names them; the account is not even read."""
    Path("net/deep").mkdir(parents=True)
    Path("net/deep/mine.yml").write_text("version: 1\n")
    code, out, err = export("--out", "net")
    assert (code, out) == (64, "")
    assert "net has YAML files already: net/deep/mine.yml" in err
    assert "--force" in err
    assert "reading" not in err
    assert names("net") == []


def test_only_a_few_of_many_files_are_named(export):
    """The others are counted."""
    Path("net").mkdir()
    for number in range(8):
        Path(f"net/{number}.yaml").touch()
    assert "net/4.yaml and 3 more" in export("--out", "net")[2]


def test_force_overwrites_files_of_the_same_names(export):
    """Others stay, and are pointed at: nbsync would read them together."""
    Path("net").mkdir()
    Path("net/groups.yaml").write_text("groups: {}\n")
    Path("net/mine.yaml").write_text("version: 1\n")
    code, _, err = export("--out", "net", "--force")
    assert code == 0
    assert "erp-apps" in Path("net/groups.yaml").read_text()
    assert Path("net/mine.yaml").read_text() == "version: 1\n"
    assert "net/mine.yaml: not written by this export, but read together with what was" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--layout", "files"], "several files cannot go to stdout"),
        (["--kind", "polcy"], "no kind is called 'polcy'"),
        (["--only", "policy/x"], "the account has nothing that is policy/x"),
        (["--out", "file"], "file is no folder"),
        (["--layout", "both"], "'both' is not one of"),
    ],
)
def test_wrong_usage_is_64(export, arguments, message):
    """Nothing goes to stdout."""
    Path("file").touch()
    code, out, err = export(*arguments)
    assert (code, out) == (64, "")
    assert message in err


def test_folder_that_cannot_be_written_is_an_error(export):
    """The message says why."""
    Path("file").touch()
    code, _, err = export("--out", "file/net")
    assert code == 1
    assert "file/net cannot be written" in err


def test_parts_are_asked_for(export):
    """By kind, and by address."""
    assert root_keys(export("--kind", "group", "--kind", "dns")[1]) == ["groups", "dns"]
    assert (
        section(export("--only", "policy/*-erp")[1], "policies")
        == "devs-to-erp: {from: devs, to: erp-apps, allow: tcp/443}\n"
    )


def test_what_cannot_be_declared_is_counted(nbsync, account, monkeypatch):
    """The reasons stand in the files."""
    monkeypatch.setattr(
        "reconciler.cli.simulated.simulated", lambda _: (account.api._settings, account.simulator.transport())
    )
    account.policy("no-ssh", [account.group("ops")], [account.group("web")], action="drop", protocol="netbird-ssh")
    code, out, err = nbsync("export", "--simulate", "-q")
    assert code == 0
    assert "- policy/no-ssh\n" in out
    assert "1 object cannot be declared as it is" in err
    account.policy("no-ssh-either", [], [account.group("web-2")], action="drop", protocol="netbird-ssh")
    assert "2 objects cannot be declared as they are" in nbsync("export", "--simulate", "-q")[2]


def test_no_token_is_8(nbsync):
    """As for every command that needs a server."""
    code, out, err = nbsync("export")
    assert (code, out) == (8, "")
    assert "NB_PAT is not set" in err


def test_export_can_only_read(export, monkeypatch):
    """Its client refuses every method but GET."""
    clients = []
    original = ReadApi.__init__
    monkeypatch.setattr(
        ReadApi, "__init__", lambda self, *a, **k: (clients.append(type(self)), original(self, *a, **k))[1]
    )
    export()
    assert clients == [ReadApi]


def test_no_secret_is_in_what_is_written(nbsync, account, monkeypatch):
    """Neither the token in use, nor those that were made, nor what is left of setup keys."""
    monkeypatch.setattr(
        "reconciler.cli.simulated.simulated", lambda _: (account.api._settings, account.simulator.transport())
    )
    key = {"name": "k", "type": "reusable", "expires_in": 0, "usage_limit": 0, "auto_groups": []}
    made = account.send("POST", "/setup-keys", key)
    robot = {"name": "ci", "role": "network_admin", "is_service_user": True, "auto_groups": []}
    token = account.send("POST", f"/users/{account.make('/users', robot)}/tokens", {"name": "t", "expires_in": 90})
    secrets = [made["key"], made["key"][:5], token["plain_token"], account.api._settings.token.get_secret_value()]
    _, out, err = nbsync("export", "--simulate")
    assert "  k: {type: reusable}\n" in out
    assert not [secret for secret in secrets if secret in out + err]
