"""Text tables."""

from __future__ import annotations

from jupyter_blocks.console import Style
from jupyter_blocks.tables import Column, Painted, cut, display_width, table

COLUMNS = (Column("block", shrink=True), Column("rows", right=True), Column("note"))


def test_numbers_stand_on_the_right() -> None:
    """Columns are as wide as their widest cell; lines have no blanks at their end."""
    text = table(COLUMNS, [("load_flights", "336,776", ""), ("a", "1", "new")])
    assert text.split("\n") == [
        "block            rows  note",
        "load_flights  336,776",
        "a                   1  new",
    ]


def test_empty_columns_are_left_out() -> None:
    """A column that says nothing takes no room; one without a title stays."""
    columns = (Column(""), *COLUMNS)
    assert table(columns, [("", "a", "", "")]) == "  block\n  a"


def test_a_table_without_rows_has_its_titles() -> None:
    """Nothing to show is shown as such."""
    assert table(COLUMNS, []) == "block  rows  note"


def test_wide_tables_fit_the_terminal() -> None:
    """Columns that may shrink are cut, the widest first; the others stay whole."""
    rows = [("a" * 60, "123,456", "done")]
    lines = table(COLUMNS, rows, style=Style(width=40)).split("\n")
    assert max(map(len, lines)) == 40
    assert lines[1].endswith("…  123,456  done")


def test_paint_does_not_move_anything() -> None:
    """With and without colours, the same characters stand at the same places."""
    rows = [(Painted("a", "red"), "1", Painted("x", "bold green")), ("bb", "22", "y")]
    painted = table(COLUMNS, rows, style=Style(colour=True))
    assert "\x1b[31ma\x1b[0m" in painted
    assert "\x1b[1;32mx\x1b[0m" in painted
    plain = painted
    for code in ("\x1b[31m", "\x1b[1;32m", "\x1b[2m", "\x1b[0m"):
        plain = plain.replace(code, "")
    assert plain == table(COLUMNS, rows)


def test_wide_characters_count_twice() -> None:
    """Columns stay aligned with characters of two places, and with accents of none."""
    assert [display_width(text) for text in ("abc", "日本", "e\u0301")] == [3, 4, 1]
    assert cut("日本語", 5) == "日本…"
    assert cut("abc", 3) == "abc"


def test_cells_cannot_break_the_table() -> None:
    """Line feeds and escape codes of the user's data are shown, not obeyed."""
    text = table(COLUMNS, [("a\nb", "\x1b[31m", "")])
    assert text.split("\n")[1] == r"a\nb   \x1b[31m"


def test_optional_columns_go_first() -> None:
    """Where cutting is not enough, the last optional column is left out, then the one before."""
    columns = (
        Column("name", shrink=True),
        Column("min", optional=True),
        Column("max", optional=True),
        Column("note"),
    )
    row = [("x" * 20, "a" * 10, "b" * 10, "c" * 10)]
    titles = {
        width: table(columns, row, style=Style(width=width)).split("\n")[0].split()
        for width in (80, 48, 47, 36, 35, 20)
    }
    assert titles == {
        80: ["name", "min", "max", "note"],
        48: ["name", "min", "max", "note"],
        47: ["name", "min", "note"],
        36: ["name", "min", "note"],
        35: ["name", "note"],
        20: ["name", "note"],
    }
