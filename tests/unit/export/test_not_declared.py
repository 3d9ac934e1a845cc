"""What no file can declare stands under `unmanaged` with its reason; a plan leaves it alone, even where everything is owned."""

from __future__ import annotations

from textwrap import dedent

import pytest

from tests.unit.export.accounts import Simulated, assert_in_step, full, section


@pytest.fixture
def unmanaged(account: Simulated):
    """Exports what no file can declare, and sees that a plan of the whole is empty."""

    def unmanaged() -> str:
        text = account.text()
        assert_in_step(account, text)
        return section(text, "unmanaged").replace("  - ", "- ")

    return unmanaged


def lines(text: str) -> str:
    """The text of an expectation."""
    return dedent(text).removeprefix("\n")


def twins(account: Simulated, name: str) -> list[str]:
    """Two groups of one name: the API refuses that only at creation."""
    ids = [account.group(name), account.group(f"{name}-2")]
    account.send("PUT", f"/groups/{ids[1]}", {"name": name, "peers": []})
    return ids


def test_nothing_is_unmanaged_where_everything_can_be_declared(account):
    """No empty list stands there."""
    assert "unmanaged" not in account.text()


def test_policy_of_several_rules(account, unmanaged):
    """Servers of old kept them; the reason says how to split it."""
    account.add_rule(account.policy("old", [account.group("ops")], [account.group("web")]))
    assert unmanaged() == lines("""
        # the live policy has 2 rules; the language has one rule per policy
        # declare one policy per rule under new names and delete this one, or list its address under
        # unmanaged
        - policy/old
        """)


def test_policy_that_drops_ssh(account, unmanaged):
    """There are no words for it."""
    account.policy("no-ssh", [account.group("ops")], [account.group("web")], action="drop", protocol="netbird-ssh")
    assert "# the live policy drops NetBird SSH, which the language cannot say\n" in unmanaged()


def test_twins_and_who_refers_to_them(account, unmanaged):
    """One reason for both, with their ids; a file could not say which of them a policy means."""
    ids = twins(account, "ops")
    account.policy("uses-a-twin", ids[:1], [account.group("web")])
    assert unmanaged() == lines(f"""
        # 2 live objects have this name, with the ids {ids[0]}, {ids[1]}
        # rename all but one in the dashboard, and export again
        - group/ops
        # from: it refers to the group ops (id {ids[0]}), and others have the same name
        # rename all but one in the dashboard, and export again
        - policy/uses-a-twin
        """)


def test_kept_fields_that_refer_to_twins_are_left_out(account):
    """The object itself can be declared."""
    ids = twins(account, "ops")
    account.person("ana@acme.example", auto_groups=ids[:1])
    text = account.text()
    assert_in_step(account, text)
    assert section(text, "users") == lines(f"""
        # auto_groups is left out: it refers to the group ops (id {ids[0]}), and others have
        # the same name; rename all but one in the dashboard, and export again
        ana@acme.example: {{role: user}}
        """)


def test_twins_whose_address_looks_like_a_pattern(account, unmanaged):
    """It means these two, and nothing else."""
    account.group("dev-x")
    ids = twins(account, "dev-*")
    rest = unmanaged()
    assert "\n- group/dev-[*]\n" in f"\n{rest}"
    assert section(account.text(), "groups") == "dev-x:\n"
    assert all(identifier in rest for identifier in ids)


def test_what_stands_inside_of_twins_is_left_alone_with_them(account, unmanaged):
    """Networks may share a name; their routers and resources fall under the same address."""
    for number in (1, 2):
        network = account.make("/networks", {"name": "dc1"})
        nas = {"name": f"nas-{number}", "address": "10.0.0.1", "groups": [], "enabled": True}
        account.make(f"/networks/{network}/resources", nas)
        router = {"peer_groups": [account.group(f"gw-{number}")], "metric": 0, "masquerade": True, "enabled": True}
        account.make(f"/networks/{network}/routers", router)
    assert unmanaged().endswith("\n- network/dc1\n")
    assert unmanaged().count("\n- ") == 1


