"""Plain data, text and bytes: in the manifest while they are small, in open files otherwise."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jupyter_blocks.variables.formats import decode
from tests.variables.same import assert_same_plain
from tests.variables.stored import store

PLAIN: dict[str, tuple[Any, str]] = {
    "None": (None, "json"),
    "bool": (True, "json"),
    "int": (7, "json"),
    "numpy scalar": (np.float64(1.5), "json"),
    "list": ([1, (2, {3})], "json"),
    "dict": ({"a": dt.date(2020, 1, 1)}, "json"),
    "text": ("some\r\ntext ö", "text"),
    "half a surrogate pair": ("\ud800", "text"),
    "bytes": (b"\0\xff", "bytes"),
    "bytearray": (bytearray(b"ab"), "bytes"),
}


@pytest.mark.parametrize("case", PLAIN)
def test_small_plain_values_need_no_file(case: str, tmp_path: Path) -> None:
    """The manifest holds them."""
    value, kind = PLAIN[case]
    stored, source = store(tmp_path, value)
    assert (stored.type, stored.objects) == (kind, ())
    assert_same_plain(value, decode(stored, source))
    assert not tmp_path.exists() or not list(tmp_path.iterdir())


LARGE: dict[str, tuple[Any, str]] = {
    "list": ([{"n": number, "t": "x" * 10} for number in range(1000)], ".json"),
    "tuples": ([(number, float("nan")) for number in range(1000)], ".json"),
    "text": ("line ö\n" * 1000, ".txt"),
    "text with half a pair": ("\ud800" * 5000, ".txt"),
    "bytes": (bytes(range(256)) * 20, ".bin"),
    "bytearray": (bytearray(range(256)) * 20, ".bin"),
    "bytes that are mapped": (bytes(300_000), ".bin"),
}


@pytest.mark.parametrize("case", LARGE)
def test_larger_plain_values_have_a_file(case: str, tmp_path: Path) -> None:
    """One that any program can read."""
    value, suffix = LARGE[case]
    stored, source = store(tmp_path, value)
    assert [item.key for item in stored.objects] == [f"out/out{suffix}"]
    assert_same_plain(value, decode(stored, source))
