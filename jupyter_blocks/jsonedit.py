"""Replaces single values in a JSON text, so that not one other character of it changes.

Layout follows the text: its indentation, whether characters beyond ASCII are written as they are.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

__all__ = ["replaced"]

_DECODER = json.JSONDecoder()
_SPACE = re.compile(r"[ \t\r\n]*")


def replaced(text: str, path: Sequence[str | int], value: Any) -> str:
    """The JSON `text` with `value` at `path`; a key that is not there is added at the end.

    Raises `KeyError` or `IndexError` where the way to the last step does not exist.
    """
    start, missing = _skip(text, 0), False
    last_end = start + 1
    for position, step in enumerate(path):
        spans = dict(_spans(text, start))
        if step not in spans:
            if position < len(path) - 1 or not isinstance(step, str):
                raise KeyError(step)
            missing = True
            last_end = max((end for _, end in spans.values()), default=start + 1)
            break
        start, end = spans[step]
    if not missing:
        return text[:start] + _dumped(text, start, value) + text[end:]
    return _with_member(text, start, last_end, str(path[-1]), value)


def _with_member(text: str, start: int, last_end: int, key: str, value: Any) -> str:
    """The text with one more member in the object that begins at `start`."""
    indent = _indent(text)
    is_empty = last_end == start + 1
    comma = "" if is_empty else ","
    if not indent:
        gap = "" if is_empty or _separator(text) == "," else " "
        member = _dumped(text, start, {key: value})[1:-1]
        return text[:last_end] + comma + gap + member + text[last_end:]
    inner = _margin(text, start) + indent
    end = _line_end(text)
    head = f"{comma}{end}{inner}{_dumped(text, start, key)}: "
    body = _dumped(text, start, value, inner)
    tail = f"{end}{_margin(text, start)}" if is_empty else ""
    rest = text[_skip(text, last_end) :] if is_empty else text[last_end:]
    return text[:last_end] + head + body + tail + rest


def _spans(text: str, start: int) -> Iterator[tuple[str | int, tuple[int, int]]]:
    """Key or index, and place, of each value in the object or array that begins at `start`."""
    is_object = text[start] == "{"
    position = _skip(text, start + 1)
    index = 0
    while text[position] not in "]}":
        key: str | int = index
        if is_object:
            key, position = _DECODER.raw_decode(text, position)
            position = _skip(text, _skip(text, position) + 1)
        _, end = _DECODER.raw_decode(text, position)
        yield key, (position, end)
        position = _skip(text, end)
        if text[position] == ",":
            position = _skip(text, position + 1)
        index += 1


def _skip(text: str, position: int) -> int:
    found = _SPACE.match(text, position)
    return found.end() if found else position


def _dumped(text: str, start: int, value: Any, margin: str | None = None) -> str:
    """`value` as it would stand at `start`."""
    is_ascii = text.isascii() and "\\u" in text
    indent = _indent(text)
    if not indent:
        separator = _separator(text)
        separators = (separator, ":" if separator == "," else ": ")
        return json.dumps(value, ensure_ascii=is_ascii, separators=separators)
    written = json.dumps(value, ensure_ascii=is_ascii, indent=indent)
    margin = _margin(text, start) if margin is None else margin
    return written.replace("\n", f"{_line_end(text)}{margin}")


def _margin(text: str, start: int) -> str:
    """The blanks at the beginning of the line of `start`."""
    first = text.rfind("\n", 0, start) + 1
    found = re.compile(r"[ \t]*").match(text, first)
    return found[0] if found else ""


def _indent(text: str) -> str:
    found = re.match(r"\s*[{\[]\r?\n([ \t]+)", text)
    return found[1] if found else ""


def _separator(text: str) -> str:
    """What stands between members of a text on one line."""
    return ", " if re.search(r'[\]}"0-9a-z], "', text) else ","


def _line_end(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"
