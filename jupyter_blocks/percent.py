"""Notebooks written as Python files, in jupytext's percent format: cells begin with `# %%`.

Reads what jupytext, VS Code and Spyder write: titles, cell types, metadata behind the marker, the
YAML header, commented magics. Each cell keeps the place of its lines, so that `percentedit` can
change one of them and leave the rest of the file alone.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

__all__ = [
    "MARKER",
    "Marker",
    "PercentCell",
    "PercentText",
    "commented",
    "read_marker",
    "read_percent",
]

MARKER = re.compile(r"[ \t]*#[ \t]*%%(?P<depth>%*)(?:[ \t](?P<text>.*)|[ \t]*)\Z")
"""A line that begins a cell; `text` is what stands behind it."""
_OTHER_MARKER = re.compile(r"[ \t]*#[ \t]*(?:<codecell>|In\[[0-9 ]*\]:?)[ \t]*\Z")
_KIND = re.compile(r"\[(markdown|md|raw)\]")
_KEY = re.compile(r"(?:(?<=\s)|\A)([\w.@/-]+)=(?!=)")
_CODING = re.compile(r"[ \t\f]*#.*?coding[:=][ \t]*[-\w.]+")
_RULE = re.compile(r"#\s*---\s*\Z")
_QUOTES = re.compile(r'"""|\'\'\'|"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'|#.*')
_COMMENT = re.compile(r"([ \t]*)#( ?)")
_COMMANDS = "cat|cd|cp|mv|rm|rmdir|mkdir|copy|ddir|echo|ls|ldir|ren"
_MAGIC = re.compile(
    r"\s*(?:# ?)*%{1,3}[a-zA-Z]"
    r"|\s*(?:(?:# ?)+\s*)?[?!]\s*[A-Za-z.~$\\/{}]"
    r"|(?:# ?)*\s*[a-zA-Z_]\w*\s*=\s*(?:%{1,3}|!)[a-zA-Z]"
    rf"|(?:# ?)*(?:{_COMMANDS})(?:\s?\Z|\s[^=,])"
    r"|\s*(?:# )*\S*\?\s*\Z"
)
_NOT_MAGIC = re.compile(r"\s*(?:# ?)*%{1,3}[a-zA-Z].*#\s*noescape")
_PLAIN = "python"


@dataclass(frozen=True)
class Marker:
    """What stands behind `# %%`."""

    kind: str = "code"
    """`code`, `markdown` or `raw`."""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    spans: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """Where the value of each key stands in the text; empty where all is one JSON object."""
    start: int = -1
    """Where that JSON object begins; -1: there is none."""


@dataclass(frozen=True)
class PercentCell:
    """One cell of a file. Line k of the cell is line `first + k` of the file, counted from 0."""

    kind: str
    lines: tuple[str, ...]
    metadata: Mapping[str, Any]
    marker: int | None
    """Line of the marker, from 0; none: the text before the first one."""
    first: int


@dataclass(frozen=True)
class PercentText:
    """A file that was read."""

    cells: tuple[PercentCell, ...]
    metadata: Mapping[str, Any]
    has_markers: bool


def read_percent(lines: Sequence[str]) -> PercentText:
    """The cells of a file, whose lines come without line ends.

    Raises `ValueError` where the header is not YAML.
    """
    metadata, header, start = _header(lines)
    cells = []
    if header:
        cells.append(PercentCell("raw", ("---", *header, "---"), {}, None, 0))
    marks = list(_markers(lines, start))
    ends = [*marks, len(lines)]
    while start < ends[0] and not lines[start].strip():
        start += 1
    if start < ends[0]:
        cells.append(_cell(lines, None, start, ends[0]))
    cells += [_cell(lines, mark, mark + 1, end) for mark, end in zip(marks, ends[1:], strict=True)]
    return PercentText(tuple(cells), metadata, bool(marks))


def _header(lines: Sequence[str]) -> tuple[dict[str, Any], list[str], int]:
    """Metadata, lines of the header that are not jupyter's, and the line where cells begin."""
    start = 0
    if lines and lines[0].startswith("#!"):
        start = 1
    if len(lines) > start and _CODING.match(lines[start]):
        start += 1
    if len(lines) <= start or not _RULE.match(lines[start]):
        return {}, [], start
    for end in range(start + 1, len(lines)):
        if _RULE.match(lines[end]):
            break
        if not lines[end].startswith("#"):
            return {}, [], start
    else:
        return {}, [], start
    own, others = _sections([_uncommented(line) for line in lines[start + 1 : end]])
    try:
        document = yaml.safe_load("\n".join(own))
    except yaml.YAMLError as error:
        raise ValueError(f"Its header is not YAML: {error}") from error
    metadata = document.get("jupyter") if isinstance(document, dict) else None
    return metadata if isinstance(metadata, dict) else {}, others, end + 1


def _sections(header: Sequence[str]) -> tuple[list[str], list[str]]:
    """The lines of the key `jupyter`, and all others."""
    sections: tuple[list[str], list[str]] = ([], [])
    is_other = 1
    for line in header:
        if line and not line[0].isspace():
            is_other = 0 if re.match(r"jupyter\s*:", line) else 1
        sections[is_other].append(line)
    own, others = sections
    return own, others if any(line.strip() for line in others) else []


def _markers(lines: Sequence[str], start: int) -> Iterator[int]:
    quote = ""
    for number in range(start, len(lines)):
        line = lines[number]
        if not quote and (MARKER.match(line) or _OTHER_MARKER.match(line)):
            yield number
        quote = _open_quote(line, quote)


