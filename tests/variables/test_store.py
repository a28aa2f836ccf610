"""Outputs are written once, committed once and published whole, whatever happens in between."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from jupyter_blocks.errors import (
    CorruptVariableError,
    UnstorableError,
    VariableError,
    VariableNotFoundError,
)
from jupyter_blocks.variables.manifest import Manifest
from jupyter_blocks.variables.storage import AlreadyExistsError
from jupyter_blocks.variables.store import VariableStore
from tests.variables.stored import commit, write

OLD, NEW = "20260101-000000-zzzzz", "20260102-000000-aaaaa"


@pytest.fixture
def store(tmp_path: Path) -> VariableStore:
    return VariableStore(tmp_path / ".variables")


def files(store: VariableStore) -> list[str]:
    return sorted(entry.key for entry in store.storage.entries())


def test_committed_outputs_are_read_back(store: VariableStore) -> None:
    """By run or as the latest ones, each output on its own."""
    frame = pd.DataFrame({"a": [1, 2]})
    commit(store, {"frame": frame, "rows": 2}, block="load")
    for manifest in (store.latest("flights", "load"), store.committed("flights", run(), "load")):
        assert manifest is not None
        assert list(manifest.outputs) == ["frame", "rows"]
        pd.testing.assert_frame_equal(store.load(manifest, "frame"), frame)
        assert store.load(manifest, "rows") == 2


def run() -> str:
    """The run that `commit` writes to unless told otherwise."""
    return "20260101-000000-aaaaa"


def test_the_layout_is_the_documented_one(store: VariableStore) -> None:
    """Other programs find their way without us."""
    commit(store, {"table": pd.DataFrame({"a": [1]}), "n": 1}, block="a/b", attempt_id="x1")
    folder = f"pipelines/flights/runs/{run()}/a%2Fb"
    assert files(store) == [
        "pipelines/flights/latest/a%2Fb.json",
        f"{folder}/commit.json",
        f"{folder}/x1.manifest.json",
        f"{folder}/x1/out/table.arrow",
        f"{folder}/x1/preview.json",
    ]
    pointer = json.loads(store.storage.read(f"{folder}/commit.json"))
    assert pointer == json.loads(store.storage.read("pipelines/flights/latest/a%2Fb.json"))
    assert (pointer["attempt_id"], pointer["block"]) == ("x1", "a/b")


def test_a_small_plain_value_costs_one_file(store: VariableStore) -> None:
    """Its value and its preview are the manifest's."""
    manifest = write(store, {"n": 1, "text": "a", "items": [1, (2,)], "nothing": None})
    assert files(store) == [f"{manifest.prefix}.manifest.json"]
    assert store.load(manifest, "items") == [1, (2,)]
    assert store.preview(manifest, "n") == {
        "type": "json",
        "python_type": "int",
        "bytes": 1,
        "value": 1,
        "truncated": False,
    }


