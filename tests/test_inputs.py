"""Inputs come from the store or from memory, and nobody can tell which."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from jupyter_blocks.errors import VariableError, VariableNotFoundError
from jupyter_blocks.executors.base import BlockTask, InputRef
from jupyter_blocks.inputs import Memory, TaskInputs, keep_outputs
from jupyter_blocks.variables.store import VariableStore

ABOUT = {"pipeline": "p", "run_id": "run", "block": "load", "attempt_id": "a1"}


@pytest.fixture
def store(tmp_path: Path) -> VariableStore:
    """A store with two outputs of block `load`."""
    return VariableStore(str(tmp_path))


def reader(
    store: VariableStore, outputs: dict[str, Any], memory: Memory | None = None, **inputs: str
) -> TaskInputs:
    """The inputs of a task that reads block `load`; kept in memory if there is any."""
    manifest = store.write(store.prefix(*ABOUT.values()), outputs, ABOUT)
    if memory is not None:
        keep_outputs(memory, manifest, outputs)
    task = BlockTask(
        "run", "p", "use", "custom", "a2", 1, "/", "/", "",
        upstream=(InputRef("load", "run", "a1", manifest.digest), InputRef("wait")),
        inputs=inputs,
    )  # fmt: skip
    return TaskInputs(task, store, memory)


@pytest.mark.parametrize("memory", [None, {}])
def test_whole_blocks_and_single_outputs_can_be_read(
    store: VariableStore, memory: Memory | None
) -> None:
    """By position as Mage passes them, by name as export writes them."""
    inputs = reader(store, {"a": 1, "b": "two"}, memory, x="load.b", all="load")
    assert inputs.positional() == [[1, "two"], []]
    assert inputs.named() == {"x": "two", "all": [1, "two"]}


def test_nothing_is_read_that_is_in_memory(store: VariableStore) -> None:
    """Neither the values nor the manifest."""
    memory: Memory = {}
    inputs = reader(store, {"a": 1}, memory)
    store.storage.delete("pipelines")
    assert inputs.positional() == [1, []]


def test_a_table_in_memory_is_private_to_each_reader(store: VariableStore) -> None:
    """Writing to it changes nobody else's."""
    memory: Memory = {}
    table = pd.DataFrame({"a": [1, 2]})
    inputs = reader(store, {"t": table}, memory, x="load.t", y="load.t")
    values = inputs.named()
    values["x"].loc[0, "a"] = 9
    assert values["y"]["a"].tolist() == inputs.named()["x"]["a"].tolist() == [1, 2]
    assert table["a"].tolist() == [1, 2]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("wait", "Input 'x' comes from block 'wait', which stored nothing. Run 'wait' first."),
        ("other.df", "comes from block 'other'"),
        ("load.nope", "Block 'load' has no output 'nope'. Its outputs: a"),
    ],
)
def test_what_is_not_there_is_named(store: VariableStore, source: str, message: str) -> None:
    """With what there is instead."""
    with pytest.raises(VariableNotFoundError, match=message):
        reader(store, {"a": 1}, x=source).named()


def test_a_value_whose_class_is_gone_is_named(store: VariableStore, tmp_path: Path) -> None:
    """An object that cannot be loaded any more names output and block."""
    (tmp_path / "jb_gone.py").write_text("class Thing:\n    pass\n", "utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(tmp_path)
        import jb_gone  # type: ignore[import-not-found]

        inputs = reader(store, {"a": jb_gone.Thing()})
        patch.delitem(__import__("sys").modules, "jb_gone")
        (tmp_path / "jb_gone.py").write_text("", "utf-8")
        with pytest.raises(VariableError, match="'a' of block 'load' cannot be loaded: Attribute"):
            inputs.positional()
