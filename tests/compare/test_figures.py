"""Figures by what they show."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyArrowPatch

from jupyter_blocks.compare import compare

IN_BOTH = "{} in the notebook, {} in the pipeline"
Draw = Callable[[Axes], Any]


def figure(*draws: Draw, **options: Any) -> Figure:
    """A figure with one axes for each function that draws into it."""
    made = Figure(**options)
    for number, draw in enumerate(draws, start=1):
        draw(made.add_subplot(1, len(draws), number))
    return made


def solid(draw: Draw) -> Figure:
    """A figure with three-dimensional axes."""
    made = Figure()
    draw(made.add_subplot(projection="3d"))
    return made


def labelled(axes: Axes) -> None:
    axes.plot([1, 2, 3], "r--o", label="growth")
    axes.set(title="A title", xlabel="time", ylabel="size", yscale="log", xlim=(0, 5))
    axes.set_xticks([0, 2], ["none", "two"])
    axes.legend(title="what")


def many(axes: Axes) -> None:
    axes.bar(["a", "b"], [1.0, 2.0])
    axes.hist([1, 1, 2])
    axes.scatter([1, 2], [3, np.nan], c=[1.0, 2.0], s=[10, 20])
    axes.imshow(np.arange(6).reshape(2, 3), aspect="auto")
    axes.text(0.5, 0.5, "here")
    axes.annotate("there", (1, 2), (2, 3), arrowprops={"arrowstyle": "->"})
    axes.fill_between([1, 2], [0, 1])
    axes.errorbar([1, 2], [1, 2], yerr=0.1)
    axes.contour(np.arange(9).reshape(3, 3))
    axes.pcolormesh(np.arange(4).reshape(2, 2))
    axes.boxplot([[1, 2, 3]])
    axes.quiver([1], [1], [1], [1])
    axes.table([["a", "b"]])
    axes.pie([1, 2])
    axes.axhline(1)
    axes.add_patch(FancyArrowPatch((0, 0), (1, 1)))
    axes.inset_axes((0, 0, 0.2, 0.2)).plot([1])
    axes.twinx().plot([3, 4])


def pandas_plot(axes: Axes) -> None:
    pd.Series([1, 2, 3], pd.date_range("2020", periods=3)).plot(ax=axes)


FIGURES: dict[str, Callable[[], Any]] = {
    "labelled": lambda: figure(labelled),
    "many kinds": lambda: figure(many, labelled),
    "pandas": lambda: figure(pandas_plot),
    "polar": lambda: Figure().add_subplot(projection="polar"),
    "axes": lambda: figure(labelled).axes[0],
    "empty": Figure,
    "three dimensions": lambda: solid(
        lambda axes: (
            axes.scatter([1, 2], [3, 4], [5, 6]),  # type: ignore[misc]
            axes.plot([1, 2], [3, 4], [5, 6]),
            axes.plot_surface(*np.mgrid[0:2, 0:2], np.ones((2, 2))),  # type: ignore[attr-defined]
        )
    ),
    "lines": lambda: figure(labelled).axes[0].lines[0],
    "bars": lambda: Figure().add_subplot().bar([1, 2], [3, 4]),
    "histogram": lambda: Figure().add_subplot().hist([1, 2, 2]),
    "several": lambda: np.array(list(figure(labelled, many).axes), dtype=object),
    "norm": lambda: mpl.colors.Normalize(0, 1),
    "tight": lambda: figure(many, layout="constrained"),
}


@pytest.mark.filterwarnings("ignore:Pickle, copy:DeprecationWarning")  # of itertools
@pytest.mark.parametrize("name", FIGURES)
def test_the_same_drawn_twice_is_equal(name: str) -> None:
    """Also where one of them was drawn before, and stored and loaded."""
    one, other = FIGURES[name](), FIGURES[name]()
    if hasattr(one, "savefig"):
        one.draw_without_rendering()
        other = pickle.loads(pickle.dumps(other))
    verdict = compare(one, other)
    assert verdict.outcome == "equal", verdict.detail


def plot(*arguments: Any, **options: Any) -> Draw:
    """Draw one line."""
    return lambda axes: axes.plot(*arguments, **options)


@pytest.mark.parametrize(
    ("one", "other", "detail"),
    [
        (plot([1, 2]), plot([1, 3]), ".lines: [0]: .y: [1]: " + IN_BOTH.format("2.0", "3.0")),
        (
            lambda axes: axes.set_xlim(0, 5),
            lambda axes: axes.set_xlim(0, 6),
            ".axis: [0]: ['limits']: [1]: " + IN_BOTH.format("5.0", "6.0"),
        ),
        (
            plot([1, 2], "r"),
            plot([1, 2], "b"),
            ".lines: [0]: .colour: [0]: " + IN_BOTH.format("1.0", "0.0"),
        ),
        (plot([1]), plot([1], label="x"), ".lines: [0]: only the pipeline's has .label"),
        (
            lambda axes: axes.set_title("a"),
            lambda axes: axes.set_title("b"),
            ".title: ['center']: " + IN_BOTH.format("'a'", "'b'"),
        ),
        (
            lambda axes: axes.set_xlabel("a"),
            lambda axes: axes.set_xlabel("b"),
            ".axis: [0]: ['label']: " + IN_BOTH.format("'a'", "'b'"),
        ),
        (
            lambda axes: axes.text(0.5, 0.5, "a"),
            lambda axes: axes.text(0.5, 0.5, "b"),
            ".texts: [0]: .text: " + IN_BOTH.format("'a'", "'b'"),
        ),
        (
            lambda axes: axes.imshow([[1, 2]]),
            lambda axes: axes.imshow([[1, 3]]),
            ".images: [0]: .values: [0, 1]: " + IN_BOTH.format(2, 3),
        ),
        (
            lambda axes: axes.scatter([0, 1, 1], [0, 1, 0]),
            lambda axes: axes.scatter([0, 1, 0], [0, 1, 0]),
            ".collections: [0]: .points: [2, 0]: " + IN_BOTH.format("1.0", "0.0"),
        ),
        (
            lambda axes: axes.set_xticks([0, 1], ["a", "b"]),
            lambda axes: axes.set_xticks([0, 1], ["a", "c"]),
            ".axis: [0]: ['ticks']: ['labels']: [1]: " + IN_BOTH.format("'b'", "'c'"),
        ),
        (
            lambda axes: axes.add_patch(Circle((0, 0), 0.5)),
            lambda axes: axes.add_patch(Circle((0, 0), 0.5, color="r")),
            ".patches: [0]: .colour: [0]: ",
        ),
        (
            lambda axes: axes.set_yscale("log"),
            lambda axes: axes.set_yscale("linear"),
            ".axis: [1]: ['limits']: ",
        ),
        (lambda axes: axes.axis("on"), lambda axes: axes.axis("off"), ".is_on: "),
    ],
)
def test_differences_are_found_and_placed(one: Draw, other: Draw, detail: str) -> None:
    """Which axes, which line, which point."""
    verdict = compare(figure(one), figure(other))
    assert verdict.outcome == "different"
    assert verdict.detail.startswith(f".axes: [0]: {detail}"), verdict.detail


def test_three_dimensions_have_depth() -> None:
    """Points that look the same from the front are not the same."""
    one, other = (
        solid(lambda axes, z=z: axes.scatter([0, 1], [0, 1], [0, z]))  # type: ignore[misc]
        for z in (1, 2)
    )
    assert compare(one, other).outcome == "different"


def test_sizes_and_titles_of_figures() -> None:
    """What a figure has besides its axes."""
    one, other = Figure((3, 2)), Figure((4, 2))
    assert compare(one, other).detail == ".size: [0]: " + IN_BOTH.format("3.0", "4.0")
    one, other = Figure(), Figure()
    one.suptitle("a")
    other.suptitle("b")
    assert compare(one, other).detail == ".suptitle: " + IN_BOTH.format("'a'", "'b'")


def test_what_shows_no_data_is_said() -> None:
    """A part of a figure by itself, such as an axis."""
    one, other = (figure(labelled).axes[0].xaxis for _ in range(2))
    verdict = compare(one, other)
    assert (verdict.outcome, verdict.detail) == ("not_comparable", "matplotlib.XAxis shows no data")


def test_charts_that_are_plain_data() -> None:
    """Those of plotly and altair say themselves what they show."""

    def chart(*values: float) -> Any:
        document = {"data": [{"y": list(values)}], "layout": {}}
        made: Any = type("Figure", (), {"__module__": "plotly.graph_objs"})()
        type(made).to_dict = lambda _self: document
        return made

    assert compare(chart(1, 2), chart(1, 2)).outcome == "equal"
    assert compare(chart(1, 2), chart(1, 3)).detail == (
        "['data']: [0]: ['y']: [1]: 2 in the notebook, 3 in the pipeline"
    )
