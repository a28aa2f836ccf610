"""Everything else: pickle protocol 5, with large buffers in a file of their own.

The buffers are mapped copy-on-write when they are read, so an array inside an object costs no time
and comes back writable. Classes and functions of a module that another process cannot import - a
notebook, a block file - are stored by value with cloudpickle. What is written is loaded once.
Arrays in one value that are views of one another stay so (`memories`).
"""

from __future__ import annotations

import copyreg
import io
import pickle
import sys
from collections import ChainMap
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from threading import Lock
from typing import Any, ClassVar

from jupyter_blocks.errors import UnstorableError, VariableError
from jupyter_blocks.variables.formats.base import Encoded, Format, Sink, Source, type_name
from jupyter_blocks.variables.formats.classes import ObjectUnpickler
from jupyter_blocks.variables.formats.designs import design_reducers
from jupyter_blocks.variables.formats.extras import table_reducers
from jupyter_blocks.variables.formats.memories import Overlaps, array_reducers
from jupyter_blocks.variables.formats.readers import reader_reducers
from jupyter_blocks.variables.formats.unstorable import describe_unstorable, refuse
from jupyter_blocks.variables.manifest import StoredOutput

__all__ = ["OBJECT", "read_pickle", "write_pickle"]

Reducers = Callable[[], Mapping[type, Any]]

_OUT_OF_BAND_FROM = 64 * 1024
"""Smaller buffers, in bytes, stay inside the pickle."""
_ALIGNMENT = 64
_MOST_ROUNDS = 4
_by_value = Lock()
"""cloudpickle keeps the modules to store by value in a global table."""


def _write(value: Any, sink: Sink) -> Encoded:
    refuse(value, sink.name)
    kind = _kind(value)
    rows = len(value) if kind == "array" and value.ndim else None
    overlaps = Overlaps()
    meta = write_pickle(value, sink, reducers=overlaps.reducers)
    if overlaps.found():
        sink.discard()
        meta = write_pickle(value, sink, reducers=array_reducers)
    return Encoded(kind, meta, rows)


def _kind(value: Any) -> str:
    """`array` for what numpy made, `model` for what fits and predicts, `object` for all else."""
    numpy, kind = sys.modules.get("numpy"), type(value)
    if numpy and isinstance(value, numpy.ndarray):
        return "array"
    is_model = hasattr(kind, "fit") and (hasattr(kind, "predict") or hasattr(kind, "transform"))
    return "model" if is_model else "object"


def write_pickle(
    value: Any, sink: Sink, *, prove: bool = True, reducers: Reducers = dict
) -> dict[str, Any]:
    """Write a value so that it loads in any process that has its libraries; returns the `meta`.

    `prove` may only be false for values made of built-in types alone. `reducers` gives, for each
    pickle that is tried, classes that are pickled in another way. Raises `UnstorableError`, naming
    the member that is to blame, where the value cannot be stored.
    """
    try:
        meta = _dump(value, sink, reducers, by_value=False)
        foreign = _load_back(value, sink, meta) if prove else set()
        if not foreign:
            return meta
    except (MemoryError, VariableError):
        sink.discard()
        raise
    except Exception:
        # The classes of the value decide what they raise. Local classes, lambdas: cloudpickle
        # knows more ways.
        foreign = set()
    return _write_by_value(value, sink, foreign, reducers)


def _write_by_value(
    value: Any, sink: Sink, foreign: set[str], reducers: Reducers
) -> dict[str, Any]:
    """Write with cloudpickle; `foreign` are modules that other processes cannot import."""
    try:
        for _ in range(_MOST_ROUNDS):
            sink.discard()
            with _modules_by_value(foreign):
                meta = _dump(value, sink, reducers, by_value=True)
            found = _load_back(value, sink, meta)
            if found <= foreign:
                return meta
            foreign = foreign | found
    except (MemoryError, VariableError):
        sink.discard()
        raise
    except Exception as error:
        sink.discard()
        raise describe_unstorable(value, sink.name, error) from error
    sink.discard()
    names = ", ".join(sorted(foreign))
    raise UnstorableError(
        f"output '{sink.name}' cannot be stored: it needs {names}, which other processes cannot "
        "import.",
        hint="Move the class or function into an installed package or into the notebook itself.",
    )


def _dump(value: Any, sink: Sink, more: Reducers, *, by_value: bool) -> dict[str, Any]:
    buffers: list[pickle.PickleBuffer] = []

    def take(buffer: pickle.PickleBuffer) -> bool:
        if memoryview(buffer).nbytes < _OUT_OF_BAND_FROM:
            return True
        buffers.append(buffer)
        return False

    with sink.file(".pickle") as file:
        reducers = {**_reducers(), **more()}
        make = _cloud_pickler if by_value else _pickler
        pickler = make(take, file, reducers)
        pickler.dump(value)
    return {"buffers": _dump_buffers(buffers, sink)} if buffers else {}


def _pickler(take: Any, file: Any, reducers: Mapping[type, Any]) -> pickle.Pickler:
    pickler = pickle.Pickler(file, protocol=5, buffer_callback=take)
    if reducers:
        pickler.dispatch_table = {**copyreg.dispatch_table, **reducers}
    return pickler


