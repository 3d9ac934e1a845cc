"""`--since`: what the files ask for, and what was changed in the account behind their back, by a real git repository."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from werkzeug.wrappers import Response

from tests.unit.harness import Account, Between, NoServer, Outcome, with_version

Git = Callable[..., str]

BASE = """
groups: {a: , b: , c: }
policies:
  p: {from: a, to: b, allow: tcp/443}
  q: {from: a, to: b, allow: all}
"""


@pytest.fixture
def git(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Git:
    """Run git in the folder, which is a repository."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", os.devnull)
    identity = ("-c", "user.name=n", "-c", "user.email=n@acme.example", "-c", "protocol.file.allow=always")

    def run(*arguments: str, given: str | None = None) -> str:
        command = ["git", "-C", str(folder), *identity, *arguments]
        return subprocess.run(command, input=given, check=True, capture_output=True, text=True).stdout.strip()

    run("init", "-q", "-b", "main")
    return run


@pytest.fixture
def applied(account: Account, git: Git) -> Callable[..., None]:
    """Apply a text and tag it v1, together with whatever else lies in the folder."""

    def apply(text: str = BASE, *flags: str) -> None:
        account.applied(text, *flags)
        tag(git)

    return apply


def tag(git: Git, name: str = "v1") -> None:
    git("add", "-A", "-f", ":!secrets")
    git("commit", "-q", "-m", name, "--allow-empty")
    git("tag", name)


def edit(account: Account, path: str, called: str, **fields: Any) -> None:
    """Click in the dashboard."""
    found = {**account.named(path, called), **fields}
    for rule in found.get("rules", ()):
        for end in ("sources", "destinations"):
            rule[end] = [group["id"] for group in rule[end] or ()]
    account.send("PUT", f"{path}/{found['id']}", found)


def widen(account: Account, policy: str, group: str) -> None:
    """Add a group to the sources of a policy in the dashboard."""
    found = account.named("/policies", policy)
    found["rules"][0]["sources"].append(account.named("/groups", group))
    edit(account, "/policies", policy, rules=found["rules"])


def origins(outcome: Outcome) -> dict[str, Any]:
    """Origin of every change; with those of the fields where they differ."""
    assert outcome.exit_code in (0, 2), outcome.stdout + outcome.stderr
    found = {}
    for change in outcome.document["changes"]:
        fields = {field["path"]: field["origin"] for field in change["fields"]}
        whole = change["origin"]
        found[change["address"]] = whole if set(fields.values()) <= {whole} else (whole, fields)
    return found


def test_without_since_nothing_has_an_origin(account: Account, applied: Any) -> None:
    applied()
    edit(account, "/policies", "p", enabled=False)
    change = account.plan(BASE).change("policy/p")
    assert "origin" not in change
    assert all("origin" not in field for field in change["fields"])
    assert "[" not in account.nbsync("plan").stdout


def test_a_click_is_of_the_account_and_a_line_of_the_files(account: Account, applied: Any) -> None:
    applied()
    edit(account, "/policies", "p", enabled=False)
    text = BASE.replace("allow: all", "allow: icmp")
    assert origins(account.plan(text, "--since", "v1")) == {"policy/p": "account", "policy/q": "files"}


def test_both_on_one_object_are_told_apart_by_field(account: Account, applied: Any) -> None:
    applied()
    edit(account, "/policies", "p", enabled=False)
    found = origins(account.plan(BASE.replace("to: b, allow: tcp/443", "to: c, allow: tcp/443"), "--since", "v1"))
    assert found == {"policy/p": ("both", {"to": "files", "enabled": "account"})}


def test_both_on_one_field_are_both(account: Account, applied: Any) -> None:
    applied(BASE.replace("allow: all", "description: old, allow: all"))
    edit(account, "/policies", "q", description="clicked")
    found = origins(account.plan(BASE.replace("allow: all", "description: new, allow: all"), "--since", "v1"))
    assert found == {"policy/q": "both"}


def test_a_click_that_the_files_adopt_is_no_difference_any_more(account: Account, applied: Any) -> None:
    applied()
    edit(account, "/policies", "q", description="clicked", enabled=False)
    text = BASE.replace("allow: all", "description: clicked, enabled: true, allow: icmp")
    found = origins(account.plan(text, "--since", "v1"))
    assert found == {"policy/q": ("both", {"allow": "files", "enabled": "account"})}
    adopted = text.replace("enabled: true", "enabled: false")
    assert origins(account.plan(adopted, "--since", "v1")) == {"policy/q": "files"}


