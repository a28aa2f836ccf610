"""Changes single lines of a percent file, and writes new ones; all other lines stay as they are."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any

import yaml

from jupyter_blocks.percent import MARKER, PercentCell, commented, read_marker, read_percent

__all__ = ["percent_text", "with_sources", "with_tags"]


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


def _tagged(line: str, tag: str) -> str:
    found = MARKER.match(line)
    if found is None:  # `# In[3]:`, which has no room for tags
        return _tagged("# %%", tag)
    text = found["text"] or ""
    marker = read_marker(text)
    before = marker.metadata.get("tags", [])
    if not isinstance(before, list):
        raise ValueError(f"the tags in '{line.strip()}' are not a list")
    start = line[: len(line) - len(text)]
    written = json.dumps([*before, tag], ensure_ascii=False)
    if marker.start >= 0:
        metadata = json.dumps({**marker.metadata, "tags": [*before, tag]}, ensure_ascii=False)
        return f"{start}{text[: marker.start]}{metadata}"
    if "tags" in marker.spans:
        first, last = marker.spans["tags"]
        return f"{start}{text[:first]}{written}{text[last:]}"
    return f"{line.rstrip()} tags={written}"


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
