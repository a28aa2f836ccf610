"""Figures by what they show: lines, bars, points, images, texts, limits and labels.

Where things end up on paper is left to the drawing: fonts, margins and ticks that a figure chooses
by itself are not compared. Both figures are drawn once before, because some of what they show is
only settled then.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from jupyter_blocks.compare.verdict import Compare, Verdict, not_comparable, parts, type_name

__all__ = ["compare_artists", "compare_charts"]

_DRAWN = "_jupyter_blocks_drawn"
_AXES = "xyz"
_THREE_D = ("_offsets3d", "_vec", "_segments3d", "_vec3d")
"""Where three-dimensional collections keep their points; the flat ones are how these look."""


class _Shown:
    """What one part of a figure shows, by name."""

    def __init__(self, artist: Any, **shown: Any) -> None:
        self.kind = type(artist).__name__
        label = artist.get_label() if hasattr(artist, "get_label") else ""
        if label and not str(label).startswith("_"):
            self.label = str(label)
        if hasattr(artist, "get_visible") and not artist.get_visible():
            self.visible = False
        self.__dict__.update(shown)


def compare_charts(one: Any, other: Any, compare: Compare) -> Verdict | None:
    """Charts that say what they show as plain data: those of plotly and altair."""
    if not hasattr(one, "to_dict"):
        return None
    try:
        documents = one.to_dict(), other.to_dict()
    except Exception:  # the chart decides what it cannot be
        return None
    return compare(*documents)


def compare_artists(one: Any, other: Any, compare: Compare) -> Verdict | None:
    """Matplotlib's figures, axes and what is in them; its other objects are like any."""
    from matplotlib.artist import Artist

    if isinstance(one, tuple):  # the bars of a bar chart
        pairs = enumerate(zip(one, other, strict=False))
        return parts(compare, ((f"[{number}]: ", None, *pair) for number, pair in pairs))
    if not isinstance(one, Artist):
        return None
    shown = []
    for artist in (one, other):
        _draw(artist)
        shown.append(_shown(artist))
    if shown[0] is None or shown[1] is None:
        return not_comparable(f"{type_name(one)} shows no data")
    return compare(*shown)


def _draw(artist: Any) -> None:
    """Let the figure of an artist settle what it leaves open until it is drawn."""
    figure = artist
    while not hasattr(figure, "savefig") and getattr(figure, "figure", None) is not None:
        figure = figure.figure
    if not hasattr(figure, "draw_without_rendering") or getattr(figure, _DRAWN, False):
        return
    setattr(figure, _DRAWN, True)
    with warnings.catch_warnings(), suppress(Exception):
        warnings.simplefilter("ignore")
        figure.draw_without_rendering()


def _shown(artist: Any) -> _Shown | None:
    names = {f"{kind.__module__}.{kind.__qualname__}" for kind in type(artist).__mro__}
    for name, describe in _KINDS.items():
        if name in names:
            return describe(artist)
    return None


def _all(artists: Iterable[Any]) -> list[Any]:
    """What each artist shows; one that shows no data counts by its class alone."""
    return [_shown(artist) or type(artist).__name__ for artist in artists]


# figures and axes


def _figure(figure: Any) -> _Shown:
    title = getattr(figure, "_suptitle", None)
    return _Shown(
        figure,
        size=tuple(map(float, figure.get_size_inches())) if hasattr(figure, "savefig") else (),
        suptitle=title.get_text() if title is not None else "",
        axes=_all(figure.axes),
        texts=_all(text for text in figure.texts if text is not title),
        lines=_all(figure.lines),
        patches=_all(figure.patches),
        images=_all(figure.images),
        legends=_all(figure.legends),
    )


def _axes(axes: Any) -> _Shown:
    legend = axes.get_legend()
    return _Shown(
        axes,
        projection=getattr(axes, "name", ""),
        title={place: axes.get_title(place) for place in ("left", "center", "right")},
        is_on=axes.axison,
        colour=axes.get_facecolor(),
        lines=_all(axes.lines),
        patches=_all(axes.patches),
        collections=_all(axes.collections),
        images=_all(axes.images),
        texts=_all(axes.texts),
        tables=_all(axes.tables),
        insets=_all(axes.child_axes),
        legend=_shown(legend) if legend is not None else None,
        axis=[_axis(axes, letter) for letter in _AXES if hasattr(axes, f"get_{letter}lim")],
    )


