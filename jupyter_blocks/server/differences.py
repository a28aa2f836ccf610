"""What has changed between two stored values of one output: schema, rows, distributions.

Worked out from what was kept beside them when they were stored; neither value is read, so it costs
the same whatever their size.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import chain, islice, pairwise
from typing import Any

from jupyter_blocks.server.values import Value, Values, summary
from jupyter_blocks.variables.manifest import Manifest

__all__ = ["MOST_CANDIDATES", "compare", "shift_of_bins", "shift_of_top"]

MOST_CANDIDATES = 12
"""Other runs that are offered to compare with."""
_MOST_RUNS = 40
_BINS = 20
_LEAST_KNOWN = 0.05
"""Where the frequent values are a smaller part of a column, nothing is said of the others."""
_TIME = re.compile(r"\d{8}-\d{6}")
_FIGURES = ("nulls", "distinct", "min", "max", "mean")


def compare(values: Values, asked: Mapping[str, Any]) -> dict[str, Any]:
    """The output a request names beside the one it had before, or in the run `before`.

    `before` is null where there is no other; `candidates` are the runs there are to compare with.
    Each column says how it changed, its figures before and after, and its `shift`: the part of the
    rows, from 0 to 1, that would have to move to make one distribution the other; null where
    that is not known.
    """
    after = values.value(asked)
    others = list(_others(values, after))
    named: Value | None
    if asked.get("before"):
        named = values.value({**asked, "run_id": asked["before"]})
    else:
        earlier = [one for one in others if one.manifest.created_at <= after.manifest.created_at]
        named = earlier[0] if earlier else None
    candidates = [_run(other.manifest) for other in others]
    return {
        "after": _side(after),
        "before": _side(named) if named else None,
        "equal": named is not None and named.stored.digest == after.stored.digest,
        "columns": _columns(named.preview(), after.preview()) if named else [],
        "candidates": candidates,
    }


def _others(values: Values, after: Value) -> Iterator[Value]:
    """The output in other runs: first the earlier ones, the newest of them first."""
    own = after.manifest
    runs = sorted(values.store.runs(own.pipeline), key=_began, reverse=True)
    earlier = [run for run in runs if run != own.run_id and _began(run) <= _began(own.run_id)]
    later = [run for run in reversed(runs) if _began(run) > _began(own.run_id)]
    found = (
        Value(values.store, manifest, after.name)
        for run in chain(earlier[:_MOST_RUNS], later[:_MOST_RUNS])
        if (manifest := values.store.committed(own.pipeline, run, own.block)) is not None
        and manifest.run_id == run
        and after.name in manifest.outputs
    )
    return islice(found, MOST_CANDIDATES)


def _began(run_id: str) -> tuple[str, str]:
    """Runs by the time that is in their ids."""
    found = _TIME.search(run_id)
    return (found[0] if found else "", run_id)


def _run(manifest: Manifest) -> dict[str, Any]:
    return {"run_id": manifest.run_id, "created_at": manifest.created_at}


def _side(value: Value) -> dict[str, Any]:
    return {**_run(value.manifest), **summary(value.stored)}


def _columns(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Columns of both, in the order of the newer one; those that are gone come last."""
    old = {column["name"]: column for column in before.get("columns") or ()}
    new = {column["name"]: column for column in after.get("columns") or ()}
    rows = (before.get("rows"), after.get("rows"))
    changed = [_column(name, old.get(name), column, rows) for name, column in new.items()]
    gone = [_column(name, column, None, rows) for name, column in old.items() if name not in new]
    return changed + gone


def _column(
    name: str, old: dict[str, Any] | None, new: dict[str, Any] | None, rows: Sequence[int | None]
) -> dict[str, Any]:
    sides = (old, new)
    column: dict[str, Any] = {
        "name": name,
        "dtype": [side["dtype"] if side else None for side in sides],
        "change": _change(old, new),
        **{key: [side.get(key) if side else None for side in sides] for key in _FIGURES},
        "shift": None,
    }
    return {**column, **_distributions(old, new, rows)} if old and new else column


def _change(old: Mapping[str, Any] | None, new: Mapping[str, Any] | None) -> str:
    if old is None or new is None:
        return "added" if old is None else "removed"
    return "same" if old["dtype"] == new["dtype"] else "type"


