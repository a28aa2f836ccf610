"""A backend of matplotlib for blocks: figures begin and end as they do in a notebook.

Jupyter's own backend shows all figures of pyplot and closes them, at `plt.show()` and at the end of
each cell that has begun one; what `plt.title(...)` means after that depends on it. This one does
the same and shows nothing. matplotlib finds it by its name (`isolation.figures_as_in_notebooks`);
it needs no IPython.
"""

from __future__ import annotations

from typing import Any

from matplotlib import pyplot as plt
from matplotlib.backend_bases import FigureManagerBase
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

__all__ = [
    "FigureCanvas",
    "end_cell",
    "new_figure_manager",
    "new_figure_manager_given_figure",
    "show",
]

FigureCanvas = FigureCanvasAgg
"""Figures are drawn in memory."""

_begun: list[int | str] = []
"""Numbers of the figures begun since the last cell ended."""


def new_figure_manager(
    num: int | str,
    *args: Any,
    FigureClass: type[Figure] = Figure,  # noqa: N803 - so matplotlib calls it
    **kwargs: Any,
) -> FigureManagerBase:
    """What pyplot calls for a new figure."""
    return new_figure_manager_given_figure(num, FigureClass(*args, **kwargs))


def new_figure_manager_given_figure(num: int | str, figure: Figure) -> FigureManagerBase:
    """What pyplot calls to make a figure one of its own."""
    manager = FigureManagerBase(FigureCanvas(figure), num)
    _begun.append(num)
    return manager


def show(close: Any = None, block: bool | None = None) -> None:
    """Close all figures, as showing them in a notebook does; anything may be given as `close`."""
    del block
    if close is None or close:
        plt.close("all")


def end_cell() -> None:
    """Close all figures if one was begun since the last call."""
    if _begun:
        _begun.clear()
        plt.close("all")
