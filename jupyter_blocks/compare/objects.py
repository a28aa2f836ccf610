"""Objects by what is in them: attributes, or whatever else their class lets itself be copied by.

So a fitted model is compared by what it was given and what it learned, a random generator by its
state. What only exists while a process runs, such as a lock or a generator, has nothing that could
be compared.
"""

from __future__ import annotations

import copyreg
from collections.abc import Iterator, Mapping
from dataclasses import replace
from enum import Enum
from typing import Any

from jupyter_blocks.compare.verdict import (
    EQUAL,
    Compare,
    Verdict,
    differ,
    is_own,
    not_comparable,
    parts,
    short,
    type_name,
)

__all__ = ["compare_attributes", "compare_objects", "compare_rows", "compare_searches"]

_PROTOCOL = 4
_CACHES = frozenset({"_cache", "_colwidths", "diagn"})
"""Attributes that are there once a library was asked for something, such as a summary."""
_SCRATCH = frozenset({"_tmp_like_exog"})
"""Memory that a library only writes to; what is in it before that is nobody's."""
_CLOCKS = frozenset({"_datetime", "_time_fit_was_called"})
"""When a library fitted a model: no part of what the model learned."""
_CLOCK_LABELS = frozenset({"Date:", "Time:"})
"""What stands in a table of results before the day and the time at which it was made."""
_DRAWING = "_random_state"
"""Of a distribution of scipy, the global random stream that it would draw from."""
_DUNDERS = ("__reduce_ex__", "__reduce__", "__getstate__")
_OWN_REDUCTION = {name: getattr(object, name, None) for name in _DUNDERS}


def compare_objects(one: Any, other: Any, compare: Compare) -> Verdict:
    """Compare two values of one class that is no container."""
    if isinstance(one, Enum):
        return EQUAL if one.name == other.name else differ(short(one), short(other))
    if isinstance(one, BaseException):
        return _exceptions(one, other, compare)
    equality = _trusted_equality(one, other)
    if equality is True:
        return EQUAL
    try:
        state, its_state = _state(one), _state(other)
    except Exception as error:  # the class decides what taking it apart raises
        return _without_state(one, other, equality, error)
    verdict = compare_attributes(one, state, its_state, compare)
    if equality is False and (not state or _is_simple(one, verdict)):
        return differ(short(one), short(other))
    return verdict


def _is_simple(value: Any, verdict: Verdict) -> bool:
    """Whether the value says more than its parts: dates, decimals, paths."""
    return verdict.weight == 3 and not hasattr(value, "__dict__") and len(repr(value)) <= 60


def _exceptions(one: Any, other: Any, compare: Compare) -> Verdict:
    verdict = compare(one.args, other.args)
    return verdict if verdict is not EQUAL else compare(vars(one), vars(other))


def _trusted_equality(one: Any, other: Any) -> bool | None:
    """What `==` says, where a class of Python or of a library defines it; else nothing.

    A class of the notebook may leave out attributes in its `==`, so these are looked at instead.
    """
    if is_own(type(one).__module__):
        return None
    if not any("__eq__" in vars(kind) for kind in type(one).__mro__[:-1]):
        return None
    try:
        answer = one == other
    except Exception:  # the class decides what its comparison raises
        return None
    return answer if isinstance(answer, bool) else None


def _without_state(one: Any, other: Any, equality: bool | None, error: Exception) -> Verdict:
    if equality is False:
        return differ(short(one), short(other))
    reason = " ".join(str(error).split()) or type(error).__name__
    return not_comparable(f"{type_name(one)} cannot be taken apart: {_one_line(reason)}")


def _one_line(text: str) -> str:
    """An exception's text on one line of bearable length."""
    return text if len(text) <= 100 else f"{text[:97]}..."


def compare_searches(one: Any, other: Any, compare: Compare) -> Verdict | None:
    """Searches for parameters by all they found, but for how long it took."""
    if "cv_results_" not in getattr(one, "__dict__", {}):
        return None
    return compare_attributes(one, _untimed(one), _untimed(other), compare)


def _untimed(search: Any) -> dict[str, Any]:
    attributes = {name: value for name, value in vars(search).items() if name != "refit_time_"}
    results = attributes.get("cv_results_")
    if isinstance(results, dict):
        kept = {key: value for key, value in results.items() if not str(key).endswith("_time")}
        attributes["cv_results_"] = kept
    return attributes


def compare_rows(one: Any, other: Any, compare: Compare) -> Verdict | None:
    """Rows of tables that sum up results of statsmodels: by all but when the table was made."""
    if type(one).__name__ != "Row" or not isinstance(one, list) or len(one) != len(other):
        return None
    labels = ["", *(str(getattr(cell, "data", "")).strip() for cell in one)]
    cells = parts(
        compare,
        (
            (f"[{number}]: ", None, mine, its)
            for number, (label, mine, its) in enumerate(zip(labels, one, other, strict=False))
            if label not in _CLOCK_LABELS
        ),
    )
    more = compare_attributes(one, vars(one), vars(other), compare)
    return more if more.weight > cells.weight else cells


