"""Outputs that share objects or memory: stored once more in one piece, so that they go on sharing.

Each output has files of its own, which is all that a reader of one of them needs. Who reads several
must find that a row is still the row of its matrix and an element still that of its list. Pickle
keeps objects apart that are apart, and `memories` what arrays share.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from jupyter_blocks.variables.formats.base import Sink, Source
from jupyter_blocks.variables.formats.memories import array_reducers
from jupyter_blocks.variables.formats.objects import read_pickle, write_pickle
from jupyter_blocks.variables.formats.sharing import shareable
from jupyter_blocks.variables.manifest import StoredOutput

__all__ = ["TOGETHER_FORMAT", "read_together", "write_together"]

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
