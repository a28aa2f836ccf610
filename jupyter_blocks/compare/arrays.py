"""numpy arrays and scalars, scipy's sparse matrices and trees, tensors.

Arrays are compared in pieces, so that a comparison of large ones takes little memory besides.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from jupyter_blocks.compare.verdict import (
    EQUAL,
    ROUNDING,
    Compare,
    Verdict,
    differ,
    not_comparable,
    parts,
    short,
    type_name,
    with_rounding,
)

__all__ = ["compare_arrays", "compare_numpy", "compare_scipy", "compare_tensors"]

_PIECE = 1 << 20
"""Values that are compared at once."""
_INEXACT = "fc"


def compare_numpy(one: Any, other: Any, compare: Compare) -> Verdict | None:
    """Arrays, scalars, dtypes and random generators; anything else of numpy is like an object."""
    import numpy as np

    if isinstance(one, np.ndarray | np.generic):
        return _shaped(one, other, compare)
    if isinstance(one, np.dtype):
        return EQUAL if one == other else differ(one, other)
    if isinstance(one, np.random.Generator):
        return _generators(one.bit_generator.state, other.bit_generator.state, compare)
    if isinstance(one, np.random.RandomState):
        mine, its = (each.get_state(legacy=False) for each in (one, other))
        return _generators(mine, its, compare)
    if isinstance(one, np.random.BitGenerator):
        return _generators(one.state, other.state, compare)
    return None


def _generators(one: Any, other: Any, compare: Compare) -> Verdict:
    if compare(one, other) is EQUAL:
        return EQUAL
    return Verdict("different", "the random generator stands at another place, or has another seed")


def _shaped(one: Any, other: Any, compare: Compare) -> Verdict:
    import numpy as np

    if one.dtype != other.dtype:
        return differ(f"dtype {one.dtype}", f"dtype {other.dtype}")
    if one.shape != other.shape:
        return differ(f"shape {one.shape}", f"shape {other.shape}")
    if isinstance(one, np.ma.MaskedArray):
        return _masked(one, other, compare)
    return compare_arrays(np.asarray(one), np.asarray(other), compare)


def _masked(one: Any, other: Any, compare: Compare) -> Verdict:
    """What lies under a mask does not count."""
    import numpy as np

    masks = [np.ma.getmaskarray(value) for value in (one, other)]
    verdict = compare(masks[0], masks[1])
    if verdict is not EQUAL:
        return verdict.within("mask: ")
    verdict = compare(one.fill_value, other.fill_value)
    if verdict is not EQUAL:
        return verdict.within("fill_value: ")
    its = np.ma.array(other, fill_value=one.fill_value, copy=False)
    return compare_arrays(np.asarray(one.filled()), np.asarray(its.filled()), compare)


def compare_arrays(
    one: Any, other: Any, compare: Compare, place: Callable[[tuple[int, ...]], str] = str
) -> Verdict:
    """Two arrays of the same dtype and shape; `place` says where a value stands."""
    if one.dtype.names:
        fields = ((f"field '{name}': ", name, one[name], other[name]) for name in one.dtype.names)
        return parts(compare, fields)
    if one.dtype.kind == "O":
        return _objects(one, other, compare, place)
    found = _Differences()
    for start, mine, its in _pieces(one, other):
        found.add(start, mine, its)
    return found.verdict(one, other, _brackets if place is str else place)


def _brackets(index: tuple[int, ...]) -> str:
    return f"[{', '.join(map(str, index))}]"


def _objects(one: Any, other: Any, compare: Compare, place: Callable[..., str]) -> Verdict:
    import numpy as np

    say = _brackets if place is str else place
    flat = zip(one.ravel(), other.ravel(), strict=True)
    suspects = (
        (f"{say(tuple(map(int, np.unravel_index(number, one.shape))))}: ", None, mine, its)
        for number, (mine, its) in enumerate(flat)
        if not (type(mine) is type(its) and type(mine) in (str, int, bool) and mine == its)
    )
    return parts(compare, suspects)


def _pieces(one: Any, other: Any) -> Iterator[tuple[int, Any, Any]]:
    """Parts of two arrays along their first axis: number of the first row, and both parts."""
    if one.ndim == 0:
        yield 0, one.reshape(1), other.reshape(1)
        return
    rows = max(_PIECE // max(one[:1].size, 1), 1)
    for start in range(0, len(one), rows):
        yield start, one[start : start + rows], other[start : start + rows]


@dataclass
class _Differences:
    """What differs between two arrays: how many values, the first one, how far at most."""

    count: int = 0
    first: tuple[int, ...] = ()
    farthest: float = 0.0

    def add(self, start: int, one: Any, other: Any) -> None:
        """Count what differs in a part that begins at row `start`."""
        import numpy as np

        unequal = np.asarray(one != other)
        if one.dtype.kind in "fcmM" and unequal.any():
            unequal = unequal & ~_both_missing(one, other)
        if not unequal.any():
            return
        if not self.count:
            row, *rest = (int(index) for index in np.argwhere(unequal)[0])
            self.first = (start + row, *rest)
        self.count += int(unequal.sum())
        self.farthest = max(self.farthest, _farthest(one[unequal], other[unequal]))

    def verdict(self, one: Any, other: Any, place: Callable[[tuple[int, ...]], str]) -> Verdict:
        """The verdict on both arrays."""
        if not self.count:
            return EQUAL
        at = self.first if one.ndim else ()
        verdict = differ(short(one[at].item()), short(other[at].item()))
        if one.ndim:
            many = f"{self.count:,} of {one.size:,} values differ, the first at "
            verdict = verdict.within(f"{many if self.count > 1 else ''}{place(at)}: ")
        return with_rounding(verdict, self.farthest, _limit(one.dtype))


def _both_missing(one: Any, other: Any) -> Any:
    import numpy as np

    if one.dtype.kind in "mM":
        return np.isnat(one) & np.isnat(other)
    if one.dtype.kind == "f":
        return np.isnan(one) & np.isnan(other)
    real, imaginary = (
        (a == b) | (np.isnan(a) & np.isnan(b))
        for a, b in ((one.real, other.real), (one.imag, other.imag))
    )
    return real & imaginary


def _farthest(one: Any, other: Any) -> float:
    """The largest relative difference of two flat arrays of numbers that all differ."""
    import numpy as np

    if one.dtype.kind not in _INEXACT:
        return math.inf
    with np.errstate(all="ignore"):
        far = np.abs(one - other) / np.maximum(np.abs(one), np.abs(other))
    return float(far.max()) if np.isfinite(far).all() else math.inf


def _limit(dtype: Any) -> float:
    """What counts as rounding: short floats have few digits to begin with."""
    import numpy as np

    return max(ROUNDING, 16 * float(np.finfo(dtype).eps)) if dtype.kind in _INEXACT else 0.0


# sparse matrices


def compare_scipy(one: Any, other: Any, compare: Compare) -> Verdict | None:
    """Sparse matrices by their values, stored zeros counting as zeros; trees by their points."""
    from scipy import sparse

    if type(one).__name__ in ("KDTree", "cKDTree"):  # what they are pickled as has gaps
        names = ("data", "leafsize", "boxsize", "indices")
        return parts(
            compare,
            ((f".{name}: ", name, getattr(one, name), getattr(other, name)) for name in names),
        )
    if not sparse.issparse(one):
        return None
    if one.dtype != other.dtype:
        return differ(f"dtype {one.dtype}", f"dtype {other.dtype}")
    if one.shape != other.shape:
        return differ(f"shape {one.shape}", f"shape {other.shape}")
    if one.format != other.format:
        return differ(f"format {one.format}", f"format {other.format}")
    mine, its = _entries(one), _entries(other)
    if len(mine[0]) == len(its[0]) and all(
        (a == b).all() for a, b in zip(mine[1], its[1], strict=True)
    ):
        return compare_arrays(mine[0], its[0], compare, lambda at: _at(mine[1], at[0]))
    return _other_places(mine, its)


def _entries(value: Any) -> tuple[Any, tuple[Any, ...]]:
    """The values that are not zero, row by row, and their coordinates."""
    import numpy as np

    entries = value.tocoo(copy=True)
    entries.sum_duplicates()
    coordinates = getattr(entries, "coords", None) or (entries.row, entries.col)
    kept = entries.data != 0
    coordinates = tuple(axis[kept] for axis in coordinates)
    order = np.lexsort(coordinates[::-1])
    return entries.data[kept][order], tuple(axis[order] for axis in coordinates)


def _at(coordinates: tuple[Any, ...], number: int) -> str:
    return _brackets(tuple(int(axis[number]) for axis in coordinates))


def _other_places(mine: Any, its: Any) -> Verdict:
    """Two matrices that are not zero in different places; the first of these is named."""
    pairs = [
        {tuple(map(int, at)): value for *at, value in zip(*coordinates, data, strict=True)}
        for data, coordinates in (mine, its)
    ]
    place = min(pairs[0].keys() ^ pairs[1].keys())
    values = [short(each[place].item()) if place in each else "0" for each in pairs]
    count = len(pairs[0].keys() ^ pairs[1].keys())
    where = f"{count:,} places are zero in one only, the first at {_brackets(place)}: "
    return differ(*values).within(where)


# tensors


def compare_tensors(one: Any, other: Any, compare: Compare) -> Verdict | None:
    """Tensors of torch by their values, wherever they lie."""
    if not (hasattr(one, "detach") and hasattr(one, "dtype")):
        return None
    if one.dtype != other.dtype:
        return differ(f"dtype {one.dtype}", f"dtype {other.dtype}")
    try:
        values = [each.detach().cpu().numpy() for each in (one, other)]
    except (RuntimeError, TypeError) as error:
        return not_comparable(f"{type_name(one)} has no numpy values: {error}")
    return compare(*values)
