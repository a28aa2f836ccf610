"""The golden rule, made executable: a notebook run in one namespace, and its exported blocks.

The blocks run one by one, each in a module and with helpers of its own, and get only pickled copies
of what the pipeline says they read. What they give is compared with the notebook's value at the
same point.
"""

from __future__ import annotations

import ast
import asyncio
import copy
import inspect
import io
import json
import os
import pickle
import random
import sys
from collections import ChainMap
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import BuiltinMethodType, FunctionType, ModuleType
from typing import Any, ClassVar

import cloudpickle
import numpy as np
import pandas as pd

from jupyter_blocks import randomstreams
from jupyter_blocks.binding import BlockDraft, NotebookPipeline, analyze_notebook
from jupyter_blocks.block import Block
from jupyter_blocks.dag import Graph
from jupyter_blocks.decorators import Mark, collecting
from jupyter_blocks.export import export_notebook
from jupyter_blocks.magics import strip_magics
from jupyter_blocks.notebook import Cell, read_notebook
from jupyter_blocks.project import open_project
from jupyter_blocks.tags import Role, read_tags
from jupyter_blocks.variables.formats import array_reducers

Values = dict[str, dict[str, Any]]
"""Block -> output -> value."""


class NotebookFailedError(Exception):
    """The notebook itself does not run."""


@dataclass
class Golden:
    """What both ways of running gave."""

    draft: NotebookPipeline
    notebook: Values = field(default_factory=dict)
    pipeline: Values = field(default_factory=dict)


def run_both(path: Path, parameters: Mapping[str, Any] | None = None) -> Golden:
    """Run a notebook, export it, run the blocks; raises on any problem of severity `error`."""
    draft = analyze_notebook(read_notebook(path))
    result = export_notebook(path)
    assert result.is_ok, "\n".join(str(problem) for problem in result.problems)
    golden = Golden(draft)
    with _working_in(path.parent), np.printoptions():
        try:
            golden.notebook = _run_notebook(path, draft, parameters or {})
        except Exception as error:
            raise NotebookFailedError from error
        golden.pipeline = _run_pipeline(path.parent, draft, parameters or {})
    return golden


def assert_same(golden: Golden) -> None:
    """Every stored output is the notebook's value."""
    for block, outputs in golden.pipeline.items():
        assert outputs.keys() == golden.notebook[block].keys(), block
        for name, value in outputs.items():
            expected = golden.notebook[block][name]
            assert equal(value, expected), f"{block}.{name}: {value!r} is not {expected!r}"


def equal(one: Any, other: Any) -> bool:
    """Whether two values are the same, tables and arrays included."""
    if isinstance(one, pd.DataFrame | pd.Series):
        return type(one) is type(other) and bool(one.equals(other))
    if isinstance(one, type | FunctionType) and type(one) is type(other):
        return bool(one.__name__ == other.__name__)
    if type(one).__module__ == "numpy":
        return type(one) is type(other) and one.tolist() == other.tolist()
    if isinstance(one, np.random.RandomState) and isinstance(other, np.random.RandomState):
        return equal(one.get_state(legacy=False), other.get_state(legacy=False))
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        is_alike = type(one).__name__ == type(other).__name__ and len(one) == len(other)
        return is_alike and all(map(equal, one, other))
    if isinstance(one, BuiltinMethodType) and isinstance(other, BuiltinMethodType):
        return one.__name__ == other.__name__  # a deep copy of it has the same object
    if isinstance(one, np.random.Generator) and isinstance(other, np.random.Generator):
        return equal(one.bit_generator.state, other.bit_generator.state)
    if isinstance(one, random.Random) and isinstance(other, random.Random):
        return one.getstate() == other.getstate()
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(equal(one[key], other[key]) for key in one)
    if type(one).__name__ == type(other).__name__ and hasattr(one, "__dict__"):
        return equal(vars(one), vars(other))
    return type(one) is type(other) and bool(one == other)


# the notebook


def _run_notebook(path: Path, draft: NotebookPipeline, parameters: Mapping[str, Any]) -> Values:
    namespace: dict[str, Any] = {"__name__": "__main__", "display": lambda *_things: None}
    ends = {block.cells[-1]: block for block in draft.blocks}
    found: Values = {}
    for cell in read_notebook(path).code_cells:
        tags, _ = read_tags(cell.tags, cell.source)
        if tags.role is Role.SKIP:
            continue
        shown = _run_cell(cell, namespace)
        if tags.role is Role.PARAMETERS:
            namespace.update(parameters)
        block = ends.get(cell.number)
        if block is not None and block.style.value == "decorated":
            shown = _call_in_notebook(block, namespace)
        if block is not None:
            found[block.name] = _snapshot(block, namespace, shown)
    return found


