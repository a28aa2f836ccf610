"""What the arrays in one pickle share: pickle keeps objects apart, but a view becomes a copy.

`array_reducers` writes arrays as places in the memory that they lie in. That costs room where a
small view belongs to a large array, so that values are written so only where two arrays in them do
share something (`Overlaps`), or where the notebook says that names may (`together`).
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from jupyter_blocks.variables.formats.extras import extras, table_reducers
from jupyter_blocks.variables.formats.sharing import copies_on_write

__all__ = ["Overlaps", "array_reducers"]


class Overlaps:
    """Watches one value being pickled: whether arrays in it lie in the same memory."""

    def __init__(self) -> None:
        self._whole: set[int] = set()
        """The arrays that have memory of their own."""
        self._views: dict[int, list[tuple[int, int]]] = {}
        """Owner of a memory -> first and last address of each view of it."""

    def reducers(self) -> dict[type, Any]:
        """To be given to each pickler that is tried."""
        numpy = sys.modules.get("numpy")
        self._whole.clear()
        self._views.clear()
        return {} if numpy is None or not hasattr(numpy, "ndarray") else {numpy.ndarray: self._see}

    def found(self) -> bool:
        """Whether two of the arrays may share something; to be asked while the value lives."""
        if not self._whole.isdisjoint(self._views):
            return True
        return any(
            before[1] > after[0]
            for places in self._views.values()
            for before, after in pairwise(sorted(places))
        )

    def _see(self, array: Any) -> Any:
        if array.base is None:
            self._whole.add(id(array))
        elif array.size:
            self._views.setdefault(id(_owner(array)), []).append(_bounds(array))
        return array.__reduce_ex__(5)


def array_reducers() -> dict[type, Any]:
    """How one pickle keeps what the arrays in it share; made anew for each pickle."""
    numpy = sys.modules.get("numpy")
    found: dict[type, Any] = dict.fromkeys(map(type, _VIEWS), _reduce_view)
    if numpy is not None:
        found[numpy.ndarray] = _Memories().reduce
    tables = table_reducers()
    if tables and copies_on_write():
        found |= dict.fromkeys(tables, _Tables(tables).reduce)
    return found


_EMPTY: dict[Any, Any] = {}
_VIEWS = (_EMPTY.keys(), _EMPTY.values(), _EMPTY.items())


def _reduce_view(view: Any) -> Any:
    """`d.keys()` and its like, with the very dict that they show."""
    (owner,) = gc.get_referents(view)
    return _view, (owner, type(view).__name__.removeprefix("dict_"))


def _view(owner: Any, kind: str) -> Any:
    return getattr(dict, kind)(owner)


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
        if not _lies_in(array, flat):
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


def _bounds(array: Any) -> tuple[int, int]:
    """The addresses where an array begins and after which it ends."""
    first = last = _address(array)
    for length, stride in zip(array.shape, array.strides, strict=True):
        first, last = first + min(0, stride * (length - 1)), last + max(0, stride * (length - 1))
    return first, last + array.itemsize


def _lies_in(array: Any, flat: Any) -> bool:
    """Whether all of an array is in a memory: who made it by hand may have said otherwise."""
    first, last = _bounds(array)
    return _address(flat) <= first and last <= _address(flat) + int(flat.nbytes)


def _place(flat: Any, offset: int, shape: Any, strides: Any, dtype: Any) -> Any:
    """The array that lies in a memory at `offset`, in bytes."""
    import numpy as np

    if not dtype.hasobject:
        return np.ndarray(shape, dtype, buffer=flat, offset=offset, strides=strides)
    start = flat[offset // flat.itemsize :]
    return np.lib.stride_tricks.as_strided(start, shape, strides)