def compare_attributes(
    owner: Any, one: Mapping[str, Any], other: Mapping[str, Any], compare: Compare
) -> Verdict:
    """Compare attributes of two objects of the class of `owner`."""
    lacking = sorted(
        name for name in one.keys() ^ other.keys() if not _is_lazy(getattr(type(owner), name, None))
    )
    public = [name for name in lacking if not _may_be_kept(owner, name)]
    if public:
        return Verdict("different", _only(public[0], one), public[0])
    pairs = (
        (f"{_label(name)}: ", name, *_caches(name, one[name], other[name]))
        for name in one
        if name in other and not _is_beside_the_point(owner, name)
    )
    verdict = parts(compare, pairs)
    if lacking and verdict is EQUAL:
        reason = f"{_only(lacking[0], one)}, as where it is kept once it was asked for"
        return replace(not_comparable(reason), is_part=True)
    return verdict


def _is_beside_the_point(owner: Any, name: str) -> bool:
    is_clock = name in _CLOCKS and not is_own(type(owner).__module__)
    return name in _SCRATCH or is_clock or _is_global_stream(owner, name)


def _is_global_stream(owner: Any, name: str) -> bool:
    modules = [kind.__module__ for kind in type(owner).__mro__]
    return name == _DRAWING and any(module.startswith("scipy.stats.") for module in modules)


def _only(name: str, one: Mapping[str, Any]) -> str:
    return f"only the {'notebook' if name in one else 'pipeline'}'s has {_label(name)}"


def _label(name: str) -> str:
    return f".{name}" if name.isidentifier() else name


def _is_lazy(found: Any) -> bool:
    """Whether a class keeps an attribute once it was asked for, as `cached_property` does."""
    kind = type(found)
    return hasattr(kind, "__get__") and not hasattr(kind, "__set__") and not callable(found)


def _may_be_kept(owner: Any, name: str) -> bool:
    """Whether an attribute may be there because somebody asked a library for something."""
    return name in _CACHES or (name.startswith("_") and not is_own(type(owner).__module__))


def _caches(name: str, one: Any, other: Any) -> tuple[Any, Any]:
    """Of two caches what both hold."""
    if name in _CACHES and isinstance(one, dict) and isinstance(other, dict):
        keys = [key for key in one if key in other]
        return {key: one[key] for key in keys}, {key: other[key] for key in keys}
    return one, other


def _state(value: Any) -> dict[str, Any]:
    """All that makes a value what it is, by name; raises what its class raises."""
    kind = type(value)
    if kind not in copyreg.dispatch_table and not _reduces_itself(kind):
        attributes = dict(_attributes(value))
        if attributes or hasattr(value, "__dict__"):
            return attributes
    return dict(_reduced(value))


def _reduces_itself(kind: type) -> bool:
    return any(getattr(kind, name, None) is not own for name, own in _OWN_REDUCTION.items())


def _attributes(value: Any) -> Iterator[tuple[str, Any]]:
    for kind in type(value).__mro__:
        slots = vars(kind).get("__slots__", ())
        for slot in (slots,) if isinstance(slots, str) else slots:
            name = f"_{kind.__name__.lstrip('_')}{slot}" if _is_private(slot) else slot
            if slot not in ("__dict__", "__weakref__") and hasattr(value, name):
                yield name, getattr(value, name)
    yield from getattr(value, "__dict__", {}).items()


def _is_private(name: str) -> bool:
    return name.startswith("__") and not name.endswith("__")


def _reduced(value: Any) -> Iterator[tuple[str, Any]]:
    """What pickle and copy make a value again from."""
    reduce = copyreg.dispatch_table.get(type(value))
    reduction: Any = reduce(value) if reduce else value.__reduce_ex__(_PROTOCOL)
    if isinstance(reduction, str):
        yield "its name", reduction
        return
    padded: list[Any] = [*reduction, *[None] * 3]
    function, arguments, state, items, entries = padded[:5]
    yield "its constructor", function
    yield "its arguments", tuple(arguments)
    yield from _restored(state)
    if items is not None:
        yield "its items", list(items)
    if entries is not None:
        yield "its entries", dict(entries)


def _restored(state: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(state, tuple) and len(state) == 2 and isinstance(state[1], dict):
        yield from _restored(state[0])
        state = state[1]
    if isinstance(state, dict) and all(isinstance(name, str) for name in state):
        yield from state.items()
    elif state is not None:
        yield "its state", state