def test_resources_of_one_name(account, unmanaged):
    """They could move to one another's network: the account has room for one of that name."""
    for number in (1, 2):
        path = f"/networks/{account.make('/networks', {'name': f'dc{number}'})}/resources"
        nas = {"name": f"nas-{number}", "address": "10.0.0.1", "groups": [], "enabled": True}
        account.edit("network_resources", account.make(path, nas), name="nas")
    assert unmanaged().endswith("\n- network_resource/dc1/nas\n- network_resource/dc2/nas\n")


def test_record_outside_of_its_zone(account, unmanaged):
    """A file has only labels inside of a zone."""
    zone = {"name": "z", "domain": "z.example", "distribution_groups": [account.group("devs")], "enabled": True}
    path = f"/dns/zones/{account.make('/dns/zones', zone)}/records"
    record = account.make(path, {"name": "www.z.example", "type": "A", "content": "10.0.0.1", "ttl": 300})
    account.edit("zone_records", record, name="www.other.example")
    assert unmanaged() == lines("""
        # name: the language cannot say what is live
        - dns_record/z.example/www.other.example/A/10.0.0.1
        """)


def test_groups_that_a_directory_brought_are_kept_without_being_written(account):
    """Whoever synchronizes people keeps them; the files say only what is ours."""
    synced = account.group("synced")
    account.person("ana@acme.example", auto_groups=[synced, account.group("ours")])
    account.edit("groups", synced, issued="integration")
    text = account.text()
    assert_in_step(account, text)
    assert section(text, "users") == lines("""
        ana@acme.example: {role: user, auto_groups: [ours]}
        """)


def test_routers_that_are_alike(account, unmanaged):
    """They have no names; what identifies them is the same."""
    network = account.make("/networks", {"name": "dc1"})
    router = {"peer_groups": [account.group("gw")], "metric": 100, "masquerade": True, "enabled": True}
    ids = [account.make(f"/networks/{network}/routers", {**router, "metric": metric}) for metric in (100, 200)]
    assert unmanaged() == lines(f"""
        # 2 live objects are alike in this, with the ids {ids[0]}, {ids[1]}
        # delete all but one in the dashboard, and export again
        - network_router/dc1/groups:gw
        """)


def test_reference_to_what_is_gone(account, unmanaged):
    """A zone keeps the id of a group that was deleted."""
    group = account.group("devs")
    zone = {"name": "z", "domain": "z.example", "distribution_groups": [group], "enabled": True}
    account.make("/dns/zones", zone)
    account.send("DELETE", f"/groups/{group}")
    assert unmanaged() == lines(f"""
        # groups: it refers to a group that is gone (id {group})
        # take it out or choose another one in the dashboard, and export again
        - dns_zone/z.example
        """)


def test_policy_for_a_resource_that_is_gone(account, unmanaged):
    """The server does not look whether there is one."""
    ends = {"destinations": None, "destinationResource": {"id": "nothing", "type": "host"}}
    account.policy("p", [account.group("devs")], [], **ends)
    assert unmanaged() == lines("""
        # to: it refers to a network resource that is gone (id nothing)
        # take it out or choose another one in the dashboard, and export again
        - policy/p
        """)


def test_settings_that_refer_to_what_is_gone_are_left_out(account):
    """The others are written all the same."""
    group = account.group("devs")
    account.settings(peer_expose_enabled=True, peer_expose_groups=[group])
    account.send("DELETE", f"/groups/{group}")
    text = account.text()
    assert_in_step(account, text)
    assert f"# peer_expose_groups is left out: it refers to a group that is gone (id {group}); take\n" in text
    assert section(text, "account") == "peer_expose_enabled: true\n"


def test_settings_of_which_none_can_be_written_stand_empty(account):
    """The reason needs a place to stand."""
    account.settings(peer_inactivity_expiration=0)
    text = account.text()
    assert_in_step(account, text)
    assert text.endswith(
        lines("""
        # peer_inactivity_expiration is left out: '0s' is no time at all; write how long it lasts: 90d, 12h,
        # 10m, 30s, 1d12h
        account: {}
        """)
    )