def test_what_was_deleted_in_the_account_is_missing_there(account: Account, applied: Any) -> None:
    applied()
    account.send("DELETE", f"/policies/{account.named('/policies', 'q')['id']}")
    assert origins(account.plan(BASE + "  r: {from: a, to: b, allow: all}\n", "--since", "v1")) == {
        "policy/q": "account",
        "policy/r": "files",
    }
    otherwise = origins(account.plan(BASE.replace("allow: all", "allow: all, description: d"), "--since", "v1"))
    assert otherwise == {
        "policy/q": ("both", {"from": "account", "to": "account", "allow": "account", "description": "files"})
    }
    assert origins(
        account.plan(BASE.replace("from: a, to: b, allow: all", "from: a, to: c, allow: all"), "--since", "v1")
    ) == {"policy/q": ("both", {"from": "account", "to": "both", "allow": "account"})}


def test_a_create_with_less_than_before_is_both(account: Account, applied: Any) -> None:
    applied(BASE.replace("allow: all", "allow: all, description: d"))
    account.send("DELETE", f"/policies/{account.named('/policies', 'q')['id']}")
    whole, fields = origins(account.plan(BASE, "--since", "v1"))["policy/q"]
    assert whole == "both"
    assert set(fields.values()) == {"account"}


def test_deletes_are_of_the_files_or_of_the_account(account: Account, applied: Any) -> None:
    full = "manage: {default: full}\n"
    applied(full + BASE)
    account.send("POST", "/groups", {"name": "clicked"})
    edit(account, "/policies", "p", description="clicked")
    text = full + BASE.replace("  p: {from: a, to: b, allow: tcp/443}\n", "").replace(", c: }", "}")
    found = origins(account.plan(text, "--since", "v1"))
    assert found["group/clicked"] == "account"
    assert found["group/c"] == "files"
    whole, fields = found["policy/p"]
    assert (whole, fields["description"], fields["allow"]) == ("both", "both", "files")


def test_a_rename_in_the_files_is_of_the_files(account: Account, applied: Any) -> None:
    applied()
    text = BASE.replace("{a: ,", "{staff: {previously: a},").replace("from: a", "from: staff")
    assert origins(account.plan(text, "--since", "v1")) == {"group/staff": "files"}
    widen(account, "q", "c")
    # Said with another name, it is the same difference as before: the click, not the files.
    assert origins(account.plan(text, "--since", "v1")) == {"group/staff": "files", "policy/q": "account"}


def test_a_renamed_object_that_was_clicked_on_is_both(account: Account, applied: Any) -> None:
    text = "networks: {n: {description: old, resources: {r: {address: r.example, groups: [All]}}}}\n"
    applied(text)
    edit(account, "/networks", "n", description="clicked")
    found = origins(account.plan(text.replace("{n: {", "{m: {previously: n, "), "--since", "v1"))
    assert found == {"network/m": ("both", {"description": "account"})}


def test_a_rename_in_the_account_is_of_the_account(account: Account, applied: Any, git: Git) -> None:
    applied()
    text = BASE.replace("q: {from", f"q: {{id: {account.named('/policies', 'q')['id']}, from")
    account.write(with_version(text))
    tag(git, "v2")
    edit(account, "/policies", "q", name="clicked")
    assert origins(account.plan(text, "--since", "v2")) == {"policy/q": "account"}
    both = text.replace("q: {", "r: {")
    assert origins(account.plan(both, "--since", "v2")) == {"policy/r": "both"}


def test_an_overlay_counts_as_it_was(account: Account, applied: Any, git: Git) -> None:
    account.write("policies: {q: {allow: icmp}}", "overlays/site.yaml")
    account.write(with_version(BASE), "base/nbsync.yaml")
    assert account.nbsync("apply", "--yes", "base", "--overlay", "overlays/site.yaml").exit_code == 0
    tag(git)
    account.write("policies: {q: {allow: tcp/22}}", "overlays/site.yaml")
    edit(account, "/policies", "p", enabled=False)
    arguments = ("-o", "json", "base", "--overlay", "overlays/site.yaml", "--since", "v1")
    assert origins(account.nbsync("plan", *arguments)) == {"policy/q": "files", "policy/p": "account"}