def test_a_small_plain_value_imports_no_heavy_package(tmp_path: Path) -> None:
    """Neither to write it nor to read it."""
    script = (
        "import sys; from tests.variables.stored import commit\n"
        "from jupyter_blocks.variables.store import VariableStore\n"
        "store = VariableStore(sys.argv[1])\n"
        "manifest = commit(store, {'n': 1, 'rows': [{'a': 1.5}], 'text': 'x' * 9999})\n"
        "assert store.load(manifest, 'n') == 1 and store.preview(manifest, 'text')['length']\n"
        "heavy = {'numpy', 'pandas', 'pyarrow', 'polars', 'matplotlib', 'cloudpickle'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    assert subprocess.check_output([sys.executable, "-c", script, tmp_path], text=True) == "[]\n"


def test_nothing_is_published_before_it_is_committed(store: VariableStore) -> None:
    """A manifest alone makes no output."""
    manifest = write(store, {"n": 1})
    assert store.latest("flights", "load") is None
    assert store.committed("flights", run(), "load") is None
    assert store.blocks("flights") == {}
    store.commit(manifest)
    assert store.latest("flights", "load") == manifest
    assert store.blocks("flights") == {"load": manifest}


def test_an_attempt_may_be_committed_again(store: VariableStore) -> None:
    """A dispatcher that restarts does so, from the worker's report."""
    manifest = commit(store, {"n": 1})
    store.commit(Manifest.from_json(json.loads(json.dumps(manifest.as_json()))))
    assert store.latest("flights", "load") == manifest


def test_a_commit_that_was_cut_off_is_completed(store: VariableStore) -> None:
    """The latest pointer follows when the same attempt is committed again."""
    manifest = commit(store, {"n": 1})
    store.storage.delete("pipelines/flights/latest/load.json")
    store.commit(manifest)
    assert store.latest("flights", "load") == manifest


def test_another_attempt_cannot_be_committed(store: VariableStore) -> None:
    """A worker that was given up and comes back late changes nothing."""
    first = commit(store, {"n": 1}, attempt_id="first")
    late = write(store, {"n": 2}, attempt_id="late")
    with pytest.raises(VariableError, match=r"committed the attempt first already; late comes too"):
        store.commit(late)
    assert store.latest("flights", "load") == store.committed("flights", run(), "load") == first


def test_of_attempts_that_race_one_is_committed(store: VariableStore) -> None:
    """And everybody reads that one."""
    manifests = [write(store, {"n": n}, attempt_id=f"a{n}") for n in range(6)]
    start, won = threading.Barrier(len(manifests)), []

    def race(manifest: Manifest) -> None:
        start.wait()
        try:
            store.commit(manifest)
        except VariableError:
            return
        won.append(manifest)

    threads = [threading.Thread(target=race, args=(manifest,)) for manifest in manifests]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert won == [store.committed("flights", run(), "load")] == [store.latest("flights", "load")]


RACER = """
import sys
from jupyter_blocks.errors import VariableError
from jupyter_blocks.variables.store import VariableStore
from tests.variables.stored import write

store, me = VariableStore(sys.argv[1]), sys.argv[2]
manifests = [write(store, {"who": me}, block=f"b{n}", attempt_id=me) for n in range(40)]
print("ready", flush=True)
sys.stdin.readline()
for number, manifest in enumerate(manifests):
    try:
        store.commit(manifest)
        print(number)
    except VariableError:
        pass
"""


def test_processes_that_race_publish_one_attempt(tmp_path: Path) -> None:
    """As two dispatchers of one run would."""
    racers = {
        me: subprocess.Popen(
            [sys.executable, "-c", RACER, str(tmp_path), me],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for me in ("one", "two")
    }
    for racer in racers.values():
        assert racer.stdout is not None
        assert racer.stdout.readline() == "ready\n"
    for racer in racers.values():
        assert racer.stdin is not None
        racer.stdin.write("go\n")
        racer.stdin.flush()
    won = {me: racer.communicate(timeout=60)[0].split() for me, racer in racers.items()}
    store = VariableStore(tmp_path)
    for number in range(40):
        manifest = store.latest("flights", f"b{number}")
        assert manifest is not None
        winner = store.load(manifest, "who")
        assert [me for me, numbers in won.items() if str(number) in numbers] == [winner]


@pytest.mark.parametrize("later_first", [True, False])
def test_an_older_run_never_replaces_the_outputs_of_a_newer_one(
    store: VariableStore, later_first: bool
) -> None:
    """Whichever of them ends first."""
    for run_id in (NEW, OLD) if later_first else (OLD, NEW):
        commit(store, {"run": run_id}, run_id=run_id)
    latest = store.latest("flights", "load")
    assert latest is not None
    assert store.load(latest, "run") == NEW
    assert store.committed("flights", OLD, "load") is not None


def test_runs_of_one_second_or_without_a_time_count_as_they_are_stored(
    store: VariableStore,
) -> None:
    """Their ids tell nothing."""
    for run_id in ("20260101-000000-zzzzz", "20260101-000000-aaaaa"):
        last = commit(store, {}, run_id=run_id)
        assert store.latest("flights", "load") == last
    for run_id in ("zebra", "apple"):
        last = commit(store, {}, run_id=run_id, block="other")
        assert store.latest("flights", "other") == last


def test_an_attempt_stores_its_outputs_once(store: VariableStore) -> None:
    """A second worker for the same attempt is told."""
    first = write(store, {"n": 1, "frame": pd.DataFrame({"a": [1]})})
    with pytest.raises(AlreadyExistsError, match=r"manifest.json' .* already"):
        write(store, {"n": 2, "frame": pd.DataFrame({"a": [2]})})
    store.commit(first)
    assert store.load(first, "frame")["a"].tolist() == [1]


def test_a_manifest_that_is_not_the_reported_one_is_not_committed(store: VariableStore) -> None:
    """The file has to be there, with the digest the worker told."""
    manifest = write(store, {"n": 1})
    path = store.storage.path(f"{manifest.prefix}.manifest.json")
    assert path is not None
    path.write_bytes(path.read_bytes().replace(b'"value":1', b'"value":2'))
    with pytest.raises(CorruptVariableError, match="its sha256 differs"):
        store.commit(manifest)
    path.unlink()
    with pytest.raises(CorruptVariableError, match="There is no object"):
        store.commit(manifest)
    assert store.committed("flights", run(), "load") is None


def test_the_manifest_of_another_attempt_is_not_believed(store: VariableStore) -> None:
    """On a file system that takes `Load` for `load`, for instance."""
    manifest = write(store, {"n": 1})
    data = store.storage.read(f"{manifest.prefix}.manifest.json")
    store.storage.create(f"{store.prefix('flights', run(), 'Load', 'first')}.manifest.json", data)
    with pytest.raises(CorruptVariableError, match="is that of another attempt"):
        store.manifest("flights", run(), "Load", "first")


def test_the_folder_has_to_be_that_of_the_attempt(store: VariableStore) -> None:
    """Otherwise nobody would find what is written there."""
    names = {"pipeline": "p", "run_id": "r", "block": "b", "attempt_id": "a"}
    with pytest.raises(VariableError, match="not the folder of the attempt"):
        store.write("somewhere", {}, names)


def test_what_was_never_stored_is_said_to_be_missing(store: VariableStore) -> None:
    """With the names there are."""
    manifest = commit(store, {"flights": 1, "rows": 2})
    with pytest.raises(
        VariableNotFoundError, match=r"'load' has no output 'x'. Its outputs: flights, rows."
    ):
        store.load(manifest, "x")
    with pytest.raises(VariableNotFoundError, match="There is no object"):
        store.manifest("flights", run(), "load", "never")
    assert store.latest("flights", "never") is None


def test_an_unstorable_output_is_refused_with_its_block(store: VariableStore) -> None:
    """No manifest is left; the attempt failed."""
    with pytest.raises(
        UnstorableError,
        match=r"Block 'load': output 'rows' cannot be stored: it is a generator .*list\(\.\.\.\)",
    ) as caught:
        write(store, {"n": 1, "rows": (row for row in [])})
    assert (caught.value.pipeline, caught.value.block) == ("flights", "load")
    assert files(store) == []


def test_an_unstorable_output_that_nobody_reads_is_described(store: VariableStore) -> None:
    """The others are stored; who asks for it is told why there is none, the same in each run."""
    names = {"pipeline": "flights", "run_id": run(), "block": "load"}
    found = []
    for attempt in ("first", "second"):
        about = {**names, "attempt_id": attempt, "optional": ["rows"]}
        outputs = {"n": 1, "rows": (row for row in [])}
        found.append(store.write(store.prefix(**names, attempt_id=attempt), outputs, about))
    manifest, again = found
    assert manifest.content == again.content
    assert store.load(manifest, "n") == 1
    assert "it is a generator" in manifest.outputs["rows"].why_not_stored
    with pytest.raises(VariableError, match=r"'rows' was not stored.*a generator.*list\(\.\.\.\)"):
        store.load(store.manifest(**names, attempt_id="first"), "rows")
    preview = store.preview(manifest, "rows")
    assert (preview["type"], preview["python_type"]) == ("not stored", "generator")
    assert "a generator" in preview["note"]
    with pytest.raises(UnstorableError):
        store.write(
            store.prefix(**names, attempt_id="third"),
            {"rows": (row for row in [])},
            {**names, "attempt_id": "third", "optional": ["n"]},
        )


def test_what_is_loaded_is_new_each_time(store: VariableStore) -> None:
    """Changing it changes neither the manifest nor what others load."""
    manifest = commit(store, {"items": [1], "frame": pd.DataFrame({"a": [1, 2]})})
    store.load(manifest, "items").append(2)
    frame = store.load(manifest, "frame")
    frame.loc[0, "a"] = 99
    assert store.load(manifest, "items") == [1]
    assert store.load(manifest, "frame")["a"].tolist() == [1, 2]


def test_what_the_block_changes_later_is_not_stored(store: VariableStore) -> None:
    """The manifest in memory holds values of its own."""
    items = [1]
    manifest = write(store, {"items": items})
    items.append(2)
    store.commit(manifest)
    assert store.load(manifest, "items") == [1]


def test_equal_values_have_equal_digests(store: VariableStore) -> None:
    """In whichever run and attempt; that is how unchanged outputs are told."""
    outputs = {"frame": pd.DataFrame({"a": [1, 2]}), "n": 1}
    first = write(store, outputs, attempt_id="1")
    again = write(store, outputs, attempt_id="2", run_id="other")
    other = write(store, {**outputs, "n": 2}, attempt_id="3")
    assert first.content == again.content != other.content
    assert first.digest != again.digest


def test_what_is_said_about_the_values_is_kept(store: VariableStore) -> None:
    """And comes back from the file."""
    about = {"fingerprint": {"code": "abc"}, "inputs": [{"block": "x", "run_id": "r"}]}
    manifest = commit(store, {"n": 1}, **about)
    again = store.latest("flights", "load")
    assert again == manifest
    assert again is not None
    assert (again.fingerprint, list(again.inputs)) == (about["fingerprint"], about["inputs"])
    assert again.summary() == {"n": {"type": "json", "rows": None, "bytes": 1}}


def test_documents_about_a_run_are_kept_beside_it(store: VariableStore) -> None:
    """The last one counts; what cannot be read is not there."""
    store.record_run("flights", "r1", "plan", {"blocks": 1})
    store.record_run("flights", "r1", "plan", {"blocks": 2})
    store.record_run("flights", "r2", "plan", {})
    assert store.run_document("flights", "r1", "plan") == {"blocks": 2}
    assert store.run_document("flights", "r1", "result") is None
    assert (store.runs("flights"), store.pipelines()) == (["r1", "r2"], ["flights"])


def test_an_attempt_has_a_place_for_its_log(store: VariableStore) -> None:
    """In its folder, which asking does not make."""
    prefix = store.prefix("flights", "r", "load", "a")
    path = store.log_path(prefix)
    assert not path.parent.exists()
    path.parent.mkdir(parents=True)
    path.write_text("line")
    assert store.storage.read(f"{prefix}.log.000001.jsonl") == b"line"


MANIFESTS = [
    ({"version": 2}, "its version is 2, not 1"),
    ({"outputs": []}, "AttributeError"),
    ({"outputs": {"a": {"type": "json"}}}, "TypeError"),
    ({"preview": [1]}, "TypeError"),
]


@pytest.mark.parametrize(("change", "text"), MANIFESTS)
def test_a_manifest_of_another_kind_is_explained(
    store: VariableStore, change: dict[str, Any], text: str
) -> None:
    """With what to do."""
    document = {**write(store, {}).as_json(), **change}
    with pytest.raises(CorruptVariableError, match=f"{text}.*run the block again"):
        Manifest.from_json(document)
