"""How far two distributions lie apart, told from what was kept of them."""

from __future__ import annotations

from typing import Any

import pytest

from jupyter_blocks.server.differences import shift_of_bins, shift_of_top


def bins(low: Any, high: Any, *counts: int) -> dict[str, Any]:
    """A histogram between two limits; times have two edges only."""
    if isinstance(low, str):
        return {"edges": [low, high], "counts": list(counts)}
    width = (high - low) / len(counts)
    edges = [low + number * width for number in range(len(counts) + 1)]
    return {"edges": edges, "counts": list(counts)}


SHIFTS: dict[str, tuple[dict[str, Any], dict[str, Any], float]] = {
    "nothing": (bins(0, 10, 5, 5), bins(0, 10, 50, 50), 0.0),
    "everything": (bins(0, 10, 5, 0), bins(0, 10, 0, 5), 1.0),
    "half": (bins(0, 10, 10, 0), bins(0, 10, 5, 5), 0.5),
    "the range": (bins(0, 10, 4, 4), bins(5, 15, 4, 4), 0.5),
    "one value to another": (bins(5, 5, 9), bins(7, 7, 9), 1.0),
    "one value that stays": (bins(5, 5, 9), bins(5, 5, 3), 0.0),
    "one value among others": (bins(10, 10, 9), bins(0, 10, 3, 3), 0.95),
    "times": (
        bins("2026-01-01T00:00:00", "2026-01-02T00:00:00", 5),
        bins("2026-01-02T00:00:00", "2026-01-03T00:00:00", 5),
        1.0,
    ),
}


@pytest.mark.parametrize("case", SHIFTS)
def test_histograms_are_laid_over_one_another(case: str) -> None:
    """Whatever their limits; both sides sum up to one."""
    before, after, shift = SHIFTS[case]
    found = shift_of_bins(before, after)
    assert found["shift"] == pytest.approx(shift, abs=0.01)
    assert sum(found["histogram"]["before"]) == pytest.approx(1, abs=1e-4)
    assert sum(found["histogram"]["after"]) == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("edges", [["a", "b"], [None, None]])
def test_edges_that_are_no_places_are_not_compared(edges: list[Any]) -> None:
    """Durations are kept as texts that are no times."""
    assert shift_of_bins({"edges": edges, "counts": [1]}, bins(0, 1, 1)) == {}


TOPS: dict[str, tuple[tuple[dict[Any, float], bool], tuple[dict[Any, float], bool], Any]] = {
    "the same": (({"a": 0.5, "b": 0.5}, True), ({"b": 0.5, "a": 0.5}, True), 0.0),
    "a value is gone": (({"a": 0.5, "b": 0.5}, True), ({"a": 1.0}, True), 0.5),
    "all are others": (({"a": 1.0}, True), ({"b": 1.0}, True), 1.0),
    "the rest is not known": (({"a": 0.5, "b": 0.1}, False), ({"a": 0.5, "c": 0.1}, False), 0.0),
    "a frequent value is new": (({"a": 0.1, "b": 0.1}, False), ({"z": 0.6, "a": 0.1}, False), 0.5),
    "all are different": (({"a": 0.001}, False), ({"b": 0.001}, False), None),
}


@pytest.mark.parametrize("case", TOPS)
def test_frequent_values_tell_what_moved_at_least(case: str) -> None:
    """Of values that are not listed only so much is said as is known."""
    before, after, shift = TOPS[case]
    assert shift_of_top(before, after).get("shift") == shift