def test_an_overlay_that_was_not_there_counts_as_none(account: Account, applied: Any) -> None:
    applied()
    account.write("policies: {q: {allow: icmp}}", ".site/overlay.yaml")
    edit(account, "/policies", "p", enabled=False)
    found = origins(account.plan(BASE, "--overlay", ".site/overlay.yaml", "--since", "v1"))
    assert found == {"policy/q": "files", "policy/p": "account"}


@pytest.mark.parametrize("name", ["text.txt", "sub/text.txt", ".hidden/link"])
def test_files_in_values_count_as_they_were(account: Account, applied: Any, name: str) -> None:
    account.write("old\n", "sub/text.txt")
    account.write("old\n", "text.txt")
    account.write("", ".hidden/x")
    (account.folder / ".hidden/link").symlink_to("../sub/text.txt")
    text = BASE.replace("allow: all", f"allow: all, description: '${{file:{name}}}'")
    applied(text)
    assert origins(account.plan(text, "--since", "v1")) == {}
    account.write("new\n", "sub/text.txt")
    account.write("new\n", "text.txt")
    assert origins(account.plan(text, "--since", "v1")) == {"policy/q": "files"}


def test_variables_are_the_same_for_both(account: Account, applied: Any) -> None:
    text = BASE.replace("allow: all", "allow: all, description: '${var:d}'")
    applied(text, "--var", "d=x")
    edit(account, "/policies", "q", description="clicked")
    assert origins(account.plan(text, "--since", "v1", "--var", "d=x")) == {"policy/q": "account"}


def test_links_within_the_repository_are_followed_as_they_were(account: Account, git: Git) -> None:
    account.write(with_version(BASE), "common/policies.yaml")
    account.write("", "site/.keep")
    (account.folder / "site/common").symlink_to("../common")
    (account.folder / "current").symlink_to("site")
    tag(git)
    assert set(origins(account.nbsync("plan", "-o", "json", "site", "--since", "v1")).values()) == {"account"}
    assert set(origins(account.nbsync("plan", "-o", "json", "current", "--since", "v1")).values()) == {"account"}


def test_a_link_to_the_files_from_elsewhere_means_their_repository(
    account: Account, git: Git, tmp_path_factory: pytest.TempPathFactory
) -> None:
    account.write(with_version(BASE))
    tag(git)
    link = tmp_path_factory.mktemp("home") / "net"
    link.symlink_to(account.folder)
    assert set(origins(account.nbsync("plan", "-o", "json", str(link), "--since", "v1")).values()) == {"account"}


def test_where_no_files_were_everything_is_of_the_files(account: Account, git: Git) -> None:
    tag(git)
    assert set(origins(account.plan(BASE, "--since", "v1")).values()) == {"files"}
    account.write(with_version(BASE), "later/nbsync.yaml")
    found = origins(account.nbsync("plan", "-o", "json", "later", "--since", "v1"))
    assert set(found.values()) == {"files"}


def test_kinds_and_parents_that_only_the_earlier_files_have_are_read_too(account: Account, applied: Any) -> None:
    earlier = "service_users: {s: {role: user, tokens: {t: {expires_in: 9d}}}}\n"
    applied(BASE + earlier, "--secrets-out", "secrets")
    plain, compared = account.plan(BASE), account.plan(BASE, "--since", "v1")
    assert compared.changes == plain.changes == []
    assert compared.writes == []
    more = set(compared.sent) - set(plain.sent)
    assert any(line.endswith("/tokens") for line in more)
    assert len(compared.sent) == len(set(compared.sent))


def test_kinds_that_only_the_earlier_files_have_may_be_unknown_to_the_server(
    account: Account, applied: Any, connect: Callable[[Any, str], None]
) -> None:
    applied(BASE + "dns: {zones: {x.example: {groups: [a]}}}\n")
    edit(account, "/policies", "p", enabled=False)
    old_server = Between(account.simulator)
    old_server.before = lambda request: (
        Response("404 page not found", 404) if request.path == "/api/dns/zones" else None
    )
    connect(old_server, account.token)
    assert origins(account.plan(BASE, "--since", "v1")) == {"policy/p": "account"}


def test_a_target_is_compared_with_all_earlier_files(account: Account, applied: Any) -> None:
    applied()
    edit(account, "/policies", "p", enabled=False)
    found = origins(account.plan(BASE.replace("all}", "icmp}"), "--since", "v1", "--target", "policy/p"))
    assert found == {"policy/p": "account"}
    new = BASE + "  new: {from: a, to: b, allow: all}\n"
    assert origins(account.plan(new, "--since", "v1", "--target", "policy/new")) == {"policy/new": "files"}


