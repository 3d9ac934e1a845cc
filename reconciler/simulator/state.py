"""The state file: an SQLite database with one row for each row of the tables.

Every request that changes something is one transaction of it, so that a process that is killed at any moment leaves
whole requests behind.
"""

import json
import sqlite3
from pathlib import Path

from .world import World

SCHEMA = """
CREATE TABLE IF NOT EXISTS rows (kind TEXT, id TEXT, place INTEGER, data TEXT, PRIMARY KEY (kind, id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS numbers (name TEXT PRIMARY KEY, value INTEGER) WITHOUT ROWID;
"""


class StateFile:
    """Loads a world from a file and writes back what changes.

    Args:
        path: The file; made if it is missing.
        world: An empty world, filled from the file.

    Raises:
        sqlite3.DatabaseError: the file is not one of these.
    """

    def __init__(self, path: Path, world: World) -> None:
        self._world = world
        self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute("PRAGMA synchronous=NORMAL")
        self._database.executescript(SCHEMA)
        self._offset = 0
        self._load()

    def keep(self) -> None:
        """Write what has changed since the last time, all or nothing."""
        dirty, self._world.store.dirty = self._world.store.dirty, {}
        if not dirty and self._offset == self._world.clock.offset:
            return
        self._offset = self._world.clock.offset
        self._database.execute("BEGIN IMMEDIATE")
        self._database.executemany("DELETE FROM rows WHERE kind = ? AND id = ?", dirty)
        self._database.executemany("INSERT INTO rows VALUES (?, ?, ?, ?)", self._rows(dirty))
        numbers = {f"next {kind}": self._world.store.table(kind).next_place for kind, _ in dirty}
        numbers["clock offset"] = self._offset
        self._database.executemany("INSERT OR REPLACE INTO numbers VALUES (?, ?)", numbers.items())
        self._database.execute("COMMIT")

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def _rows(self, keys: dict[tuple[str, str], None]) -> list[tuple[str, str, int, str]]:
        found = []
        for kind, row_id in keys:
            table = self._world.store.table(kind)
            if (row := table.get(row_id)) is not None:
                found.append((kind, row_id, table.place(row_id), json.dumps(row)))
        return found

    def _load(self) -> None:
        store = self._world.store
        for kind, place, data in self._database.execute("SELECT kind, place, data FROM rows ORDER BY place"):
            store.table(kind).restore(json.loads(data), place)
        for name, value in self._database.execute("SELECT name, value FROM numbers"):
            if name == "clock offset":
                self._world.clock.offset = self._offset = value
            else:
                store.table(name.removeprefix("next ")).next_place = value
        store.dirty = {}
