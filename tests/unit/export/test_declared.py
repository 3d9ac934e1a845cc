"""What a careful person would have written, kind by kind; each is planned, and the plan is empty."""

from __future__ import annotations

from datetime import UTC, datetime
from textwrap import dedent

import pytest

from schemas import KINDS
from tests.unit.export.accounts import Simulated, assert_in_step, rule, section


@pytest.fixture
def exported(account: Simulated):
    """Exports a section and sees that a plan of the whole is empty."""

    def exported(key: str, *kinds: str) -> str:
        text = account.text(*kinds)
        assert_in_step(account, text)
        return section(text, key)

    return exported


def lines(text: str) -> str:
    """The text of an expectation."""
    return dedent(text).removeprefix("\n")


def test_head_says_whose_account_it_is_and_begins_safely(account):
    """Nothing is deleted by files that were only just exported."""
    text = account.text("group")
    assert text == lines("""
        # The NetBird account at http://127.0.0.1, as nbsync export found it.
        version: 1

        manage:
          # What no file declares is left alone. With full it is deleted, within the guards (peers and users
          # only with a line of their own, `peers: full`, for which `nbsync export --kind peer --kind user`
          # leaves none of them out).
          default: no-delete
        """)


def test_posture_checks(account, exported):
    """Each check in its own words."""
    checks = {
        "nb_version_check": {"min_version": "0.60.0"},
        "os_version_check": {"darwin": {"min_version": "14.0"}, "linux": {"min_kernel_version": "5.15"}},
        "geo_location_check": {
            "action": "allow",
            "locations": [{"country_code": "NO"}, {"country_code": "DE", "city_name": "Berlin"}],
        },
    }
    account.make("/posture-checks", {"name": "managed-laptop", "description": "What IT hands out", "checks": checks})
    ranges = {"peer_network_range_check": {"action": "deny", "ranges": ["192.168.200.0/24"]}}
    account.make("/posture-checks", {"name": "not-the-guest-wifi", "description": "", "checks": ranges})
    agent = {"process_check": {"processes": [{"linux_path": "/bin/agent", "windows_path": "C:\\a b\\agent.exe"}]}}
    account.make("/posture-checks", {"name": "agent", "checks": agent})
    assert exported("posture_checks") == lines(r"""
        agent: {processes: [{linux: /bin/agent, windows: 'C:\a b\agent.exe'}]}
        managed-laptop:
          description: What IT hands out
          netbird_version: 0.60.0
          os_version: {macos: "14.0", linux_kernel: "5.15"}
          locations: {allow: [DE/Berlin, NO]}
        not-the-guest-wifi: {network_ranges: {deny: [192.168.200.0/24]}}
        """)


def test_groups_with_the_members_that_somebody_chose(account, exported):
    """Not those that come with a key or a person, and not those that are soon gone."""
    by_hand, by_key = account.group("by-hand"), account.group("by-key")
    account.group("empty")
    peers = [account.join("db-2"), account.join("db-1")]
    account.send("PUT", f"/groups/{by_hand}", {"name": "by-hand", "peers": peers})
    account.send("PUT", f"/groups/{by_key}", {"name": "by-key", "peers": peers})
    key = {"name": "k", "type": "reusable", "expires_in": 0, "usage_limit": 0, "auto_groups": [by_key]}
    account.send("POST", "/setup-keys", key)
    account.group("of-people", peers=peers[:1])
    of_people = next(group["id"] for group in account.get("/groups") if group["name"] == "of-people")
    account.person("ana@acme.example", auto_groups=[of_people])
    account.group("with-a-runner", peers=[peers[0], account.join("runner", ephemeral=True)])
    expected = lines("""
        by-hand: {peers: [db-1, db-2]}
        by-key:
        empty:
        of-people:
        with-a-runner:
        """)
    assert exported("groups") == expected
    assert exported("groups", "group") == expected


