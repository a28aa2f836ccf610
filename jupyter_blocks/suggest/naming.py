"""Names for proposed blocks: what the block does, and to what, in words of the notebook."""

from __future__ import annotations

import re
from collections.abc import Iterable

from jupyter_blocks.block import module_name
from jupyter_blocks.suggest.facts import Call
from jupyter_blocks.suggest.vocabulary import verb

__all__ = ["Namer", "file_stem"]

_GENERIC = frozenset(
    (
        *("content", "data", "dataset", "d", "df", "f", "fh", "file", "frame", "lines", "obj"),
        *("out", "r", "raw", "res", "response", "result", "s", "t", "table", "tmp", "text", "x"),
    )
)
"""Names that say less than the name of a file."""

_FILE = re.compile(r"(?:.*[/\\])?(?P<stem>[^/\\]*?)(?:\.[A-Za-z0-9]{1,7})+(?:[?#].*)?\Z", re.DOTALL)
_NAMING = ("_dataset", "_sql", "_table")
"""Ends of the names of functions whose first text is a name."""
_TABLE = re.compile(r"[A-Za-z_][\w.]*\Z")
_LONGEST = 40


class Namer:
    """Gives each block a name of its own, and none that the notebook uses for something else."""

    def __init__(self, taken: Iterable[str]) -> None:
        self._taken = set(taken)

    def loader(self, made: str, readings: Iterable[Call]) -> str:
        """`load_flights` for what it makes, or for the file it reads."""
        noun = _noun(made)
        if not made or made in _GENERIC:
            noun = next((stem for call in readings if (stem := file_stem(call))), noun)
        return self._unique("load", noun or "data")

    def exporter(self, written: str, writings: Iterable[Call]) -> str:
        """`write_report` for the file it writes, or for the data."""
        noun = next((stem for call in writings if (stem := file_stem(call))), "")
        return self._unique("write", noun or _noun(written) or "results")

    def transformer(self, made: str, functions: frozenset[str], *, is_new: bool) -> str:
        """`clean_flights`, `join_weather`: what it does, as far as the calls tell, and to what."""
        return self._unique(verb(functions) or ("make" if is_new else "change"), _noun(made))

    def drawer(self, drawn: str) -> str:
        """`draw_delays` for a cell that only draws."""
        return self._unique("draw", _noun(drawn))

    def caller(self, function: str) -> str:
        """`run_main` for a cell that only calls `main`."""
        return self._unique("run", _words_of(function))

    def own(self, name: str) -> str:
        """The name that the cell itself gives its block."""
        self._taken.add(name)
        return name

    def _unique(self, word: str, noun: str) -> str:
        name = f"make_{noun}" if noun.startswith(word) else f"{word}_{noun}"
        name = module_name(name[:_LONGEST])
        candidate, number = name, 2
        while candidate in self._taken:
            candidate, number = f"{name}_{number}", number + 1
        self._taken.add(candidate)
        return candidate


def file_stem(call: Call) -> str:
    """The name of the file, or of the table, that a call reads or writes; empty if unknown."""
    for text in call.strings:
        found = _FILE.match(text)
        if found and (stem := _words_of(found["stem"])):
            return stem
    if call.strings and (call.function.startswith("save") or call.function.endswith(_NAMING)):
        return _words_of(call.strings[0]) if _TABLE.match(call.strings[0]) else ""
    return ""


def _noun(name: str) -> str:
    """A variable's name without the letters that only say that it is a table."""
    return _words_of(re.sub(r"(^df_)|(_df\d*$)", "", name)) if name else ""


def _words_of(text: str) -> str:
    words = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")
    return words if re.search(r"[a-z]", words) else ""
