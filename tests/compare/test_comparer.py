"""Whether two values are the same: plain values, containers, and what all comparisons share."""

from __future__ import annotations

import datetime
import math
from collections import Counter, OrderedDict, defaultdict, deque, namedtuple
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest

from jupyter_blocks.compare import compare

IN_BOTH = "{} in the notebook, {} in the pipeline"


@dataclass
class Point:
    """A class as notebooks have them."""

    x: int
    other: Any = None


class Row(NamedTuple):
    """A tuple whose items have names."""

    name: str
    size: float


class Colour(Enum):
    """A choice."""

    RED = 1
    BLUE = 2


class Words(list[str]):
    """A list that knows more."""

    language = ""


def words(language: str) -> Words:
    made = Words(["a"])
    made.language = language
    return made


def ring(value: int) -> list[Any]:
    """A list that holds itself."""
    items: list[Any] = [value]
    items.append(items)
    return items


def chain(length: int) -> list[Any]:
    """A list in a list in a list."""
    items: list[Any] = []
    for _ in range(length):
        items = [items]
    return items


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: None, id="None"),
        pytest.param(lambda: math.nan, id="nan"),
        pytest.param(lambda: complex(math.nan, 1), id="complex nan"),
        pytest.param(lambda: {"a": [1, (2, math.nan)], 3: {4, 5}}, id="containers"),
        pytest.param(lambda: {float("nan"): float("nan")}, id="nan as key"),
        pytest.param(lambda: {float("nan"), 1}, id="nan in a set"),
        pytest.param(lambda: {Row("a", 1.0): 1, Colour.RED: 2}, id="keys"),
        pytest.param(lambda: Counter("abc"), id="Counter"),
        pytest.param(lambda: defaultdict(list, a=[1]), id="defaultdict"),
        pytest.param(lambda: deque([1, 2], maxlen=2), id="deque"),
        pytest.param(lambda: Decimal("1.10"), id="Decimal"),
        pytest.param(lambda: datetime.date(2013, 1, 1), id="date"),
        pytest.param(lambda: Path("data") / "x", id="Path"),
        pytest.param(lambda: range(3), id="range"),
        pytest.param(lambda: Point(1), id="dataclass"),
        pytest.param(lambda: Row("a", math.nan), id="named tuple"),
        pytest.param(lambda: SimpleNamespace(a=np.arange(3)), id="namespace"),
        pytest.param(lambda: Colour.RED, id="Enum"),
        pytest.param(lambda: words("en"), id="subclass of list"),
        pytest.param(lambda: ValueError("no", 1), id="exception"),
        pytest.param(lambda: ring(1), id="a list that holds itself"),
        pytest.param(lambda: memoryview(b"abc"), id="memoryview"),
    ],
)
def test_the_same_made_twice_is_equal(make: Any) -> None:
    """Missing equals missing; nothing depends on identity."""
    verdict = compare(make(), make())
    assert verdict.outcome == "equal", verdict.detail


@pytest.mark.parametrize(
    ("one", "other", "detail"),
    [
        (1, 1.0, IN_BOTH.format("int", "float")),
        (1, True, IN_BOTH.format("int", "bool")),
        ("a", "b", IN_BOTH.format("'a'", "'b'")),
        (
            "a" * 90 + "b",
            "a" * 90 + "c",
            "from character 90 on: " + IN_BOTH.format("'aaaaaaaaaab'", "'aaaaaaaaaac'"),
        ),
        ([1, 2], [1], IN_BOTH.format("2 items", "1 items")),
        ([1, 2], (1, 2), IN_BOTH.format("list", "tuple")),
        ({"a": [1, 2]}, {"a": [1, 3]}, "['a']: [1]: " + IN_BOTH.format(2, 3)),
        ({"a": 1}, {"b": 1}, "other keys; only in the notebook: 'a'; only in the pipeline: 'b'"),
        ({1: 2}, {True: 2}, "other keys; only in the notebook: 1; only in the pipeline: True"),
        ({1}, {1.0}, IN_BOTH.format("{1}", "{1.0}")),
        ({1}, {2}, IN_BOTH.format("{1}", "{2}")),
        (set(range(9)), {*range(8), "x"}, IN_BOTH.format("[8] only", "['x'] only")),
        (
            OrderedDict(a=1, b=2),
            OrderedDict(b=2, a=1),
            IN_BOTH.format("order ['a', 'b']", "order ['b', 'a']"),
        ),
        (deque([1], maxlen=2), deque([1]), IN_BOTH.format("maxlen 2", "maxlen None")),
        (Point(1), Point(2), ".x: " + IN_BOTH.format(1, 2)),
        (Point(1, [Point(2)]), Point(1, [Point(3)]), ".other: [0]: .x: " + IN_BOTH.format(2, 3)),
        (Row("a", 1.0), Row("a", 2.0), ".size: " + IN_BOTH.format("1.0", "2.0")),
        (Colour.RED, Colour.BLUE, IN_BOTH.format("<Colour.RED: 1>", "<Colour.BLUE: 2>")),
        (words("en"), words("fr"), ".language: " + IN_BOTH.format("'en'", "'fr'")),
        (ring(1), ring(2), "[0]: " + IN_BOTH.format(1, 2)),
        (
            Decimal("1.1"),
            Decimal("1.10001"),
            IN_BOTH.format("Decimal('1.1')", "Decimal('1.10001')"),
        ),
        (ValueError("a"), ValueError("b"), "[0]: " + IN_BOTH.format("'a'", "'b'")),
    ],
)
def test_differences_are_found_and_placed(one: Any, other: Any, detail: str) -> None:
    """The first place where they differ, and both values."""
    verdict = compare(one, other)
    assert (verdict.outcome, verdict.detail) == ("different", detail)


