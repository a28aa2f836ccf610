"""The verbs of a storage: created once, replaced whole, never outside the root."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from jupyter_blocks.errors import VariableError, VariableNotFoundError
from jupyter_blocks.variables.keys import key_part
from jupyter_blocks.variables.openstorage import open_storage
from jupyter_blocks.variables.storage import AlreadyExistsError, LocalStorage, Storage


def files(storage: Storage) -> list[str]:
    """Everything below the root, temporary files too."""
    if not isinstance(storage, LocalStorage):
        return sorted(entry.key for entry in storage.entries())
    paths = [path for path in storage.root.rglob("*") if path.is_file() and path.name != ".lock"]
    return sorted(str(path.relative_to(storage.root)) for path in paths)


def test_what_is_created_is_read_back(storage: Storage) -> None:
    """Folders come into being by themselves."""
    storage.create("a/b/c", b"12345")
    assert storage.read("a/b/c") == b"12345"
    assert storage.read_range("a/b/c", 1, 3) == b"234"
    assert storage.read_range("a/b/c", 4, 100) == b"5"
    assert storage.size("a/b/c") == 5
    assert storage.exists("a/b/c")
    assert storage.read_range("a/b/c", 5, 1) == storage.read_range("a/b/c", 1, 0) == b""
    assert storage.read_writable("a/b/c", 5) == bytearray(b"12345")
    path = storage.path("a/b/c")
    assert path is None or path.read_bytes() == b"12345"


@pytest.mark.parametrize("atomic", [True, False])
def test_an_object_is_created_only_once(storage: Storage, atomic: bool) -> None:
    """The second writer is told, and the first one's bytes stay."""
    storage.create("a", b"first", atomic=atomic)
    with pytest.raises(AlreadyExistsError, match=r"'a' in the variable store .* already"):
        storage.create("a", b"second", atomic=atomic)
    assert storage.read("a") == b"first"
    assert files(storage) == ["a"]


def test_what_is_published_has_a_pointer(storage: Storage) -> None:
    """One verb creates the object and points at it, and leaves nothing else."""
    storage.create("run/manifest", b"m")
    storage.publish("run/commit", b"first", "latest/block", lambda _present: False)
    assert storage.read("run/commit") == storage.read("latest/block") == b"first"
    storage.publish("other/commit", b"second", "latest/block", lambda present: present == b"first")
    assert storage.read("other/commit") == storage.read("latest/block") == b"second"
    assert storage.read("run/commit") == b"first"
    assert files(storage) == ["latest/block", "other/commit", "run/commit", "run/manifest"]


def test_what_may_not_be_pointed_at_is_published_all_the_same(storage: Storage) -> None:
    """An older run that ends late has its outputs, and the pointer stays with the newer one."""
    storage.publish("b/commit", b"newer", "latest/block", lambda _present: True)
    storage.publish("a/commit", b"older", "latest/block", lambda _present: False)
    assert (storage.read("a/commit"), storage.read("latest/block")) == (b"older", b"newer")
    assert files(storage) == ["a/commit", "b/commit", "latest/block"]


def test_nothing_is_published_twice(storage: Storage) -> None:
    """Whoever comes second is told, and changes neither object nor pointer."""
    storage.publish("a/commit", b"first", "latest/block", lambda _present: True)
    with pytest.raises(AlreadyExistsError, match="'a/commit'"):
        storage.publish("a/commit", b"second", "latest/block", lambda _present: True)
    assert storage.read("a/commit") == storage.read("latest/block") == b"first"
    assert files(storage) == ["a/commit", "latest/block"]


def test_of_many_creators_one_wins(storage: Storage) -> None:
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


def test_an_object_is_replaced_whole(storage: Storage) -> None:
    """Whether there was one before or not."""
    storage.replace("p/a", b"1")
    storage.replace("p/a", b"22")
    assert storage.read("p/a") == b"22"
    assert files(storage) == ["p/a"]


def test_a_stream_makes_an_object(storage: Storage) -> None:
    """Pieces of any kind of buffer follow each other."""
    with storage.writer("a") as file:
        file.write(b"12")
        file.write(memoryview(b"345"))
    assert storage.read("a") == b"12345"


def test_a_stream_that_fails_leaves_nothing(storage: Storage) -> None:
    """What went wrong inside is raised as it is."""

    def fail() -> None:
        with storage.writer("a") as file:
            file.write(b"12")
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        fail()
    assert not storage.exists("a")
    assert files(storage) == []


def test_a_stream_does_not_write_over_an_object(storage: Storage) -> None:
    """Not even a failing one takes the object of another away."""
    storage.create("a", b"1")
    with pytest.raises(AlreadyExistsError), storage.writer("a"):
        pass
    assert storage.read("a") == b"1"


MISSING: dict[str, Callable[[Storage], object]] = {
    "read": lambda storage: storage.read("x/a"),
    "read_range": lambda storage: storage.read_range("x/a", 0, 1),
    "size": lambda storage: storage.size("x/a"),
    "read a folder": lambda storage: storage.read("folder"),
    "read below a file": lambda storage: storage.read("folder/file/a"),
    "point": lambda storage: storage.point("latest", "x/a", lambda _: True),
}


