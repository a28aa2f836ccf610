"""Where commands write, in colour or not, and to readers that go away."""

from __future__ import annotations

import io
import os
import pty
from pathlib import Path

import pytest

from jupyter_blocks.console import PLAIN, Console, Style


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """Always."""
        return True


@pytest.mark.parametrize(
    ("variables", "colour"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True), ({"TERM": "dumb"}, False)],
)
def test_colours_only_where_they_are_wanted(variables: dict[str, str], colour: bool) -> None:
    """A terminal has colours unless NO_COLOR is set, to anything, or it is a dumb one."""
    console = Console(Terminal(), io.StringIO(), environment=variables)
    assert console.result_style.colour is colour
    assert console.note_style == PLAIN


def test_paint() -> None:
    """Several words add up; plain styles and empty texts stay as they are."""
    assert Style(colour=True).paint("x", "bold red") == "\x1b[1;31mx\x1b[0m"
    assert Style(colour=True).paint("", "bold") == ""
    assert PLAIN.paint("x", "bold red") == "x"


def test_results_and_notes_do_not_mix() -> None:
    """Results on stdout, everything else on stderr."""
    out, err = io.StringIO(), io.StringIO()
    console = Console(out, err)
    console.result("table")
    console.document({"a": "ü"})
    console.note("note")
    console.error("bad")
    console.warning("odd")
    assert out.getvalue() == 'table\n{\n  "a": "ü"\n}\n'
    assert err.getvalue() == "note\nerror: bad\nwarning: odd\n"


def test_a_reader_that_goes_away_changes_nothing() -> None:
    """After the first write that fails, the stream is silently dropped; the other one goes on."""
    reader, writer = os.pipe()
    os.close(reader)
    err = io.StringIO()
    with open(writer, "w") as out:  # noqa: PTH123 - a descriptor, not a path
        console = Console(out, err)
        console.result("x" * 100_000)
        console.result("more")
        console.note("still here")
        console.close()
    assert err.getvalue() == "still here\n"


def test_characters_a_terminal_does_not_know_are_replaced(tmp_path: Path) -> None:
    """A console in ASCII shows question marks instead of failing."""
    with (tmp_path / "out").open("w+", encoding="ascii") as out:
        Console(out, io.StringIO()).result("✓ ok")
        out.seek(0)
        assert out.read() == "? ok\n"


def test_width_of_a_terminal_is_known() -> None:
    """Only what goes to a terminal is cut to a width."""
    leader, follower = pty.openpty()
    with open(follower, "w") as out:  # noqa: PTH123
        assert Console(out, io.StringIO()).result_style.width is not None
    os.close(leader)
    assert Console(io.StringIO(), io.StringIO()).result_style.width is None
