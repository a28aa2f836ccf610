"""Conditions on the columns of a table: which rows fit, and which batches cannot hold one.

Worked out on Arrow columns; what makes no sense for a column's type is an error in plain words.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jupyter_blocks.errors import VariableError
from jupyter_blocks.variables.formats.batches import Limits

__all__ = ["Condition", "Search", "check", "fits", "flat", "may_fit", "names_in", "plain"]


@dataclass(frozen=True)
class Condition:
    """One condition on a column: rows that fit all conditions are shown."""

    column: str
    op: str
    """eq, ne, lt, le, gt, ge, contains, starts_with, in, is_null, not_null."""
    value: Any = None

    @property
    def columns(self) -> tuple[str, ...]:
        """The one column it looks at."""
        return (self.column,)

    def mask(self, piece: Any) -> Any:
        """For each row of a slice whether it fits; null where that is not known."""
        return _mask(piece.column(self.column), self)


@dataclass(frozen=True)
class Search:
    """A text that stands in any of some columns, in capitals or not, as tables show them.

    Numbers and times are looked at where the text could be a part of one; lists, bytes and the
    like never are.
    """

    text: str
    columns: tuple[str, ...]

    def mask(self, piece: Any) -> Any:
        """For each row of a slice whether the text is in it."""
        import pyarrow as pa
        import pyarrow.compute as pc

        mask = pa.repeat(pa.scalar(False), piece.num_rows)
        for name in self.columns:
            column = _searched(piece.column(name), self.text)
            if column is not None:
                is_time = pa.types.is_temporal(piece.column(name).type)
                text = _BETWEEN.sub("T", self.text.strip()) if is_time else self.text.strip()
                found = pc.match_substring(column, text, ignore_case=True)
                mask = pc.or_(mask, pc.fill_null(found, False))
        return mask


_NUMBER_PART = re.compile(r"[\d.eE+-]+|inf|nan|true|false", re.ASCII)
_BETWEEN = re.compile(r"(?<=\d) (?=\d)")
"""Between day and hour, where people write no T."""
_TIME_PART = re.compile(r"[\d:.+TZ -]+", re.ASCII)


def _searched(column: Any, text: str) -> Any:
    """A column as texts; none where it cannot have `text` in it."""
    import pyarrow as pa

    kind, types = column.type, pa.types
    if types.is_string(kind) or types.is_large_string(kind):
        return column
    if types.is_timestamp(kind) or types.is_date(kind) or types.is_time(kind):
        return _moments(column) if _TIME_PART.fullmatch(text.strip()) else None
    is_number = types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind)
    if not (is_number or types.is_boolean(kind)) or types.is_float16(kind):
        return None
    return column.cast(pa.string()) if _NUMBER_PART.fullmatch(text.strip().lower()) else None


def _moments(column: Any) -> Any:
    """Times as tables show them: with a T between day and hour."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.timestamp(column.type.unit))  # no names of time zones
    return pc.replace_substring(column.cast(pa.string()), " ", "T", max_replacements=1)


def names_in(conditions: Sequence[Condition | Search]) -> list[str]:
    """The columns that conditions are on, each once."""
    return list(dict.fromkeys(name for condition in conditions for name in condition.columns))


def check(kind: Any, condition: Condition) -> None:
    """Raise what `fits` would raise for a column of this Arrow type, looking at no row."""
    import pyarrow as pa

    _mask(plain(pa.nulls(0, kind)), condition)


def plain(array: Any) -> Any:
    """An array in a type that can be compared: no dictionaries, no views of strings."""
    import pyarrow as pa

    kind = array.type
    if pa.types.is_dictionary(kind):
        texts = plain(array.dictionary)  # views of strings cannot be taken one by one
        return pa.DictionaryArray.from_arrays(array.indices, texts).dictionary_decode()
    return flat(array)


def flat(array: Any) -> Any:
    """An array in a type that can be worked with: texts and bytes in one piece, not as views."""
    import pyarrow as pa

    name = _WHOLE.get(str(array.type))
    if name is None:
        return array
    kind = getattr(pa, name)()
    try:
        return array.cast(kind)
    except pa.ArrowNotImplementedError:
        return pa.array(array.to_pylist(), kind)  # pyarrow 16 and 17 do not know how


_WHOLE: Mapping[str, str] = {"string_view": "large_string", "binary_view": "large_binary"}


