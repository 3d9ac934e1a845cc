"""Agent network: what providers, policies, guardrails and budget rules have in common.

Bodies are validated before permission is asked for, and both come before existence. Everything has ``created_at`` and
``updated_at``; events tell the name and one more thing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from reconciler.simulator.call import Call
from reconciler.simulator.clock import rfc3339
from reconciler.simulator.decoding import Shape
from reconciler.simulator.errors import not_found, prefixed
from reconciler.simulator.permissions import CREATE, DELETE, READ, UPDATE
from reconciler.simulator.registry import Route
from reconciler.simulator.store import Row


@dataclass(frozen=True)
class Objects:
    """One kind of object.

    Attributes:
        kind: Its table.
        path: Its endpoints, below ``/agent-network``.
        module: Its permission module, without ``agent_network.``.
        code: The family of its audit codes, without ``agent_network.``.
        word: Its name in messages.
        lookup: What a refused PUT or DELETE says before the reason.
        id_prefix: What its ids begin with.
        shape: Its request body.
        validate: Refuses a body (422); told whether it is a POST.
        row: The writable part of the row; given the body and the row before, which is None for a POST.
        check: Refuses a row that has passed all else.
        hidden: Fields of the row that are not shown.
        told: The field that events tell besides the name, rendered.
        may_go: Refuses a deletion.
    """

    kind: str
    path: str
    module: str
    code: str
    word: str
    lookup: str
    id_prefix: str
    shape: Shape
    validate: Callable[[Row, bool], None]
    row: Callable[[Row, Row | None], Row]
    told: Callable[[Row], dict[str, str]]
    check: Callable[[Call, Row], None] = lambda call, row: None  # noqa: ARG005 - most kinds have no such rule
    may_go: Callable[[Call, Row], None] = lambda call, row: None  # noqa: ARG005 - most kinds can always go
    hidden: tuple[str, ...] = ()

    def routes(self) -> tuple[Route, ...]:
        """The five endpoints."""
        many, one = f"/agent-network/{self.path}", f"/agent-network/{self.path}/<object_id>"
        return (
            Route("GET", many, self.list),
            Route("POST", many, self.create),
            Route("GET", one, self.get),
            Route("PUT", one, self.update),
            Route("DELETE", one, self.delete),
        )

    def activities(self) -> dict[str, str]:
        """The English texts of the audit codes."""
        word = self.word.removeprefix("agent network ")
        verbs = {"create": "created", "update": "updated", "delete": "deleted"}
        return {f"agent_network.{self.code}.{verb}": f"Agent Network {word} {past}" for verb, past in verbs.items()}

    def list(self, call: Call) -> Any:
        """``GET``: all, oldest first."""
        self._require(call, READ)
        return [self.shown(row) for row in call.account.rows(self.kind)]

    def get(self, call: Call) -> Any:
        """``GET`` of one."""
        self._require(call, READ)
        return self.shown(self._existing(call))

    def create(self, call: Call) -> Any:
        """``POST``."""
        body = call.body(self.shape)
        self.validate(body, True)
        self._require(call, CREATE)
        row = self.row(body, None)
        self.check(call, row)
        now = call.world.now()
        row = {"id": self.id_prefix + call.world.new_id(), **row, "created_at": now, "updated_at": now}
        return self._saved(call, row, "create")

    def update(self, call: Call) -> Any:
        """``PUT``: replaces all but what the kind keeps."""
        body = call.body(self.shape)
        self.validate(body, False)
        self._require(call, UPDATE)
        with prefixed(self.lookup):
            before = self._existing(call)
        row = {**before, **self.row(body, before), "updated_at": call.world.now()}
        self.check(call, row)
        return self._saved(call, row, "update")

    def delete(self, call: Call) -> Any:
        """``DELETE``."""
        self._require(call, DELETE)
        with prefixed(self.lookup):
            row = self._existing(call)
        self.may_go(call, row)
        call.account.remove(self.kind, row["id"])
        self._audit(call, row, "delete")
        return {}

    def shown(self, row: Row) -> Row:
        """The object as the API answers it."""
        times = {key: rfc3339(row[key]) for key in ("created_at", "updated_at")}
        return {**{key: row[key] for key in row if key not in {"account_id", *self.hidden}}, **times}

    def _saved(self, call: Call, row: Row, verb: str) -> Row:
        call.account.save(self.kind, row)
        self._audit(call, row, verb)
        return self.shown(row)

    def _audit(self, call: Call, row: Row, verb: str) -> None:
        call.audit(f"agent_network.{self.code}.{verb}", row["id"], name=row["name"], **self.told(row))

    def _require(self, call: Call, operation: str) -> None:
        call.require(f"agent_network.{self.module}", operation)

    def _existing(self, call: Call) -> Row:
        object_id = call.path["object_id"]
        row = call.account.find(self.kind, object_id)
        if row is None:
            raise not_found(f"{self.word}: {object_id} not found")
        return row
