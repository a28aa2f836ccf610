"""Where statements begin in the lines of a cell, and what on a line is neither string nor comment.

A scanner of its own, because the standard tokenizer stops at the first `!` or `?`, on each Python
version in another way.
"""

from __future__ import annotations

import re

__all__ = ["Scanner", "masked"]

_MARK = re.compile(r"""#|\"{3}|'{3}|"|'|[()\[\]{}]|\\\Z""")
_CLOSING = {
    quote: re.compile(rf"(?:[^\\]|\\.)*?{quote}", re.DOTALL) for quote in ('"', "'", '"""', "'''")
}


class Scanner:
    """Reads Python line by line; `at_start` tells whether the next line begins a statement."""

    def __init__(self) -> None:
        self._quote = ""
        """The quotes that will end the string which is open, if one is."""
        self._depth = 0
        self._continued = False
        """Whether the last line ended in a backslash."""

    @property
    def at_start(self) -> bool:
        """Whether the next line begins a statement: no string, bracket or backslash is open."""
        return not (self._quote or self._depth or self._continued)

    def feed(self, line: str) -> str:
        """Read one line; gives it with all strings and comments blanked out."""
        shown: list[str] = []
        position = 0
        self._continued = False
        while position < len(line):
            position = self._string(line, position, shown) if self._quote else position
            if self._quote or position >= len(line):
                break
            position = self._code(line, position, shown)
        return "".join(shown)

    def _string(self, line: str, position: int, shown: list[str]) -> int:
        """Read on to the end of the open string, or of the line; gives the position after it."""
        closing = _CLOSING[self._quote].match(line, position)
        if closing is not None:
            self._quote = ""
        elif len(self._quote) == 1 and not line.endswith("\\"):
            self._quote = ""  # a string that is never closed ends with its line
        end = closing.end() if closing else len(line)
        shown.append(" " * (end - position))
        return end

    def _code(self, line: str, position: int, shown: list[str]) -> int:
        """Read on to the next quote, comment, bracket or end; gives the position after it."""
        mark = _MARK.search(line, position)
        if mark is None:
            shown.append(line[position:])
            return len(line)
        shown.append(line[position : mark.start()])
        sign = mark.group()
        if sign == "#":
            return len(line)
        shown.append(" " * len(sign) if sign in _CLOSING else sign)
        if sign in _CLOSING:
            self._quote = sign
            if mark.end() == len(line) and len(sign) == 1:
                self._quote = ""
        elif sign == "\\":
            self._continued = True
        else:
            self._depth = max(0, self._depth + (1 if sign in "([{" else -1))
        return mark.end()


def masked(line: str) -> str:
    """`line` with strings and comments blanked out, if a statement begins with it."""
    return Scanner().feed(line)
