"""Accounts to export, and what a plan makes of the result."""

from __future__ import annotations

import json
import shlex
import subprocess
from pathlib import Path
from textwrap import dedent
from typing import Any

import httpx
from pydantic import SecretStr

from reconciler.api.client import ReadApi
from reconciler.errors import DesiredStateError, Severity
from reconciler.export import Export, export_account, wish
from reconciler.load import read
from reconciler.load.desired import Desired
from reconciler.load.document import sections, understand
from reconciler.plan import make_plan
from reconciler.plan.change import Plan
from reconciler.settings import Settings
from reconciler.simulator import Simulator
from reconciler.state.observe import observe
from schemas import KINDS

Json = dict[str, Any]
URL = "http://127.0.0.1"


class Account:
    """An account behind its API: seeded by hand, exported, planned; `joins` tells whether machines can come to it."""

    joins = False

    def __init__(self, folder: Path, url: str, token: str, transport: httpx.BaseTransport | None) -> None:
        self.folder = folder
        self._transport = transport
        headers = {"Authorization": f"Token {token}"}
        self._client = httpx.Client(base_url=f"{url}/api", headers=headers, transport=transport)
        self.api = ReadApi(Settings(url, SecretStr(token)), transport)

    def as_somebody_else(self, token: str) -> Account:
        """The same account with another token."""
        return Account(self.folder, self.api.server, token, self._transport)

    def close(self) -> None:
        """Close all connections."""
        self._client.close()
        self.api.close()

    def send(self, method: str, path: str, body: Any = None) -> Any:
        """Send a request that must succeed; answers its JSON."""
        response = self._client.request(method, path, content=None if body is None else json.dumps(body).encode())
        assert response.status_code == 200, f"{method} {path}: {response.status_code} {response.text}"
        return response.json()

    def tries(self, method: str, path: str, body: Any = None) -> Any:
        """Send a request that may be refused; answers its JSON, or nothing."""
        response = self._client.request(method, path, content=None if body is None else json.dumps(body).encode())
        return response.json() if response.status_code == 200 else None

    def make(self, path: str, body: Json) -> str:
        """Create an object; answers its id."""
        return str(self.send("POST", path, body)["id"])

    def get(self, path: str) -> Any:
        """Read what is there."""
        return self.send("GET", path)

    def group(self, name: str, **more: Any) -> str:
        """Create a group; answers its id."""
        return self.make("/groups", {"name": name, **more})

    def policy(self, name: str, from_groups: list[str], to_groups: list[str], **more: Any) -> str:
        """Create a policy of one rule; answers its id."""
        return self.make("/policies", {"name": name, "enabled": True, "rules": [rule(from_groups, to_groups, **more)]})

    def settings(self, *, extra: Json | None = None, **more: Any) -> None:
        """Change settings of the account, if the server lets it."""
        seen = self.get("/accounts")[0]
        changed = {**seen["settings"], **more, "extra": {**seen["settings"]["extra"], **(extra or {})}}
        self.tries("PUT", f"/accounts/{seen['id']}", {"settings": changed})

    def export(self, *kinds: str, only: tuple[str, ...] = ()) -> Export:
        """Export the account, or a part of it."""
        return export_account(self.api, wish(KINDS, kinds, only))

    def text(self, *kinds: str, only: tuple[str, ...] = ()) -> str:
        """The export as one document."""
        return self.export(*kinds, only=only).as_one()

    def load(self, text: str) -> Desired:
        """Read a document as nbsync does; it must be valid."""
        file = self.folder / "exported.yaml"
        file.write_text(text, encoding="utf-8")
        objects, singletons = sections(KINDS)
        document = read([file], environ={}, objects=objects, singletons=singletons)
        desired = understand(document.root, document.sources, document.removed, KINDS)
        wrong = [one for one in (*document.diagnostics, *desired.diagnostics) if one.severity is Severity.ERROR]
        assert not wrong, f"{wrong}\n{text}"
        return desired

    def plan(self, text: str) -> Plan:
        """Plan a document; it must fit the account."""
        desired = self.load(text)
        try:
            return make_plan(desired, observe(self.api, desired))[0]
        except DesiredStateError as error:
            raise AssertionError(f"{error}\n{text}") from None


def rule(from_groups: list[str], to_groups: list[str], **more: Any) -> Json:
    """The rule of a policy as the API takes it."""
    ends = {"sources": from_groups, "destinations": to_groups}
    plain = {"name": "rule", "enabled": True, "action": "accept", "protocol": "all", "bidirectional": False}
    return {**plain, **ends, **more}


def full(text: str) -> str:
    """The same document with `manage: {default: full}`, and people owned as well."""
    assert text.count("default: no-delete") == 1
    owned = "default: full\n  users: full" if "\nusers:" in text else "default: full"
    return text.replace("default: no-delete", owned)