def _open_quote(line: str, quote: str) -> str:
    """The triple quotes that are open after `line`, where `quote` is open before it."""
    position = 0
    while True:
        if quote:
            end = line.find(quote, position)
            while end > 0 and line[end - 1] == "\\":
                end = line.find(quote, end + 1)
            if end < 0:
                return quote
            position, quote = end + 3, ""
        found = _QUOTES.search(line, position)
        if found is None or found[0].startswith("#"):
            return ""
        position = found.end()
        if found[0] in ('"""', "'''"):
            quote = found[0]


def _cell(lines: Sequence[str], mark: int | None, first: int, end: int) -> PercentCell:
    found = MARKER.match(lines[mark]) if mark is not None else None
    marker = read_marker(found["text"] or "") if found else Marker()
    last = _without_blank_end(lines, first, end)
    body = lines[first:last]
    kind, metadata = marker.kind, dict(marker.metadata)
    language = str(metadata.get("language", _PLAIN)).lower()
    if kind == "code" and not _is_active("ipynb", metadata):
        kind = "raw"
    if kind != "code":
        return PercentCell(kind, tuple(_text(body)), metadata, mark, first)
    if language not in (_PLAIN, "ipython") and mark is not None:
        magic = f"%%{metadata['language']} {metadata.get('magic_args', '')}".rstrip()
        return PercentCell(kind, (magic, *map(_uncommented, body)), metadata, mark, mark)
    if not _is_active("py", metadata):
        return PercentCell(kind, tuple(map(_uncommented, body)), metadata, mark, first)
    return PercentCell(kind, tuple(_with_magics(body)), metadata, mark, first)


def _without_blank_end(lines: Sequence[str], first: int, end: int) -> int:
    """Where the cell ends: one or two empty lines before the next marker are no part of it."""
    for _ in range(2):
        if end > first and not lines[end - 1].strip():
            end -= 1
    return end


def _is_active(extension: str, metadata: Mapping[str, Any]) -> bool:
    """Whether the code counts in files of this kind; jupytext's `active` says so."""
    control = metadata.get("run_control")
    if isinstance(control, dict) and control.get("frozen") is True:
        return extension == "ipynb"
    tags = metadata.get("tags")
    for tag in tags if isinstance(tags, list) else ():
        if isinstance(tag, str) and tag.startswith("active-"):
            return extension in tag.split("-")
    active = metadata.get("active")
    return not isinstance(active, str) or extension in re.split(r"[.,]", active)


def _text(body: Sequence[str]) -> list[str]:
    """The text of a cell that is no code: in triple quotes, or in comments."""
    whole = "\n".join(body).strip()
    for quote in ('"""', "'''"):
        for start in (quote, f"r{quote}", f"R{quote}"):
            if len(whole) >= 6 and whole.startswith(start) and whole.endswith(quote):
                return whole[len(start) : -3].strip("\n").split("\n")
    return [_uncommented(line) for line in body]


def _uncommented(line: str) -> str:
    found = _COMMENT.match(line)
    return found[1] + line[found.end() :] if found else line


# magics


def _with_magics(lines: Sequence[str]) -> Iterator[str]:
    """Code with its magics, which are comments in the file."""
    for line, is_magic in _told_apart(lines):
        yield _uncommented(line) if is_magic else line


def commented(lines: Sequence[str]) -> list[str]:
    """Lines of a code cell as they stand in a file: magics become comments."""
    found = []
    for line, is_magic in _told_apart(lines):
        indent = line[: len(line) - len(line.lstrip())]
        found.append(f"{indent}# {line.lstrip()}" if is_magic else line)
    return found


def _told_apart(lines: Sequence[str]) -> Iterator[tuple[str, bool]]:
    """Each line, and whether it is a magic or goes on with one."""
    quote = ""
    goes_on = False
    for line in lines:
        is_magic = not quote and (goes_on or _is_magic(line))
        goes_on = is_magic and line.rstrip().endswith("\\")
        quote = _open_quote(line, quote)
        yield line, is_magic


def _is_magic(line: str) -> bool:
    return bool(_MAGIC.match(line)) and not _NOT_MAGIC.match(line)


# the text behind the marker


def read_marker(text: str) -> Marker:
    """The text behind `# %%`: title, kind and metadata. What cannot be understood is a title."""
    brace = text.find("{")
    equals = _KEY.search(text)
    if brace >= 0 and (equals is None or brace < equals.start()):
        value = _loaded(text[brace:])
        if isinstance(value, dict):
            return Marker(_kind(text[:brace]), value, {}, brace)
    title = text[: equals.start()] if equals else text
    metadata: dict[str, Any] = {}
    spans = {}
    for key, value, span in _pairs(text):
        metadata[key] = value
        spans[key] = span
    return Marker(_kind(title), metadata, spans)


def _kind(title: str) -> str:
    found = _KIND.search(title)
    if found is None:
        return "code"
    return "raw" if found[1] == "raw" else "markdown"


def _pairs(text: str) -> Iterator[tuple[str, Any, tuple[int, int]]]:
    """The `key=value` of a marker; a value that is neither JSON nor Python is taken as text."""
    position = 0
    while found := _KEY.search(text, position):
        end = _value_end(text, found.end())
        value = text[found.end() : end]
        yield found[1], _loaded(value, value), (found.end(), end)
        position = end


def _value_end(text: str, start: int) -> int:
    """Where a value ends: before the next key, at the first place where it is complete."""
    ends = [
        match.start() for match in re.finditer(r"\s+(?=\S)|\s*\Z", text) if match.start() > start
    ]
    for end in ends:
        if _loaded(text[start:end]) is not None or text[start:end].strip() in ("null", "None"):
            return end
    return ends[0] if ends else len(text)


def _loaded(text: str, default: Any = None) -> Any:
    for load in (json.loads, ast.literal_eval):
        try:
            return load(text.strip())
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
    return default
