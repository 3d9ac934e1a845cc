"""Files and folders: what is found, and that nothing blocks, loops or grows."""

import os
import socket
from pathlib import Path

import pytest

from reconciler.errors import Place
from reconciler.load import files, read
from reconciler.load.files import Unreadable, find, read_text


@pytest.fixture
def make(folder):
    def make(*names: str, text: str = "version: 1\n") -> None:
        for name in names:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    return make


def found(*paths):
    names, diagnostics = find([Path(path) for path in paths])
    assert diagnostics == []
    return [str(name) for name in names]


def refused(*paths):
    return [(diagnostic.code, diagnostic.message) for diagnostic in find([Path(path) for path in paths])[1]]


def test_a_folder_means_all_yaml_below_it_in_order_of_names(make):
    make("conf/b.yaml", "conf/a.yml", "conf/a/z.yaml", "conf/c.YAML", "conf/note.txt", "conf/x.json", "conf/yaml")
    assert found("conf") == ["conf/a/z.yaml", "conf/a.yml", "conf/b.yaml", "conf/c.YAML"]


def test_hidden_files_and_folders_are_left_out_unless_named(make):
    make("conf/.a.yaml", "conf/.git/b.yaml", "conf/c.yaml")
    assert found("conf") == ["conf/c.yaml"]
    assert found("conf/.git", "conf/.a.yaml") == ["conf/.git/b.yaml", "conf/.a.yaml"]


def test_a_named_file_may_be_called_anything(make):
    make("desired.txt")
    assert found("desired.txt") == ["desired.txt"]


def test_paths_stay_as_they_were_given(make, folder):
    make("conf/a.yaml")
    assert found("conf/a.yaml") == ["conf/a.yaml"]
    assert found(folder / "conf") == [str(folder / "conf/a.yaml")]
    (folder / "sub").mkdir()
    os.chdir("sub")
    assert found("../conf") == ["../conf/a.yaml"]
    assert found(".") == []


def test_what_is_reached_twice_is_read_once(make, folder):
    make("conf/a.yaml", "conf/b/c.yaml")
    (folder / "conf/link.yaml").symlink_to("a.yaml")
    (folder / "conf/twin").symlink_to("b")
    os.link("conf/a.yaml", "conf/hard.yaml")
    assert found("conf/a.yaml", "conf", "conf/b/c.yaml") == ["conf/a.yaml", "conf/b/c.yaml"]


def test_linked_folders_are_followed(make, folder):
    make("elsewhere/a.yaml")
    (folder / "conf").mkdir()
    (folder / "conf/link").symlink_to("../elsewhere")
    assert found("conf") == ["conf/link/a.yaml"]


def test_a_loop_of_folders_is_one_error(make, folder):
    make("conf/a.yaml", "conf/sub/b.yaml")
    (folder / "conf/sub/up").symlink_to("..")
    names, (diagnostic,) = find([Path("conf")])
    assert [str(name) for name in names] == ["conf/a.yaml", "conf/sub/b.yaml"]
    assert diagnostic.code == "NBS008"
    assert "conf/sub/up leads back to conf" in diagnostic.message


def test_folders_that_link_to_one_another_are_walked_once(make, folder):
    for index in range(30):
        make(f"conf/{index}/x.yaml")
        for other in range(30):
            (folder / f"conf/{index}/to{other}").symlink_to(f"../{other}")
    names, diagnostics = find([Path("conf")])
    assert len(names) == 30
    assert {diagnostic.code for diagnostic in diagnostics} == {"NBS008"}


@pytest.mark.parametrize("name", ["self", "self.yaml"])
def test_a_link_to_itself_is_an_error(make, folder, name):
    make("conf/a.yaml")
    (folder / "conf" / name).symlink_to(name)
    names, (diagnostic,) = find([Path("conf")])
    assert [str(found) for found in names] == ["conf/a.yaml"]
    assert diagnostic.message == f"conf/{name} is a symbolic link that leads back to itself"
    assert diagnostic.code == "NBS008"


def test_a_missing_path_is_an_error(folder):
    assert refused("nothing", "no/thing.yaml") == [
        ("NBS001", "nothing does not exist"),
        ("NBS001", "no/thing.yaml does not exist"),
    ]


def test_a_link_to_nothing_is_an_error(make, folder):
    make("conf/a.yaml")
    (folder / "conf/b.yaml").symlink_to("nowhere")
    assert refused("conf") == [("NBS001", "conf/b.yaml does not exist")]


def test_a_path_through_a_file_is_an_error(make):
    make("a.yaml")
    assert refused("a.yaml/b") == [("NBS001", "a.yaml/b cannot be read: not a directory")]


def test_a_name_that_is_too_long_is_an_error(folder):
    assert [code for code, _ in refused("x" * 5000)] == ["NBS001"]


def test_a_pipe_does_not_block(make, folder):
    make("conf/a.yaml")
    os.mkfifo("conf/pipe.yaml")
    assert refused("conf") == [("NBS001", "conf/pipe.yaml is a pipe, a socket or a device, not a file")]
    assert [code for code, _ in refused("conf/pipe.yaml")] == ["NBS001"]
    with pytest.raises(Unreadable, match="pipe"):
        read_text(Path("conf/pipe.yaml"))


