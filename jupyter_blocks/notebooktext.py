"""Writes into a notebook that people own: tags or code of single cells, and nothing else.

Layout, order of keys, byte order mark and line ends of the file stay as they are. For files of
nbformat 4 and for percent files.
"""

from __future__ import annotations

import codecs
import io
import json
import os
import re
import shutil
import tokenize
from collections.abc import Callable, Mapping, Sequence
from difflib import SequenceMatcher
from pathlib import Path

from jupyter_blocks.errors import UsageError
from jupyter_blocks.jsonedit import replaced
from jupyter_blocks.notebook import is_percent
from jupyter_blocks.percentedit import with_sources, with_tags

__all__ = ["replace_file", "resourced", "retagged"]

_LINE = re.compile(r"([^\r\n]*)(\r\n|\r|\n|\Z)")


def retagged(data: bytes, path: Path, tags: Mapping[int, str]) -> bytes:
    """The file in `data` with one more tag on some cells: number, from 1 -> tag.

    Raises `UsageError` where the format has no room for them.
    """
    if is_percent(path):
        return _in_lines(data, lambda lines: with_tags(lines, tags))
    text, mark = _decoded(data)
    document = _document(text)
    for number, tag in tags.items():
        metadata = document["cells"][number - 1].get("metadata")
        if not isinstance(metadata, dict):
            text = replaced(text, ("cells", number - 1, "metadata"), {"tags": [tag]})
            continue
        written = [*metadata.get("tags", ()), tag]
        text = replaced(text, ("cells", number - 1, "metadata", "tags"), written)
    return mark + text.encode()


def resourced(data: bytes, path: Path, sources: Mapping[int, str]) -> bytes:
    """The file in `data` with other code in some cells: number, from 1 -> source.

    Raises `UsageError` where the format is too old.
    """
    if is_percent(path):
        return _in_lines(data, lambda lines: with_sources(lines, sources))
    text, mark = _decoded(data)
    document = _document(text)
    for number, source in sources.items():
        before = document["cells"][number - 1].get("source")
        value = source if isinstance(before, str) else _lines(source)
        text = replaced(text, ("cells", number - 1, "source"), value)
    return mark + text.encode()


def replace_file(path: Path, data: bytes) -> None:
    """Make `data` the content of an existing file: all of it, or nothing.

    A link stays a link, and the mode of the file stays. Raises `UsageError` where that cannot be.
    """
    target = path.resolve()
    draft = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        draft.write_bytes(data)
        shutil.copymode(target, draft)
        draft.replace(target)
    except OSError as error:
        raise UsageError(f"'{path}' cannot be written: {error.strerror}.") from error
    finally:
        draft.unlink(missing_ok=True)


def _lines(source: str) -> list[str]:
    """The text as nbformat writes it: one entry for each line, with its line feed."""
    *lines, last = source.split("\n")
    return [*(f"{line}\n" for line in lines), *([last] if last else [])]


def _decoded(data: bytes) -> tuple[str, bytes]:
    mark = codecs.BOM_UTF8 if data.startswith(codecs.BOM_UTF8) else b""
    return data[len(mark) :].decode(), mark


def _document(text: str) -> dict[str, list[dict[str, object]]]:
    document: dict[str, list[dict[str, object]]] = json.loads(text)
    if document.get("nbformat", 4) != 4:
        raise UsageError(
            "The notebook has an old format, in which cells cannot be changed here.",
            hint="Open and save it in JupyterLab first.",
        )
    return document


def _in_lines(data: bytes, change: Callable[[Sequence[str]], list[str]]) -> bytes:
    """A Python file whose lines were changed; the others keep their line ends."""
    encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
    found = [match.groups() for match in _LINE.finditer(data.decode(encoding))]
    if found and found[-1] == ("", ""):
        found.pop()
    lines = [line for line, _ in found]
    ends = [end for _, end in found]
    try:
        return "".join(_ended(lines, ends, change(lines))).encode(encoding)
    except ValueError as error:
        raise UsageError(f"The cells cannot be changed: {error}.") from error


def _ended(lines: Sequence[str], ends: Sequence[str], changed: Sequence[str]) -> list[str]:
    """The changed lines with line ends: their own, or for new ones that of most lines."""
    usual = max((end for end in ends if end), key=ends.count, default="\n")
    found: list[str] = []
    matcher = SequenceMatcher(None, lines, changed, autojunk=False)
    for kind, start, end, first, last in matcher.get_opcodes():
        same = ends[start:end] if kind == "equal" else [usual] * (last - first)
        found += [
            line + (mark or usual) for line, mark in zip(changed[first:last], same, strict=True)
        ]
    if found and ends and not ends[-1]:
        found[-1] = found[-1].rstrip("\r\n")
    return found
