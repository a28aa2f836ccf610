"""Changes single lines of a percent file, and writes new ones; all other lines stay as they are."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any

import yaml

from jupyter_blocks.percent import MARKER, PercentCell, commented, read_marker, read_percent

__all__ = ["percent_text", "with_metadata", "with_sources", "with_tags"]


def with_tags(lines: Sequence[str], tags: Mapping[int, str]) -> list[str]:
    """The lines of a file (without line ends) with one more tag on some cells: number -> tag.

    A cell above the first marker gets one. Raises `ValueError` where a cell's tags are no list.
    """
    cells = read_percent(lines).cells
    changed = list(lines)
    for number, tag in sorted(tags.items(), reverse=True):
        cell = cells[number - 1]
        if cell.marker is None:
            changed.insert(cell.first, _tagged("# %%", tag))
        else:
            changed[cell.marker] = _tagged(lines[cell.marker], tag)
    return changed


def with_metadata(lines: Sequence[str], values: Mapping[int, Mapping[str, Any]]) -> list[str]:
    """The lines of a file with other metadata of some cells: number -> key -> value.

    A cell above the first marker gets one.
    """
    cells = read_percent(lines).cells
    changed = list(lines)
    for number, metadata in sorted(values.items(), reverse=True):
        cell = cells[number - 1]
        line = "# %%" if cell.marker is None else lines[cell.marker]
        for key, value in metadata.items():
            line = _with_value(line, key, value)
        if cell.marker is None:
            changed.insert(cell.first, line)
        else:
            changed[cell.marker] = line
    return changed


def _tagged(line: str, tag: str) -> str:
    found = MARKER.match(line)
    before = read_marker(found["text"] or "").metadata.get("tags", []) if found else []
    if not isinstance(before, list):
        raise ValueError(f"the tags in '{line.strip()}' are not a list")
    return _with_value(line, "tags", [*before, tag])


def _with_value(line: str, key: str, value: Any) -> str:
    """A marker that says `value` for one key of the metadata."""
    found = MARKER.match(line)
    if found is None:  # `# In[3]:`, which has no room for metadata
        return _with_value("# %%", key, value)
    text = found["text"] or ""
    marker = read_marker(text)
    start = line[: len(line) - len(text)]
    written = json.dumps(value, ensure_ascii=False)
    if marker.start >= 0:
        metadata = json.dumps({**marker.metadata, key: value}, ensure_ascii=False)
        return f"{start}{text[: marker.start]}{metadata}"
    if key in marker.spans:
        first, last = marker.spans[key]
        return f"{start}{text[:first]}{written}{text[last:]}"
    return f"{line.rstrip()} {key}={written}"


def with_sources(lines: Sequence[str], sources: Mapping[int, str]) -> list[str]:
    """The lines of a file with new code in some cells: number -> source. Other lines stay."""
    cells = read_percent(lines).cells
    changed = list(lines)
    for number, source in sorted(sources.items(), reverse=True):
        cell = cells[number - 1]
        end = cell.first + len(cell.lines)
        changed[cell.first : end] = _rewritten(cell, lines[cell.first : end], source.split("\n"))
    return changed


def _rewritten(cell: PercentCell, raw: Sequence[str], new: Sequence[str]) -> list[str]:
    written = commented(new)
    if list(raw) != commented(cell.lines) and all(_is_comment(line) for line in raw):
        written = [f"# {line}".rstrip() for line in new]  # code that only the notebook runs
    found: list[str] = []
    matcher = SequenceMatcher(None, cell.lines, new, autojunk=False)
    for kind, start, end, first, last in matcher.get_opcodes():
        found += raw[start:end] if kind == "equal" else written[first:last]
    return found


def _is_comment(line: str) -> bool:
    return not line.strip() or line.lstrip().startswith("#")


def percent_text(document: Mapping[str, Any]) -> str:
    """A notebook, as a JSON document of nbformat 4, as the text of a percent file."""
    header = yaml.safe_dump({"jupyter": document["metadata"]}, sort_keys=False)
    parts = [["# ---", *(f"# {line}" for line in header.rstrip("\n").split("\n")), "# ---"]]
    for cell in document["cells"]:
        kind = "" if cell["cell_type"] == "code" else f" [{cell['cell_type']}]"
        metadata = "".join(
            f" {key}={json.dumps(value, ensure_ascii=False)}"
            for key, value in cell["metadata"].items()
        )
        source = "".join(cell["source"]).split("\n")
        body = [f"# {line}".rstrip() for line in source] if kind else commented(source)
        parts.append([f"# %%{kind}{metadata}", *body])
    return "\n\n".join("\n".join(part) for part in parts) + "\n"
