"""Previews of stored values as text: schema, statistics and small histograms, a sample of rows."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from jupyter_blocks.console import PLAIN, Style
from jupyter_blocks.tables import GAP, Cell, Column, Painted, display_width, table
from jupyter_blocks.wording import bytes_text, count_text, one_line

__all__ = ["headline", "preview_text", "sparkline", "value_text"]

_BARS = "▁▂▃▄▅▆▇█"
_TOP_WIDTH = 24
_CELL_WIDTH = 32
_DATE_WIDTH, _TIME_WIDTH = 10, 19
"""A date; a date and a time without its zone, which the dtype names."""
_MOST_DECIMALS = 4
_SHOWN_COLUMNS = 24
_TEXT_LINES = 40


def preview_text(preview: Mapping[str, Any], rows: int, style: Style = PLAIN) -> str:
    """All that a preview says, for people; `rows` is how many rows of its sample are shown."""
    parts = [headline(preview)]
    if preview.get("columns"):
        parts += [_schema(preview, style), _sample(preview, rows, style)]
    elif preview.get("shape") is not None:
        parts += [_array(preview, style)]
    elif preview.get("value") is not None:
        parts.append(_value(preview["value"], bool(preview.get("truncated"))))
    elif preview.get("repr"):
        parts.append(str(preview["repr"]))
    if preview.get("note"):
        parts.append(style.paint(str(preview["note"]), "dim"))
    return "\n\n".join(part for part in parts if part)


def headline(preview: Mapping[str, Any]) -> str:
    """`table, 336,776 rows x 19 columns, 24.1 MB (pandas.DataFrame)`."""
    parts = [str(preview["type"])]
    if preview.get("shape") is not None:
        parts.append(f"{' x '.join(map(count_text, preview['shape']))} of {preview['dtype']}")
    elif preview.get("rows") is not None:
        columns = len(preview.get("columns") or ()) + int(preview.get("omitted_columns") or 0)
        wide = f" x {count_text(columns)} columns" if preview["type"] == "table" else ""
        parts.append(f"{count_text(preview['rows'])} rows{wide}")
    elif preview.get("length") is not None:
        parts.append(f"length {count_text(preview['length'])}")
    if preview.get("bytes") is not None:
        parts.append(bytes_text(preview["bytes"]))
    kind = _class_name(str(preview.get("python_type", "")))
    return ", ".join(parts) + (f" ({kind})" if kind and preview["type"] != "json" else "")


def _class_name(python_type: str) -> str:
    """`pandas.core.frame.DataFrame` as people know it: `pandas.DataFrame`."""
    package, _, rest = python_type.partition(".")
    name = rest.rpartition(".")[2] or package
    return name if package in ("builtins", name) else f"{package}.{name}"


def sparkline(counts: Sequence[float]) -> str:
    """A histogram of one character for each bin; empty bins are blank."""
    most = max(counts, default=0)
    if most <= 0:
        return ""
    last = len(_BARS) - 1
    return "".join(_BARS[round(count / most * last)] if count else " " for count in counts)


def value_text(value: Any) -> str:
    """One value of a cell: `null`, `12.5`, `1,204`, `2013-01-01`."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, dict | list):
        return one_line(json.dumps(value, ensure_ascii=False, default=str), _CELL_WIDTH)
    return one_line(value, _CELL_WIDTH)


# schema


def _schema(preview: Mapping[str, Any], style: Style) -> str:
    columns = (
        Column("column", shrink=True),
        Column("dtype", shrink=True),
        Column("nulls", right=True),
        Column("min", right=True, optional=True),
        Column("mean", right=True, optional=True),
        Column("max", right=True, optional=True),
        Column("distinct", right=True, optional=True),
        Column("values"),
    )
    rows = int(preview.get("rows") or 0)
    lines = [_schema_row(column, rows) for column in preview["columns"]]
    text = table(columns, lines, style=style)
    omitted = preview.get("omitted_columns")
    return f"{text}\n... and {count_text(omitted)} more columns" if omitted else text


def _schema_row(column: Mapping[str, Any], rows: int) -> tuple[Cell, ...]:
    nulls = column.get("nulls")
    share = f"{nulls / rows:.1%}" if nulls and rows else "0" if nulls == 0 else ""
    distinct = column.get("distinct")
    approximately = "~" if column.get("sampled") or column.get("estimated") else ""
    return (
        str(column["name"]),
        Painted(str(column["dtype"]), "dim"),
        share,
        *(_statistic(_number(column, key)) for key in ("min", "mean", "max")),
        f"{approximately}{count_text(distinct)}" if distinct is not None else "",
        Painted(_distribution(column), "cyan"),
    )


