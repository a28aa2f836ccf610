"""Figures come back with a picture, and pyplot never notices."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jupyter_blocks.variables.formats import decode
from tests.variables.stored import store, there_and_back


@pytest.fixture
def pyplot() -> Iterator[Any]:
    """Matplotlib without a window."""
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    yield plt
    plt.close("all")


@pytest.mark.parametrize("what", ["figure", "axes"])
def test_figures_come_back_with_a_picture(what: str, pyplot: Any, tmp_path: Path) -> None:
    """They can be drawn on; pyplot's own figures and the current one are what they were."""
    figure, axes = pyplot.subplots()
    axes.plot([1, 2, 4], label="prices")
    stored, source = store(tmp_path, figure if what == "figure" else axes)
    again = decode(stored, source)
    again = again if what == "figure" else again.figure
    assert again.axes[0].lines[0].get_label() == "prices"
    again.axes[0].plot([3, 3])
    assert (pyplot.get_fignums(), pyplot.gcf()) == ([1], figure)
    assert stored.type == "figure"
    picture = tmp_path / "attempt" / stored.objects[-1].key
    assert picture.suffix == ".png"
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_figures_inside_objects_do_not_become_current(pyplot: Any, tmp_path: Path) -> None:
    """Nor does one with a local function in it, which cloudpickle has to store."""
    figure, axes = pyplot.subplots()
    axes.yaxis.set_major_formatter(lambda value, _position: f"{value} EUR")
    again = there_and_back(tmp_path, {"figure": figure})
    assert len(again["figure"].axes) == 1
    there_and_back(tmp_path / "alone", figure)
    assert (pyplot.get_fignums(), pyplot.gcf()) == ([1], figure)


def test_a_figure_that_cannot_be_drawn_is_stored_without_a_picture(
    pyplot: Any, tmp_path: Path
) -> None:
    """Half a picture is taken away again."""
    figure, axes = pyplot.subplots()
    axes.set_title("$\\nosuchcommand$")
    stored, source = store(tmp_path, figure)
    assert [Path(item.key).suffix for item in stored.objects] == [".pickle"]
    assert decode(stored, source).axes[0].get_title() == "$\\nosuchcommand$"
