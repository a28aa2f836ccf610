"""Numbers, sizes and times as people read them."""

from __future__ import annotations

import pytest

from jupyter_blocks.run import BlockStatus, RunStatus
from jupyter_blocks.wording import (
    STATUS_PAINTS,
    STATUS_SYMBOLS,
    STATUS_WORDS,
    ago,
    bytes_text,
    duration_text,
    one_line,
    parameters_text,
    plural,
    rows_text,
    size_of,
)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 ms"),
        (0.0123, "12 ms"),
        (0.0996, "0.10 s"),
        (0.91, "0.91 s"),
        (9.996, "10.0 s"),
        (12.44, "12.4 s"),
        (59.96, "1 min 00 s"),
        (185, "3 min 05 s"),
        (3599.7, "1 h 00 min"),
        (7800, "2 h 10 min"),
    ],
)
def test_durations(seconds: float, text: str) -> None:
    """Two or three digits, whatever the unit; rounding never gives sixty of one."""
    assert duration_text(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1_000, "1.0 kB"),
        (336_776, "337 kB"),
        (24_100_000, "24.1 MB"),
        (5e9, "5.0 GB"),
        (2e12, "2.0 TB"),
    ],
)
def test_sizes(count: float, text: str) -> None:
    """Powers of 1000."""
    assert bytes_text(count) == text


@pytest.mark.parametrize(
    ("passed", "text"),
    [(5, "just now"), (720, "12 min ago"), (10_800, "3 h ago"), (86_400, "1 day ago")],
)
def test_ago(passed: float, text: str) -> None:
    """How long ago something was."""
    assert ago(1_000_000, 1_000_000 + passed) == text


def test_outputs_of_a_block() -> None:
    """Rows of what has rows, bytes of everything."""
    outputs = {
        "names": {"type": "table", "rows": 16, "bytes": 100},
        "count": {"type": "json", "rows": None, "bytes": 1},
        "places": {"type": "table", "rows": 1458, "bytes": 900},
    }
    assert rows_text(outputs) == "16 + 1,458"
    assert size_of(outputs) == 1001


def test_short_texts() -> None:
    """One line, cut at the end; one thing is one thing."""
    assert one_line("a\n  b\tc") == "a b c"
    assert one_line("x" * 10, 5) == "xxxx…"
    assert (plural(1, "block"), plural(1200, "block")) == ("1 block", "1,200 blocks")
    assert parameters_text({"month": 1, "note": "a\nb"}) == "month=1 note=a b"


def test_every_state_has_a_word_a_symbol_and_a_paint() -> None:
    """No state is told by colour alone, and none is forgotten."""
    states = {*map(str, BlockStatus), *map(str, RunStatus)}
    for table in (STATUS_WORDS, STATUS_SYMBOLS, STATUS_PAINTS):
        assert states <= set(table)
    block_symbols = [STATUS_SYMBOLS[status] for status in BlockStatus]
    assert len(set(block_symbols)) == len(block_symbols)
