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

_STYLE = """\
<style>.jpb{font-size:13px;line-height:1.4;color:inherit}.jpb table{border-collapse:collapse;
margin:.3em 0}.jpb th,.jpb td{text-align:left;padding:2px 12px 2px 0;
border-bottom:1px solid rgba(128,128,128,.35);background:none;color:inherit;white-space:nowrap}
.jpb .r{text-align:right}.jpb .dim{opacity:.7}.jpb .good{color:#00835f}.jpb .bad{color:#c4510a}
.jpb .scroll{overflow-x:auto}
@media (prefers-color-scheme:dark){.jpb .good{color:#3ccf9f}.jpb .bad{color:#f0935a}}
[data-jp-theme-light="true"] .jpb .good{color:#00835f}
[data-jp-theme-light="true"] .jpb .bad{color:#c4510a}
[data-jp-theme-light="false"] .jpb .good{color:#3ccf9f}
[data-jp-theme-light="false"] .jpb .bad{color:#f0935a}</style>"""

_PREVIEW_COLUMNS = ("column", "dtype", "nulls", "min", "mean", "max", "values")
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


Cell = str | tuple[str, str]
"""A text, or a text and its CSS class."""


def table_picture(
    title: str, columns: Sequence[str], rows: Sequence[Sequence[Cell]], note: str = ""
) -> Picture:
    """A table with a title above and a remark below."""
    plain = [[cell if isinstance(cell, str) else cell[0] for cell in row] for row in rows]
    body = table(tuple(Column(name) for name in columns), plain)
    text = "\n".join(part for part in (title, body, note) if part)
    remark = f'<div class="dim">{escape(note)}</div>' if note else ""
    return Picture(f"<b>{escape(title)}</b>{_html_table(columns, rows)}{remark}", text)


def graph_picture(pipeline: str, nodes: Sequence[GraphNode]) -> Picture:
    """The DAG; a picture of its own, so that its style stays in it."""
    svg = base64.b64encode(graph_svg(pipeline, nodes).encode()).decode()
    label = escape(f"Pipeline {pipeline}", quote=True)
    html = f'<img alt="{label}" style="max-width:100%" src="data:image/svg+xml;base64,{svg}">'
    return Picture(html, graph_text(nodes))


def preview_picture(title: str, preview: Mapping[str, Any], rows: int) -> Picture:
    """A stored value: schema with statistics, and the first rows."""
    text = f"{title}\n{preview_text(preview, rows)}"
    head = f'<b>{escape(title)}</b><div class="dim">{escape(headline(preview))}</div>'
    columns = list(preview.get("columns") or ())[:_MOST_COLUMNS]
    if not columns:
        return Picture(f"{head}<pre>{escape(preview_text(preview, rows))}</pre>", text)
    schema = _html_table(_PREVIEW_COLUMNS, [_schema_row(column) for column in columns])
    names = [str(column["name"]) for column in columns]
    sample = list(preview.get("sample") or ())[:rows]
    values = [[value_text(row.get(name)) for name in names] for row in sample]
    return Picture(head + schema + _html_table(names, values), text)


def board_picture(title: str, lines: Sequence[BoardLine], hidden: int) -> Picture:
    """A run that goes on, or has ended: one line for each block."""
    rows: list[list[Cell]] = []
    for line in lines:
        word = f"{STATUS_SYMBOLS[line.status]} {STATUS_WORDS[line.status]}"
        kind = "good" if line.status in _GOOD else "bad" if line.status in _BAD else "dim"
        rows.append([(word, kind), line.name, line.executor, (_time(line), "r"), line.text])
    note = f"... and {hidden} more" if hidden else ""
    return table_picture(title, ("status", "block", "executor", "time", ""), rows, note)


_BAD = (BlockStatus.FAILED, BlockStatus.UPSTREAM_FAILED, BlockStatus.CANCELLED)


def _time(line: BoardLine) -> str:
    if line.since is not None:
        return duration_text(max(0.0, time.time() - line.since))
    return duration_text(line.duration_s) if line.duration_s is not None else ""


def _schema_row(column: Mapping[str, Any]) -> list[Cell]:
    histogram = column.get("histogram")
    shown = sparkline(histogram["counts"]) if histogram else ""
    if not shown:
        shown = ", ".join(value_text(value) for value, _count in (column.get("top") or ())[:3])
    figures = [column.get(key) for key in ("nulls", "min", "mean", "max")]
    texts: list[Cell] = [("" if each is None else value_text(each), "r") for each in figures]
    return [str(column["name"]), (str(column["dtype"]), "dim"), *texts, shown]


def _html_table(columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in columns)
    body = "".join(f"<tr>{''.join(map(_html_cell, row))}</tr>" for row in rows)
    return (
        f'<div class="scroll"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _html_cell(cell: Cell) -> str:
    if isinstance(cell, str):
        return f"<td>{escape(cell)}</td>"
    return f'<td class="{cell[1]}">{escape(cell[0])}</td>'