def _cloud_pickler(take: Any, file: Any, reducers: Mapping[type, Any]) -> pickle.Pickler:
    import cloudpickle

    class CloudPickler(cloudpickle.Pickler):  # type: ignore[misc]
        """cloudpickle, but for open files: it would store their text instead."""

        dispatch_table: ClassVar[Any] = ChainMap(dict(reducers), cloudpickle.Pickler.dispatch_table)

        def reducer_override(self, obj: Any) -> Any:
            if isinstance(obj, io.TextIOWrapper):
                raise TypeError("cannot pickle an open file")
            return super().reducer_override(obj)

    return CloudPickler(file, protocol=5, buffer_callback=take)


def _reducers() -> dict[type, Any]:
    """Classes that are pickled in a way of our own; only those that somebody has imported."""
    figures = sys.modules.get("matplotlib.figure")
    own: dict[type, Any] = {figures.Figure: _reduce_figure} if figures else {}
    streams = sys.modules.get("numpy.random")
    if streams is not None and hasattr(streams, "RandomState"):
        own[streams.RandomState] = _reduce_stream
    return {**table_reducers(), **reader_reducers(), **design_reducers(), **own}


def _reduce_figure(figure: Any) -> Any:
    """Leave out that a figure is one of pyplot's: loading it would make it the current one."""
    reduced = figure.__reduce_ex__(5)
    reduced[2].pop("_restore_to_pylab", None)
    return reduced


def _reduce_stream(stream: Any) -> Any:
    """The global random stream of numpy, which distributions of scipy hold, stays the global one.

    A copy of it would go on from the state that it had when it was stored.
    """
    if stream is sys.modules["numpy.random"].mtrand._rand:
        return _global_stream, ()
    return stream.__reduce__()


def _global_stream() -> Any:
    import numpy as np

    return np.random.mtrand._rand


def _dump_buffers(buffers: Iterable[pickle.PickleBuffer], sink: Sink) -> list[list[int]]:
    """Write buffers one after the other; their places as [start, length] in bytes."""
    places = []
    with sink.file(".buffers") as file:
        for buffer in buffers:
            file.write(bytes(-file.tell() % _ALIGNMENT))
            with buffer.raw() as raw:
                places.append([file.tell(), raw.nbytes])
                file.write(raw)
    return places


def _load_back(value: Any, sink: Sink, meta: dict[str, Any]) -> set[str]:
    """Prove that what was written loads; names of the modules it needs but others cannot import."""
    modules: set[str] = set()
    try:
        again = read_pickle(meta, sink.source(), modules)
    except Exception as error:
        reason = f"reading it back failed with {type(error).__name__}: {error}"
        raise _unstorable(value, sink, reason) from error
    if type(again).__name__ != type(value).__name__:
        raise _unstorable(value, sink, f"a {type_name(type(again))} came back")
    return {name for name in modules if not _can_be_imported(name)}


def _unstorable(value: Any, sink: Sink, reason: str) -> UnstorableError:
    kind = type_name(type(value))
    return UnstorableError(
        f"output '{sink.name}' cannot be stored: a {kind} was written, but {reason}.",
        hint="Return plain data, a table or an array from this block instead.",
    )


def read_pickle(meta: Any, source: Source, modules: set[str] | None = None) -> Any:
    """What `write_pickle` wrote; `modules` is given the names of all modules that were needed."""
    buffers: list[memoryview] = []
    if meta.get("buffers"):
        memory = memoryview(source.buffer(".buffers"))
        buffers = [memory[start : start + length] for start, length in meta["buffers"]]
    with source.stream(".pickle") as file:
        return ObjectUnpickler(file, buffers, modules).load()


@contextmanager
def _modules_by_value(names: Iterable[str]) -> Iterator[None]:
    """Let cloudpickle store the classes and functions of these modules, not their names."""
    import cloudpickle

    with _by_value:
        known = {"__main__", *cloudpickle.list_registry_pickle_by_value()}
        modules = [sys.modules[name] for name in names if name not in known]
        for module in modules:
            cloudpickle.register_pickle_by_value(module)
        try:
            yield
        finally:
            for module in modules:
                cloudpickle.unregister_pickle_by_value(module)


def _can_be_imported(name: str) -> bool:
    """Whether another process with these libraries finds the module that is loaded here."""
    module = sys.modules.get(name)
    if name == "__main__":
        return False
    if module is None:
        return True
    own_name = getattr(module.__spec__, "name", None) or name
    if own_name != name and own_name in sys.modules:
        # Compiled modules of a package may go by a short name, once the package is imported; and
        # it is, by the class whose state names them.
        return _can_be_imported(own_name)
    parent = sys.modules.get(name.rpartition(".")[0])
    folders = tuple(getattr(parent, "__path__", ())) if "." in name else None
    return _is_found(name, getattr(module, "__file__", None), folders)


@lru_cache(maxsize=1024)
def _is_found(name: str, file: str | None, folders: tuple[str, ...] | None) -> bool:
    for finder in sys.meta_path:
        find_spec = getattr(finder, "find_spec", None)
        spec = find_spec(name, folders) if find_spec else None
        if spec is not None:
            return spec.origin in ("built-in", "frozen", file)
    return False


def _read(stored: StoredOutput, source: Source) -> Any:
    return read_pickle(stored.meta, source)


OBJECT = Format("pickle", _write, _read)