def _axis(axes: Any, letter: str) -> dict[str, Any]:
    axis = getattr(axes, f"{letter}axis")
    # Where the same unit is to be as long on both axes, they may be made longer to fill the paper.
    is_stretched = axes.get_aspect() != "auto" and axes.get_adjustable() == "datalim"
    limits = getattr(axes, f"get_{letter}lim")()
    return {
        "limits": None if is_stretched else tuple(map(float, limits)),
        "label": axis.get_label_text(),
        "scale": axis.get_scale(),
        "ticks": _fixed_ticks(axis),
    }


def _fixed_ticks(axis: Any) -> Any:
    """Ticks somebody has set; those the axis finds by itself follow from its limits."""
    if type(axis.get_major_locator()).__name__ != "FixedLocator":
        return None
    labels = [label.get_text() for label in axis.get_ticklabels()]
    return {"positions": axis.get_ticklocs(), "labels": labels}


# what is drawn


def _line(line: Any) -> _Shown:
    points = line.get_data_3d() if hasattr(line, "get_data_3d") else line.get_xydata().T
    return _Shown(
        line,
        **dict(zip(_AXES, map(_plain, points), strict=False)),
        colour=_colour(line.get_color()),
        style=line.get_linestyle(),
        width=float(line.get_linewidth()),
        marker=str(line.get_marker()),
        alpha=line.get_alpha(),
    )


def _patch(patch: Any) -> _Shown:
    if hasattr(patch, "_posA_posB"):  # an arrow: its path depends on where it is drawn
        points: Any = patch._posA_posB
    else:
        path = patch.get_patch_transform().transform_path(patch.get_path())
        points = path.vertices
    return _Shown(patch, points=points, colour=patch.get_facecolor(), edge=patch.get_edgecolor())


def _collection(collection: Any) -> _Shown:
    solid = next((name for name in _THREE_D if getattr(collection, name, None) is not None), "")
    flat = [] if solid else [_plain(path.vertices) for path in collection.get_paths()]
    return _Shown(
        collection,
        points=getattr(collection, solid) if solid else _plain(collection.get_offsets()),
        paths=flat,
        colours=collection.get_facecolor(),
        edges=collection.get_edgecolor(),
        sizes=collection.get_sizes() if hasattr(collection, "get_sizes") else None,
        **_coloured(collection),
    )


def _image(image: Any) -> _Shown:
    extent = image.get_extent() if hasattr(image, "get_extent") else ()
    return _Shown(image, extent=tuple(map(float, extent)), **_coloured(image))


def _coloured(mappable: Any) -> dict[str, Any]:
    """Values that colours stand for."""
    return {
        "values": _plain(mappable.get_array()),
        "colour_limits": mappable.get_clim(),
        "colour_map": mappable.get_cmap().name if mappable.get_array() is not None else "",
    }


def _text(text: Any) -> _Shown:
    points_at = getattr(text, "xy", None)
    return _Shown(
        text,
        text=text.get_text(),
        position=tuple(text.get_position()),
        points_at=tuple(points_at) if isinstance(points_at, Sequence) else points_at,
        colour=_colour(text.get_color()),
    )


def _legend(legend: Any) -> _Shown:
    texts = [text.get_text() for text in legend.get_texts()]
    return _Shown(legend, title=legend.get_title().get_text(), texts=texts)


def _table(table: Any) -> _Shown:
    cells = {place: cell.get_text().get_text() for place, cell in table.get_celld().items()}
    return _Shown(table, cells=cells)


def _colour(colour: Any) -> Any:
    """A colour as red, green, blue and opacity, however it was named."""
    colours = sys.modules["matplotlib.colors"]
    try:
        return colours.to_rgba(colour)
    except (TypeError, ValueError):
        return colour


def _plain(values: Any) -> Any:
    """Points without what masks hide."""
    import numpy as np

    if not isinstance(values, np.ma.MaskedArray):
        return values
    if values.dtype.kind in "fc":
        return values.filled(np.nan)
    return values.filled() if np.ma.is_masked(values) else values.data


_KINDS: Mapping[str, Callable[[Any], _Shown]] = {
    "matplotlib.figure.FigureBase": _figure,
    "matplotlib.axes._base._AxesBase": _axes,
    "matplotlib.lines.Line2D": _line,
    "matplotlib.patches.Patch": _patch,
    "matplotlib.collections.Collection": _collection,
    "matplotlib.image._ImageBase": _image,
    "matplotlib.text.Text": _text,
    "matplotlib.legend.Legend": _legend,
    "matplotlib.table.Table": _table,
}
"""Base class -> how what it shows is read. A class is found by name, so none is imported."""