def test_groups_of_the_identity_provider_can_be_referred_to(account, exported):
    """They are not declared, and who has them by a login is not said to."""
    account.group("ops")
    account.log_in("eve@idp.example", ["engineering"])
    engineering = next(group["id"] for group in account.get("/groups") if group["name"] == "engineering")
    account.policy("engineers", [engineering], [engineering])
    account.group("jwt-less")
    assert exported("groups") == "jwt-less:\nops:\n"
    assert "  engineers: {from: engineering, to: engineering, allow: all}\n" in account.text()
    assert exported("users") == "eve@idp.example: {role: user}\n"


def test_keys_and_service_users_can_hand_out_groups_of_the_identity_provider(account, exported):
    """No login takes these away again, so they are said."""
    account.log_in("eve@idp.example", ["engineering"])
    engineering = next(group["id"] for group in account.get("/groups") if group["name"] == "engineering")
    key = {"name": "k", "type": "reusable", "expires_in": 0, "usage_limit": 0, "auto_groups": [engineering]}
    account.make("/setup-keys", key)
    assert exported("setup_keys") == "k: {type: reusable, auto_groups: [engineering]}\n"


def test_group_that_shares_its_name_with_one_of_the_identity_provider_has_its_id(account, exported):
    """Its id is the only way to tell it apart."""
    account.log_in("eve@idp.example", ["ops"])
    ours = account.group("ours")
    account.send("PUT", f"/groups/{ours}", {"name": "ops", "peers": []})
    account.policy("ours", [ours], [ours])
    assert exported("groups") == lines(f"""
        # The server keeps another one of this name; the id tells them apart.
        ops: {{id: {ours}}}
        """)
    assert "ours: {from: ops, to: ops, allow: all}" in account.text()


def test_policies(account, exported):
    """Short forms wherever there are some."""
    account.send("DELETE", f"/policies/{account.get('/policies')[0]['id']}")
    devs, web = account.group("devs"), account.group("web")
    network = account.make("/networks", {"name": "dc1"})
    nas = {"name": "nas", "address": "10.20.5.10", "groups": [], "enabled": True}
    host = {"id": account.make(f"/networks/{network}/resources", nas), "type": "host"}
    check = account.make("/posture-checks", {"name": "new", "checks": {"nb_version_check": {"min_version": "0.60.0"}}})
    peer = {"id": account.join("db-1"), "type": "peer"}
    account.policy("a-all", [devs], [web], bidirectional=True)
    account.policy("b-ports", [devs, web], [web], protocol="tcp", ports=["443", "80"])
    ranges = {"port_ranges": [{"start": 8000, "end": 8100}, {"start": 443, "end": 443}]}
    account.policy("c-ranges", [devs], [web], protocol="udp", **ranges)
    account.policy("d-deny", [devs], [web], action="drop", protocol="icmp")
    account.policy("e-ssh", [devs], [web], protocol="netbird-ssh", ports=["22"], authorized_groups={devs: ["root"]})
    account.policy("f-peer", [], [], sources=None, sourceResource=peer, destinations=None, destinationResource=host)
    body = {"name": "g-off", "description": "NET-412: later", "enabled": False, "source_posture_checks": [check]}
    account.send("POST", "/policies", {**body, "rules": [rule([devs], [web])]})
    assert exported("policies") == lines("""
        a-all: {from: devs, to: web, allow: all, bidirectional: true}
        b-ports: {from: [devs, web], to: web, allow: [tcp/80, tcp/443]}
        c-ranges: {from: devs, to: web, allow: [udp/443, udp/8000-8100]}
        d-deny: {from: devs, to: web, deny: icmp}
        e-ssh: {from: devs, to: web, ssh: {devs: [root]}}
        f-peer: {from: {peer: db-1}, to: {resource: dc1/nas}, allow: all}
        g-off:
          from: devs
          to: web
          allow: all
          posture: new
          enabled: false
          description: "NET-412: later"
        """)


