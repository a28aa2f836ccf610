"""Runs are deleted by age, number and bytes; what is still needed stays."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from jupyter_blocks.variables.store import VariableStore
from tests.variables.stored import commit, write

DAY_S = 86_400.0


@pytest.fixture
def store(tmp_path: Path) -> VariableStore:
    return VariableStore(tmp_path)


def make_run(
    store: VariableStore, number: int, *blocks: str, size: int = 1000, **names: Any
) -> str:
    """A run that is `10 - number` days old, with one output for each block."""
    run_id = f"run{number}"
    for block in blocks or ("load",):
        commit(store, {"value": b"x" * (size + 3000)}, block=block, run_id=run_id, **names)
    age(store, run_id, 10 - number)
    return run_id


def age(store: VariableStore, run_id: str, days: float) -> None:
    """Make all files of a run as old as that."""
    then = time.time() - days * DAY_S
    for path in Path(str(store.storage.path(""))).rglob("*"):
        if path.is_file() and run_id in path.parts:
            os.utime(path, (then, then))


def runs(store: VariableStore) -> list[str]:
    """What is left, and nothing of it damaged."""
    assert store.verify() == []
    return store.runs("flights")


@pytest.fixture
def five(store: VariableStore) -> VariableStore:
    """Five runs of one block, a day apart, of which the last one is the latest."""
    for number in range(1, 6):
        make_run(store, number)
    return store


@pytest.mark.parametrize(
    ("limits", "left"),
    [
        ({}, [1, 2, 3, 4, 5]),
        ({"older_than_s": 7.5 * DAY_S}, [3, 4, 5]),
        ({"older_than_s": 0.0}, [5]),
        ({"keep_runs": 2}, [4, 5]),
        ({"keep_runs": 0}, [5]),
        ({"max_bytes": 15_000}, [3, 4, 5]),
        ({"max_bytes": 0}, [5]),
        ({"max_bytes": 10**9}, [1, 2, 3, 4, 5]),
        ({"keep_runs": 4, "older_than_s": 8.5 * DAY_S}, [2, 3, 4, 5]),
        ({"keep_runs": 4, "max_bytes": 10_000}, [4, 5]),
        ({"keep_runs": 1, "active_runs": ["run2"]}, [2, 5]),
        ({"max_bytes": 0, "active_runs": ["run1", "run3"]}, [1, 3, 5]),
    ],
)
def test_runs_over_a_limit_go(five: VariableStore, limits: dict[str, Any], left: list[int]) -> None:
    """The latest outputs and what is running stay in any case."""
    expected = [f"run{number}" for number in left]
    dry = five.clean(**limits, dry_run=True)
    assert len(runs(five)) == 5
    report = five.clean(**limits)
    assert runs(five) == sorted(run.run_id for run in report.kept) == expected
    assert (dry.deleted, dry.bytes, dry.dry_run) == (report.deleted, report.bytes, True)
    latest = five.latest("flights", "load")
    assert latest is not None
    assert len(five.load(latest, "value")) == 4000


def test_the_report_says_what_went_and_how_much_that_frees(five: VariableStore) -> None:
    """As a document, too."""
    before = five.usage()
    report = five.clean(keep_runs=4)
    assert report.bytes == before.bytes - five.usage().bytes > 4000
    document = json.loads(json.dumps(report.as_json()))
    assert [run["run_id"] for run in document["deleted"]] == ["run1"]
    assert document["bytes"] == report.bytes


def test_each_pipeline_keeps_its_newest_runs(store: VariableStore) -> None:
    """However many others there are."""
    for number in range(1, 4):
        make_run(store, number)
        make_run(store, number, pipeline="other")
    store.clean(keep_runs=1)
    assert (store.runs("flights"), store.runs("other")) == (["run3"], ["run3"])


def test_a_run_with_the_latest_outputs_of_any_block_stays(store: VariableStore) -> None:
    """After runs of single blocks these are spread over several."""
    make_run(store, 1, "load", "report")
    make_run(store, 2, "load")
    make_run(store, 3, "load")
    store.clean(keep_runs=1)
    assert runs(store) == ["run1", "run3"]


def test_a_run_whose_values_a_staying_run_was_planned_with_stays(store: VariableStore) -> None:
    """It may be resumed, and needs them then; and so on to the run before."""
    for number in (1, 2, 3, 4):
        make_run(store, number, "load", "report")
    plans = {2: ["run1"], 3: ["run2"]}
    for number, used in plans.items():
        blocks = [{"stored": {"block": "load", "run_id": run_id}} for run_id in used]
        plan = {"run_id": f"run{number}", "blocks": [*blocks, {"stored": None}]}
        store.record_run("flights", f"run{number}", "plan", plan)
        age(store, f"run{number}", 10 - number)
    store.clean(keep_runs=2)
    assert runs(store) == ["run1", "run2", "run3", "run4"]
    store.clean(keep_runs=1)
    assert runs(store) == ["run4"]


def test_a_run_whose_values_went_into_staying_outputs_stays(store: VariableStore) -> None:
    """As their manifest says."""
    make_run(store, 1, "load")
    make_run(store, 2, "load")
    inputs = [{"block": "load", "run_id": "run1"}]
    commit(store, {}, block="report", run_id="run3", inputs=inputs)
    store.clean(keep_runs=1)
    assert runs(store) == ["run1", "run2", "run3"]


def test_used_runs_go_with_the_run_that_used_them(store: VariableStore) -> None:
    """When bytes are short, the older one waits for the newer one to go."""
    for number in (1, 2, 3):
        make_run(store, number)
    plan = {"blocks": [{"stored": {"run_id": "run1"}}]}
    store.record_run("flights", "run2", "plan", plan)
    age(store, "run2", 8)
    store.clean(max_bytes=6000)
    assert runs(store) == ["run3"]


def test_runs_that_never_got_far_go_as_well(store: VariableStore) -> None:
    """Failed attempts, logs, plans: all that is left of a run."""
    write(store, {"value": b"x" * 9000}, run_id="run1")
    log = store.log_path(store.prefix("flights", "run2", "load", "a"))
    log.parent.mkdir(parents=True)
    log.write_text("failed")
    store.record_run("flights", "run3", "plan", {})
    for number in (1, 2, 3):
        age(store, f"run{number}", 10 - number)
    make_run(store, 4)
    assert [run.run_id for run in store.usage().runs] == ["run4", "run3", "run2", "run1"]
    store.clean(older_than_s=6.5 * DAY_S)
    assert runs(store) == ["run4"]


def test_damaged_documents_do_not_stop_a_clean_up(five: VariableStore) -> None:
    """They protect nothing, but what is sound is protected all the same."""
    for number in (1, 2):
        path = five.storage.path(f"pipelines/flights/runs/run{number}/load/commit.json")
        assert path is not None
        path.write_bytes(b"{")
        five.record_run("flights", f"run{number}", "plan", [{"run_id": 3}, None, "x"])
        age(five, f"run{number}", 10 - number)
    five.clean(keep_runs=2)
    assert runs(five) == ["run4", "run5"]


def test_the_store_says_who_uses_the_space(store: VariableStore) -> None:
    """By pipeline, run and block, the newest run first."""
    make_run(store, 1, "a/b", "load")
    make_run(store, 2, "load", pipeline="other", size=50_000)
    usage = store.usage()
    assert [(run.pipeline, run.run_id) for run in usage.runs] == [
        ("other", "run2"),
        ("flights", "run1"),
    ]
    assert list(usage.runs[1].blocks) == ["a/b", "load"]
    assert sum(usage.runs[1].blocks.values()) == usage.runs[1].bytes
    assert usage.bytes == sum(usage.pipelines.values())
    assert usage.pipelines["other"] > 53_000
    document = json.loads(json.dumps(usage.as_json()))
    assert (document["bytes"], len(document["runs"])) == (usage.bytes, 2)


def test_an_empty_store_uses_nothing(store: VariableStore) -> None:
    """And has nothing to clean."""
    assert store.usage().bytes == 0
    assert store.clean(keep_runs=0).deleted == ()
    assert store.verify() == []


def test_usage_tells_outputs_apart(store: VariableStore) -> None:
    """All files of one, whatever the attempt; what lies in the manifest has none."""
    frame = pd.DataFrame({"a": range(1000), "o": [1, "x"] * 500})
    values = {"big.one": np.zeros(5000), "small": 1, "mixed/frame": frame}
    manifest = commit(store, values)
    (run,) = store.usage().runs
    expected = {name: manifest.outputs[name].bytes for name in ("big.one", "mixed/frame")}
    assert run.outputs == {"load": expected}
    write(store, {"big.one": np.zeros(5000)}, attempt_id="lost")
    (run,) = store.usage().runs
    assert run.outputs["load"]["big.one"] == 2 * expected["big.one"]
    assert run.as_json()["outputs"] == run.outputs
