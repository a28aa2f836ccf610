"""What people see in the output area: HTML for light and dark pages, plain text for all others.

Everything that comes from data or names is escaped. Colours are those of the page around.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from jupyter_blocks.board import BoardLine
from jupyter_blocks.graphnodes import GraphNode
from jupyter_blocks.graphsvg import graph_svg
from jupyter_blocks.graphtext import graph_text
from jupyter_blocks.previewtext import headline, preview_text, sparkline, value_text
from jupyter_blocks.run import BlockStatus
from jupyter_blocks.tables import Column, table
from jupyter_blocks.wording import STATUS_SYMBOLS, STATUS_WORDS, duration_text

__all__ = ["Picture", "board_picture", "graph_picture", "preview_picture", "table_picture"]

_LIGHT, _DARK = ("#007a59", "#b84a06"), ("#3ccf9f", "#f0935a")
"""Colours of good and bad on light and on dark pages; 4.5 to 1 and more against either."""


def _colours(where: str, colours: tuple[str, str], scheme: str) -> str:
    good, bad = colours
    return (
        f"{where} .jpb .t td.good{{color:{good}}}{where} .jpb .t td.bad{{color:{bad}}}"
        f"{where} .jpb img{{color-scheme:{scheme}}}"
    )


# The selectors are narrower than JupyterLab's, which set tables to the right and in stripes.
# The page says whether it is dark; where it does not, the system does.
_STYLE = f"""\
<style>.jpb{{font-size:13px;line-height:1.4;color:inherit}}
.jpb .t{{border-collapse:collapse;margin:.3em 0;border:0;font-variant-numeric:tabular-nums}}
.jpb .t tr,.jpb .t tbody tr:nth-child(n){{background:none}}
.jpb .t th,.jpb .t td{{text-align:left;vertical-align:baseline;padding:2px 16px 2px 0;border:0;
border-bottom:1px solid rgba(128,128,128,.35);background:none;color:inherit;white-space:nowrap;
max-width:40em;overflow:hidden;text-overflow:ellipsis}}
.jpb .t th.r,.jpb .t td.r{{text-align:right}}.jpb .dim,.jpb .t td.dim{{opacity:.75}}
.jpb .t td.w{{white-space:normal;max-width:60em}}
.jpb .bars{{letter-spacing:0;line-height:1;font-family:monospace}}
.jpb .scroll{{overflow-x:auto}}.jpb pre{{margin:.3em 0;overflow-x:auto}}
.jpb img{{max-width:100%;margin:.3em 0}}
.jpb .t td.good{{color:{_LIGHT[0]}}}.jpb .t td.bad{{color:{_LIGHT[1]}}}
@media (prefers-color-scheme:dark){{.jpb .t td.good{{color:{_DARK[0]}}}
.jpb .t td.bad{{color:{_DARK[1]}}}}}
{_colours('[data-jp-theme-light="true"]', _LIGHT, "light")}
{_colours('[data-jp-theme-light="false"]', _DARK, "dark")}
{_colours("body.vscode-light", _LIGHT, "light")}
{_colours("body.vscode-dark", _DARK, "dark")}</style>"""

Cell = str | tuple[str, str]
"""A text, or a text and its CSS class: `r` stands on the right, `w` is wrapped."""

_PREVIEW_COLUMNS: tuple[Cell, ...] = (
    "column",
    "dtype",
    *((name, "r") for name in ("nulls", "min", "mean", "max")),
    "values",
)
_MOST_COLUMNS = 24
_GOOD = (BlockStatus.SUCCEEDED, BlockStatus.CACHED)


class Picture:
    """One thing to show, as HTML and as text."""

    def __init__(self, html: str, text: str) -> None:
        self.html = f'{_STYLE}<div class="jpb">{html}</div>'
        self.text = text

    def __repr__(self) -> str:
        return self.text

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {"text/html": self.html, "text/plain": self.text}


def table_picture(
    title: str,
    columns: Sequence[Cell],
    rows: Sequence[Sequence[Cell]],
    note: str = "",
    remark: str = "",
) -> Picture:
    """A table with a title above, beside which may be a remark, and a note below."""
    heads = [Column(_text(cell), right=_class(cell) == "r") for cell in columns]
    body = table(tuple(heads), [[_text(cell) for cell in row] for row in rows])
    head = "  ".join(part for part in (title, remark) if part)
    text = "\n".join(part for part in (head, body, note) if part)
    below = "".join(f'<div class="dim">{escape(line)}</div>' for line in note.splitlines())
    return Picture(f"{_head(title, remark)}{_html_table(columns, rows)}{below}", text)


def graph_picture(pipeline: str, nodes: Sequence[GraphNode]) -> Picture:
    """The DAG; a picture of its own, so that its style stays in it."""
    svg = base64.b64encode(graph_svg(pipeline, nodes).encode()).decode()
    label = escape(f"Pipeline {pipeline}", quote=True)
    html = f'<img alt="{label}" src="data:image/svg+xml;base64,{svg}">'
    return Picture(html, graph_text(nodes))


def preview_picture(
    title: str, remark: str, preview: Mapping[str, Any], rows: int, image: bytes | None = None
) -> Picture:
    """A stored value: its picture, or schema with statistics and the first rows, or its text."""
    text = preview_text(preview, rows)
    head = f'{_head(title, remark)}<div class="dim">{escape(headline(preview))}</div>'
    columns = list(preview.get("columns") or ())[:_MOST_COLUMNS]
    if image is not None:
        png = base64.b64encode(image).decode()
        label = escape(f"Figure {title}", quote=True)
        body = f'<img alt="{label}" src="data:image/png;base64,{png}">'
    elif columns:
        body = _table_body(columns, list(preview.get("sample") or ())[:rows])
    else:
        body = f"<pre>{escape(text.partition(chr(10) * 2)[2])}</pre>"
    return Picture(head + body, f"{title}  {remark}\n{text}")


def _head(title: str, remark: str) -> str:
    beside = f' <span class="dim">{escape(remark)}</span>' if remark else ""
    return f"<div><b>{escape(title)}</b>{beside}</div>"


def _table_body(columns: Sequence[Mapping[str, Any]], sample: Sequence[Mapping[str, Any]]) -> str:
    names = [str(column["name"]) for column in columns]
    sides = ["r" if _is_number(column) else "" for column in columns]
    heads = list(zip(names, sides, strict=True))
    values = [
        [(value_text(row.get(name)), side) for name, side in zip(names, sides, strict=True)]
        for row in sample
    ]
    schema = _html_table(_PREVIEW_COLUMNS, [_schema_row(column) for column in columns])
    return schema + _html_table(heads, values)


def _is_number(column: Mapping[str, Any]) -> bool:
    return str(column["dtype"]).lower().startswith(("int", "uint", "float", "double", "decimal"))


def board_picture(title: str, lines: Sequence[BoardLine], hidden: int) -> Picture:
    """A run that goes on, or has ended: one line for each block."""
    rows: list[list[Cell]] = []
    for line in lines:
        word = f"{STATUS_SYMBOLS[line.status]} {STATUS_WORDS[line.status]}"
        kind = "good" if line.status in _GOOD else "bad" if line.status in _BAD else "dim"
        rows.append([(word, kind), line.name, line.executor, (_time(line), "r"), (line.text, "w")])
    note = f"... and {hidden} more" if hidden else ""
    return table_picture(title, ("status", "block", "executor", ("time", "r"), ""), rows, note)


_BAD = (BlockStatus.FAILED, BlockStatus.UPSTREAM_FAILED, BlockStatus.CANCELLED)


def _time(line: BoardLine) -> str:
    if line.since is not None:
        return duration_text(max(0.0, time.time() - line.since))
    return duration_text(line.duration_s) if line.duration_s is not None else ""


def _schema_row(column: Mapping[str, Any]) -> list[Cell]:
    histogram = column.get("histogram")
    shown: Cell = (sparkline(histogram["counts"]), "bars") if histogram else ""
    if not _text(shown):
        shown = ", ".join(value_text(value) for value, _count in (column.get("top") or ())[:3])
    figures = [column.get(key) for key in ("nulls", "min", "mean", "max")]
    texts: list[Cell] = [("" if each is None else value_text(each), "r") for each in figures]
    return [str(column["name"]), (str(column["dtype"]), "dim"), *texts, shown]


def _html_table(columns: Sequence[Cell], rows: Sequence[Sequence[Cell]]) -> str:
    head = "".join(_html_cell(cell, "th") for cell in columns)
    body = "".join(f"<tr>{''.join(map(_html_cell, row))}</tr>" for row in rows)
    return (
        f'<div class="scroll"><table class="t"><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _html_cell(cell: Cell, tag: str = "td") -> str:
    kind = f' class="{_class(cell)}"' if _class(cell) else ""
    return f"<{tag}{kind}>{escape(_text(cell))}</{tag}>"


def _text(cell: Cell) -> str:
    return cell if isinstance(cell, str) else cell[0]


def _class(cell: Cell) -> str:
    return "" if isinstance(cell, str) else cell[1]