def test_ssh_that_opens_more_than_it_says_comes_with_the_warning_of_a_plan(account, exported):
    """Every user may log in, every port is open."""
    account.send("DELETE", f"/policies/{account.get('/policies')[0]['id']}")
    devs = account.group("devs")
    account.policy("ssh", [devs], [devs], protocol="netbird-ssh")
    assert exported("policies") == lines("""
        # ssh: true lets every user of the account log in as every local user (name groups and local
        # users: ssh: {ops: [root]})
        # ports: all opens every TCP port, not only SSH (leave ports out for port 22)
        ssh: {from: devs, to: devs, ssh: true, ports: all}
        """)


@pytest.mark.parametrize(
    ("network", "name", "said"),
    [
        ("dc1", "nas", "{resource: dc1/nas}"),
        ("a/b", "c/d", "{resource: c/d, network: a/b}"),
        ("a:b", "c+d%", '{resource: c+d%, network: "a:b"}'),
    ],
)
def test_resources_whose_names_have_separators(account, exported, network, name, said):
    """Where NETWORK/NAME would not say which is which, the two stand apart."""
    account.send("DELETE", f"/policies/{account.get('/policies')[0]['id']}")
    path = f"/networks/{account.make('/networks', {'name': network})}/resources"
    identifier = account.make(path, {"name": name, "address": "10.0.0.1", "groups": [], "enabled": True})
    end = {"destinations": None, "destinationResource": {"id": identifier, "type": "host"}}
    account.policy("p", [account.group("devs")], [], **end)
    assert exported("policies") == f"p: {{from: devs, to: {said}, allow: all}}\n"


def test_networks_with_what_stands_inside(account, exported):
    """Routers before resources; a network without any stands alone."""
    gateways, apps = account.group("gateways"), account.group("apps")
    dc1 = account.make("/networks", {"name": "dc1", "description": "data centre"})
    account.make("/networks", {"name": "empty"})
    peer = account.join("gw-1")
    by_group = {"peer_groups": [gateways], "metric": 100, "masquerade": True, "enabled": True}
    account.make(f"/networks/{dc1}/routers", by_group)
    by_peer = {"peer": peer, "metric": 9999, "masquerade": False, "enabled": True}
    router = account.make(f"/networks/{dc1}/routers", by_peer)
    account.send("PUT", f"/networks/{dc1}/routers/{router}", {**by_peer, "enabled": False})
    nas = {"name": "nas", "address": "10.20.5.10/32", "groups": [apps], "enabled": True}
    account.make(f"/networks/{dc1}/resources", nas)
    lab = {"name": "lab", "address": "10.20.64.7/20", "groups": [], "enabled": False, "description": "not yet"}
    account.make(f"/networks/{dc1}/resources", lab)
    account.make(f"/networks/{dc1}/resources", {**nas, "name": "all", "address": "*.acme.example", "groups": []})
    assert exported("networks") == lines("""
        dc1:
          description: data centre
          routers:
            - {peer_groups: [gateways], metric: 100}
            - {peer: gw-1, masquerade: false, enabled: false}
          resources:
            all: {address: "*.acme.example"}
            lab: {address: 10.20.64.7/20, enabled: false, description: not yet}
            nas: {address: 10.20.5.10, groups: [apps]}
        empty:
        """)


def test_routes(account, exported):
    """Several of one identifier are a list."""
    ops = account.group("ops")
    peers = [account.join("gw-1"), account.join("gw-2")]
    base = {"metric": 9999, "masquerade": True, "enabled": True, "groups": [ops], "keep_route": False}
    for number, peer in enumerate(peers, 1):
        route = {"network_id": "ha", "network": "10.99.0.0/24", "peer": peer, "metric": 100 * number}
        account.make("/routes", {**base, **route})
    crm = {"network_id": "crm", "domains": ["crm.acme.example"], "peer_groups": [ops], "keep_route": True}
    account.make("/routes", {**base, **crm, "access_control_groups": [ops], "description": "CRM"})
    assert exported("routes") == lines("""
        crm:
          domains: [crm.acme.example]
          peer_groups: [ops]
          groups: [ops]
          access_control_groups: [ops]
          keep_route: true
          description: CRM
        ha:
          - {network: 10.99.0.0/24, peer: gw-1, metric: 100, groups: [ops]}
          - {network: 10.99.0.0/24, peer: gw-2, metric: 200, groups: [ops]}
        """)