def _number(column: Mapping[str, Any], key: str) -> Any:
    """A figure of a column; the first and the last of all texts say nothing about them."""
    value = column.get(key)
    if not isinstance(value, str):
        return value
    if not str(column["dtype"]).startswith(("date", "time", "period", "duration")):
        return None
    days = {str(column.get(end))[:_DATE_WIDTH] for end in ("min", "max")}
    return value.replace("T", " ")[: _DATE_WIDTH if len(days) > 1 else _TIME_WIDTH]


def _statistic(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 1e6 else f"{value:.6g}"
    return "" if value is None else one_line(value, 24)


def _distribution(column: Mapping[str, Any]) -> str:
    """A small histogram, or the most frequent values."""
    histogram = column.get("histogram")
    if histogram:
        return sparkline(histogram["counts"])
    top = column.get("top") or ()
    if top and top[0][1] == 1:
        return "each one once"
    texts = (f"{value_text(value)} {count_text(count)}" for value, count in top)
    return one_line(", ".join(texts), _TOP_WIDTH)


# rows


def _sample(preview: Mapping[str, Any], rows: int, style: Style) -> str:
    sample = list(preview.get("sample") or ())[:rows]
    if not sample:
        return ""
    names = [str(column["name"]) for column in preview["columns"]][:_SHOWN_COLUMNS]
    index = [(str(level["name"]), level["values"][:rows], "dim") for level in _levels(preview)]
    values = [(name, [row.get(name) for row in sample], "") for name in names]
    columns: list[Column] = []
    cells: list[list[Cell]] = []
    room = style.width
    for name, entries, paint in (*index, *values):
        texts = _texts(entries)
        width = max(display_width(text) for text in (name, *texts))
        room = room - width - len(GAP) if room is not None else None
        if columns and room is not None and room < -len(GAP):
            break
        columns.append(Column(name, right=_is_numeric(entries), shrink=True))
        cells.append([Painted(text, paint) for text in texts])
    lines = table(columns, list(zip(*cells, strict=True)), style=style)
    more = len(preview["columns"]) + len(index) - len(columns)
    return f"{lines}\n... and {count_text(more)} more columns" if more > 0 else lines


def _levels(preview: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    return preview.get("index") or ()


def _is_numeric(values: Sequence[Any]) -> bool:
    present = [value for value in values if value is not None]
    return bool(present) and all(
        isinstance(value, int | float) and not isinstance(value, bool) for value in present
    )


def _texts(values: Sequence[Any]) -> list[str]:
    """The cells of one column; numbers with the same decimals, so that their points align."""
    floats = [value for value in values if isinstance(value, float)]
    if not floats or not _is_numeric(values):
        return [value_text(value) for value in values]
    shortest = [f"{value:.6g}" for value in floats]
    if any("e" in text or "n" in text for text in shortest):
        return [value_text(value) for value in values]
    decimals = max(len(text.partition(".")[2]) for text in shortest)
    decimals = min(max(decimals, 1), _MOST_DECIMALS)
    return ["null" if value is None else f"{value:.{decimals}f}" for value in values]


# other values


def _array(preview: Mapping[str, Any], style: Style) -> str:
    figures = [
        f"{key} {_statistic(preview[key])}"
        for key in ("min", "mean", "max", "nulls")
        if preview.get(key) is not None
    ]
    histogram = preview.get("histogram")
    if histogram:
        figures.append(style.paint(sparkline(histogram["counts"]), "cyan"))
    return "\n\n".join(filter(None, ("  ".join(figures), _corner(preview, style))))


def _corner(preview: Mapping[str, Any], style: Style) -> str:
    """The first entries of an array of one or two axes."""
    sample = preview.get("sample")
    if not isinstance(sample, list) or not sample or len(preview["shape"]) > 2:
        return ""
    rows = sample if isinstance(sample[0], list) else [[value] for value in sample]
    columns = [Column(str(number), right=True) for number in range(len(rows[0]))]
    numbers = [Painted(str(number), "dim") for number in range(len(rows))]
    lines: list[list[Cell]] = [
        [number, *(value_text(value) for value in row)]
        for number, row in zip(numbers, rows, strict=True)
    ]
    return table([Column(""), *columns], lines, style=style)


def _value(value: Any, truncated: bool) -> str:
    text = value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)
    lines = text.splitlines()
    shown = "\n".join(lines[:_TEXT_LINES])
    return f"{shown}\n..." if truncated or len(lines) > _TEXT_LINES else shown
