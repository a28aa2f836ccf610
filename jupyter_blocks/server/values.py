"""Stored values for the eye: what they are, rows, trees, text, images - and never an unpickling.

Loading a pickle runs code; a server that shows what is in a project does not run it. What was kept
beside such a value when it was stored is shown instead.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from jupyter_blocks.errors import VariableError, VariableNotFoundError
from jupyter_blocks.project import Project
from jupyter_blocks.server.faults import RequestError
from jupyter_blocks.server.places import Places
from jupyter_blocks.variables.cells import cell, short_repr
from jupyter_blocks.variables.formats import Source
from jupyter_blocks.variables.formats.partbatches import has_batches
from jupyter_blocks.variables.manifest import Manifest, StoredOutput
from jupyter_blocks.variables.query import (
    Condition,
    Order,
    Search,
    StoredTable,
    query_page,
)
from jupyter_blocks.variables.store import VariableStore
from jupyter_blocks.variables.views import MOST_COLUMNS

__all__ = ["SAFE_FORMATS", "Value", "Values", "summary", "variable_document"]

SAFE_FORMATS = frozenset({"arrow", "bytes", "json", "npy", "pandas", "polars", "text"})
"""Formats that are read without running any code of the value's own."""
_MOST_BYTES = 16 * 1024 * 1024
"""Larger JSON documents and images are not loaded; their previews are shown."""

_PAGED_INSTEAD = (
    "All rows can be shown, sorted and filtered where a table has one index level (reset_index()), "
    "texts as column labels and values of one type in each column."
)