def assert_in_step(account: Account, text: str) -> Plan:
    """See that a plan of an export is empty, with everything owned; answers it."""
    for document in (text, full(text)):
        plan = account.plan(document)
        changes = [(change.action, str(change.address), change.fields) for change in plan.changes]
        assert not changes, f"{changes}\n{document}"
        assert not plan.verdicts, f"{plan.verdicts}\n{document}"
    return plan


class Live(Account):
    """An account of a real server; machines come by a command that takes HOSTNAME and KEY, if there is one."""

    def __init__(self, folder: Path, url: str, token: str, join: str = "") -> None:
        super().__init__(folder, url, token, None)
        self._join = shlex.split(join)
        self.joins = bool(join)

    def join(self, hostname: str) -> str:
        """Let a machine join by a key that is gone afterwards; answers its id, or nothing."""
        body = {"name": "join", "type": "one-off", "expires_in": 3600, "usage_limit": 1, "auto_groups": []}
        key = self.send("POST", "/setup-keys", body)
        before = {peer["id"] for peer in self.get("/peers")}
        subprocess.run([*self._join, hostname, key["key"]], capture_output=True, timeout=60, check=False)
        self.send("DELETE", f"/setup-keys/{key['id']}")
        return next((peer["id"] for peer in self.get("/peers") if peer["id"] not in before), "")


class Simulated(Account):
    """A simulated account, to which machines and people can come."""

    joins = True

    def __init__(self, folder: Path) -> None:
        self.simulator = Simulator({"NB_DISABLE_GEOLOCATION": "false"})
        transport = self.simulator.transport()
        # An account that the owner's login has made has a domain, by which people of other providers join it.
        owner = {"email": "owner@acme.example", "name": "Owner"}
        with httpx.Client(base_url=f"{URL}/api", transport=transport) as client:
            client.post("/setup", json={**owner, "password": "0wner-Password"})
        bearer = self.event("user_logs_in", **owner)["token"]
        with httpx.Client(base_url=URL, transport=transport, headers={"Authorization": f"Bearer {bearer}"}) as client:
            client.get("/api/users/current")
        super().__init__(folder, URL, self.simulator.bootstrap(), transport)

    def event(self, event: str, **more: Any) -> Json:
        """Let something happen to the account."""
        return dict(self.simulator.event({"event": event, **more}) or {})

    def join(self, hostname: str, *, user: str = "", ephemeral: bool = False, groups: tuple[str, ...] = ()) -> str:
        """Let a machine join, by a person's login or a setup key that is gone afterwards; answers its id, or nothing."""
        if user:
            return str(self.event("peer_joins", hostname=hostname, user=user).get("id", ""))
        body = {"name": "join", "type": "reusable", "expires_in": 3600, "usage_limit": 0, "ephemeral": ephemeral}
        key = self.send("POST", "/setup-keys", {**body, "auto_groups": list(groups)})
        joined = self.event("peer_joins", hostname=hostname, setup_key=key["key"])
        self.send("DELETE", f"/setup-keys/{key['id']}")
        return str(joined["id"])

    def person(self, email: str, **more: Any) -> str:
        """Invite a person; answers the id."""
        body = {"email": email, "name": email, "role": "user", "auto_groups": [], "is_service_user": False}
        return self.make("/users", {**body, **more})

    def log_in(self, email: str, groups: list[str], *, needs_approval: bool = False) -> None:
        """Let somebody come whose identity provider names groups."""
        if not any(provider["type"] == "google" for provider in self.get("/identity-providers")):
            provider = {"type": "google", "name": "idp", "client_id": "nb", "client_secret": "s3cret"}
            self.send("POST", "/identity-providers", provider)
        claims = {"jwt_groups_enabled": True, "jwt_groups_claim_name": "groups"}
        self.settings(**claims, extra={"user_approval_required": needs_approval})
        token = self.event("user_logs_in", email=email, name=email, groups=groups)["token"]
        self._client.get("/users/current", headers={"Authorization": f"Bearer {token}"})

    def add_rule(self, policy: str) -> None:
        """Give a policy a second rule, as servers once did; the API of today cannot."""
        stored = self.simulator.world.accounts()[0]
        row = next((row for row in stored.rows("policies") if row["id"] == policy), None)
        if row is not None:
            stored.save("policies", {**row, "rules": [*row["rules"], {**row["rules"][0], "id": f"{policy}-2"}]})

    def edit(self, table: str, identifier: str, **more: Any) -> None:
        """Change what the server stores, past its API."""
        stored = self.simulator.world.accounts()[0]
        row = next(row for row in stored.rows(table) if row["id"] == identifier)
        stored.save(table, {**row, **more})


def section(text: str, key: str) -> str:
    """What stands below a root key."""
    (part,) = (part for part in text.split("\n\n") if f"\n{key}:\n" in f"\n{part}\n")
    return dedent(f"{part}\n".partition(f"{key}:\n")[2].removesuffix("\n\n")).rstrip("\n") + "\n"
