"""The files at a git revision: which they are, and that a hostile repository neither runs nor reads nor writes anything."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reconciler.errors import DesiredStateError, NbsyncError, UsageError
from reconciler.load import git as git_module
from reconciler.load import revision as revision_module
from reconciler.load.revision import files_at

Git = Callable[..., str]
Files = dict[str, str]


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", os.devnull)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    root = tmp_path / "repository"
    root.mkdir()
    monkeypatch.chdir(root)
    return root


@pytest.fixture
def git(repository: Path) -> Git:
    def run(*arguments: str, given: bytes = b"") -> str:
        command = ["git", "-C", str(repository), "-c", "user.name=n", "-c", "user.email=n@acme.example", *arguments]
        return subprocess.run(command, input=given, check=True, capture_output=True).stdout.decode().strip()

    run("init", "-q", "-b", "main")
    return run


def commit(git: Git) -> None:
    git("add", "-A", "-f")
    git("commit", "-q", "--allow-empty", "-m", "files")


def tree(git: Git, *entries: tuple[str, str, str, bytes]) -> str:
    """Make a tree that no work tree could give, and a commit of it: mode, type, id, name."""
    raw = b"".join(
        mode.lstrip("0").encode() + b" " + name + b"\0" + bytes.fromhex(oid) for mode, _, oid, name in entries
    )
    made = git("hash-object", "-t", "tree", "-w", "--literally", "--stdin", given=raw)
    git("update-ref", "refs/heads/main", git("commit-tree", made, "-m", "crafted"))
    return made


def blob(git: Git, text: bytes) -> str:
    return git("hash-object", "-w", "--stdin", given=text)


def laid_out(*paths: str, revision: str = "HEAD", overlays: tuple[str, ...] = ()) -> Files:
    """All that lies in the folder of a revision, by path from where the repository lies."""
    with files_at(revision, [Path(path) for path in paths or (".",)], [Path(path) for path in overlays]) as then:
        return dict(_texts(Path(then.root)))


def _texts(root: Path) -> Iterator[tuple[str, str]]:
    for folder, folders, names in os.walk(root):
        for path in (Path(folder, name) for name in (*folders, *names)):
            if path.is_dir() and not path.is_symlink():
                continue
            yield str(path.relative_to(root)), f"-> {path.readlink()}" if path.is_symlink() else path.read_text()


def failure(error: type[NbsyncError], *paths: str, revision: str = "HEAD") -> tuple[str, str]:
    with pytest.raises(error) as caught:
        laid_out(*paths, revision=revision)
    (found,) = caught.value.diagnostics
    return found.code, found.message


def put(root: Path, name: str, text: str = "x") -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_only_what_is_meant_is_laid_out(repository: Path, git: Git) -> None:
    for name in ("net/a.yaml", "net/deep/b.YML", "net/notes.txt", "other/c.yaml", "net2/d.yaml", "over.yaml"):
        put(repository, name, name)
    commit(git)
    put(repository, "net/a.yaml", "later")
    assert laid_out("net") == {"net/a.yaml": "net/a.yaml", "net/deep/b.YML": "net/deep/b.YML"}
    assert set(laid_out("net", overlays=("over.yaml",))) == {"net/a.yaml", "net/deep/b.YML", "over.yaml"}
    assert laid_out("net/notes.txt") == {"net/notes.txt": "net/notes.txt"}


def test_paths_that_were_not_there_are_left_out(repository: Path, git: Git) -> None:
    put(repository, "net/a.yaml")
    put(repository, "text/only.txt")
    commit(git)
    put(repository, "later/b.yaml")
    with files_at("HEAD", [Path("net"), Path("later"), Path("text")], [Path("later/b.yaml")]) as then:
        assert [str(path.relative_to(then.root)) for path in then.paths] == ["net"]
        assert then.overlays == ()


def test_the_folder_is_private_and_goes_in_the_end(repository: Path, git: Git) -> None:
    put(repository, "a.yaml")
    commit(git)
    with files_at("HEAD", [Path()]) as then:
        temporary = Path(then.temporary)
        assert temporary.stat().st_mode & 0o077 == 0
        assert then.said(f"{then.paths[0]}/a.yaml: bad") == "HEAD:a.yaml: bad"
    assert not temporary.exists()


def test_what_files_name_is_laid_out_with_what_its_links_lead_to(repository: Path, git: Git) -> None:
    put(repository, "net/a.yaml", "x: ${file:../text/motd}")
    put(repository, "text/target")
    put(repository, "text/unrelated")
    (repository / "text/motd").symlink_to("target")
    commit(git)
    assert laid_out("net").keys() == {"net/a.yaml", "text/motd", "text/target"}


def test_a_path_by_a_link_means_what_the_link_meant(repository: Path, git: Git) -> None:
    put(repository, "one/a.yaml", "one")
    put(repository, "two/a.yaml", "two")
    current = repository / "current"
    current.symlink_to("one")
    commit(git)
    current.unlink()
    current.symlink_to("two")
    with files_at("HEAD", [Path("current")]) as then:
        assert (then.paths[0] / "a.yaml").read_text() == "one"
    current.unlink()
    put(repository, "current/a.yaml", "three")
    with files_at("HEAD", [Path("current/a.yaml")]) as then:
        assert then.paths[0].read_text() == "one"


def test_files_are_found_from_any_folder_of_any_work_tree(
    repository: Path, git: Git, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(repository, "net/a.yaml")
    commit(git)
    git("worktree", "add", "-q", "../second")
    monkeypatch.chdir(repository / "net")
    assert laid_out(".") == laid_out("..") == laid_out("../net") == {"net/a.yaml": "x"}
    monkeypatch.chdir(tmp_path)
    assert laid_out("second/net/a.yaml") == {"net/a.yaml": "x"}


def test_another_repository_of_the_environment_is_not_asked(
    repository: Path, git: Git, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(repository, "a.yaml")
    commit(git)
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "nothing"))
    monkeypatch.setenv("GIT_WORK_TREE", str(tmp_path))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "index"))
    assert laid_out() == {"a.yaml": "x"}


def test_without_git(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(repository))
    assert failure(UsageError)[0] == "NBS010"


def test_without_a_repository(repository: Path) -> None:
    code, message = failure(UsageError)
    assert code == "NBS011"
    assert message.endswith("not a git repository (or any of the parent directories): .git")


def test_in_the_folder_of_git_itself_or_a_bare_repository(repository: Path, git: Git) -> None:
    assert failure(UsageError, ".git")[0] == "NBS011"


def test_before_the_first_commit(repository: Path, git: Git) -> None:
    assert failure(UsageError)[0] == "NBS012"


@pytest.mark.parametrize(
    "revision",
    [
        "nothing",
        "",
        "-",
        "-x",
        "--all",
        "--output=made",
        "main..main",
        "^main",
        "HEAD:a.yaml",
        "HEAD^{tree}",
        "a\0b",
        "\udcff",
        "x\ny",
        "HEAD~9",
    ],
)
def test_what_is_no_commit(repository: Path, git: Git, revision: str) -> None:
    put(repository, "a.yaml")
    commit(git)
    assert failure(UsageError, revision=revision) == ("NBS012", f"git knows no commit by '{revision}'")
    assert {path.name for path in repository.iterdir()} == {".git", "a.yaml"}


@pytest.mark.parametrize("path", ["..", "../second", "/", "/etc/hostname"])
def test_paths_outside(repository: Path, git: Git, path: str) -> None:
    put(repository, "a.yaml")
    put(repository, "../second/a.yaml")
    commit(git)
    with pytest.raises(UsageError) as caught:
        laid_out(".", path)
    assert caught.value.diagnostics[0].code == "NBS013"


def test_nothing_that_the_repository_brings_along_is_run(repository: Path, git: Git) -> None:
    trap = put(repository, "trap", f"#!/bin/sh\ntouch '{repository}/sprung'\ncat")
    trap.chmod(0o755)
    put(repository, ".gitattributes", "*.yaml filter=trap diff=trap export-subst\nb.yaml export-ignore\n")
    put(repository, "a.yaml", "$Format:%H$")
    put(repository, "b.yaml")
    commit(git)
    (repository / "sprung").unlink(missing_ok=True)
    for hook in ("post-checkout", "post-index-change", "reference-transaction", "fsmonitor-watchman"):
        put(repository, f".git/hooks/{hook}", trap.read_text()).chmod(0o755)
    for name in (
        *("filter.trap.smudge", "filter.trap.clean", "filter.trap.process", "diff.trap.textconv", "diff.trap.command"),
        *("core.fsmonitor", "core.pager", "core.editor", "core.sshCommand", "alias.ls-tree", "alias.cat-file"),
    ):
        git("config", name, f"!{trap}" if name.startswith("alias") else str(trap))
    assert laid_out() == {"a.yaml": "$Format:%H$", "b.yaml": "x"}
    assert not (repository / "sprung").exists()


def test_nothing_is_fetched(repository: Path, git: Git, tmp_path: Path) -> None:
    put(repository, "a.yaml")
    commit(git)
    trap = put(tmp_path, "trap", f"#!/bin/sh\ntouch '{tmp_path}/sprung'\n")
    trap.chmod(0o755)
    oid = git("rev-parse", "HEAD:a.yaml")
    (repository / ".git/objects" / oid[:2] / oid[2:]).unlink()
    for name, value in {
        "remote.origin.url": f"ext::{trap}",
        "remote.origin.promisor": "true",
        "extensions.partialClone": "origin",
        "protocol.ext.allow": "always",
        "core.repositoryFormatVersion": "1",
    }.items():
        git("config", name, value)
    code, message = failure(UsageError)
    assert code == "NBS012"
    assert message.startswith("git does not have all of ")
    assert not (tmp_path / "sprung").exists()


def test_links_out_of_the_repository_are_not_followed(repository: Path, git: Git, tmp_path: Path) -> None:
    secret = put(tmp_path, "outside/secret.yaml", "secret")
    put(repository, "net/a.yaml")
    for name, target in {
        "net/absolute.yaml": str(secret),
        "net/relative.yaml": "../../outside/secret.yaml",
        "net/folder": "../../outside",
        "net/deep/back": "..",
        "net/turn": "deep/back/../../../outside",
    }.items():
        (repository / name).parent.mkdir(exist_ok=True)
        (repository / name).symlink_to(target)
    commit(git)
    found = laid_out("net")
    nowhere = "-> leads out of the repository"
    assert found == {
        "net/a.yaml": "x",
        "net/absolute.yaml": nowhere,
        "net/relative.yaml": nowhere,
        "net/folder": nowhere,
        "net/deep/back": "-> ..",
        "net/turn": nowhere,
    }


def test_a_link_that_becomes_one_by_another_link_is_not_followed(repository: Path, git: Git) -> None:
    put(repository, "d/x.yaml")
    put(repository, "p/q/a.yaml")
    (repository / "p/q/b").symlink_to("../../d")
    (repository / "p/q/a-link").symlink_to("b/../../x")
    commit(git)
    assert laid_out("p")["p/q/a-link"] == "-> leads out of the repository"


def test_crafted_trees_write_nothing_elsewhere(repository: Path, git: Git, tmp_path: Path) -> None:
    evil = blob(git, b"evil")
    outside = blob(git, str(tmp_path / "outside").encode())
    (tmp_path / "outside").mkdir()
    inner = git("mktree", given=f"100644 blob {evil}\tx.yaml\n120000 blob {evil}\ty.yaml\n".encode())
    tree(
        git,
        ("100644", "blob", evil, b".."),
        ("100644", "blob", evil, b"../" * 40 + str(tmp_path / "up.yaml").encode()),
        ("100644", "blob", evil, b"/abs.yaml"),
        ("40000", "tree", inner, b".."),
        ("100644", "blob", evil, b"good.yaml"),
        ("120000", "blob", outside, b"l"),
        ("40000", "tree", inner, b"m"),
    )
    assert laid_out() == {
        "good.yaml": "evil",
        "l": "-> leads out of the repository",
        "m/x.yaml": "evil",
        "m/y.yaml": "-> evil",
    }
    tree(git, ("120000", "blob", outside, b"l"), ("40000", "tree", inner, b"l"))
    assert failure(DesiredStateError)[0] == "NBS014"
    deep = git("mktree", given=f"40000 tree {inner}\tz\n".encode())
    links = git("mktree", given=f"120000 blob {evil}\ty\n".encode())
    tree(git, ("120000", "blob", outside, b"l"), ("40000", "tree", links, b"l"), ("40000", "tree", deep, b"m"))
    laid_out()
    assert list((tmp_path / "outside").iterdir()) == []
    assert not (tmp_path / "up.yaml").exists()


def test_a_file_that_is_a_folder_too_is_an_error(repository: Path, git: Git) -> None:
    text = blob(git, b"x")
    inner = git("mktree", given=f"100644 blob {text}\tx.yaml\n".encode())
    tree(git, ("100644", "blob", text, b"a.yaml"), ("40000", "tree", inner, b"a.yaml"))
    code, message = failure(DesiredStateError)
    assert (code, message) == ("NBS014", "the files at HEAD cannot be laid out: File exists")


def test_submodules_are_left_out(repository: Path, git: Git) -> None:
    put(repository, "a.yaml")
    commit(git)
    git("update-index", "--add", "--cacheinfo", f"160000,{git('rev-parse', 'HEAD')},module.yaml")
    git("commit", "-q", "-m", "module")
    assert laid_out() == {"a.yaml": "x"}


def test_names_that_are_not_utf_8(repository: Path, git: Git) -> None:
    text = blob(git, b"x")
    tree(git, ("100644", "blob", text, b"\xff\n.yaml"))
    assert laid_out() == {os.fsdecode(b"\xff\n.yaml"): "x"}


@pytest.mark.parametrize(
    ("where", "limit", "value"),
    [(revision_module, "MAX_TOTAL", 9), (revision_module, "MAX_ENTRIES", 1), (git_module, "MAX_LISTING", 100)],
)
def test_limits(
    repository: Path, git: Git, monkeypatch: pytest.MonkeyPatch, where: object, limit: str, value: int
) -> None:
    put(repository, "a.yaml", "x" * 5)
    put(repository, "b.yaml", "x" * 5)
    commit(git)
    assert len(laid_out()) == 2
    monkeypatch.setattr(where, limit, value)
    monkeypatch.setattr(git_module.Repository, "contents", None)
    assert failure(UsageError)[0] == "NBS004"


def test_a_tree_that_unfolds_without_end_is_not_listed_to_its_end(repository: Path, git: Git) -> None:
    folder = git("mktree", given=f"100644 blob {blob(git, b'x')}\t{'long' * 50}.yaml\n".encode())
    for _ in range(12):
        lines = "".join(f"40000 tree {folder}\t{name}\n" for name in "abcdefghij")
        folder = git("mktree", given=lines.encode())
    git("update-ref", "refs/heads/main", git("commit-tree", folder, "-m", "bomb"))
    assert failure(UsageError)[0] == "NBS004"
