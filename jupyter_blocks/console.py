"""Where a command writes: results to stdout, everything else to stderr, colours only on terminals.

A reader that goes away (`| head`, a closed terminal) never breaks a command: what it does not read
is dropped, and the command ends with its own exit code.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TextIO

__all__ = ["PLAIN", "Console", "Style"]

_CODES: Mapping[str, str] = {
    "bold": "1",
    "dim": "2",
    "red": "31",
    "green": "32",
    "yellow": "33",
    "blue": "34",
    "magenta": "35",
    "cyan": "36",
}


@dataclass(frozen=True)
class Style:
    """Whether and how text is painted."""

    colour: bool = False
    width: int | None = None
    """Columns of the terminal; none where lines may be of any length."""

    def paint(self, text: str, paint: str) -> str:
        """`text` in one or more of: bold, dim, red, green, yellow, blue, magenta, cyan."""
        if not self.colour or not paint or not text:
            return text
        codes = ";".join(_CODES[word] for word in paint.split())
        return f"\x1b[{codes}m{text}\x1b[0m"


PLAIN = Style()
"""No colours, lines of any length."""


class Console:
    """The two streams of a command."""

    def __init__(
        self,
        stdout: TextIO | None = None,
        stderr: TextIO | None = None,
        *,
        as_json: bool = False,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        variables = os.environ if environment is None else environment
        self._stdout = stdout or sys.stdout
        self._stderr = stderr or sys.stderr
        self._closed: set[int] = set()
        self.as_json = as_json
        """Whether the result is one JSON document."""
        self.dumb = variables.get("TERM") == "dumb"
        colour = not self.dumb and not variables.get("NO_COLOR")
        self.result_style = _style(self._stdout, colour)
        self.note_style = _style(self._stderr, colour)
        for stream in (self._stdout, self._stderr):
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors="replace")

    @property
    def stderr(self) -> TextIO:
        """The stream for progress and notes."""
        return self._stderr

    @property
    def stderr_is_terminal(self) -> bool:
        """Whether somebody watches the progress."""
        return self._stderr.isatty()

    @property
    def stdout_is_terminal(self) -> bool:
        """Whether somebody watches the results."""
        return self._stdout.isatty()

    def result(self, text: str = "") -> None:
        """Write lines of the result."""
        self._write(self._stdout, f"{text}\n")

    def document(self, data: Any) -> None:
        """Write the result as one JSON document."""
        self.result(json.dumps(data, indent=2, ensure_ascii=False, default=str))

    def note(self, text: str = "") -> None:
        """Write lines that are not the result."""
        self._write(self._stderr, f"{text}\n")

    def error(self, text: str) -> None:
        """Write one `error: ...` line."""
        self.note(f"{self.note_style.paint('error:', 'bold red')} {text}")

    def warning(self, text: str) -> None:
        """Write one `warning: ...` line."""
        self.note(f"{self.note_style.paint('warning:', 'yellow')} {text}")

    def close(self) -> None:
        """Flush; what nobody reads any more is dropped, also at the end of the process."""
        for stream in (self._stdout, self._stderr):
            self._write(stream, "")

    def _write(self, stream: TextIO, text: str) -> None:
        if id(stream) in self._closed:
            return
        try:
            stream.write(text)
            stream.flush()
        except (OSError, ValueError):
            self._closed.add(id(stream))
            _drop(stream)


def _style(stream: TextIO, colour: bool) -> Style:
    if not stream.isatty():
        return PLAIN
    import shutil

    return Style(colour, shutil.get_terminal_size().columns)


def _drop(stream: TextIO) -> None:
    """Point the file descriptor nowhere, so that the flush at exit does not fail either."""
    try:
        target = stream.fileno()
    except (OSError, ValueError):
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, target)
    os.close(nowhere)
