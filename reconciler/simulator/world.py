"""What every part of the simulator works on: the server as a whole, and one account of it."""

import random
from collections.abc import Mapping

from .clock import Clock, Nanoseconds
from .ids import xid
from .ratelimit import Buckets
from .store import Keys, Row, Store


class World:
    """A server: its tables, its clock and its environment.

    Attributes:
        store: All rows of all accounts.
        clock: The simulated time.
        environment: The server's environment variables (``NB_*``).
        random: For lists that come in any order; makes no secrets.
    """

    def __init__(self, environment: Mapping[str, str], indexes: Mapping[str, Mapping[str, Keys]]) -> None:
        self.store = Store(indexes)
        self.clock = Clock()
        self.environment = environment
        self.random = random.Random()  # noqa: S311 - see above
        self._buckets: dict[str, Buckets] = {}

    def now(self) -> Nanoseconds:
        """The simulated time."""
        return self.clock.now()

    def new_id(self) -> str:
        """An id as most kinds have it."""
        return xid(self.clock.now())

    def account(self, account_id: str) -> "Account":
        """The view of one account, existing or not."""
        return Account(self, account_id)

    def buckets(self, name: str, per_minute: float, burst: int) -> Buckets:
        """The rate limit of this name, made when first asked for; it does not outlive the process."""
        return self._buckets.setdefault(name, Buckets(self.clock, per_minute, burst))

    def accounts(self) -> list["Account"]:
        """Every account, oldest first."""
        return [Account(self, row["id"]) for row in self.store.table("accounts").all()]


class Account:
    """One account's rows; those of others are as good as absent."""

    def __init__(self, world: World, account_id: str) -> None:
        self.world = world
        self.id = account_id

    @property
    def row(self) -> Row:
        """The account's own row: ``settings``, ``onboarding``, ``network``, ``domain``, ..."""
        row = self.world.store.table("accounts").get(self.id)
        assert row is not None, self.id
        return row

    @property
    def settings(self) -> Row:
        """The account's settings, as stored."""
        settings: Row = self.row["settings"]
        return settings

    def rows(self, kind: str) -> list[Row]:
        """This account's rows of one kind, oldest first."""
        return self.world.store.table(kind).where("account_id", self.id)

    def find(self, kind: str, row_id: str) -> Row | None:
        """The row with this id, if it is this account's."""
        row = self.world.store.table(kind).get(row_id)
        return row if row is not None and row["account_id"] == self.id else None

    def where(self, kind: str, key: str, value: str) -> list[Row]:
        """This account's rows that an index or a field files under ``value``, oldest first."""
        return [row for row in self.world.store.table(kind).where(key, value) if row["account_id"] == self.id]

    def save(self, kind: str, row: Row) -> Row:
        """Add or replace a row of this account; never change a row that a table gave you, save a new one."""
        row["account_id"] = self.id
        self.world.store.table(kind).put(row)
        return row

    def remove(self, kind: str, row_id: str) -> None:
        """Take out a row of this account, if it is there."""
        if self.find(kind, row_id):
            self.world.store.table(kind).remove(row_id)

    def audit(self, initiator_id: str, code: str, target_id: str, **meta: object) -> None:
        """Append an event to the account's audit log.

        Args:
            initiator_id: User, peer, setup key or account that did it; ``sys`` for the server itself.
            code: The stable activity code; the area that emits it declares its text.
            target_id: What it was done to.
            meta: Values as text, as Go's ``%v`` would render them.
        """
        if self.world.environment.get("NB_EVENT_ACTIVITY_LOG_ENABLED", "true") not in {"", "true"}:
            return
        events = self.world.store.table("events")
        values = {key: str(value) for key, value in meta.items()}
        row = {"id": str(events.next_place), "timestamp": self.world.now(), "code": code, "target_id": target_id}
        self.save("events", {**row, "initiator_id": initiator_id, "meta": values})