def test_guards_of_the_earlier_files_do_not_refuse(account: Account, applied: Any) -> None:
    applied("manage: {default: full}\nguards: {protect: ['group/*']}\n" + BASE)
    account.send("POST", "/groups", {"name": "clicked"})
    outcome = account.plan("manage: {default: full}\n" + BASE, "--since", "v1")
    assert origins(outcome) == {"group/clicked": "account"}


def test_text_marks_changes_and_counts_them(account: Account, applied: Any) -> None:
    applied()
    edit(account, "/policies", "p", enabled=False)
    account.write(with_version(BASE.replace("to: b", "to: c")))
    outcome = account.nbsync("plan", "--since", "v1")
    lines = [line.rstrip() for line in outcome.stdout.splitlines()]
    assert lines[3:] == [
        "  ~ policy/p  nbsync.yaml:5  [files and account]",
        "      to       b → c  [files]",
        "      enabled  false → true  [account]",
        "  ~ policy/q  nbsync.yaml:6  [files]",
        "      to  b → c",
        "",
        "Plan: 2 to update (since v1: 1 asked for by the files, 0 changed in the account, 1 both); 1 unmanaged object is left alone.",
    ]


def test_drift_is_what_was_changed_in_the_account_alone(account: Account, applied: Any) -> None:
    applied()
    account.write(with_version(BASE.replace("to: b", "to: c")))
    calm = account.nbsync("drift", "--since", "v1", "--detailed-exitcode")
    assert calm.exit_code == 0
    assert calm.stdout == (
        "No drift: nothing was changed in the account since v1; 2 changes that the files ask for are not shown; "
        "1 unmanaged object is left alone.\n"
    )
    edit(account, "/policies", "p", enabled=False)
    outcome = account.nbsync("drift", "--since", "v1", "--detailed-exitcode")
    assert outcome.exit_code == 2
    lines = outcome.stdout.splitlines()
    assert lines[3:] == [
        "  ~ policy/p  nbsync.yaml:5  [files and account]",
        "      enabled  false → true  [account]",
        "",
        "Drift: 1 different since v1; 1 change that the files ask for is not shown; 1 unmanaged object is left alone.",
    ]
    found = origins(account.nbsync("drift", "-o", "json", "--since", "v1"))
    assert found == {"policy/p": ("both", {"enabled": "account"})}


def test_drift_without_files_that_changed_says_nothing_of_them(account: Account, applied: Any) -> None:
    applied()
    assert account.nbsync("drift", "--since", "HEAD").stdout == (
        "No drift: nothing was changed in the account since HEAD; 1 unmanaged object is left alone.\n"
    )


def test_earlier_files_that_do_not_fit_the_account_are_an_error(account: Account, applied: Any) -> None:
    account.send("POST", "/groups", {"name": "clicked"})
    applied(BASE.replace("from: a, to: b, allow: all", "from: clicked, to: b, allow: all"))
    account.applied(BASE)
    account.send("DELETE", f"/groups/{account.named('/groups', 'clicked')['id']}")
    error = account.plan(BASE, "--since", "v1").error
    assert error.code == "NBS014"
    assert "do not fit this account: 1 error: v1:nbsync.yaml:6:13: " in error.message
    assert "no group is called 'clicked'" in error.message


def test_nothing_is_asked_of_a_server_before_git_has_answered(folder: Path, git: Git, nobody: NoServer) -> None:
    from reconciler.cli.main import run

    Path("nbsync.yaml").write_text(with_version(BASE))
    tag(git)
    assert run(["plan", "--since", "nothing"]) == 64
    assert run(["drift", "--since", "nothing"]) == 64
    assert nobody.requests == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("version: 1\ngroups: {a: {peerz: []}}\n", "1 error: v1:nbsync.yaml:2:14: unknown key 'peerz'"),
        (
            "version: 2\ngroups: []\n",
            "2 errors, the first: v1:nbsync.yaml:1:10: version 2 of the language is not known",
        ),
        ("version: 1\n\tgroups:", "1 error: v1:nbsync.yaml:2:1: not YAML: "),
        (
            "version: 1\ngroups: {'${file:no}': , a: {peers: ['${file:no}']}}\n",
            "1 error: v1:nbsync.yaml:2:38: v1:no does not exist",
        ),
    ],
)
def test_earlier_files_that_are_invalid_are_one_error(account: Account, git: Git, text: str, message: str) -> None:
    account.write(text)
    tag(git)
    outcome = account.plan(BASE, "--since", "v1")
    assert (outcome.exit_code, outcome.error.code, outcome.sent) == (3, "NBS014", ())
    assert outcome.error.message.startswith(f"the files at v1 are invalid: {message}")
    assert account.nbsync("drift", "--since", "v1").exit_code == 3