@pytest.mark.parametrize(
    ("one", "other"),
    [(0.1 + 0.2, 0.3), (1e300 * (1 + 1e-15), 1e300), (1 + 2j, 1 + (2 + 4e-16) * 1j)],
)
def test_rounding_is_a_difference_but_said(one: Any, other: Any) -> None:
    """Exact by default: whether the last digits matter is for people to say."""
    verdict = compare([one], [other])
    assert verdict.outcome == "different"
    assert verdict.is_rounding
    assert verdict.detail.endswith(" relative)")
    assert "(only rounding: " in verdict.detail


@pytest.mark.parametrize(("one", "other"), [(1.0, 1.001), (math.inf, 1.0), (math.nan, 1.0), (1, 2)])
def test_more_than_rounding(one: float, other: float) -> None:
    """Nothing is made small."""
    assert not compare(one, other).is_rounding


def test_a_difference_beats_rounding_and_what_cannot_be_compared() -> None:
    """Whatever comes first."""
    unclear = (x for x in ())
    one = {"odd": unclear, "round": 0.1 + 0.2, "x": 1}
    other = {"odd": (x for x in ()), "round": 0.3, "x": 2}
    assert compare(one, other).detail == "['x']: " + IN_BOTH.format(1, 2)
    assert compare({**one, "x": 2}, other).is_rounding
    del one["x"], other["x"], one["round"], other["round"]
    assert compare(one, other).outcome == "not_comparable"


def test_the_key_that_differs_is_kept() -> None:
    """The outermost one: it is what a line of code sets."""
    assert compare({"a": {"b": 1}}, {"a": {"b": 2}}).key == "a"
    assert compare(pd.DataFrame({"n": [1]}), pd.DataFrame({"n": [2]})).key == "n"
    assert compare([1], [2]).key == ""


def test_what_is_nested_too_deeply_is_said() -> None:
    """Neither a crash nor a verdict."""
    assert compare(chain(40), chain(40)).outcome == "equal"
    verdict = compare(chain(5000), chain(5000))
    assert verdict.outcome == "not_comparable"
    assert "nested" in verdict.detail


def test_objects_that_are_shared_often_are_compared_once() -> None:
    """Or this would take until the end of the world."""
    one: list[Any] = [1]
    other: list[Any] = [1]
    for _ in range(60):
        one, other = [one, one], [other, other]
    assert compare(one, other).outcome == "equal"


def test_a_class_of_the_notebook_is_the_same_in_the_module_of_the_pipeline() -> None:
    """The notebook's `__main__.Row` is exported as `helpers.flights.Row`."""

    def made(module: str, base: type = object) -> Any:
        body = {"__annotations__": {"x": int}, "__module__": module}
        return dataclass(frozen=True)(type("Row", (base,), body))

    in_notebook, exported = made("__main__"), made("helpers.flights")
    local = made("jupyter_blocks_project.transformer.clean")
    local.__qualname__ = "clean.<locals>.Row"
    assert compare(in_notebook(1), exported(1)).outcome == "equal"
    assert compare(in_notebook(1), local(1)).outcome == "equal"
    assert compare(in_notebook(1), exported(2)).outcome == "different"
    assert compare(in_notebook, exported).outcome == "equal"
    assert compare({in_notebook(1), in_notebook(2)}, {exported(2), exported(1)}).outcome == "equal"
    assert compare({in_notebook(1): "a"}, {exported(1): "a"}).outcome == "equal"
    assert compare({in_notebook(1)}, {exported(2)}).outcome == "different"


def test_a_class_made_by_collections() -> None:
    """Made in the notebook, by name."""
    one, other = (namedtuple("Pair", "a b") for _ in range(2))
    one.__module__, other.__module__ = "__main__", "helpers.flights"
    assert compare(one(1, 2), other(1, 2)).outcome == "equal"