def test_dns(account, exported):
    """Servers keep their order, ports and times to live their short forms; records of one label are one mapping."""
    devs = account.group("devs")
    servers = [{"ip": "10.0.0.54", "ns_type": "udp", "port": 5353}, {"ip": "10.0.0.53", "ns_type": "udp", "port": 53}]
    corp = {"name": "corp", "description": "", "nameservers": servers, "groups": [devs], "enabled": True}
    account.make("/dns/nameservers", {**corp, "domains": ["acme.example"], "primary": False})
    zone = {"name": "svc.acme.example", "domain": "svc.acme.example", "distribution_groups": [devs], "enabled": True}
    path = f"/dns/zones/{account.make('/dns/zones', zone)}/records"
    for label, kind, content, ttl in (
        ("", "A", "10.0.0.1", 300),
        ("log.", "A", "10.0.0.9", 60),
        ("status.", "A", "10.0.0.30", 300),
        ("status.", "A", "10.0.0.31", 60),
        ("status.", "AAAA", "fd00::30", 300),
        ("*.preview.", "CNAME", "svc.acme.example", 300),
    ):
        account.make(path, {"name": f"{label}svc.acme.example", "type": kind, "content": content, "ttl": ttl})
    account.make("/dns/zones", {**zone, "name": "Lab", "domain": "lab.example", "enable_search_domain": True})
    account.send("PUT", "/dns/settings", {"disabled_management_groups": [devs]})
    assert exported("dns") == lines("""
        nameservers:
          corp: {servers: ["10.0.0.54:5353", 10.0.0.53], groups: [devs], domains: [acme.example]}
        zones:
          lab.example: {name: Lab, groups: [devs], enable_search_domain: true}
          svc.acme.example:
            groups: [devs]
            records:
              "*.preview": {CNAME: svc.acme.example}
              "@": {A: 10.0.0.1}
              log: {A: 10.0.0.9, ttl: 60}
              status: {A: [10.0.0.30, {value: 10.0.0.31, ttl: 60}], AAAA: "fd00::30"}
        disabled_management_groups: [devs]
        """)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, ""), (7_776_000, ", expires_in: 90d"), (129_600, ", expires_in: 1d12h"), (90, ", expires_in: 1m30s")],
)
def test_setup_keys_last_as_long_as_when_they_were_made(account, exported, seconds, said):
    """The answer says only when they end; what a new one would get is what a file says."""
    key = {"name": "k", "type": "reusable", "expires_in": seconds, "usage_limit": 0, "auto_groups": []}
    account.make("/setup-keys", key)
    assert exported("setup_keys") == lines(f"""
        k: {{type: reusable{said}}}
        """)


@pytest.mark.parametrize(
    ("identifier", "ends", "said"),
    [
        ("{xid}", "2027-02-22T07:37:25.999Z", "90d"),
        ("{xid}", "2027-02-22T07:37:23Z", "90d"),
        ("{xid}", "2026-11-24T07:38:01Z", "37s"),
        ("{xid}", "2026-11-24T07:37:24Z", "never"),
        ("no xid", "2027-02-22T07:37:24Z", "30d"),
    ],
)
def test_lifetime_of_a_key_is_rounded_to_the_minute_that_it_is_close_to(identifier, ends, said):
    """Its id was made a moment before or after its end was reckoned; without such an id its last change has to do."""
    made = int(datetime(2026, 11, 24, 7, 37, 24, tzinfo=UTC).timestamp())
    digits = "0123456789abcdefghijklmnopqrstuv"
    xid = "".join(digits[((made << 68) >> shift) & 31] for shift in range(95, -1, -5))
    seen = {"id": identifier.format(xid=xid), "expires": ends, "updated_at": "2027-01-23T07:37:24Z"}
    kind = KINDS["setup_key"]
    assert kind.write([kind.model(type="reusable")], [seen])["expires_in"] == said