class Value:
    """One stored output, found and checked."""

    def __init__(self, store: VariableStore, manifest: Manifest, name: str) -> None:
        self.store = store
        self.manifest = manifest
        self.name = name
        self.stored = manifest.output(name)
        for item in manifest.objects:
            _confine(store, f"{manifest.prefix}/{item.key}")

    @property
    def source(self) -> Source:
        """The files of the value."""
        objects = self.stored.objects
        return Source(self.store.storage, self.manifest.prefix, objects, verify=False)

    @property
    def is_safe(self) -> bool:
        """Whether the value can be read here."""
        return self.stored.format in SAFE_FORMATS

    def table(self) -> StoredTable:
        """The value as a table in a file; `VariableError` if it is none."""
        if self.stored.type not in ("table", "series"):
            raise VariableError(f"Output '{self.name}' is of type {self.stored.type}, no table.")
        return StoredTable(self.name, self.stored, self.source)

    def preview(self) -> dict[str, Any]:
        """Schema, statistics, histograms, sample: what was kept beside the value."""
        if self.stored.objects or self.is_safe:
            return self.store.preview(self.manifest, self.name)
        return {**summary(self.stored), "note": "This kind of value has no preview."}

    def rows(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """A page of rows, sorted and filtered where that is asked for."""
        if not has_batches(self.stored):
            return self._sample(asked)
        start, rows, columns = asked.get("start", 0), asked.get("rows", 100), asked.get("columns")
        if not (asked.get("sort") or asked.get("filters") or asked.get("search", "").strip()):
            page = self.store.page(self.manifest, self.name, start, rows, columns)
            return {**page, "matched": page["rows"], "complete": True}
        table = self.table()
        conditions = [Condition(**item) for item in asked.get("filters", ())]
        text = asked.get("search", "").strip()
        search = [Search(text, tuple(table.columns[:MOST_COLUMNS]))] if text else []
        page = query_page(
            table,
            start,
            rows,
            columns=columns,
            order=[Order(**item) for item in asked.get("sort", ())],
            conditions=[*conditions, *search],
        )
        return {"type": self.stored.type, **page, "complete": True}

    def _sample(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """The first rows of a table that only Python can read."""
        if self.stored.type not in ("table", "series"):
            raise VariableError(f"Output '{self.name}' is of type {self.stored.type}, no table.")
        if asked.get("sort") or asked.get("filters") or asked.get("search"):
            raise VariableError(
                f"Output '{self.name}' is pickled; it can be neither sorted nor filtered here.",
                hint=_PAGED_INSTEAD,
            )
        preview = self.preview()
        sample = preview.get("sample") or []
        start, rows = asked.get("start", 0), asked.get("rows", 100)
        page = {
            "type": self.stored.type,
            "rows": self.stored.rows or 0,
            "matched": self.stored.rows or 0,
            "start": min(start, len(sample)),
            "columns": [
                {"name": column["name"], "dtype": column["dtype"]}
                for column in preview.get("columns") or []
            ],
            "sample": sample[start : start + rows],
            "complete": False,
            "note": f"Output '{self.name}' is pickled: only its first {len(sample)} rows are "
            f"shown. {_PAGED_INSTEAD}",
        }
        if preview.get("index"):
            page["index"] = [
                {**level, "values": level["values"][start : start + rows]}
                for level in preview["index"]
            ]
        return page

    def image(self) -> bytes:
        """The picture of a figure, as PNG."""
        for item in self.stored.objects:
            if item.key.endswith(".png") and item.size <= _MOST_BYTES:
                objects, prefix = self.stored.objects, self.manifest.prefix
                source = Source(self.store.storage, prefix, objects, verify=True)
                return bytes(source.buffer(item.key))
        raise VariableNotFoundError(f"Output '{self.name}' has no picture.")

    def tree(self, path: Sequence[str | int], offset: int, limit: int) -> dict[str, Any]:
        """One node of plain data, with some of its members."""
        if self.stored.format != "json" or self.stored.bytes > _MOST_BYTES:
            raise VariableError(
                f"Output '{self.name}' ({self.stored.type}) cannot be unfolded here.",
                hint="Its preview shows what is in it.",
            )
        node = self.store.load(self.manifest, self.name)
        for step in path:
            node = _step(node, step, self.name)
        return {**_node(node), "entries": _entries(node, offset, limit), "offset": offset}

    def text(self, offset: int, limit: int) -> dict[str, Any]:
        """A piece of a text, from byte `offset` of its UTF-8 on."""
        if self.stored.type != "text" or self.stored.format != "text":
            raise VariableError(f"Output '{self.name}' is of type {self.stored.type}, no text.")
        if not self.stored.objects:
            data = str(self.store.load(self.manifest, self.name)).encode("utf-8", "replace")
            size, piece = len(data), data[offset : offset + limit]
        else:
            item = self.stored.objects[0]
            size = item.size
            key = f"{self.manifest.prefix}/{item.key}"
            piece = self.store.storage.read_range(key, offset, limit) if offset < size else b""
        if offset + len(piece) < size:
            piece = _whole_characters(piece)
        return {
            "text": piece.decode("utf-8", "replace"),
            "offset": offset,
            "next_offset": min(offset, size) + len(piece),
            "bytes": size,
        }


class Values:
    """Finds stored outputs of a project."""

    def __init__(self, places: Places, project: Project) -> None:
        self.store = places.store(project)
        self.project = project

    def manifest(self, pipeline: str, block: str, run_id: str | None = None) -> Manifest:
        """The newest outputs of a block, or those it has in a run."""
        found = (
            self.store.committed(pipeline, run_id, block)
            if run_id
            else self.store.latest(pipeline, block)
        )
        if found is None:
            where = f"in run '{run_id}'" if run_id else f"of pipeline '{pipeline}'"
            raise VariableNotFoundError(
                f"Block '{block}' {where} has no stored outputs.", hint="Run it."
            )
        return found

    def value(self, asked: Mapping[str, Any]) -> Value:
        """The output that a request names."""
        manifest = self.manifest(asked["pipeline"], asked["block"], asked.get("run_id"))
        return Value(self.store, manifest, asked["output"])

    def list(self, pipeline: str, run_id: str | None, blocks: Sequence[str]) -> Iterator[Manifest]:
        """The outputs of all blocks: the newest, or those of one run."""
        if run_id is None:
            yield from self.store.blocks(pipeline).values()
            return
        for block in blocks:
            found = self.store.committed(pipeline, run_id, block)
            if found is not None:
                yield found


def summary(stored: StoredOutput) -> dict[str, Any]:
    """What a manifest says of an output."""
    return {
        "type": stored.type,
        "python_type": stored.python_type,
        "rows": stored.rows,
        "bytes": stored.bytes,
    }


def variable_document(manifest: Manifest, name: str) -> dict[str, Any]:
    """One output as `show --json` lists it."""
    stored = manifest.outputs[name]
    return {
        "block": manifest.block,
        "name": name,
        **summary(stored),
        "format": stored.format,
        "run_id": manifest.run_id,
        "created_at": manifest.created_at,
        "can_page": has_batches(stored),
        "has_image": any(item.key.endswith(".png") for item in stored.objects),
    }


def _confine(store: VariableStore, key: str) -> None:
    """Refuse a manifest that names files outside the folder of variables."""
    root, path = store.storage.path("x"), store.storage.path(key)
    if root is None or path is None:
        return
    if ".." in key.split("/") or not path.resolve().is_relative_to(root.parent.resolve()):
        raise RequestError(403, "A stored value names a file outside the folder of variables.")


def _step(node: Any, step: str | int, name: str) -> Any:
    try:
        if isinstance(node, Mapping):
            return list(node.values())[int(step)]
        if isinstance(node, (set, frozenset)):
            return list(node)[int(step)]
        if isinstance(node, (list, tuple)):
            return node[int(step)]
    except (IndexError, ValueError):
        pass
    raise VariableNotFoundError(f"Output '{name}' has nothing there.")


def _node(node: Any) -> dict[str, Any]:
    if isinstance(node, Mapping):
        return {"kind": "object", "length": len(node), "value": None}
    if isinstance(node, (list, tuple, set, frozenset)):
        return {"kind": "array", "length": len(node), "value": None}
    shown = cell(node) if isinstance(node, (str, int, float, type(None))) else short_repr(node)
    return {"kind": "value", "length": None, "value": shown}


def _entries(node: Any, offset: int, limit: int) -> list[dict[str, Any]]:
    if isinstance(node, Mapping):
        items = list(node.items())[offset : offset + limit]
        keys = [key if isinstance(key, str) else repr(key) for key, _ in items]
        members = [item for _, item in items]
    elif isinstance(node, (list, tuple, set, frozenset)):
        members = list(node)[offset : offset + limit]
        keys = [str(number) for number in range(offset, offset + len(members))]
    else:
        return []
    return [
        {"step": offset + number, "key": cell(key), **_node(member)}
        for number, (key, member) in enumerate(zip(keys, members, strict=True))
    ]


def _whole_characters(piece: bytes) -> bytes:
    """`piece` without a last character that is cut."""
    for back in range(1, min(4, len(piece)) + 1):
        byte = piece[-back]
        if byte & 0xC0 != 0x80:
            length = 1 if byte < 0x80 else 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
            return piece if length <= back else piece[:-back]
    return piece
