"""polars and Arrow: tables column by column, columns in pieces; missing equals missing, NaN NaN."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from jupyter_blocks.compare.arrays import compare_arrays
from jupyter_blocks.compare.verdict import EQUAL, Compare, Verdict, differ, parts, short

__all__ = ["compare_arrow", "compare_polars"]

_PIECE_ROWS = 65_536
_FLOATS = ("Float32", "Float64", "float", "double")

# polars


def compare_polars(one: Any, other: Any, compare: Compare) -> Verdict | None:
    """Tables, lazy ones by what they come to, columns and expressions."""
    import polars as pl

    if isinstance(one, pl.LazyFrame):
        return compare(one.collect(), other.collect())
    if isinstance(one, pl.DataFrame):
        return _polars_frames(one, other, compare)
    if isinstance(one, pl.Series):
        return _polars_series(one, other, compare)
    if isinstance(one, pl.Expr):
        return EQUAL if one.meta.eq(other) else differ(short(str(one)), short(str(other)))
    if isinstance(one, pl.DataType | pl.Schema):
        return EQUAL if one == other else differ(short(one), short(other))
    return None


def _polars_frames(one: Any, other: Any, compare: Compare) -> Verdict:
    if list(one.schema.items()) != list(other.schema.items()):
        return _other_fields(dict(one.schema), dict(other.schema))
    if one.height != other.height:
        return differ(f"{one.height:,} rows", f"{other.height:,} rows")
    return parts(
        lambda mine, its: _polars_values(mine, its, compare),
        ((f"column {short(name)}: ", name, one[name], other[name]) for name in one.columns),
    )


def _polars_series(one: Any, other: Any, compare: Compare) -> Verdict:
    if one.dtype != other.dtype:
        return differ(f"dtype {one.dtype}", f"dtype {other.dtype}")
    if one.name != other.name:
        return differ(f"name {one.name!r}", f"name {other.name!r}")
    if len(one) != len(other):
        return differ(f"{len(one):,} rows", f"{len(other):,} rows")
    return _polars_values(one, other, compare)


def _polars_values(one: Any, other: Any, compare: Compare) -> Verdict:
    return _in_pieces(
        one,
        other,
        compare,
        equal=lambda mine, its: mine.equals(its, null_equal=True),
        values=lambda piece: piece.to_list(),
        is_float=str(one.dtype) in _FLOATS and not (one.null_count() or other.null_count()),
    )


# Arrow


def compare_arrow(one: Any, other: Any, compare: Compare) -> Verdict | None:
    """Tables, batches, arrays, scalars, schemas and types."""
    import pyarrow as pa

    if isinstance(one, pa.Table | pa.RecordBatch):
        return _arrow_tables(one, other, compare)
    if isinstance(one, pa.ChunkedArray | pa.Array):
        return _arrow_columns(one, other, compare)
    if isinstance(one, pa.Scalar):
        if one.type != other.type:
            return differ(f"type {one.type}", f"type {other.type}")
        return compare(one.as_py(), other.as_py())
    if isinstance(one, pa.Buffer):
        return compare(one.to_pybytes(), other.to_pybytes())
    if isinstance(one, pa.Schema | pa.DataType | pa.Field):
        return EQUAL if one.equals(other) else differ(short(one), short(other))
    return None


def _arrow_tables(one: Any, other: Any, compare: Compare) -> Verdict:
    if one.schema != other.schema:
        fields = ({field.name: field.type for field in each.schema} for each in (one, other))
        return _other_fields(*fields)
    if one.num_rows != other.num_rows:
        return differ(f"{one.num_rows:,} rows", f"{other.num_rows:,} rows")
    columns = (
        (f"column {short(name)}: ", name, one.column(place), other.column(place))
        for place, name in enumerate(one.schema.names)
    )
    verdict = parts(lambda mine, its: _arrow_columns(mine, its, compare), columns)
    metadata = compare(one.schema.metadata, other.schema.metadata).within("metadata: ")
    return metadata if metadata.weight > verdict.weight else verdict


def _arrow_columns(one: Any, other: Any, compare: Compare) -> Verdict:
    if one.type != other.type:
        return differ(f"type {one.type}", f"type {other.type}")
    if len(one) != len(other):
        return differ(f"{len(one):,} rows", f"{len(other):,} rows")
    return _in_pieces(
        one,
        other,
        compare,
        equal=lambda mine, its: mine.equals(its),
        values=lambda piece: piece.to_pylist(),
        is_float=str(one.type) in _FLOATS and not (one.null_count or other.null_count),
    )


# both


def _other_fields(one: dict[str, Any], other: dict[str, Any]) -> Verdict:
    """Two schemas that differ: the first column that is missing, of another type, or elsewhere."""
    for mine, its, where in ((one, other, "notebook"), (other, one, "pipeline")):
        for name in mine:
            if name not in its:
                return Verdict("different", f"column {name!r} is in the {where} only", name)
    for name, kind in one.items():
        if kind != other[name]:
            return differ(f"type {kind}", f"type {other[name]}").within(f"column {name!r}: ", name)
    return differ(f"columns {short(list(one))}", f"columns {short(list(other))}")


def _in_pieces(
    one: Any, other: Any, compare: Compare, *, equal: Any, values: Any, is_float: bool
) -> Verdict:
    """Two columns: as a whole, then the pieces that are not equal, value by value."""
    if equal(one, other):
        return EQUAL
    if is_float:
        mine, its = one.to_numpy(), other.to_numpy()
        return compare_arrays(mine, its, compare, lambda at: f"row {at[0]:,}")
    return parts(compare, _suspects(one, other, equal, values))


def _suspects(one: Any, other: Any, equal: Any, values: Any) -> Iterator[tuple[str, Any, Any, Any]]:
    for start in range(0, len(one), _PIECE_ROWS):
        pieces = [each.slice(start, _PIECE_ROWS) for each in (one, other)]
        if equal(*pieces):
            continue
        for row, pair in enumerate(zip(*map(values, pieces), strict=True), start):
            yield f"row {row:,}: ", None, *pair
