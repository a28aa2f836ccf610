"""What the output area shows: legible on light and dark pages, and text stays text."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest

from jupyter_blocks.board import BoardLine
from jupyter_blocks.graphnodes import GraphNode
from jupyter_blocks.kernel.pictures import (
    Picture,
    board_picture,
    graph_picture,
    preview_picture,
    table_picture,
)
from jupyter_blocks.run import BlockStatus

BAD = "<script>alert('x')</script>"
PREVIEW = {
    "type": "table",
    "rows": 1,
    "columns": [
        {"name": BAD, "dtype": BAD, "nulls": 0, "min": BAD, "top": [[BAD, 1]]},
        {"name": "n", "dtype": "int64", "nulls": 0, "histogram": {"counts": [1, 2]}},
    ],
    "sample": [{BAD: BAD, "n": 3}],
}
TEXT = {"type": "text", "length": 5, "value": BAD}
NODE = GraphNode(BAD, "data_loader")
LINE = BoardLine(BAD, BlockStatus.FAILED, BAD, text=BAD)

PICTURES = {
    "table": table_picture(BAD, (BAD,), [[BAD], [(BAD, "bad")]], BAD, BAD),
    "preview": preview_picture(BAD, BAD, PREVIEW, 5),
    "text": preview_picture(BAD, BAD, TEXT, 5),
    "image": preview_picture(BAD, BAD, {"type": "figure", "repr": BAD}, 5, b"png"),
    "graph": graph_picture(BAD, [NODE]),
    "board": board_picture(BAD, [LINE], 3),
}


@pytest.mark.parametrize("name", PICTURES)
def test_nothing_of_data_or_names_becomes_html(name: str) -> None:
    """Titles, cells, statistics, texts, errors, labels of images."""
    html = PICTURES[name].html
    assert "<script" not in html
    assert "&lt;script&gt;" in html or "<img" in html
    assert "alert('" not in html


@pytest.mark.parametrize("name", PICTURES)
def test_every_picture_has_a_text(name: str) -> None:
    """For consoles, and for those who do not see."""
    bundle = PICTURES[name]._repr_mimebundle_()
    assert set(bundle) == {"text/html", "text/plain"}
    assert "script" in bundle["text/plain"]
    assert "<div" not in bundle["text/plain"]


def luminance(colour: str) -> float:
    """Relative luminance of `#rrggbb`, as WCAG defines it."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


PAGES = [
    ('[data-jp-theme-light="true"]', "#ffffff"),
    ('[data-jp-theme-light="false"]', "#111111"),
    ("body.vscode-light", "#ffffff"),
    ("body.vscode-dark", "#1e1e1e"),
]


@pytest.mark.parametrize(("page", "background"), PAGES)
@pytest.mark.parametrize("kind", ["good", "bad"])
def test_colours_can_be_read_on_every_page(page: str, background: str, kind: str) -> None:
    """At least 4.5 to 1, in JupyterLab, Notebook 7 and VS Code, light and dark."""
    found = re.search(
        re.escape(f"{page} .jpb .t td.{kind}") + r"\{color:(#\w{6})\}", PICTURES["table"].html
    )
    assert found is not None
    assert contrast(found[1], background) >= 4.5


def test_numbers_stand_right_and_words_left() -> None:
    """Heads with their cells; JupyterLab alone would set everything to the right."""
    html = PICTURES["preview"].html
    assert '<th class="r">n</th>' in html
    assert '<td class="r">3</td>' in html
    assert "<th>column</th>" in html
    assert ".jpb .t th,.jpb .t td{text-align:left" in html


def test_a_figure_is_shown_as_it_was_drawn() -> None:
    """By its picture, not by its repr."""
    picture: Picture = PICTURES["image"]
    assert 'src="data:image/png;base64,cG5n"' in picture.html


def test_a_value_says_once_what_it_is() -> None:
    """The line above it is not repeated below."""
    html = PICTURES["text"].html
    places = [found.start() for found in re.finditer("length 5", html)]
    assert len(places) == 1
    assert all(a < b for a, b in pairwise([*places, html.index("<pre>")]))
