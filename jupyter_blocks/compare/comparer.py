"""The walk through two values, side by side, into all they contain.

Who compares what is decided by the package a value's class comes from; containers of Python are
compared here. Values that hold themselves come to an end, and so do values without end: what is
nested too deeply or has too many parts is said to be not comparable.
"""

from __future__ import annotations

import math
import warnings
from collections import OrderedDict, deque
from collections.abc import Collection, Iterator, Mapping, Sequence, Set
from enum import Enum
from typing import Any

from jupyter_blocks.compare import arrays, columnar, figures, functions, objects, tables
from jupyter_blocks.compare.verdict import (
    EQUAL,
    Handler,
    Verdict,
    differ,
    kind_name,
    not_comparable,
    parts,
    relative_difference,
    short,
    type_name,
    with_rounding,
)

__all__ = ["compare"]

_DEEPEST = 80
_MOST_PARTS = 5_000_000
_MOST_REMEMBERED = 100_000
_MOST_MATCHED = 1_000
"""Members of sets that are looked for one by one."""
_ATOMS = frozenset({bool, bytearray, bytes, int, range, str, type(None), type(...)})

_PLAIN = frozenset({dict, list, tuple})
_PLAIN_LEVELS = 4
"""Levels of containers that are looked at quickly; more would take long where much is shared."""

_HANDLERS: Mapping[str, Handler] = {
    "altair": figures.compare_charts,
    "matplotlib": figures.compare_artists,
    "mpl_toolkits": figures.compare_artists,
    "numpy": arrays.compare_numpy,
    "pandas": tables.compare_pandas,
    "plotly": figures.compare_charts,
    "polars": columnar.compare_polars,
    "pyarrow": columnar.compare_arrow,
    "scipy": arrays.compare_scipy,
    "sklearn": objects.compare_searches,
    "statsmodels": objects.compare_rows,
    "torch": arrays.compare_tensors,
}
"""Package -> who compares values of its classes, or of classes made from these."""


def compare(notebook: Any, pipeline: Any) -> Verdict:
    """Compare the notebook's value with the pipeline's."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what values warn of while they are taken apart
            verdict = _Comparer()(notebook, pipeline)
    except RecursionError:
        return not_comparable("it is nested too deeply")
    if verdict.outcome == "not_comparable" and verdict.is_part:
        return not_comparable(f"{verdict.detail}; all else is equal")
    return verdict


class _Comparer:
    """One comparison; remembers which pairs of objects it has met."""

    def __init__(self) -> None:
        self._depth = 0
        self._count = 0
        self._open: set[tuple[int, int]] = set()
        self._equal: dict[tuple[int, int], tuple[Any, Any]] = {}
        """Kept with the objects themselves, so that their ids stay theirs."""

    def __call__(self, one: Any, other: Any) -> Verdict:
        if one is other:
            return EQUAL
        if kind_name(type(one)) != kind_name(type(other)):
            return differ(type_name(one), type_name(other))
        if type(one) in _ATOMS:
            return _atoms(one, other)
        if _is_plainly_equal(one, other, _PLAIN_LEVELS):
            return EQUAL
        pair = id(one), id(other)
        if pair in self._open or pair in self._equal:
            return EQUAL
        self._count += 1
        if self._depth >= _DEEPEST:
            return not_comparable(f"it is nested more than {_DEEPEST} levels deep")
        if self._count > _MOST_PARTS:
            return not_comparable(f"it has more than {_MOST_PARTS:,} parts")
        return self._enter(pair, one, other)

    def _enter(self, pair: tuple[int, int], one: Any, other: Any) -> Verdict:
        self._open.add(pair)
        self._depth += 1
        try:
            verdict = self._values(one, other)
        finally:
            self._depth -= 1
            self._open.discard(pair)
        if verdict is EQUAL and len(self._equal) < _MOST_REMEMBERED:
            self._equal[pair] = one, other
        return verdict

    def _values(self, one: Any, other: Any) -> Verdict:
        for package in _packages(one):
            verdict = _HANDLERS[package](one, other, self)
            if verdict is not None:
                return verdict
        if isinstance(one, int | float | complex) and not isinstance(one, Enum):
            return _numbers(one, other)
        for kinds, contents in _CONTAINERS:
            if isinstance(one, kinds) and not isinstance(one, str | bytes | Enum):
                verdict = contents(self, one, other)
                return (
                    verdict if verdict.weight == 3 else self._with_attributes(verdict, one, other)
                )
        function = functions.compare_functions(one, other, self)
        return function or objects.compare_objects(one, other, self)

    def _with_attributes(self, verdict: Verdict, one: Any, other: Any) -> Verdict:
        """Add what classes made from containers keep besides."""
        pair = [getattr(value, "__dict__", None) or {} for value in (one, other)]
        if verdict.weight == 3 or not any(pair):
            return verdict
        more = objects.compare_attributes(one, pair[0], pair[1], self)
        return more if more.weight > verdict.weight else verdict

    # containers

    def _mappings(self, one: Mapping[Any, Any], other: Mapping[Any, Any]) -> Verdict:
        keys = self._same_keys(one, other)
        if isinstance(keys, Verdict):
            return keys
        if isinstance(one, OrderedDict) and list(one) != list(other) and not keys:
            return differ(f"order {short(list(one))}", f"order {short(list(other))}")
        pairs = ((f"[{short(key)}]: ", key, one[key], other[keys.get(key, key)]) for key in one)
        return parts(self, pairs)

    def _same_keys(
        self, one: Mapping[Any, Any], other: Mapping[Any, Any]
    ) -> Mapping[Any, Any] | Verdict:
        """The other's key for each key that is not found there as it is; or what keys differ."""
        only, extra = _unshared(one, other)
        renamed = self._matched(only, extra)
        if renamed is not None:
            return {only[place]: extra[found] for place, found in renamed.items()}
        texts = (
            f"only in the {where}: {short(keys[0])}"
            for where, keys in (("notebook", only), ("pipeline", extra))
            if keys
        )
        return Verdict("different", "; ".join(("other keys", *texts)))

    def _matched(self, one: Sequence[Any], other: Sequence[Any]) -> dict[int, int] | None:
        """For each place in `one` that of an equal value in `other`, each used once."""
        if len(one) != len(other) or len(one) > _MOST_MATCHED:
            return None
        free = dict(enumerate(other))
        found = {}
        for place, value in enumerate(one):
            match = next((at for at, each in free.items() if self(value, each) is EQUAL), None)
            if match is None:
                return None
            found[place] = match
            del free[match]
        return found

    def _sets(self, one: Set[Any], other: Set[Any]) -> Verdict:
        only, extra = _unshared(one, other)
        if self._matched(only, extra) is not None:
            return EQUAL
        if len(one) + len(other) <= 10:
            return differ(short(one), short(other))
        return differ(f"{short(only)} only", f"{short(extra)} only")

    def _sequences(self, one: Sequence[Any], other: Sequence[Any]) -> Verdict:
        if len(one) != len(other):
            return differ(f"{len(one)} items", f"{len(other)} items")
        if isinstance(one, deque) and one.maxlen != getattr(other, "maxlen", None):
            return differ(f"maxlen {one.maxlen}", f"maxlen {getattr(other, 'maxlen', None)}")
        names = getattr(type(one), "_fields", None)
        return parts(self, _items(one, other, names if isinstance(names, tuple) else None))


