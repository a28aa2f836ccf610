"""The verbs of a storage: created once, replaced whole, never outside the root."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_blocks.errors import VariableError, VariableNotFoundError
from jupyter_blocks.variables.keys import key_part, part_name
from jupyter_blocks.variables.storage import AlreadyExistsError, LocalStorage, open_storage


@pytest.fixture
def storage(tmp_path: Path) -> LocalStorage:
    return LocalStorage(tmp_path / "store")


def files(storage: LocalStorage) -> list[str]:
    """Everything below the root, temporary files too."""
    return sorted(
        str(path.relative_to(storage.root)) for path in storage.root.rglob("*") if path.is_file()
    )


def test_what_is_created_is_read_back(storage: LocalStorage) -> None:
    """Folders come into being by themselves."""
    storage.create("a/b/c", b"12345")
    assert storage.read("a/b/c") == b"12345"
    assert storage.read_range("a/b/c", 1, 3) == b"234"
    assert storage.read_range("a/b/c", 4, 100) == b"5"
    assert storage.size("a/b/c") == 5
    assert storage.exists("a/b/c")
    assert storage.path("a/b/c").read_bytes() == b"12345"


@pytest.mark.parametrize("atomic", [True, False])
def test_an_object_is_created_only_once(storage: LocalStorage, atomic: bool) -> None:
    """The second writer is told, and the first one's bytes stay."""
    storage.create("a", b"first", atomic=atomic)
    with pytest.raises(AlreadyExistsError, match=r"'a' in the variable store .* already"):
        storage.create("a", b"second", atomic=atomic)
    assert storage.read("a") == b"first"
    assert files(storage) == ["a"]