@pytest.mark.parametrize("verb", MISSING)
def test_what_is_not_there_is_said_to_be_missing(storage: Storage, verb: str) -> None:
    """With the key and the store."""
    storage.create("folder/file", b"")
    with pytest.raises(VariableNotFoundError, match=r"There is no object .* in the variable store"):
        MISSING[verb](storage)
    assert files(storage) == ["folder/file"]


def test_a_pointer_becomes_a_copy_of_its_target(storage: Storage) -> None:
    """It lives on when the target is deleted, and pointing again changes nothing."""
    storage.create("runs/1", b"one")
    assert storage.point("latest/x", "runs/1", lambda _: False), "nothing was there to be asked"
    assert storage.point("latest/x", "runs/1", lambda _: True)
    storage.delete("runs")
    assert storage.read("latest/x") == b"one"
    assert files(storage) == ["latest/x"]


def test_a_pointer_moves_only_if_the_present_one_may_be_replaced(storage: Storage) -> None:
    """The one that decides is shown the bytes that are there."""
    storage.create("new", b"new")
    storage.create("old", b"old")
    seen: list[bytes] = []
    storage.point("latest", "new", lambda _: True)
    assert not storage.point("latest", "old", lambda present: bool(seen.append(present)))
    assert (seen, storage.read("latest")) == ([b"new"], b"new")


RACER = """
import sys, time
from jupyter_blocks.variables.openstorage import open_storage

storage = open_storage(sys.argv[1])

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


def test_pointers_that_race_end_at_the_highest(root: str) -> None:
    """Processes that move one pointer at the same time ask and move as one step."""
    if root.startswith("memory:"):
        pytest.skip("one process only")
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", RACER, root, str(first)],
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
    assert open_storage(root).read("latest") == b"059"


def test_objects_are_listed_with_their_sizes(storage: Storage) -> None:
    """Files that begin with a dot are nobody's objects."""
    storage.create("p/a", b"1")
    storage.create("p/q/b", b"22")
    storage.create("other", b"")
    storage.create("p/.tmp-left-by-a-crash", b"half")
    storage.create(".gitignore", b"*")
    assert sorted((entry.key, entry.size) for entry in storage.entries("p")) == [
        ("p/a", 1),
        ("p/q/b", 2),
    ]
    assert len(list(storage.entries())) == 3
    assert list(storage.entries("nothing")) == []
    assert storage.folders("p") == ["q"]
    assert storage.folders("nothing") == []


def test_objects_and_folders_are_deleted(storage: Storage) -> None:
    """Deleting what is not there is fine."""
    storage.create("p/a", b"1")
    storage.create("p/q/b", b"22")
    storage.delete("p/a")
    assert files(storage) == ["p/q/b"]
    storage.delete("p")
    storage.delete("p")
    assert files(storage) == []


@pytest.mark.parametrize("key", ["../a", "a/../../b", ".."])
def test_keys_do_not_leave_the_root(storage: Storage, key: str) -> None:
    """Whatever was read from where."""
    with pytest.raises(VariableError, match="leaves the store"):
        storage.read(key)


def test_a_large_stream_arrives_whole(storage: Storage) -> None:
    """In more than one part, and whatever the sizes of the pieces that were written."""
    piece = bytes(range(256)) * 4096
    with storage.writer("large") as file:
        for _ in range(40):
            file.write(piece)
            file.write(b"-")
        file.write(memoryview(piece * 20))
    expected = (piece + b"-") * 40 + piece * 20
    assert storage.size("large") == len(expected)
    assert storage.read("large") == expected
    assert storage.read_writable("large", len(expected)) == expected
    assert len(storage.read_writable("large", len(expected) - 1)) == len(expected)
    assert storage.read_range("large", len(expected) - 3, 10) == expected[-3:]


def test_a_large_stream_that_fails_leaves_nothing(storage: Storage) -> None:
    """Although a part of it was sent."""

    def fail() -> None:
        with storage.writer("a") as file:
            file.write(bytes(40 * 1024 * 1024))
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        fail()
    assert files(storage) == []


def test_long_listings_are_complete(storage: Storage) -> None:
    """Services answer with a thousand objects at a time."""
    keys = [f"p/{number % 1100}/{number}" for number in range(2300)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda key: storage.create(key, b"x"), keys))
    assert sorted(entry.key for entry in storage.entries("p")) == sorted(keys)
    assert storage.folders("p") == sorted(str(number) for number in range(1100))
    storage.delete("p")
    assert files(storage) == []


def test_folders_with_similar_names_are_apart(storage: Storage) -> None:
    """A prefix is a folder, not the beginning of a name."""
    for key in ("run/a", "run2/a", "run.json"):
        storage.create(key, b"")
    assert [entry.key for entry in storage.entries("run")] == ["run/a"]
    storage.delete("run")
    assert files(storage) == ["run.json", "run2/a"]


def test_keys_of_any_name_are_kept(storage: Storage) -> None:
    """As the names of blocks and outputs are encoded."""
    names = ["a b", "a/b", "ö%", "x~" + "y" * 200, "+&=?#", "..", "a'\"<>"]
    keys = [f"p/{key_part(name)}/o" for name in names]
    for key in keys:
        storage.create(key, key.encode())
    assert sorted(entry.key for entry in storage.entries()) == sorted(keys)
    assert [storage.read(key).decode() for key in keys] == keys
    assert sorted(storage.folders("p")) == sorted(key_part(name) for name in names)