def _run_cell(cell: Cell, namespace: dict[str, Any]) -> Any:
    """Run a cell as a kernel does; the value of its last expression."""
    tree = ast.parse(strip_magics(cell.source).source)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    code = compile(tree, "cell", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    waiting = eval(code, namespace)
    if inspect.iscoroutine(waiting):
        asyncio.run(waiting)
    if last is None:
        return None
    return eval(compile(ast.Expression(last.value), "cell", "eval"), namespace)


def _call_in_notebook(block: BlockDraft, namespace: dict[str, Any]) -> Any:
    """A decorated block is called with the variables its arguments name, as the kernel does."""
    function = namespace[block.code.function]
    arguments = {
        name: copy.deepcopy(namespace.get(name, namespace.get(source.output or source.block)))
        for name, source in block.inputs.items()
    }
    arguments |= {name: namespace[name] for name in block.code.arguments}
    result = namespace[block.name] = function(**arguments)
    return result


def _snapshot(block: BlockDraft, namespace: Mapping[str, Any], shown: Any) -> dict[str, Any]:
    values = {name: shown if name == "output_0" else namespace[name] for name in block.outputs}
    try:
        return copy.deepcopy(values)
    except TypeError:  # of `d.keys()` there is no copy
        copied: dict[str, Any] = pickle.loads(_dumped(values))
        return copied


# the pipeline


def _run_pipeline(root: Path, draft: NotebookPipeline, parameters: Mapping[str, Any]) -> Values:
    pipeline = open_project(root).pipeline(draft.name)
    given = {**pipeline.variables, **parameters}
    stored: dict[str, dict[str, bytes]] = {}
    streams: dict[str, Any] = {}
    found: Values = {}
    for name in Graph({block.name: block.upstream for block in pipeline.blocks}).order:
        block = pipeline.block(name)
        with _block_module(root / block.file, root, given) as marks:
            with _own_streams(block, streams):
                values = _run_block(block, marks, stored, given)
            stored[name] = {key: _dumped(value) for key, value in values.items()}
            together = block.binding.together if block.binding else ()
            stored[name][""] = _dumped({key: values[key] for key in together})
            found[name] = values
    return found


def _run_block(
    block: Block, marks: list[Mark], stored: dict[str, dict[str, bytes]], given: Mapping[str, Any]
) -> dict[str, Any]:
    binding = block.binding
    assert binding is not None
    function = next(mark.function for mark in marks if mark.kind == block.type.name)
    arguments = {
        argument: pickle.loads(stored[source.block][source.output])
        if source.output
        else {name: pickle.loads(value) for name, value in stored[source.block].items() if name}
        for argument, source in binding.inputs.items()
    }
    for name in {source.block for source in binding.inputs.values()}:
        together = pickle.loads(stored[name][""])
        arguments |= {
            argument: together[source.output]
            for argument, source in binding.inputs.items()
            if source.block == name and source.output in together
        }
    signature = inspect.signature(function).parameters
    arguments |= {name: given[name] for name in binding.parameters if name in signature}
    value = function(**arguments)
    if inspect.iscoroutine(value):
        value = asyncio.run(value)
    values = {}
    if binding.outputs:
        values = {binding.outputs[0]: value} if len(binding.outputs) == 1 else dict(value)
    for mark in marks:
        if mark.kind == "test":
            mark.function(*copy.deepcopy(list(values.values())))
    return values


def _dumped(value: Any) -> bytes:
    """A value in one piece: what shares in it does so when it is loaded."""

    class Pickler(cloudpickle.Pickler):
        dispatch_table: ClassVar[Any] = ChainMap(
            array_reducers(), cloudpickle.Pickler.dispatch_table
        )

    file = io.BytesIO()
    Pickler(file).dump(value)
    return file.getvalue()


@contextmanager
def _own_streams(block: Block, streams: dict[str, Any]) -> Iterator[None]:
    """The global random streams as a process of its own has them, carried on where a block says."""
    random.seed()
    np.random.seed()
    source = block.binding.random_streams if block.binding else None
    randomstreams.restore(streams.get(source or "", {}))
    yield
    if source is not None:
        streams[block.name] = json.loads(json.dumps(randomstreams.capture()))


@contextmanager
def _block_module(file: Path, root: Path, given: Mapping[str, Any]) -> Iterator[list[Mark]]:
    """Load a block file as a fresh process does; gives its decorated functions."""
    module = ModuleType(f"block_{file.stem}")
    module.__file__ = str(file)
    sys.path.insert(0, str(root))
    sys.dont_write_bytecode, before = True, sys.dont_write_bytecode
    try:
        with collecting() as marks:
            exec(compile(file.read_text("utf-8"), str(file), "exec"), vars(module))
        for loaded in (module, *_helpers()):
            for name, value in given.items():
                if name in vars(loaded):
                    setattr(loaded, name, value)
        yield marks
    finally:
        sys.path.remove(str(root))
        sys.dont_write_bytecode = before
        for loaded in _helpers():
            sys.modules.pop(loaded.__name__, None)


def _helpers() -> list[ModuleType]:
    return [module for name, module in list(sys.modules.items()) if name.split(".")[0] == "helpers"]


@contextmanager
def _working_in(folder: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)
