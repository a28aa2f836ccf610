"""matplotlib figures: pickled, so that code can go on with them, and drawn once for the eye.

Axes count as their figure. The copy that proves the pickle loads is the one that is drawn: the
user's own figure is not touched.
"""

from __future__ import annotations

import warnings
from typing import Any

from jupyter_blocks.errors import VariableError
from jupyter_blocks.variables.formats.base import Encoded, Format, NotExactError, Sink
from jupyter_blocks.variables.formats.objects import OBJECT, read_pickle, write_pickle

__all__ = ["FIGURE", "is_figure"]

_MOST_PIXELS = 4_000_000
"""Larger figures are drawn with fewer dots per inch."""
_CLASSES = ("matplotlib.figure.Figure", "matplotlib.axes._base._AxesBase")


def is_figure(kind: type) -> bool:
    """Whether a class is a matplotlib figure or one of its axes; imports nothing."""
    return any(f"{base.__module__}.{base.__qualname__}" in _CLASSES for base in kind.__mro__)


def _write(value: Any, sink: Sink) -> Encoded:
    if not is_figure(type(value)):
        raise NotExactError("not a figure")
    meta = write_pickle(value, sink)
    return Encoded("figure", meta, view=_draw(read_pickle(meta, sink.source()), sink))


def _draw(value: Any, sink: Sink) -> dict[str, Any]:
    """Draw the figure into a `.png` of the sink; its size in pixels, or why there is none."""
    try:
        figure = _figure(value)
        dpi = _dots_per_inch(figure)
        with warnings.catch_warnings(), sink.file(".png") as file:
            warnings.simplefilter("ignore")
            figure.savefig(file, format="png", dpi=dpi)
    except (MemoryError, VariableError):
        raise
    except Exception as error:
        return {"note": f"The figure could not be drawn: {type(error).__name__}: {error}"}
    width, height = (round(inches * dpi) for inches in figure.get_size_inches())
    return {"png": sink.objects[-1].key, "width": width, "height": height}


def _figure(value: Any) -> Any:
    """The figure itself, or the one that axes lie in."""
    while not hasattr(value, "savefig"):
        value = value.figure
    return value


def _dots_per_inch(figure: Any) -> float:
    width, height = figure.get_size_inches()
    dpi = float(figure.dpi)
    pixels = width * height * dpi * dpi
    return dpi if pixels <= _MOST_PIXELS else float(dpi * (_MOST_PIXELS / pixels) ** 0.5)


FIGURE = Format("pickle", _write, OBJECT.read)