def test_values_that_the_language_refuses(account, unmanaged):
    """The server lets more pass."""
    network = account.make("/networks", {"name": "dc1"})
    router = {"peer_groups": [account.group("gw")], "metric": 20_000, "masquerade": True, "enabled": True}
    account.make(f"/networks/{network}/routers", router)
    key = {"type": "reusable", "expires_in": 0, "auto_groups": [], "name": "k", "usage_limit": -1}
    account.make("/setup-keys", key)
    assert unmanaged() == lines("""
        # metric 20000 is out of range
        # a metric is 1 to 9999; the lowest wins
        - network_router/dc1/groups:gw
        # usage_limit -1 is negative
        # 0 is no limit
        - setup_key/k
        """)


@pytest.mark.parametrize("name", ["All"])
def test_names_that_no_file_can_declare(account, name):
    """A group that was renamed to All is NetBird's for all who look at names."""
    group = account.group("x")
    account.send("PUT", f"/groups/{group}", {"name": name, "peers": []})
    assert_in_step(account, account.text())


def test_service_user_without_a_name(account, unmanaged):
    """The server takes an empty one."""
    account.make("/users", {"name": "", "role": "user", "is_service_user": True, "auto_groups": []})
    assert unmanaged() == lines("""
        # it has no name that a file could have
        # give it one in the dashboard, and export again
        - service_user/
        """)


def test_records_that_differ_only_in_spelling(account, unmanaged):
    """The rest of their label is declared."""
    group = account.group("devs")
    zone = {"name": "z", "domain": "z.example", "distribution_groups": [group], "enabled": True}
    path = f"/dns/zones/{account.make('/dns/zones', zone)}/records"
    for address in ("fd00::1", "fd00:0::1", "fd00::2"):
        account.make(path, {"name": "www.z.example", "type": "AAAA", "content": address, "ttl": 300})
    assert unmanaged().endswith("- dns_record/z.example/www/AAAA/fd00%3A%3A1\n")
    assert '        www: {AAAA: "fd00::2"}\n' in account.text()


def test_one_reason_stands_above_all_that_it_keeps_out(account, unmanaged):
    """In the order of the alphabet."""
    groups = [account.group("ops")], [account.group("web")]
    for name in ("b", "a"):
        account.policy(name, *groups, action="drop", protocol="netbird-ssh")
    assert unmanaged().endswith("- policy/a\n- policy/b\n")


def test_hostile_names_stay_in_their_comments(account):
    """Newlines and escapes in a name neither end a comment nor reach a terminal."""
    ids = twins(account, "x\nmanage: {default: full}\x1b[31m")
    account.policy("p", ids[:1], ids[1:])
    text = account.text()
    assert_in_step(account, text)
    assert "\x1b" not in text
    assert "\nmanage: {default: full}" not in text


def test_what_the_server_keeps_is_not_mentioned(account):
    """Group All, the owner, the caller and its token, temporary access: they are in no file, and nothing deletes them."""
    peer = account.join("db-1")
    body = {"name": "visitor", "wg_pub_key": "1" * 43 + "=", "rules": ["tcp/22"]}
    account.send("POST", f"/peers/{peer}/temporary-access", body)
    assert any(policy["name"].startswith("Temporary access") for policy in account.get("/policies"))
    text = account.text()
    assert_in_step(account, text)
    assert "Temporary access" not in text
    assert "owner@acme.example" not in text
    assert "\nservice_users:" not in text
    assert account.plan(full(text)).unmanaged == 0


def test_tokens_that_may_not_be_read_are_left_out(account, tmp_path):
    """A caller that is no administrator sees service users, not their tokens."""
    robot = {"name": "ci", "role": "network_admin", "is_service_user": True, "auto_groups": []}
    account.send("POST", f"/users/{account.make('/users', robot)}/tokens", {"name": "github", "expires_in": 90})
    auditor = account.make("/users", {**robot, "name": "auditor", "role": "auditor"})
    token = account.send("POST", f"/users/{auditor}/tokens", {"name": "t", "expires_in": 90})["plain_token"]
    reader = account.as_somebody_else(token)
    text = reader.text()
    assert_in_step(reader, text)
    assert "# Tokens cannot be read with this token; what is there stays as it is.\nservice_users:\n" in text
    assert "  ci: {role: network_admin}\n" in text
