"""`jupyter blocks check`: the proof that the pipeline computes what the notebook computes."""

from __future__ import annotations

import time
from argparse import ArgumentParser, Namespace
from pathlib import Path
from types import TracebackType
from typing import Self

from jupyter_blocks.check import CheckResult, check_notebook
from jupyter_blocks.check.result import place_text
from jupyter_blocks.commands.base import Command, add_json, show_warnings
from jupyter_blocks.console import Console, Style
from jupyter_blocks.tables import Column, Painted, table

__all__ = ["CHECK"]

_GROUPS = (
    ("equal", "✓", "equal", "green"),
    ("different", "✗", "DIFFERENT", "bold red"),
    ("not_comparable", "○", "not comparable", "yellow"),
    ("failed", "✗", "FAILED", "bold red"),
)


_STEP_INTERVAL_S = 15.0
"""Where nobody watches, a line says how far it is no more often than this."""


class _Progress:
    """Says what is being done and how far it is: on one line of a terminal, else now and then."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._is_live = console.stderr_is_terminal and not console.dumb
        self._doing = ""
        self._shown_at = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._is_live:
            self._show("")

    def say(self, text: str) -> None:
        """Begin something else."""
        self._doing, self._shown_at = text.removesuffix(" ..."), time.monotonic()
        if self._is_live:
            self._show(text)
        else:
            self._console.note(text)

    def step(self, text: str) -> None:
        """Say how far it is."""
        now = time.monotonic()
        if self._is_live:
            self._show(f"{self._doing}: {text}")
        elif now - self._shown_at >= _STEP_INTERVAL_S:
            self._shown_at = now
            self._console.note(f"{self._doing}: {text}")

    def _show(self, text: str) -> None:
        width = self._console.note_style.width or len(text) + 1
        line = f"\r\x1b[2K{text[: width - 1]}"
        self._console.stderr.write(line)
        self._console.stderr.flush()


def _configure(parser: ArgumentParser) -> None:
    parser.add_argument("notebook", metavar="NOTEBOOK", help="the notebook")
    add_json(parser)


def _execute(args: Namespace, console: Console) -> int:
    with _Progress(console) as progress:
        result = check_notebook(Path(args.notebook), progress.say, progress.step)
    show_warnings(result.warnings, console)
    for note in result.notes:
        console.warning(note)
    if result.error:
        console.error(f"The notebook does not run to its end: {result.error}")
        for line in result.log:
            console.note(f"  {line}")
    if console.as_json:
        console.document(result.as_json())
    else:
        console.result(_table(result, console.result_style))
        console.result()
        console.result(_totals(result))
    return 0 if result.ok else 1


def _table(result: CheckResult, style: Style) -> str:
    columns = (Column(""), Column("result"), Column("block"), Column("name"), Column("detail"))
    rows = [
        (Painted(symbol, paint), Painted(word, paint), entry.block, entry.name, entry.detail)
        for group, symbol, word, paint in _GROUPS
        for entry in getattr(result, group)
    ]
    return table(columns, rows, style=style)


def _totals(result: CheckResult) -> str:
    counts = ", ".join(
        f"{len(getattr(result, group))} {word.lower()}"
        for group, _, word, _ in _GROUPS
        if getattr(result, group)
    )
    if result.error:
        return "Nothing was compared: the notebook itself does not run to its end."
    if not counts:
        return "There is nothing to compare: no block gives a value."
    if result.ok and not result.equal:
        return f"The pipeline runs, but nothing of it can be compared: {counts}."
    if result.ok:
        return f"The pipeline computes what the notebook computes: {counts}."
    return f"The pipeline does not compute what the notebook computes: {counts}.{_began(result)}"


def _began(result: CheckResult) -> str:
    """Where the differences began, where there are several."""
    if len(result.different) < 2:
        return ""
    places = dict.fromkeys(
        f"block '{entry.block}'{_at(place_text(entry.cell, entry.line))}"
        for entry in result.origins
    )
    return f"\nThe differences begin in {', '.join(places)}."


def _at(place: str) -> str:
    return f" ({place})" if place else ""


CHECK = Command(
    about=(
        "Run the notebook from top to bottom in a kernel and the pipeline exported from it, and "
        "compare every\noutput of every block exactly: types, index, order and values. Models are "
        "compared by what they learned,\nfigures by what they show. What cannot be compared is "
        "said, with the reason.\n\n"
        "Of a difference it is said in which block, cell and line it begins; what follows from it "
        "is listed so. If\nvalues differ, the notebook runs once more: what it gives another "
        "value each time, such as random numbers\nwithout a seed, cannot be compared.\n\n"
        "Nothing is written to the project or its store. What the cells themselves write, such as "
        "the files of\nexporters, is written each time. Sensors are taken as satisfied. Cells with "
        "the tag skip run in the\nnotebook, as they do in Jupyter, but may fail."
    ),
    examples=("check flights.ipynb", "check flights.ipynb --json"),
    configure=_configure,
    execute=_execute,
    exits="0 all that can be compared is equal; 1 something differs or failed; 2 the notebook has "
    "mistakes.",
)
