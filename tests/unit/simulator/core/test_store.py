"""Tables: order, indexes, what changed."""

from __future__ import annotations

from reconciler.simulator.store import Row, Store


def words(row: Row) -> list[str]:
    return str(row["text"]).split()


def test_an_index_follows_every_change() -> None:
    """Also one that was asked for the first time in between."""
    table = Store({"notes": {"word": words}}).table("notes")
    table.put({"id": "1", "text": "red green"})
    assert [row["id"] for row in table.where("word", "red")] == ["1"]

    table.put({"id": "1", "text": "green blue"})
    table.put({"id": "2", "text": "blue"})

    assert table.where("word", "red") == []
    assert [row["id"] for row in table.where("word", "blue")] == ["1", "2"]
    assert (table.count("word", "blue"), table.count("text", "blue"), len(table)) == (2, 1, 2)
    table.remove("1")
    assert [row["id"] for row in table.where("word", "blue")] == ["2"]


def test_a_changed_row_keeps_its_place() -> None:
    table = Store({}).table("notes")
    for number in "312":
        table.put({"id": number, "text": "x"})
    table.put({"id": "3", "text": "y"})
    table.put({"id": "3", "text": "x"})

    assert [row["id"] for row in table.all()] == ["3", "1", "2"]
    assert [row["id"] for row in table.where("text", "x")] == ["3", "1", "2"]


def test_an_account_goes_with_all_that_is_its_own() -> None:
    store = Store({})
    store.table("accounts").put({"id": "a"})
    for row in ({"id": "1", "account_id": "a"}, {"id": "2", "account_id": "b"}):
        store.table("notes").put(row)

    store.forget_account("a")

    assert [row["id"] for row in store.table("notes").all()] == ["2"]
    assert store.table("accounts").all() == []
    assert set(store.dirty) == {("accounts", "a"), ("notes", "1"), ("notes", "2")}
