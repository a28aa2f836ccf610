"""pandas: tables column by column, indexes of every kind, extension arrays, what styles show."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from jupyter_blocks.compare.arrays import compare_arrays
from jupyter_blocks.compare.verdict import EQUAL, Compare, Verdict, differ, parts, short

__all__ = ["compare_pandas"]

_SCALARS = ("Interval", "Period", "Timedelta", "Timestamp")


def compare_pandas(one: Any, other: Any, compare: Compare) -> Verdict | None:
    """Whatever pandas makes; groups, rolling windows and the like are like objects."""
    import pandas as pd

    if isinstance(one, pd.DataFrame):
        return _frames(one, other, compare)
    if isinstance(one, pd.Series):
        return _series(one, other, compare)
    if isinstance(one, pd.Index):
        return _indexes(one, other, compare)
    if isinstance(one, pd.api.extensions.ExtensionArray):
        return _series(pd.Series(one), pd.Series(other), compare)
    if isinstance(one, pd.api.extensions.ExtensionDtype | pd.offsets.BaseOffset):
        return EQUAL if one == other else differ(short(one), short(other))
    if type(one).__name__ in _SCALARS:
        return EQUAL if one == other else differ(short(one), short(other))
    if type(one).__name__ == "Styler" and hasattr(one, "to_html"):
        return _styles(one, other, compare)
    return EQUAL if one is pd.NA or one is pd.NaT else None


def _styles(one: Any, other: Any, compare: Compare) -> Verdict:
    verdict = compare(one.data, other.data)
    if verdict is not EQUAL:
        return verdict
    pages = (each.to_html(table_uuid="check") for each in (one, other))
    return compare(*pages).within("its HTML: ")


def _frames(one: Any, other: Any, compare: Compare) -> Verdict:
    if one.shape != other.shape:
        return _other_shape(one, other)
    verdict = _indexes(one.columns, other.columns, compare).within("columns: ")
    if verdict.weight < 3:
        verdict = _heavier(verdict, _indexes(one.index, other.index, compare))
    if verdict.weight < 3:
        verdict = _heavier(verdict, parts(_columns_with(compare), _columns_of(one, other)))
    return _heavier(verdict, _besides(one, other, compare)) if verdict.weight < 3 else verdict


def _heavier(one: Verdict, other: Verdict) -> Verdict:
    return other if other.weight > one.weight else one


def _other_shape(one: Any, other: Any) -> Verdict:
    verdict = differ(
        *(f"{frame.shape[0]:,} rows x {frame.shape[1]:,} columns" for frame in (one, other))
    )
    names = [list(frame.columns) for frame in (one, other)]
    only = [name for name in names[0] if name not in names[1]]
    extra = [name for name in names[1] if name not in names[0]]
    details = [verdict.detail]
    details += [f"only in the notebook: {short(only[0])}"] if only else []
    details += [f"only in the pipeline: {short(extra[0])}"] if extra else []
    key = next((name for name in (*only, *extra) if isinstance(name, str)), "")
    return Verdict("different", "; ".join(details), key)


def _columns_of(one: Any, other: Any) -> Iterator[tuple[str, Any, Any, Any]]:
    for position, label in enumerate(one.columns):
        yield f"column {short(label)}: ", label, one.iloc[:, position], other.iloc[:, position]


def _besides(one: Any, other: Any, compare: Compare) -> Verdict:
    """What a table carries besides its rows."""
    pairs: list[tuple[str, Any, Any, Any]] = [("attrs: ", None, one.attrs, other.attrs)]
    for name in getattr(one, "_metadata", ()):
        mine, its = getattr(one, name, None), getattr(other, name, None)
        if not callable(mine):
            pairs.append((f".{name}: ", name, mine, its))
    return parts(compare, pairs)


def _series(one: Any, other: Any, compare: Compare) -> Verdict:
    if len(one) != len(other):
        return differ(f"{len(one):,} rows", f"{len(other):,} rows")
    if compare(one.name, other.name) is not EQUAL:
        return differ(f"name {short(one.name)}", f"name {short(other.name)}")
    verdict = _indexes(one.index, other.index, compare)
    if verdict.weight < 3:
        verdict = _heavier(verdict, _columns(one, other, compare))
    attrs = compare(one.attrs, other.attrs).within("attrs: ")
    return _heavier(verdict, attrs)


def _indexes(one: Any, other: Any, compare: Compare) -> Verdict:
    if type(one) is not type(other):
        return differ(type(one).__name__, type(other).__name__).within("index: ")
    if len(one) != len(other):
        return differ(f"{len(one):,} labels", f"{len(other):,} labels").within("index: ")
    if compare(list(one.names), list(other.names)) is not EQUAL:
        texts = (f"names {short(list(index.names))}" for index in (one, other))
        return differ(*texts).within("index: ")
    frequencies = [getattr(index, "freq", None) for index in (one, other)]
    if frequencies[0] != frequencies[1]:
        return differ(*(f"freq {short(freq)}" for freq in frequencies)).within("index: ")
    levels = (
        ("index: ", None, one.get_level_values(level), other.get_level_values(level))
        for level in range(one.nlevels)
    )
    return parts(_columns_with(compare), levels)


# columns: two Series, or two flat Indexes, of the same length


def _columns_with(compare: Compare) -> Compare:
    return lambda one, other: _columns(one, other, compare)


def _columns(one: Any, other: Any, compare: Compare) -> Verdict:
    import numpy as np
    import pandas as pd

    if isinstance(one.dtype, pd.CategoricalDtype) and isinstance(other.dtype, pd.CategoricalDtype):
        verdict = _categories(one.dtype, other.dtype, compare)
        if verdict is not EQUAL:
            return verdict
    if one.dtype != other.dtype:
        return _other_dtype(one.dtype, other.dtype)
    if isinstance(one.dtype, np.dtype):
        return compare_arrays(one.to_numpy(), other.to_numpy(), compare, _row)
    if isinstance(one.dtype, pd.SparseDtype):
        mine, its = (np.asarray(each.array) for each in (one, other))
        return compare_arrays(mine, its, compare, _row)
    return EQUAL if one.equals(other) else _rows(one, other, compare)


def _categories(one: Any, other: Any, compare: Compare) -> Verdict:
    if one.ordered != other.ordered:
        return differ(f"ordered={one.ordered}", f"ordered={other.ordered}")
    return _indexes(one.categories, other.categories, compare).within("categories: ")


def _other_dtype(one: Any, other: Any) -> Verdict:
    if str(one) != str(other):
        return differ(f"dtype {one}", f"dtype {other}")
    return differ(f"dtype {short(one)}", f"dtype {short(other)}")


def _row(place: tuple[int, ...]) -> str:
    return f"row {place[0]:,}"


def _rows(one: Any, other: Any, compare: Compare) -> Verdict:
    """Columns of pandas' own dtypes, which are not equal as a whole: row by row where they may be.

    Missing floats are compared one by one: they may be NaN or NA.
    """
    import numpy as np

    missing = [np.asarray(each.isna()) for each in (one, other)]
    try:
        unequal: Any = one.array != other.array
        if hasattr(unequal, "fillna"):
            unequal = unequal.fillna(False)
        suspect = np.asarray(unequal, bool) | (missing[0] != missing[1])
    except (TypeError, ValueError):
        suspect = np.ones(len(one), bool)
    if one.dtype.kind == "f":
        suspect |= missing[0]
    suspects = np.flatnonzero(suspect)
    values = one.array, other.array
    pairs = ((f"row {row:,}: ", None, values[0][row], values[1][row]) for row in suspects)
    return parts(compare, pairs)