def test_what_lay_outside_of_the_repository_is_not_read(
    account: Account, git: Git, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    monkeypatch.setattr("tempfile.tempdir", str(elsewhere))
    outside = account.folder.parent / "outside.txt"
    for path in (outside, elsewhere / "outside.txt"):
        path.write_text("now\n")
    text = BASE.replace("allow: all", "allow: all, description: '${file:../outside.txt}'")
    account.write(with_version(text))
    tag(git)
    error = account.plan(text, "--since", "v1").error
    assert (error.code, error.message[-37:]) == ("NBS014", ":48: v1:../outside.txt does not exist")
    assert list(elsewhere.iterdir()) == [elsewhere / "outside.txt"]
    absolute = text.replace("../outside.txt", str(outside))
    account.write(with_version(absolute))
    tag(git, "v2")
    assert set(origins(account.plan(absolute, "--since", "v2")).values()) == {"account"}


def test_messages_do_not_say_where_the_earlier_files_lay(account: Account, git: Git) -> None:
    account.write(with_version(BASE))
    loop = account.folder / "loop"
    loop.symlink_to(".")
    tag(git)
    loop.unlink()
    message = account.plan(BASE, "--since", "v1").error.message
    assert message.endswith(f"1 error: the folder v1:loop leads back to {account.folder.resolve()}, in which it lies")


@pytest.mark.parametrize("output", ["text", "json", "sarif", "junit", "github"])
@pytest.mark.parametrize("command", ["plan", "drift"])
def test_all_formats_take_it(account: Account, applied: Any, command: str, output: str) -> None:
    applied()
    edit(account, "/policies", "p", enabled=False)
    assert account.nbsync(command, "-o", output, "--since", "v1").exit_code == 0


def test_a_revision_is_harmless_text(account: Account, applied: Any) -> None:
    applied()
    edit(account, "/policies", "p", enabled=False)
    revision = "HEAD^{/v1|\x1b\u202e}"
    for command in ("plan", "drift"):
        outcome = account.nbsync(command, "--since", revision)
        assert outcome.exit_code == 0
        assert "since HEAD^{/v1|\\x1b\\u202e}" in outcome.stdout
    assert "\x1b" not in account.nbsync("plan", "--since", "\x1b[2J").stderr


def test_only_plan_and_drift_take_it(account: Account, applied: Any) -> None:
    applied()
    for command in ("apply", "validate", "export"):
        assert account.nbsync(command, "--since", "v1").exit_code == 64


def test_warnings_about_the_earlier_files_are_not_shown(account: Account, applied: Any) -> None:
    applied(BASE + "peers: {nobody: }\n")
    assert account.plan(BASE + "peers: {nobody: }\n", "--since", "v1").warnings != []
    assert account.plan(BASE, "--since", "v1").warnings == []


def test_what_is_only_shut_meanwhile_has_no_origin(account: Account, applied: Any) -> None:
    account.join("m1", "m2")
    groups = "groups: {g: {peers: [m1]}, h: {peers: [m2]}}\n"
    text = groups + "policies: {p: {from: g, to: h, allow: tcp}, q: {from: [g, h], to: All, deny: icmp}}"
    applied(text)
    peers = {peer["name"]: peer["id"] for peer in account.read("/peers")}
    for group, peer in ("g", "m2"), ("h", "m1"):
        account.send("PUT", f"/groups/{account.named('/groups', group)['id']}", {"name": group, "peers": [peers[peer]]})
    outcome = account.plan(text, "--since", "v1")
    assert outcome.changes == ["~ group/g (peers)", "~ group/h (peers)", "~ policy/p"]
    assert "origin" not in outcome.change("policy/p")
    assert "0 asked for by the files, 2 changed in the account" in account.nbsync("plan", "--since", "v1").stdout