_CONTAINERS: Sequence[tuple[Any, Any]] = (
    (Mapping, _Comparer._mappings),
    (Set, _Comparer._sets),
    (Sequence, _Comparer._sequences),
)


def _unshared(one: Collection[Any], other: Collection[Any]) -> tuple[list[Any], list[Any]]:
    """The keys or members of each that are not found in the other; 1 and True are found as one."""
    if set(map(type, one)) != set(map(type, other)):
        typed = [{(type(key), key) for key in keys} for keys in (one, other)]
        only = [key for key in one if (type(key), key) not in typed[1]]
        return only, [key for key in other if (type(key), key) not in typed[0]]
    return [key for key in one if key not in other], [key for key in other if key not in one]


def _items(
    one: Sequence[Any], other: Sequence[Any], names: tuple[str, ...] | None
) -> Iterator[tuple[str, Any, Any, Any]]:
    """The items that may differ; in a sequence of millions of plain values these are few."""
    for number, (mine, its) in enumerate(zip(one, other, strict=True)):
        if type(mine) is type(its) and type(mine) in _ATOMS and mine == its:
            continue
        name = names[number] if names else None
        yield (f".{name}: " if name else f"[{number}]: "), name, mine, its


def _packages(value: object) -> list[str]:
    """The packages that may compare a value, that of its own class first."""
    kinds = type(value).__mro__
    if kinds[0].__module__ == "builtins":
        return []
    roots = dict.fromkeys(kind.__module__.partition(".")[0] for kind in kinds)
    return [root for root in roots if root in _HANDLERS]


# single values


def _is_plainly_equal(one: Any, other: Any, levels: int) -> bool:
    """Whether values of built-in types are equal for certain; a quick look, false where unsure."""
    kind = type(one)
    if kind is not type(other):
        return False
    if kind in _ATOMS:
        return bool(one == other)
    if kind is float:
        return bool(one == other or (one != one and other != other))  # noqa: PLR0124 - NaN
    if levels == 0 or kind not in _PLAIN or len(one) != len(other):
        return False
    if kind is dict:
        return list(map(type, one)) == list(map(type, other)) and all(
            key in other and _is_plainly_equal(value, other[key], levels - 1)
            for key, value in one.items()
        )
    pairs = zip(one, other, strict=True)
    return all(_is_plainly_equal(mine, its, levels - 1) for mine, its in pairs)


def _atoms(one: Any, other: Any) -> Verdict:
    if one == other:
        return EQUAL
    if isinstance(one, str | bytes | bytearray):
        return _texts(one, other)
    return differ(short(one), short(other))


def _texts(one: Any, other: Any) -> Verdict:
    """Two texts that differ; of long ones the place where they begin to."""
    if max(len(one), len(other)) <= 50:
        return differ(short(one), short(other))
    pairs = enumerate(zip(one, other, strict=False))
    place = next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))
    start, unit = max(place - 10, 0), "character" if isinstance(one, str) else "byte"
    cut = [
        bytes(text[start:][:40]) if isinstance(text, bytearray) else text[start:][:40]
        for text in (one, other)
    ]
    return differ(short(cut[0]), short(cut[1])).within(f"from {unit} {place:,} on: ")


def _numbers(one: complex, other: complex) -> Verdict:
    if one == other or _both_nan(one, other):
        return EQUAL
    verdict = differ(short(one), short(other))
    if isinstance(one, int):
        return verdict
    return with_rounding(verdict, relative_difference(one, other))


def _both_nan(one: complex, other: complex) -> bool:
    one, other = complex(one), complex(other)
    if not any(map(math.isnan, (one.real, one.imag))):
        return False
    pairs = ((one.real, other.real), (one.imag, other.imag))
    return all(a == b or (math.isnan(a) and math.isnan(b)) for a, b in pairs)