def test_devices_and_sockets_are_no_files(folder):
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("s.yaml")
        assert [code for code, _ in refused("s.yaml", "/dev/zero", "/dev/null")] == ["NBS001"] * 3


def test_a_folder_that_may_not_be_read_is_an_error(make, monkeypatch):
    make("conf/open/a.yaml", "conf/shut/b.yaml")
    scandir = os.scandir

    def guarded(path):
        if Path(path).name == "shut":
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", guarded)
    names, (diagnostic,) = find([Path("conf"), Path("conf/shut")])
    assert [str(name) for name in names] == ["conf/open/a.yaml"]
    assert (diagnostic.code, diagnostic.message) == ("NBS001", "conf/shut cannot be read: permission denied")


def test_a_file_that_may_not_be_read_is_an_error(make, monkeypatch):
    make("a.yaml")

    def shut(path, *_):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "open", shut)
    with pytest.raises(Unreadable, match="cannot be read: permission denied") as refusal:
        read_text(Path("a.yaml"))
    assert refusal.value.diagnostic.code == "NBS001"


def test_no_yaml_at_all_is_an_error(folder):
    (folder / "conf").mkdir()
    (folder / "conf/readme.txt").write_text("nothing")
    document = read([Path("conf")], environ={}, objects=frozenset(), singletons=frozenset())
    assert [(found.code, found.message) for found in document.diagnostics] == [("NBS007", "no YAML files in conf")]


def test_a_missing_path_is_not_also_a_lack_of_files(folder):
    document = read([Path("conf")], environ={}, objects=frozenset(), singletons=frozenset())
    assert [found.code for found in document.diagnostics] == ["NBS001"]


def test_too_many_files_are_one_error(make, monkeypatch):
    monkeypatch.setattr(files, "MAX_ENTRIES", 10)
    make(*(f"conf/{index}/x.yaml" for index in range(20)))
    names, (diagnostic,) = find([Path("conf"), Path("conf/19")])
    assert len(names) < 10
    assert diagnostic.code == "NBS004"


def test_folders_are_followed_only_so_deep(make):
    make("conf/" + "d/" * 80 + "x.yaml", "conf/e.yaml")
    names, (diagnostic,) = find([Path("conf")])
    assert [str(name) for name in names] == ["conf/e.yaml"]
    assert diagnostic.code == "NBS004"


def test_a_huge_file_is_refused_unread(folder):
    with Path("big.yaml").open("wb") as file:
        file.truncate(100_000_000_000)
    document = read([Path("big.yaml")], environ={}, objects=frozenset(), singletons=frozenset())
    (found,) = document.diagnostics
    assert (found.code, found.place) == ("NBS004", Place("big.yaml", 1, 1))


def test_many_large_files_are_refused_together(make, monkeypatch):
    monkeypatch.setattr("reconciler.load.reading.MAX_CHARACTERS", 25)
    make("a.yaml", "b.yaml", "c.yaml", text="version: 1\n")
    document = read(
        [Path("a.yaml"), Path("b.yaml"), Path("c.yaml")], environ={}, objects=frozenset(), singletons=frozenset()
    )
    assert [(found.code, found.message.split(":")[0]) for found in document.diagnostics] == [("NBS004", "c.yaml")]


@pytest.mark.parametrize(
    ("data", "place", "says"),
    [
        (b"a: \xff\n", (1, 4), "byte 0xff"),
        (b"a: 1\nb: \xc3\xa9\xc3(\n", (2, 5), "byte 0xc3"),
        ("a: b\n".encode("utf-16"), (1, 1), "byte 0xff"),
        ("\ud800".encode("utf-8", "surrogatepass"), (1, 1), "byte 0xed"),
        (bytes(range(256)) * 100, (2, 118), "byte 0x80"),
    ],
)
def test_only_utf_8_is_text(only, data, place, says):
    found = only(data)
    assert (found.code, found.place) == ("NBS009", ("a.yaml", *place))
    assert says in found.message


def test_utf_16_is_recognized(only):
    assert only("a: b\n".encode("utf-16")).help == "it looks like UTF-16: save it as UTF-8"
    assert only(b"\xff").help == "save it as UTF-8"


@pytest.mark.parametrize("data", [b"a: \0\n", b"\0" * 100_000, "a: b\n".encode("utf-16-le"), b"a: \x1b[31m\n"])
def test_control_characters_are_refused(only, data):
    assert only(data).code == "NBS009"


def test_the_place_of_a_control_character(only):
    found = only("a: é\nb: [c:]\nc: '\u00e9\x07'\n")
    assert (found.place, "U+0007" in found.message) == (("a.yaml", 3, 6), True)


def test_reading_stops_at_the_limit(make):
    make("a.yaml", text="x" * 100)
    assert read_text(Path("a.yaml"), 100) == "x" * 100
    with pytest.raises(Unreadable, match="larger than 99 bytes"):
        read_text(Path("a.yaml"), 99)
