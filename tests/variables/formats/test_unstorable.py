"""A value that cannot be stored is refused with the member to blame and what to do."""

from __future__ import annotations

import csv
import io
import itertools
import math
import socket
import sqlite3
import threading
import types
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from jupyter_blocks.errors import UnstorableError
from tests.variables.stored import store, there_and_back


class Model:
    """An object with members."""

    def __init__(self, **members: Any) -> None:
        self.__dict__.update(members)


class Slotted:
    """An object that keeps its members in slots."""

    __slots__ = ("handle", "unset")

    def __init__(self, handle: Any) -> None:
        self.handle = handle


class Refusing:
    """An object that says itself why not."""

    def __reduce__(self) -> Any:
        raise ValueError("lives in the cloud")


@pytest.fixture
def things() -> Iterator[types.SimpleNamespace]:
    """Things that belong to this process."""
    with ExitStack() as stack:
        yield types.SimpleNamespace(
            connection=stack.enter_context(closing(sqlite3.connect(":memory:"))),
            file=stack.enter_context(Path(__file__).open("rb")),
            text=stack.enter_context(Path(__file__).open()),
            socket=stack.enter_context(socket.socket()),
            lock=threading.Lock(),
            generator=(number for number in range(3)),
        )


Make = Callable[[types.SimpleNamespace], Any]

OFFENDERS: dict[str, tuple[Make, str, str]] = {
    # what: (value, the offender, the remedy)
    "generator": (lambda t: t.generator, "it is a generator of type generator", "list"),
    "coroutine": (lambda _: coroutine(), "it is a coroutine", "Await it"),
    "list iterator": (lambda _: iter([1]), "it is an iterator of type list_iterator", "list"),
    "zip": (lambda _: zip([1], [2], strict=True), "it is an iterator of type zip", "list"),
    "map": (lambda _: map(str, [1]), "it is an iterator of type map", "list"),
    "itertools": (lambda _: itertools.count(), "it is an iterator of type itertools.count", "list"),
    "csv reader": (lambda _: csv.reader(io.StringIO("a")), "it is an iterator", "list"),
    "module": (lambda _: math, "it is a module of type module", "Import it inside the block"),
    "connection": (
        lambda t: t.connection,
        "it is a database connection of type sqlite3.Connection",
        "inside",
    ),
    "binary file": (lambda t: t.file, "it is an open file of type _io.BufferedReader", "inside"),
    "text file": (lambda t: t.text, "it is an open file of type _io.TextIOWrapper", "inside"),
    "socket": (lambda t: t.socket, "it is a network connection of type socket.socket", "inside"),
    "lock": (lambda t: t.lock, "it is a lock of type _thread.lock", "inside"),
    "in a dict": (
        lambda t: {"rows": 1, "conn": t.connection},
        "`result['conn']` is a database connection",
        "inside",
    ),
    "as a key": (lambda t: {t.lock: 1}, "is a lock of type _thread.lock", "inside"),
    "in an object": (lambda t: Model(a=1, lock=t.lock), "`result.lock` is a lock", "inside"),
    "in a slot": (lambda t: Slotted(t.file), "`result.handle` is an open file", "inside"),
    "in a list": (lambda t: [1, [t.generator]], "`result[1][0]` is a generator", "list"),
    "in a tuple": (lambda t: (t.text,), "`result[0]` is an open file", "inside"),
    "in a set": (lambda t: {t.lock}, "is a lock", "inside"),
    "deep": (
        lambda t: {"models": [Model(engine=Model(pool={"free": [t.connection]}))]},
        "`result['models'][0].engine.pool['free'][0]` is a database connection",
        "inside",
    ),
    "in a closure": (lambda t: lambda: t.lock, "its variable 't'", "inside"),
    "in a frame": (
        lambda t: pd.DataFrame({"a": [1, 2], "h": pd.Series([1, t.lock], dtype=object)}),
        "`result['h'].iloc[1]` is a lock",
        "inside",
    ),
    "in a series": (
        lambda t: pd.Series([t.connection], dtype=object),
        "`result.iloc[0]` is a database connection",
        "inside",
    ),
    "beside a table": (
        lambda t: {"frame": pd.DataFrame({"a": range(100_000)}), "lock": t.lock},
        "`result['lock']` is a lock",
        "inside",
    ),
    "of its own making": (
        lambda _: [Refusing()],
        r"`result\[0\]` is an object of type .*Refusing, .*ValueError: lives in the cloud",
        "inside",
    ),
}


async def coroutine() -> None:
    """Never awaited; closed by the test."""


@pytest.mark.parametrize("case", OFFENDERS)
@pytest.mark.filterwarnings("ignore:.*itertools:DeprecationWarning")
def test_the_member_to_blame_is_named(
    case: str, things: types.SimpleNamespace, tmp_path: Path
) -> None:
    """With its path, its type and the remedy; and no file is left behind."""
    make, offender, remedy = OFFENDERS[case]
    value = make(things)
    pattern = offender if "\\" in offender else offender.replace("[", r"\[").replace("]", r"\]")
    with pytest.raises(UnstorableError, match=f"'result' cannot be stored: .*{pattern}") as caught:
        store(tmp_path, value, "result")
    assert remedy in caught.value.hint
    assert caught.value.hint in str(caught.value)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    if case == "coroutine":
        value.close()


STORABLE: dict[str, Callable[[], Any]] = {
    "file in memory": lambda: io.BytesIO(b"ab").getvalue(),
    "module in a function": lambda: lambda: math.pi,
    "bound method": lambda: Model(a=1).__eq__.__name__,
    "view of a dict": {"a": 1}.values,
    "iterator class of one's own": lambda: Counting(at=2),
}


class Counting:
    """An iterator that knows how to come back."""

    def __init__(self, at: int) -> None:
        self.at = at

    def __iter__(self) -> Iterator[int]:
        return self

    def __next__(self) -> int:
        self.at += 1
        return self.at


@pytest.mark.parametrize("case", STORABLE)
def test_what_comes_back_is_not_refused(case: str, tmp_path: Path) -> None:
    """Only what does not survive its process is."""
    value = STORABLE[case]()
    assert type(there_and_back(tmp_path, value)).__name__ == type(value).__name__


def test_things_nested_without_end_are_refused(tmp_path: Path) -> None:
    """With the reason pickle gives."""
    value: Any = None
    for _ in range(100_000):
        value = [value]
    with pytest.raises(UnstorableError, match="cannot be stored"):
        store(tmp_path, value)
    while value:
        value = value.pop()