def test_setup_keys(account, exported):
    """One-off keys have no limit of their own; what a key is good for no more is said as a plan would."""
    group = account.group("ci")
    key = {"type": "reusable", "expires_in": 0, "usage_limit": 20, "auto_groups": [group], "ephemeral": True}
    account.make("/setup-keys", {**key, "name": "ci", "allow_extra_dns_labels": True})
    once = {"type": "one-off", "expires_in": 0, "usage_limit": 1, "auto_groups": [], "ephemeral": False}
    account.make("/setup-keys", {**once, "name": "once"})
    revoked = account.make("/setup-keys", {**once, "name": "revoked"})
    account.send("PUT", f"/setup-keys/{revoked}", {"revoked": True, "auto_groups": []})
    account.make("/setup-keys", {**once, "name": "expired", "expires_in": 1})
    account.event("time_passes", seconds=5)
    assert exported("setup_keys") == lines("""
        ci:
          type: reusable
          usage_limit: 20
          ephemeral: true
          allow_extra_dns_labels: true
          auto_groups: [ci]
        # this setup key has expired; no machine can join with it (renew it: nbsync rotate
        # setup_key/expired)
        expired: {type: one-off, expires_in: 1s}
        once: {type: one-off}
        revoked: {type: one-off, revoked: true}
        """)


def test_service_users_and_their_tokens(account, exported):
    """The caller itself is not among them: the server would not let it go anyway."""
    robot = {"name": "ci", "role": "network_admin", "is_service_user": True, "auto_groups": []}
    path = f"/users/{account.make('/users', robot)}/tokens"
    account.send("POST", path, {"name": "github", "expires_in": 90})
    account.send("POST", path, {"name": "gitlab", "expires_in": 365})
    account.make("/users", {**robot, "name": "exporter", "role": "auditor"})
    assert exported("service_users") == lines("""
        ci:
          role: network_admin
          tokens:
            github: {expires_in: 90d}
            gitlab: {expires_in: 365d}
        exporter: {role: auditor}
        """)


def test_people(account, exported):
    """Role and groups, and who is blocked; nobody is said not to be, and the owner is the server's."""
    group = account.group("ops")
    account.person("ana@acme.example", role="admin", auto_groups=[group])
    cleo = account.person("cleo@acme.example")
    account.send("PUT", f"/users/{cleo}", {"role": "user", "auto_groups": [], "is_blocked": True})
    assert exported("users") == lines("""
        ana@acme.example: {role: admin, auto_groups: [ops]}
        cleo@acme.example: {role: user, blocked: true}
        """)


def test_who_waits_for_approval_is_not_said_to_be_blocked(account, exported):
    """A later apply would undo the approval."""
    account.log_in("eve@idp.example", [], needs_approval=True)
    assert next(user for user in account.get("/users") if user["email"] == "eve@idp.example")["is_blocked"]
    assert exported("users") == "eve@idp.example: {role: user}\n"


def test_peers_that_are_as_they_came_are_left_out(account, exported):
    """Of the others only what somebody switched; of a kind that is asked for by name everything."""
    account.person("ana@acme.example")
    account.join("laptop", user="ana@acme.example")
    peer = account.join("db-1")
    assert "\npeers:" not in account.text()
    seen = account.get(f"/peers/{peer}")
    account.send("PUT", f"/peers/{peer}", {**seen, "ssh_enabled": True})
    assert exported("peers") == "db-1: {ssh_enabled: true}\n"
    assert "    login_expiration_enabled: true\n" in account.text("peer")
    assert exported("peers", "peer").count("ip: ") == 2


def test_settings_that_are_as_in_a_new_account_are_left_out(account, exported):
    """An account that is asked for by name is written with all its settings."""
    assert "\naccount:" not in account.text()
    account.settings(peer_login_expiration=43_200, jwt_allow_groups=["b", "a"])
    assert exported("account") == "peer_login_expiration: 12h\njwt_allow_groups: [a, b]\n"
    everything = exported("account", "account")
    assert "lazy_connection_enabled: true\n" in everything
    assert f"network_range: {account.get('/accounts')[0]['settings']['network_range']}\n" in everything
