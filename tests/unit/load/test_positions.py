"""Marks: where every key and value stands."""

import pytest

from reconciler.load import Map, Seq, Sources, locate
from reconciler.load.tree import pack

TEXT = """\
# a comment
groups:
  dev: {peers: [a, "b"], protect: true}
  ops:
policies:
  dév 😀: {from: dev, min: 0.30}
  "quoted":
    - 0x1f
    -   010
"""


@pytest.fixture
def document(load):
    return load(TEXT)


def place(document, *path, key=False):
    return str(document.sources.place(locate(document.root, path, key=key))).removeprefix("a.yaml:")


def test_values_and_keys_have_places(document):
    assert place(document, "groups", "dev", key=True) == "3:3"
    assert place(document, "groups", "dev") == "3:8"
    assert place(document, "groups", "dev", "peers") == "3:16"
    assert place(document, "groups", "dev", "peers", 1) == "3:20"
    assert place(document, "policies", "quoted", 1) == "9:9"


def test_columns_count_characters(document):
    assert place(document, "policies", "dév 😀", "min") == "6:27"


def test_a_value_that_is_not_written_stands_behind_its_key(document):
    assert place(document, "groups", "ops") == "4:7"
    assert document.sources.text_at(locate(document.root, ["groups", "ops"])) == ""


def test_empty_text_in_quotes_stands_where_it_is_written(load):
    assert place(load("a:   ''\n"), "a") == "1:6"


def test_that_place_is_the_same_with_both_parsers(load):
    found = load("a:\n\nb: [c:]\n")
    assert place(found, "a") == "1:3"


def test_the_root_stands_at_its_first_key(document):
    assert place(document) == "2:1"


@pytest.mark.parametrize(
    ("path", "value", "key"),
    [
        (("groups", "dev", "nothing"), "3:8", "3:3"),
        (("groups", "dev", "peers", 7), "3:16", "3:9"),
        (("groups", "dev", "peers", -1), "3:16", "3:9"),
        (("groups", "dev", "peers", "name"), "3:16", "3:9"),
        (("groups", "dev", "protect", "x", 0), "3:35", "3:26"),
        (("nothing", "at", "all"), "2:1", "2:1"),
    ],
)
def test_the_deepest_part_that_exists_is_located(document, path, value, key):
    assert place(document, *path) == value
    assert place(document, *path, key=True) == key


def test_the_key_of_an_item_is_the_item(document):
    assert place(document, "groups", "dev", "peers", 0, key=True) == "3:17"


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (("policies", "dév 😀", "min"), "0.30"),
        (("policies", "quoted", 0), "0x1f"),
        (("policies", "quoted", 1), "010"),
        (("groups", "dev", "peers", 1), "b"),
        (("groups", "dev"), ""),
    ],
)
def test_the_text_of_a_scalar_is_read_again(document, path, text):
    assert document.sources.text_at(locate(document.root, path)) == text


def test_the_text_of_a_file_with_a_byte_order_mark(load):
    found = load("\ufeffa: 0.30\n")
    assert found.sources.text_at(found.root.values_at["a"]) == "0.30"


def test_the_text_of_a_key(document):
    assert document.sources.text_at(locate(document.root, ["policies", "quoted"], key=True)) == "quoted"


@pytest.mark.parametrize("now", ["", "a: [", "\xff", None])
def test_the_text_is_empty_where_the_file_has_changed(load, folder, now):
    found = load("a: 0.30\n")
    path = folder / "a.yaml"
    path.unlink() if now is None else path.write_bytes(now.encode("latin-1"))
    assert found.sources.text_at(found.root.values_at["a"]) == ""


def test_the_text_of_many_files(load):
    found = load(*(f"k{index}: 0.{index}0\n" for index in range(20)))
    texts = [found.sources.text_at(found.root.values_at[f"k{index}"]) for index in range(20)]
    assert texts == [f"0.{index}0" for index in range(20)]


def test_marks_of_large_files_do_not_collide():
    sources = Sources()
    for index in range(3000):
        sources.add(f"{index}.yaml")
    assert sources.place(pack(2999, 19_999_999, 19_999_998)) == ("2999.yaml", 20_000_000, 19_999_999)
    assert sources.path(pack(17, 5, 5)) == "17.yaml"


def test_a_document_of_no_files_has_a_place_too(load):
    found = load()
    assert found.sources.place(found.root.at) == ("", 1, 1)


def test_copies_are_independent():
    original = Map(1)
    original.put("a", Seq(2), 3, 4)
    copy = original.copy()
    copy.put("b", 1, 5, 6)
    copy.drop("a")
    copy.drop("nothing")
    assert (original, original.keys_at, original.values_at) == ({"a": []}, {"a": 3}, {"a": 4})
    assert (copy, copy.keys_at, copy.values_at, copy.at) == ({"b": 1}, {"b": 5}, {"b": 6}, 1)
