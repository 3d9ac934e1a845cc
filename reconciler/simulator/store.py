"""The tables: rows of all accounts by kind, in the order in which they were made, with indexes.

A row is plain JSON data with an ``id`` that no other row of its kind has, and an ``account_id`` where it belongs to an
account. Rows are never changed in place: ``put`` replaces one, so that indexes and the state file stay right.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any

Row = dict[str, Any]
"""One stored object: JSON data under the API's own field names, times in nanoseconds."""

Keys = Callable[[Row], Iterable[str]]
"""What an index files a row under: every value that the row can be looked up by."""


class Table:
    """The rows of one kind.

    Args:
        kind: The table's name, for the state file.
        indexes: Look-ups other than by a plain field, by name.
        changed: Called with kind and id after every change.

    Attributes:
        next_place: Position that the next new row will have, counted from 1; never given twice.
    """

    def __init__(self, kind: str, indexes: Mapping[str, Keys], changed: Callable[[str, str], None]) -> None:
        self.kind = kind
        self._keys = dict(indexes)
        self._changed = changed
        self._rows: dict[str, Row] = {}
        self._places: dict[str, int] = {}
        self.next_place = 1
        self._indexes: dict[str, dict[str, dict[str, None]]] = {}

    def __len__(self) -> int:
        return len(self._rows)

    def get(self, row_id: str) -> Row | None:
        """The row with this id, whichever account it belongs to."""
        return self._rows.get(row_id)

    def all(self) -> list[Row]:
        """Every row of every account, oldest first."""
        return list(self._rows.values())

    def where(self, key: str, value: str) -> list[Row]:
        """Rows that the index ``key`` (an area's own, or a field with a text in it) files under ``value``."""
        found = self._index(key).get(value, {})
        return [self._rows[row_id] for row_id in sorted(found, key=self._places.__getitem__)]

    def count(self, key: str, value: str) -> int:
        """How many rows ``where`` would give."""
        return len(self._index(key).get(value, {}))

    def put(self, row: Row) -> None:
        """Add the row, or replace the one with its id, which keeps its place."""
        row_id = row["id"]
        self._unfile(row_id)
        if row_id not in self._rows:
            self._places[row_id] = self.next_place
            self.next_place += 1
        self._rows[row_id] = row
        self._file(row)
        self._changed(self.kind, row_id)

    def restore(self, row: Row, place: int) -> None:
        """Add a row that was made at ``place`` in an earlier life of the table."""
        self._places[row["id"]] = place
        self._rows[row["id"]] = row
        self._file(row)

    def remove(self, row_id: str) -> None:
        """Take the row out, if there is one."""
        if row_id in self._rows:
            self._unfile(row_id)
            del self._rows[row_id], self._places[row_id]
            self._changed(self.kind, row_id)

    def place(self, row_id: str) -> int:
        """The row's position among all ever made; a later row has a higher one."""
        return self._places[row_id]

    def _index(self, key: str) -> dict[str, dict[str, None]]:
        if key not in self._indexes:
            self._indexes[key] = defaultdict(dict)
            for row in self._rows.values():
                for value in self._values(key, row):
                    self._indexes[key][value][row["id"]] = None
        return self._indexes[key]

    def _values(self, key: str, row: Row) -> Iterable[str]:
        return self._keys[key](row) if key in self._keys else (row[key],)

    def _file(self, row: Row) -> None:
        for key, index in self._indexes.items():
            for value in self._values(key, row):
                index[value][row["id"]] = None

    def _unfile(self, row_id: str) -> None:
        if (row := self._rows.get(row_id)) is None:
            return
        for key, index in self._indexes.items():
            for value in self._values(key, row):
                index[value].pop(row_id, None)


class Store:
    """All tables of a server, made on first use.

    Args:
        indexes: Index functions by kind and name.

    Attributes:
        dirty: Kind and id of every row changed since somebody last emptied it (the state file does).
    """

    def __init__(self, indexes: Mapping[str, Mapping[str, Keys]]) -> None:
        self._declared = indexes
        self._tables: dict[str, Table] = {}
        self.dirty: dict[tuple[str, str], None] = {}

    def table(self, kind: str) -> Table:
        """The table of this kind."""
        if kind not in self._tables:
            self._tables[kind] = Table(kind, self._declared.get(kind, {}), self._mark)
        return self._tables[kind]

    def forget_account(self, account_id: str, *, kept: frozenset[str] = frozenset()) -> None:
        """Remove the account and every row that belongs to it, but for these kinds."""
        for kind, table in list(self._tables.items()):
            for row in table.all() if kind not in kept else ():
                if row.get("account_id") == account_id:
                    table.remove(row["id"])
        self.table("accounts").remove(account_id)

    def _mark(self, kind: str, row_id: str) -> None:
        self.dirty[kind, row_id] = None
