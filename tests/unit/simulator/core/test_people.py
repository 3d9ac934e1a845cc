"""People: their peers, their groups, what they may see."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from reconciler.simulator import Simulator
from tests.unit.simulator.core.conftest import Caller

Person = Callable[[str, str], Caller]
Join = Callable[..., dict[str, Any]]


def test_a_peer_joins_the_groups_of_its_person(admin: Caller, join: Join) -> None:
    """And follows them from then on; what was added by hand leaves with the group."""
    devs, ops = (admin.post("/groups", {"name": name})["id"] for name in ("devs", "ops"))
    ana = admin.post("/users", {"name": "Ana", "email": "ana@acme.test", "role": "user", "auto_groups": [devs]})
    peer = join("laptop", user="ANA@acme.test")["id"]
    assert _groups(admin, peer) == ["All", "devs"]

    admin.put(f"/users/{ana['id']}", {"role": "user", "auto_groups": [ops]})

    assert _groups(admin, peer) == ["All", "ops"]
    assert admin.get(f"/peers/{peer}")["user_id"] == ana["id"]


def test_a_person_may_bring_its_peers_into_ipv6(admin: Caller, join: Join) -> None:
    """The address comes with a group that is enabled for it, and goes with the group."""
    group = admin.post("/groups", {"name": "v6"})["id"]
    _set(admin, ipv6_enabled_groups=[group])
    ana = admin.post("/users", {"name": "Ana", "email": "ana@acme.test", "role": "user"})
    peer = join("laptop", user="ana@acme.test")["id"]
    assert "ipv6" not in admin.get(f"/peers/{peer}")

    admin.put(f"/users/{ana['id']}", {"role": "user", "auto_groups": [group]})
    assert "ipv6" in admin.get(f"/peers/{peer}")
    admin.put(f"/users/{ana['id']}", {"role": "user", "auto_groups": []})
    assert "ipv6" not in admin.get(f"/peers/{peer}")


def test_without_propagation_peers_stay_where_they_are(admin: Caller, join: Join) -> None:
    """Switching it on adds what is missing, and removes nothing."""
    devs, ops = (admin.post("/groups", {"name": name})["id"] for name in ("devs", "ops"))
    ana = admin.post("/users", {"name": "Ana", "email": "ana@acme.test", "role": "user", "auto_groups": [devs]})
    peer = join("laptop", user="ana@acme.test")["id"]
    _set(admin, groups_propagation_enabled=False)
    admin.put(f"/users/{ana['id']}", {"role": "user", "auto_groups": [ops]})
    assert _groups(admin, peer) == ["All", "devs"]

    _set(admin, groups_propagation_enabled=True)

    assert _groups(admin, peer) == ["All", "devs", "ops"]


def test_a_blocked_persons_peer_is_cut_off(admin: Caller, join: Join, simulator: Simulator) -> None:
    ana = admin.post("/users", {"name": "Ana", "email": "ana@acme.test", "role": "user"})
    peer = join("laptop", user="ana@acme.test", connected=True)["id"]

    admin.put(f"/users/{ana['id']}", {"role": "user", "auto_groups": [], "is_blocked": True})

    found = admin.get(f"/peers/{peer}")
    assert (found["login_expired"], found["connected"]) == (True, False)
    assert "error" in simulator.event({"event": "peer_logs_in", "hostname": "laptop"})


def test_deleting_a_person_takes_peers_and_their_policies(admin: Caller, join: Join) -> None:
    """The audit log still knows the name."""
    ana = admin.post("/users", {"name": "Ana", "email": "ana@acme.test", "role": "user"})
    peer = join("laptop", user="ana@acme.test")["id"]
    ends = {"sourceResource": {"id": peer, "type": "peer"}, "destinations": []}
    admin.post("/policies", {"name": "p", "rules": [{"action": "accept", "protocol": "all", **ends}]})

    assert admin("DELETE", f"/users/{ana['id']}") == (200, {})

    assert admin.get("/peers") == []
    assert [policy["name"] for policy in admin.get("/policies")] == ["Default"]
    event = next(event for event in admin.get("/events/audit") if event["activity_code"] == "user.create")
    assert event["meta"] == {"email": "ana@acme.test", "username": "Ana"}


def test_a_regular_user_sees_its_own_peers_if_users_may_see_any(admin: Caller, person: Person, join: Join) -> None:
    ana = person("ana@acme.test", "user")
    mine, other = join("laptop", user="ana@acme.test")["id"], join("server")["id"]
    assert ana.get("/peers") == []
    assert ana.get(f"/peers/{mine}/accessible-peers") == []

    _set(admin, regular_users_view_blocked=False)

    assert [(peer["id"], peer["groups"]) for peer in ana.get("/peers")] == [(mine, None)]
    assert [peer["id"] for peer in ana.get(f"/peers/{mine}/accessible-peers")] == [other]
    assert ana("GET", "/peers/unknown/accessible-peers") == (404, "peer not found")
    assert ana("GET", f"/peers/{other}")[0] == 500


def test_roles_are_looked_at_as_they_are_now(admin: Caller, person: Person) -> None:
    ana = person("ana@acme.test", "user")
    assert ana("POST", "/groups", {"name": "x"}) == (403, "permission denied")
    user = next(user for user in admin.get("/users") if user["email"] == "ana@acme.test")

    admin.put(f"/users/{user['id']}", {"role": "network_admin", "auto_groups": []})

    assert ana("POST", "/groups", {"name": "x"})[0] == 200
    assert ana.get("/users/current")["permissions"]["modules"]["groups"]["create"] is True


def test_a_changed_password_is_asked_for(admin: Caller, simulator: Simulator) -> None:
    made = admin.post("/users", {"name": "Ana", "email": "ana@acme.test", "role": "user"})
    token = simulator.event({"event": "user_logs_in", "email": "ana@acme.test"})["token"]
    ana, path = Caller(simulator, f"Bearer {token}"), f"/users/{made['id']}/password"

    assert ana("PUT", path, {"old_password": made["password"], "new_password": "short"}) == (200, {})
    wrong = "failed to update password: current password is incorrect"
    assert ana("PUT", path, {"old_password": made["password"], "new_password": "other"}) == (422, wrong)


def test_one_account_does_not_see_the_other(simulator: Simulator, admin: Caller) -> None:
    """An account made by the setup form has no domain: a stranger becomes owner of another account."""
    token = simulator.event({"event": "user_logs_in", "email": "eve@other.test", "name": "Eve"})["token"]
    eve = Caller(simulator, f"Bearer {token}")
    group = eve.post("/groups", {"name": "hers"})

    assert eve.get("/users/current")["role"] == "owner"
    assert [found["name"] for found in admin.get("/groups")] == ["All"]
    assert admin("GET", f"/groups/{group['id']}")[0] == 404
    assert admin.get("/accounts")[0]["id"] != eve.get("/accounts")[0]["id"]


def _groups(admin: Caller, peer_id: str) -> list[str]:
    return [group["name"] for group in admin.get(f"/peers/{peer_id}")["groups"]]


def _set(admin: Caller, **changes: Any) -> None:
    account = admin.get("/accounts")[0]
    admin.put(f"/accounts/{account['id']}", {"settings": {**account["settings"], **changes}})