def fits(piece: Any, conditions: Sequence[Condition | Search]) -> Any:
    """Numbers of the rows of a slice that fit all conditions."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    if not conditions:
        return pa.array(np.arange(piece.num_rows, dtype="i8"))
    mask = None
    for condition in conditions:
        one = pc.fill_null(condition.mask(piece), False)
        mask = one if mask is None else pc.and_(mask, one)
    return pc.indices_nonzero(mask).cast(pa.int64())


def _mask(column: Any, condition: Condition) -> Any:
    import pyarrow as pa

    try:
        return _OPERATORS[condition.op](column, condition.value)
    except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
        raise VariableError(
            f"The condition on column '{condition.column}' ({column.type}) cannot be worked out "
            f"with the value {str(condition.value)[:50]!r}.",
            hint="Compare numbers with numbers, and times with texts like 2026-05-04T14:00.",
        ) from error


def may_fit(limits: Limits, condition: Condition) -> list[bool]:
    """For each batch whether a value between its limits may fit; where nothing is known it may."""
    import pyarrow as pa
    import pyarrow.compute as pc

    may = pa.repeat(pa.scalar(condition.op not in _WITHIN), len(limits[0]))
    bounds = _WITHIN.get(condition.op, ())
    is_list = condition.op == "in" and isinstance(condition.value, list)
    for value in condition.value if is_list else [condition.value]:
        inside = pa.repeat(pa.scalar(True), len(may))
        for side, function in bounds:
            inside = pc.and_(inside, pc.fill_null(_compare(function)(limits[side], value), True))
        may = pc.or_(may, inside)
    return list(may.to_pylist())


_WITHIN: Mapping[str, tuple[tuple[int, str], ...]] = {
    "eq": ((0, "less_equal"), (1, "greater_equal")),
    "in": ((0, "less_equal"), (1, "greater_equal")),
    "lt": ((0, "less"),),
    "le": ((0, "less_equal"),),
    "gt": ((1, "greater"),),
    "ge": ((1, "greater_equal"),),
}
"""What must hold for the least (0) and the greatest value (1) of a batch with a fitting row."""


def _scalar(column: Any, value: Any) -> Any:
    """A JSON value in the type of a column."""
    import pyarrow as pa

    kind = column.type
    if isinstance(value, bool) != pa.types.is_boolean(kind):
        raise TypeError("booleans compare with booleans")
    if isinstance(value, str):
        text = pa.scalar(value)
        return text if pa.types.is_string(kind) or str(kind) == "large_string" else text.cast(kind)
    if pa.types.is_integer(kind) and isinstance(value, float):
        return pa.scalar(value, pa.float64())
    return pa.scalar(value, kind)


def _compare(function: str) -> Callable[[Any, Any], Any]:
    def compare(column: Any, value: Any) -> Any:
        import pyarrow.compute as pc

        return pc.call_function(function, [column, _scalar(column, value)])

    return compare


def _match(function: str) -> Callable[[Any, Any], Any]:
    def match(column: Any, value: Any) -> Any:
        import pyarrow as pa
        import pyarrow.compute as pc

        options = pc.MatchSubstringOptions(str(value), ignore_case=True)
        return pc.call_function(function, [column.cast(pa.large_string())], options)

    return match


def _is_in(column: Any, value: Any) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    values = value if isinstance(value, list) else [value]
    scalars = [_scalar(column, item).as_py() for item in values]
    return pc.is_in(column, value_set=pa.array(scalars, column.type))


def _null(column: Any, _value: Any) -> Any:
    return column.is_null(nan_is_null=True)


def _not_null(column: Any, _value: Any) -> Any:
    return column.is_valid() if _is_exact(column) else _invert(column)


def _is_exact(column: Any) -> bool:
    import pyarrow as pa

    return not pa.types.is_floating(column.type)


def _invert(column: Any) -> Any:
    import pyarrow.compute as pc

    return pc.invert(column.is_null(nan_is_null=True))


_OPERATORS: Mapping[str, Callable[[Any, Any], Any]] = {
    "eq": _compare("equal"),
    "ne": _compare("not_equal"),
    "lt": _compare("less"),
    "le": _compare("less_equal"),
    "gt": _compare("greater"),
    "ge": _compare("greater_equal"),
    "contains": _match("match_substring"),
    "starts_with": _match("starts_with"),
    "in": _is_in,
    "is_null": _null,
    "not_null": _not_null,
}
