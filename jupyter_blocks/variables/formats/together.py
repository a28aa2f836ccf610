"""Outputs that share objects or memory: stored once more in one piece, so that they go on sharing.

Each output has files of its own, which is all that a reader of one of them needs. Who reads several
must find that a row is still the row of its matrix and an element still that of its list. Pickle
keeps objects apart that are apart, but not the memory of arrays: a view would become a copy. So
arrays are written as places in the memory that they lie in.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from jupyter_blocks.variables.formats.base import Sink, Source
from jupyter_blocks.variables.formats.extras import extras, table_reducers
from jupyter_blocks.variables.formats.objects import read_pickle, write_pickle
from jupyter_blocks.variables.formats.sharing import copies_on_write, shareable
from jupyter_blocks.variables.manifest import StoredOutput

__all__ = ["TOGETHER_FORMAT", "array_reducers", "read_together", "write_together"]

TOGETHER_FORMAT = "together"
"""Format of several outputs in one pickle."""

_FORMATS = frozenset(("arrow", "json", "npy", "pandas", "pickle", "polars"))
"""Formats of values that may be in it; the others belong to iterators, figures, other packages."""
_ATOMS = (bool, bytes, complex, float, int, str, type(None))


def write_together(
    values: Mapping[str, Any], stored: Mapping[str, StoredOutput], sink: Sink
) -> StoredOutput | None:
    """Write those of `values` that may share anything; none if no two can.

    `stored` says how each of them was written by itself. Raises `UnstorableError` as `write_pickle`
    does.
    """
    named = {name: value for name, value in values.items() if stored[name].format in _FORMATS}
    kept = _sharing(named)
    if len(kept) < 2:
        return None
    meta = write_pickle(kept, sink, reducers=array_reducers)
    return StoredOutput(
        type="object",
        format=TOGETHER_FORMAT,
        python_type="dict",
        objects=tuple(sink.objects),
        meta={**meta, "names": list(kept)},
    )


def read_together(stored: StoredOutput, source: Source) -> dict[str, Any]:
    """The values that `write_together` wrote, by their names."""
    values: dict[str, Any] = read_pickle(stored.meta, source)
    return values


def _sharing(values: Mapping[str, Any]) -> dict[str, Any]:
    """Those that somebody could change, or hold: numbers and text are copies anyway."""
    found = {name: value for name, value in values.items() if not _is_atom(value)}
    if all(map(shareable, found.values())):  # tables that copy on write share by being the same
        same = [id(value) for value in found.values()]
        found = {name: value for name, value in found.items() if same.count(id(value)) > 1}
    return found


def _is_atom(value: Any) -> bool:
    numpy = sys.modules.get("numpy")
    return type(value) in _ATOMS or (numpy is not None and isinstance(value, numpy.generic))


def array_reducers() -> dict[type, Any]:
    """How one pickle keeps what the arrays in it share; made anew for each pickle."""
    numpy = sys.modules.get("numpy")
    found: dict[type, Any] = {}
    if numpy is not None:
        found[numpy.ndarray] = _Memories().reduce
    tables = table_reducers()
    if tables and copies_on_write():
        found |= dict.fromkeys(tables, _Tables(tables).reduce)
    return found


class _Tables:
    """The tables in one pickle where pandas copies what is written to: no two share memory.

    They look as if they did not, which pandas would not know of memory that it did not share out.
    """

    def __init__(self, reducers: Mapping[type, Any]) -> None:
        self._reducers = reducers
        self._is_first = True

    def reduce(self, table: Any) -> Any:
        """What `__reduce__` is to give for a table."""
        own = table
        if not self._is_first:
            own = table.copy()
            vars(own).update(extras(table))
        self._is_first = False
        return self._reducers[type(table)](own)


class _Memories:
    """The memories of the arrays in one pickle; each is written once."""

    def __init__(self) -> None:
        self._flat: dict[int, Any] = {}
        self._owners: list[Any] = []
        self._own: set[int] = set()

    def reduce(self, array: Any) -> Any:
        """What `__reduce__` is to give for an array."""
        if id(array) in self._own or array.size == 0 or array.itemsize == 0:
            return array.__reduce_ex__(5)
        flat = self._memory(_owner(array))
        if flat is None or (array.dtype.hasobject and array.dtype != flat.dtype):
            return array.__reduce_ex__(5)
        offset = _address(array) - _address(flat)
        return _place, (flat, offset, array.shape, array.strides, array.dtype)

    def _memory(self, owner: Any) -> Any:
        """All memory of an array as one row; none where it does not lie in one piece."""
        import numpy as np

        if id(owner) not in self._flat:
            flat = np.asarray(owner).ravel(order="K")
            is_view = np.may_share_memory(flat, owner) and flat.flags.c_contiguous
            self._flat[id(owner)] = flat if is_view else None
            self._own.add(id(flat))
            self._owners += [owner, flat]  # alive as long as their ids count
        return self._flat[id(owner)]


def _owner(array: Any) -> Any:
    """The array whose memory it is, at the end of the chain of bases."""
    import numpy as np

    base = array.base
    while base is not None:
        if isinstance(base, np.ndarray):
            array = base
        elif type(base).__name__ != "DummyArray":  # that of `as_strided`
            break
        base = base.base
    return array


def _address(array: Any) -> int:
    return int(array.__array_interface__["data"][0])


def _place(flat: Any, offset: int, shape: Any, strides: Any, dtype: Any) -> Any:
    """The array that lies in a memory at `offset`, in bytes."""
    import numpy as np

    if not dtype.hasobject:
        return np.ndarray(shape, dtype, buffer=flat, offset=offset, strides=strides)
    start = flat[offset // flat.itemsize :]
    return np.lib.stride_tricks.as_strided(start, shape, strides)