def test_of_many_creators_one_wins(storage: LocalStorage) -> None:
    """However many try at the same time, exactly one is not told that it came too late."""
    start, won = threading.Barrier(8), []

    def create(number: int) -> None:
        start.wait()
        try:
            storage.create("commit", b"%d" % number)
        except AlreadyExistsError:
            return
        won.append(number)

    threads = [threading.Thread(target=create, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [storage.read("commit")] == [b"%d" % number for number in won]
    assert files(storage) == ["commit"]


def test_without_hard_links_creating_is_exclusive_all_the_same(
    storage: LocalStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some network file systems have no links; pointers work there, too."""

    def refuse(*_arguments: object, **_options: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    storage.create("a", b"1")
    with pytest.raises(AlreadyExistsError):
        storage.create("a", b"2")
    assert storage.point("latest", "a", lambda _: True)
    assert storage.read("a") == storage.read("latest") == b"1"
    assert files(storage) == [".lock", "a", "latest"]


def test_an_object_is_replaced_whole(storage: LocalStorage) -> None:
    """Whether there was one before or not."""
    storage.replace("p/a", b"1")
    storage.replace("p/a", b"22")
    assert storage.read("p/a") == b"22"
    assert files(storage) == ["p/a"]


def test_a_stream_makes_an_object(storage: LocalStorage) -> None:
    """Pieces of any kind of buffer follow each other."""
    with storage.writer("a") as file:
        file.write(b"12")
        file.write(memoryview(b"345"))
    assert storage.read("a") == b"12345"


def test_a_stream_that_fails_leaves_nothing(storage: LocalStorage) -> None:
    """What went wrong inside is raised as it is."""

    def fail() -> None:
        with storage.writer("a") as file:
            file.write(b"12")
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        fail()
    assert not storage.exists("a")
    assert files(storage) == []


def test_a_stream_does_not_write_over_an_object(storage: LocalStorage) -> None:
    """Not even a failing one takes the object of another away."""
    storage.create("a", b"1")
    with pytest.raises(AlreadyExistsError), storage.writer("a"):
        pass
    assert storage.read("a") == b"1"


MISSING: dict[str, Callable[[LocalStorage], object]] = {
    "read": lambda storage: storage.read("x/a"),
    "read_range": lambda storage: storage.read_range("x/a", 0, 1),
    "size": lambda storage: storage.size("x/a"),
    "read a folder": lambda storage: storage.read("folder"),
    "read below a file": lambda storage: storage.read("folder/file/a"),
    "point": lambda storage: storage.point("latest", "x/a", lambda _: True),
}


@pytest.mark.parametrize("verb", MISSING)
def test_what_is_not_there_is_said_to_be_missing(storage: LocalStorage, verb: str) -> None:
    """With the key and the store."""
    storage.create("folder/file", b"")
    with pytest.raises(VariableNotFoundError, match=r"There is no object .* in the variable store"):
        MISSING[verb](storage)
    assert files(storage) in (["folder/file"], [".lock", "folder/file"])


def test_a_pointer_becomes_a_copy_of_its_target(storage: LocalStorage) -> None:
    """It lives on when the target is deleted, and pointing again changes nothing."""
    storage.create("runs/1", b"one")
    assert storage.point("latest/x", "runs/1", lambda _: False), "nothing was there to be asked"
    assert storage.point("latest/x", "runs/1", lambda _: True)
    storage.delete("runs")
    assert storage.read("latest/x") == b"one"
    assert files(storage) == [".lock", "latest/x"]


def test_a_pointer_moves_only_if_the_present_one_may_be_replaced(storage: LocalStorage) -> None:
    """The one that decides is shown the bytes that are there."""
    storage.create("new", b"new")
    storage.create("old", b"old")
    seen: list[bytes] = []
    storage.point("latest", "new", lambda _: True)
    assert not storage.point("latest", "old", lambda present: bool(seen.append(present)))
    assert (seen, storage.read("latest")) == ([b"new"], b"new")


RACER = """
import sys, time
from jupyter_blocks.variables.storage import LocalStorage

storage = LocalStorage(sys.argv[1])

def newer(present):
    time.sleep(0.003)  # time enough for the other one to come between
    return present < data

print("ready", flush=True)
sys.stdin.readline()
for number in range(int(sys.argv[2]), 60, 2):
    data = b"%03d" % number
    storage.create(f"run/{number}", data)
    storage.point("latest", f"run/{number}", newer)
    assert storage.read("latest") >= data
"""


def test_pointers_that_race_end_at_the_highest(tmp_path: Path) -> None:
    """Processes that move one pointer at the same time ask and move as one step."""
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", RACER, str(tmp_path), str(first)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for first in (0, 1)
    ]
    for racer in racers:
        assert racer.stdout is not None
        assert racer.stdout.readline() == "ready\n"
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("go\n")
        racer.stdin.flush()
    for racer in racers:
        racer.communicate(timeout=60)
    assert [racer.returncode for racer in racers] == [0, 0]
    assert LocalStorage(tmp_path).read("latest") == b"059"


def test_objects_are_listed_with_their_sizes(storage: LocalStorage) -> None:
    """Files that begin with a dot are nobody's objects."""
    storage.create("p/a", b"1")
    storage.create("p/q/b", b"22")
    storage.create("other", b"")
    (storage.root / "p" / ".tmp-left-by-a-crash").write_bytes(b"half")
    (storage.root / ".gitignore").write_text("*")
    assert sorted((entry.key, entry.size) for entry in storage.entries("p")) == [
        ("p/a", 1),
        ("p/q/b", 2),
    ]
    assert len(list(storage.entries())) == 3
    assert list(storage.entries("nothing")) == []
    assert storage.folders("p") == ["q"]
    assert storage.folders("nothing") == []


def test_objects_and_folders_are_deleted(storage: LocalStorage) -> None:
    """Deleting what is not there is fine."""
    storage.create("p/a", b"1")
    storage.create("p/q/b", b"22")
    storage.delete("p/a")
    assert files(storage) == ["p/q/b"]
    storage.delete("p")
    storage.delete("p")
    assert files(storage) == []


@pytest.mark.parametrize("key", ["../a", "a/../../b", ".."])
def test_keys_do_not_leave_the_root(storage: LocalStorage, key: str) -> None:
    """Whatever was read from where."""
    with pytest.raises(VariableError, match="leaves the store"):
        storage.read(key)


def test_a_full_disk_is_explained_and_leaves_nothing(tmp_path: Path) -> None:
    """The text names the object and says how to make room."""
    script = (
        "import resource, sys; from jupyter_blocks.variables.storage import LocalStorage\n"
        "from jupyter_blocks.errors import VariableError\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "storage = LocalStorage(sys.argv[1])\n"
        "for write in (storage.create, storage.replace):\n"
        "    try: write('a', bytes(5000))\n"
        "    except VariableError as error: print(error)\n"
        "try:\n"
        "    with storage.writer('b') as file: file.write(bytes(5000))\n"
        "except VariableError as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=True
    )
    lines = done.stdout.splitlines()
    assert [line[:3] for line in lines] == ["'a'", "'a'", "'b'"]
    assert all("could not be written: File too large" in line for line in lines)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("load_flights", "load_flights"),
        ("v1.2-x", "v1.2-x"),
        ("a/b", "a%2Fb"),
        ("..", "%2E."),
        (".hidden", "%2Ehidden"),
        ("a b", "a%20b"),
        ("50%", "50%25"),
        ("a~b", "a%7Eb"),
        ("ö", "%C3%B6"),
    ],
)
def test_names_become_parts_of_keys(name: str, part: str) -> None:
    """Letters, digits and `._-` stay; nothing climbs out of its folder or hides in it."""
    assert key_part(name) == part
    assert part_name(part) == name


@given(st.lists(st.text(min_size=1, max_size=120), min_size=2, max_size=2, unique=True))
def test_parts_are_distinct_legal_file_names(names: list[str]) -> None:
    """Two names never share a part, and no part is too long for a file system."""
    parts = [key_part(name) for name in names]
    assert parts[0] != parts[1]
    for name, part in zip(names, parts, strict=True):
        assert part.isascii()
        assert len(part) <= 200
        assert not part.startswith(".")
        assert "/" not in part
        assert "~" in part or part_name(part) == name


def test_nothing_has_no_name() -> None:
    """An empty name would be the folder above."""
    with pytest.raises(VariableError, match="need a name"):
        key_part("")


def test_storages_are_opened_by_folder_or_uri(tmp_path: Path) -> None:
    """What this version cannot do it says, with the setting to change."""
    opened = [open_storage(tmp_path / "a b"), open_storage(f"file://{tmp_path}/a%20b")]
    assert [repr(storage) for storage in opened] == [f"LocalStorage('{tmp_path}/a b')"] * 2
    with pytest.raises(VariableError, match=r"s3://bucket.*local folders only.*variables_dir"):
        open_storage("s3://bucket/prefix")
