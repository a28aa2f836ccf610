"""Single values for the eye: JSON-safe and short, whatever they are.

What is shown is never what is stored: long text is cut, objects become their repr, missing values
become null.
"""

from __future__ import annotations

import math
import reprlib
from collections.abc import Mapping
from datetime import date, time, timedelta
from typing import Any

__all__ = ["cell", "cut", "short_repr", "shortened"]

_LONGEST_CELL = 200
_LONGEST_REPR = 2_000
_LARGEST_INT = 2**53 - 1
_MOST_MEMBERS = 50
_DEEPEST = 4


def cell(value: Any) -> Any:
    """One value of a table as JSON: null, bool, number or a string of at most 200 characters."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return shortened(str(value), _LONGEST_CELL)
    if isinstance(value, int):
        return int(value) if abs(value) <= _LARGEST_INT else shortened(hex(value), _LONGEST_CELL)
    if isinstance(value, float):
        return _number(float(value))
    return _other_cell(value)


def cut(value: Any) -> tuple[Any, bool]:
    """Plain data as JSON with at most 50 members and 4 levels each, and whether any were cut."""
    walk = _Cut()
    return walk.cut(value, 0), walk.is_cut


def short_repr(value: Any) -> str:
    """What `repr` says, at most 2,000 characters; tables and arrays inside only by their size."""
    return shortened(_REPR.repr(value), _LONGEST_REPR)


def _number(value: float) -> float | str | None:
    if math.isnan(value):
        return None
    return value if math.isfinite(value) else repr(value)


def _other_cell(value: Any) -> Any:
    kind = type(value)
    if kind.__name__ in ("NaTType", "NAType"):
        return None
    if hasattr(kind, "dtype") and hasattr(kind, "item") and kind.__module__ == "numpy":
        return _numpy_cell(value)
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, timedelta) or kind.__name__ in ("Decimal", "UUID", "Period", "Interval"):
        return str(value)
    return shortened(_REPR.repr(value), _LONGEST_CELL)


def _numpy_cell(value: Any) -> Any:
    if getattr(value, "ndim", 0):
        return shortened(_REPR.repr(value), _LONGEST_CELL)
    if value.dtype.kind in "mM":
        text = str(value)
        return None if text == "NaT" else text
    item = value.item()
    return cell(item) if isinstance(item, (bool, int, float, str)) else str(item)


def shortened(text: str, length: int) -> str:
    """Text of at most `length` characters that UTF-8 can hold."""
    text = text if len(text) <= length else text[: length - 1] + "…"
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


class _Cut:
    """One walk through plain data that notes whether it left something out."""

    def __init__(self) -> None:
        self.is_cut = False

    def cut(self, value: Any, depth: int) -> Any:
        if isinstance(value, (Mapping, list, tuple, set, frozenset)):
            return self._container(value, depth)
        shown = cell(value)
        if isinstance(value, str) and len(value) > _LONGEST_CELL:
            self.is_cut = True
        return shown

    def _container(self, value: Any, depth: int) -> Any:
        if depth >= _DEEPEST:
            self.is_cut = True
            return shortened(_REPR.repr(value), _LONGEST_CELL)
        if len(value) > _MOST_MEMBERS:
            self.is_cut = True
        if isinstance(value, Mapping):
            items = list(zip(range(_MOST_MEMBERS), value.items(), strict=False))
            return {str(cell(key)): self.cut(item, depth + 1) for _, (key, item) in items}
        return [
            self.cut(item, depth + 1) for _, item in zip(range(_MOST_MEMBERS), value, strict=False)
        ]


class _Repr(reprlib.Repr):
    """A repr that never prints a whole table. Methods are found by the name of the class."""

    def __init__(self) -> None:
        super().__init__()
        self.maxlevel = _DEEPEST
        self.maxdict = self.maxlist = self.maxtuple = self.maxset = self.maxfrozenset = 20
        self.maxdeque = self.maxarray = 20
        self.maxstring = _LONGEST_CELL
        self.maxlong = 60
        self.maxother = _LONGEST_REPR

    def repr_DataFrame(self, value: Any, _level: int) -> str:  # noqa: N802
        return f"<DataFrame: {value.shape[0]} rows, {value.shape[1]} columns>"

    def repr_Series(self, value: Any, _level: int) -> str:  # noqa: N802
        return f"<Series: {len(value)} rows of {value.dtype}>"

    def repr_bytes(self, value: Any, _level: int) -> str:
        return repr(value[: self.maxstring])

    repr_bytearray = repr_bytes

    def repr_ndarray(self, value: Any, _level: int) -> str:
        return f"<ndarray: shape {value.shape}, {value.dtype}>"


_REPR = _Repr()