def _distributions(
    old: Mapping[str, Any], new: Mapping[str, Any], rows: Sequence[int | None]
) -> dict[str, Any]:
    """Both distributions in the same bins or groups, as parts of the rows, and how far apart."""
    if not (_is_whole(old) and _is_whole(new)) and old.get("histogram") and new.get("histogram"):
        return shift_of_bins(old["histogram"], new["histogram"])
    if old.get("top") and new.get("top"):
        return shift_of_top(
            *(_known(side, count) for side, count in zip((old, new), rows, strict=True))
        )
    return {}


def _is_whole(column: Mapping[str, Any]) -> bool:
    """Whether the most frequent values are all there are."""
    top = column.get("top")
    return bool(top) and len(top or ()) == column.get("distinct")


def _known(column: Mapping[str, Any], rows: int | None) -> tuple[dict[Any, float], bool]:
    """The parts that the frequent values have of all values, and whether there are no others."""
    total = column.get("sample_rows") or rows or 0
    nulls = (column.get("nulls") or 0) / rows if rows else 0.0
    present = max(total * (1 - nulls), sum(count for _, count in column["top"]), 1)
    return {value: count / present for value, count in column["top"]}, _is_whole(column)


def shift_of_top(
    before: tuple[dict[Any, float], bool], after: tuple[dict[Any, float], bool]
) -> dict[str, Any]:
    """Of what the most frequent values tell: at least so much has moved.

    Each side is a mapping of value to its part, and whether that is all there is. A value that
    one side does not list is taken for as frequent as it can be there.
    """
    (old, old_whole), (new, new_whole) = before, after
    if max(sum(old.values()), sum(new.values())) < _LEAST_KNOWN:
        return {}
    pairs = []
    for value in dict.fromkeys([*new, *old]):
        one, other = old.get(value), new.get(value)
        if one is None:
            one = 0.0 if old_whole else min(other or 0.0, *old.values())
        if other is None:
            other = 0.0 if new_whole else min(one, *new.values())
        pairs.append([value, round(one, 6), round(other, 6)])
    rest = abs(sum(pair[1] for pair in pairs) - sum(pair[2] for pair in pairs))
    moved = (sum(abs(one - other) for _, one, other in pairs) + rest) / 2
    return {"shift": round(min(moved, 1.0), 4), "top": pairs}


def shift_of_bins(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """Of two histograms, which are laid over one another first. Times are seconds since 1970."""
    try:
        old, new = (_numbers(drawn["edges"]) for drawn in (before, after))
    except (TypeError, ValueError):
        return {}
    edges = old
    if old != new:
        low, high = min(old[0], new[0]), max(old[-1], new[-1])
        edges = [low + (high - low) * number / _BINS for number in range(_BINS + 1)]
    if len(edges) != 2 and edges[0] == edges[-1]:
        return {}
    one, other = _laid(old, before["counts"], edges), _laid(new, after["counts"], edges)
    moved = sum(abs(a - b) for a, b in zip(one, other, strict=True)) / 2
    drawn = {"edges": edges, "before": one, "after": other}
    return {"shift": round(min(moved, 1.0), 4), "histogram": drawn}


def _numbers(edges: Sequence[Any]) -> list[float]:
    """Edges as numbers; `ValueError` or `TypeError` where they are neither numbers nor times."""
    return [_moment(edge) if isinstance(edge, str) else float(edge) for edge in edges]


def _moment(text: str) -> float:
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _laid(own: Sequence[float], counts: Sequence[int], edges: Sequence[float]) -> list[float]:
    """The parts that counts have in other bins, taken to be even within their own."""
    total = sum(counts) or 1
    parts = [0.0] * (len(edges) - 1)
    for (low, high), count in zip(pairwise(own), counts, strict=True):
        for number, (start, end) in enumerate(pairwise(edges)):
            parts[number] += count / total * _overlap(low, high, start, end, edges[-1])
    return [round(part, 6) for part in parts]


def _overlap(low: float, high: float, start: float, end: float, last: float) -> float:
    """The part of one bin that lies in another; a single value belongs to the bin it begins."""
    if high > low:
        return max(0.0, min(high, end) - max(low, start)) / (high - low)
    return float(start <= low < end or low == end == last or (start == end == low))
