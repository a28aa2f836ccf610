"""Bounded looks at a value, made while it is written and kept beside it.

Time, memory and size have limits, so that looking at 1e8 rows costs what looking at 1e3 does.
A preview that fails says so and fails nothing else.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from jupyter_blocks.variables.cells import cell, cut, short_repr, shortened
from jupyter_blocks.variables.formats import Encoded, registered_preview
from jupyter_blocks.variables.formats.parts import read_parts
from jupyter_blocks.variables.manifest import PARTS_FORMAT, StoredOutput, dump_json
from jupyter_blocks.variables.pages import parts_view
from jupyter_blocks.variables.statistics import SAMPLE_ROWS, describe_array, describe_column
from jupyter_blocks.variables.views import MOST_COLUMNS, ColumnView, TableView, view_of

__all__ = ["SHOWN_ROWS", "describe", "describe_model", "describe_table", "describe_unstored"]

SHOWN_ROWS = 20
_SAMPLED_CELLS = 300_000
_MOST_SECONDS = 2.0
"""After so long, the other columns are listed without statistics."""
_LONGEST_TEXT = 2_000
_SHOWN_BYTES = 200
_MOST_ENTRIES = 50
"""Parameters, features, classes of a model that are shown."""


def describe(value: Any, stored: StoredOutput, encoded: Encoded | None = None) -> dict[str, Any]:
    """The preview of a value, as JSON. Never raises: a `note` tells what could not be shown."""
    preview: dict[str, Any] = {"type": stored.type, "python_type": stored.python_type}
    if stored.rows is not None:
        preview["rows"] = stored.rows
    preview["bytes"] = stored.bytes
    try:
        preview |= _content(value, stored, encoded.view if encoded else None)
        return preview | _own_content(value, stored)
    except Exception as error:
        # The classes of the value decide what they raise, and the value itself is stored.
        return preview | {"note": f"No preview: {type(error).__name__}: {error}"}


def describe_unstored(stored: StoredOutput) -> dict[str, Any]:
    """The preview of an output that could not be stored: what it was, and why not."""
    return {
        "type": stored.type,
        "python_type": stored.python_type,
        "repr": stored.value["repr"],
        "note": f"Not stored: {stored.why_not_stored}",
    }


def _content(value: Any, stored: StoredOutput, view: Any) -> Mapping[str, Any]:
    if stored.format == PARTS_FORMAT:
        return _describe_parts(stored, view)
    if stored.type in ("table", "series"):
        table = view_of(value, view, MOST_COLUMNS)
        if table is not None:
            return describe_table(table, _width(value))
    if stored.type == "array":
        return _describe_array(value)
    if stored.type == "figure":
        return {**(view or {}), "repr": short_repr(value)}
    if stored.type == "text":
        return {"value": shortened(value, _LONGEST_TEXT), "length": len(value)}
    if stored.type == "bytes":
        return {"repr": repr(bytes(value[:_SHOWN_BYTES])), "length": len(value)}
    if stored.type == "model":
        return {"repr": short_repr(value), "model": describe_model(value)}
    if stored.type == "json":
        shown, is_cut = cut(value)
        return {"value": shown, "truncated": is_cut}
    return {"repr": short_repr(value)}


def describe_model(model: Any) -> dict[str, Any]:
    """What a fitted model says of itself, in the words of scikit-learn.

    `parameters` (name -> value), `features` (names, or how many), `classes`, `weights` (pairs of
    feature and importance or coefficient, the largest first), `steps` of a pipeline; each only
    where the model has it.
    """
    described: dict[str, Any] = {}
    for key, ask in _MODEL_ENTRIES.items():
        # Properties of models compute things, and raise what they like.
        with suppress(Exception):
            found = ask(model)
            if found is not None:
                described[key] = found
    return described


def _features(model: Any) -> Any:
    names = getattr(model, "feature_names_in_", None)
    if names is None:
        return int(model.n_features_in_)
    return [str(cell(name)) for name in list(names)[:_MOST_ENTRIES]]


def _weights(model: Any) -> list[list[Any]] | None:
    found = getattr(model, "feature_importances_", getattr(model, "coef_", None))
    found = getattr(found, "tolist", lambda: None)()
    if isinstance(found, list) and len(found) == 1 and isinstance(found[0], list):
        found = found[0]
    if not isinstance(found, list) or not all(isinstance(item, float) for item in found):
        return None
    names = getattr(model, "feature_names_in_", range(len(found)))
    pairs = sorted(zip(map(str, names), found, strict=True), key=lambda pair: -abs(pair[1]))
    return [[name, cell(weight)] for name, weight in pairs[:_MOST_ENTRIES]]


_MODEL_ENTRIES: Mapping[str, Any] = {
    "parameters": lambda model: {
        str(name): cell(value)
        for name, value in list(model.get_params(deep=False).items())[:_MOST_ENTRIES]
        if name != "steps"
    },
    "features": _features,
    "classes": lambda model: [cell(name) for name in model.classes_.tolist()[:_MOST_ENTRIES]],
    "weights": _weights,
    "steps": lambda model: [[str(name), short_repr(step)] for name, step in model.steps],
}


def _describe_parts(stored: StoredOutput, source: Any) -> dict[str, Any]:
    """A table of all parts; of others what each of the first ones is."""
    count = stored.meta["parts"]
    if stored.meta.get("pages"):
        return {**describe_table(parts_view(stored, source)), "parts": count}
    shown = [part.output for part in read_parts(source)[: min(count, SHOWN_ROWS)]]
    kinds = [
        part.python_type + ("" if part.rows is None else f" of {part.rows:,}") for part in shown
    ]
    more = ["..."] if count > len(shown) else []
    said = f"{stored.python_type} of {count:,} parts: {', '.join([*kinds, *more])}"
    return {"repr": said.removesuffix(": "), "parts": count}


def _own_content(value: Any, stored: StoredOutput) -> dict[str, Any]:
    """What the package that registered the format wants to show."""
    own = registered_preview(stored)
    if own is None:
        return {}
    content = dict(own(value))
    dump_json(content)
    return content


def _width(value: Any) -> int:
    shape: Any = getattr(value, "shape", ())
    return int(shape[1]) if len(shape) > 1 else 1


def describe_table(table: TableView, width: int | None = None) -> dict[str, Any]:
    """Columns with their statistics, and the first rows; `width` counts all columns there are."""
    shown = table.columns[:MOST_COLUMNS]
    budget = max(_SAMPLED_CELLS // max(len(shown), 1), 1000)
    deadline = time.monotonic() + _MOST_SECONDS
    columns = [_describe_in_time(column, min(budget, SAMPLE_ROWS), deadline) for column in shown]
    first = min(SHOWN_ROWS, table.rows)
    described: dict[str, Any] = {
        "columns": columns,
        "sample": TableView(table.rows, shown).page(0, first),
    }
    if table.index:
        described["index"] = [
            {"name": level.name, "dtype": level.dtype, "values": level.cells(0, first)}
            for level in table.index
        ]
    omitted = (len(table.columns) if width is None else width) - len(shown)
    return described | ({"omitted_columns": omitted} if omitted > 0 else {})


def _describe_in_time(column: ColumnView, sample_rows: int, deadline: float) -> dict[str, Any]:
    plain = {"name": column.name, "dtype": column.dtype}
    if time.monotonic() > deadline:
        return plain | {"note": "No statistics: the table has too many columns."}
    try:
        return describe_column(column, sample_rows)
    except Exception as error:
        # One odd column must not hide the others.
        return plain | {"note": f"No statistics: {type(error).__name__}: {error}"}


def _describe_array(array: Any) -> dict[str, Any]:
    described = {"dtype": str(array.dtype), "shape": list(array.shape), "sample": _corner(array)}
    is_plain = type(array).__name__ == "ndarray"
    return described | describe_array(array) if is_plain else described


def _corner(array: Any) -> Any:
    """The first few entries of each axis, nested as the array is."""
    if array.ndim > 4:
        return None
    length = SHOWN_ROWS if array.ndim <= 2 else 4
    return _cells(array[(slice(length),) * array.ndim].tolist())


def _cells(values: Any) -> Any:
    return [_cells(value) for value in values] if isinstance(values, list) else cell(values)
