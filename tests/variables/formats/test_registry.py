"""Formats that other packages register."""

from __future__ import annotations

import pickle
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import pytest

from jupyter_blocks.errors import VariableError
from jupyter_blocks.variables.formats import decode, register_format, registry
from jupyter_blocks.variables.manifest import StoredOutput
from tests.variables.stored import store


class Temperature:
    """A class of another package, with a format of its own."""

    def __init__(self, celsius: float) -> None:
        self.celsius = celsius


class Unit(Temperature):
    """A subclass the format does not know."""


@pytest.fixture
def temperatures() -> Iterator[None]:
    """The few lines it takes to register a format."""

    def write(value: Temperature, file: BinaryIO) -> None:
        file.write(str(value.celsius).encode())

    def read(file: BinaryIO) -> Temperature:
        return Temperature(float(file.read()))

    register_format(
        "tests.temperature",
        Temperature,
        write=write,
        read=read,
        suffix=".celsius",
        preview=lambda value: {"celsius": value.celsius},
    )
    yield
    registry._registered.clear()
    registry._FORMATS.pop("tests.temperature")


@pytest.mark.usefixtures("temperatures")
def test_packages_register_formats_of_their_own(tmp_path: Path) -> None:
    """Files hold what they wrote."""
    stored, source = store(tmp_path, Temperature(21.5))
    assert stored.format == "tests.temperature"
    assert (tmp_path / "attempt" / stored.objects[0].key).read_text() == "21.5"
    assert decode(stored, source).celsius == 21.5


@pytest.mark.usefixtures("temperatures")
def test_a_registered_format_that_changes_the_class_is_passed_over(tmp_path: Path) -> None:
    """A subclass would come back as its base; it is pickled, and no file is left behind."""
    stored, source = store(tmp_path, Unit(3))
    assert stored.format == "pickle"
    assert type(decode(stored, source)) is Unit
    assert [path.name for path in (tmp_path / "attempt" / "out").iterdir()] == ["out.pickle"]


def test_names_of_built_in_formats_are_taken() -> None:
    """Their values could not be read any more."""
    with pytest.raises(VariableError, match="'json' is built in"):
        register_format("json", "x.Y", write=pickle.dump, read=pickle.load)


def test_a_reader_imports_the_package_that_registered_the_format(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So a process that never heard of it reads the value."""
    (tmp_path / "my_package.py").write_text(
        "from jupyter_blocks.variables.formats import register_format\n"
        "class Thing:\n"
        "    pass\n"
        "def write(value, file): file.write(b'thing')\n"
        "def read(file): return Thing()\n"
        "register_format('my_package.thing', 'my_package.Thing', write=write, read=read)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    import my_package  # type: ignore[import-not-found]

    stored, source = store(tmp_path / "store", my_package.Thing())
    registry._registered.clear()
    registry._FORMATS.pop("my_package.thing")
    del sys.modules["my_package"]
    assert type(decode(stored, source)).__name__ == "Thing"
    registry._registered.clear()
    registry._FORMATS.pop("my_package.thing")


@pytest.mark.parametrize(
    ("meta", "text"),
    [
        ({}, "unknown format 'x.y'. Known formats: arrow, bytes"),
        ({"module": "no_such_module"}, "module 'no_such_module' cannot be imported.*Install"),
    ],
)
def test_a_format_nobody_knows_is_explained(meta: dict[str, str], text: str) -> None:
    """With what to install or to import."""
    with pytest.raises(VariableError, match=text):
        decode(StoredOutput("object", "x.y", "x.Y", meta=meta), None)  # type: ignore[arg-type]
