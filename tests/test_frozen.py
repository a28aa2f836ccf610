"""Copies of frozen dataclasses."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, dataclass, fields, replace
from functools import cached_property

import pytest

from jupyter_blocks.executors.base import BlockTask, InputRef
from jupyter_blocks.frozen import changed, made


@dataclass(frozen=True)
class Parcel:
    name: str
    weight: int = 1

    @cached_property
    def label(self) -> str:
        return f"{self.name} of {self.weight}"


def task() -> BlockTask:
    return BlockTask("run", "pipe", "load", "data_loader", "a1", 1, "/p", "/p", "load.py")


def test_a_changed_copy_is_what_replace_gives() -> None:
    """And the original stays as it was."""
    before, upstream = task(), (InputRef("above"),)
    assert changed(before, upstream=upstream) == replace(before, upstream=upstream)
    assert before == task()


def test_what_a_value_has_cached_is_not_taken_along() -> None:
    """It may be another one for the copy."""
    parcel = Parcel("book")
    assert parcel.label == "book of 1"
    assert changed(parcel, weight=2).label == "book of 2"


def test_a_copy_is_frozen_too() -> None:
    """It is an instance like any other."""
    with pytest.raises(FrozenInstanceError):
        changed(Parcel("book"), weight=2).weight = 3  # type: ignore[misc]


def test_an_unknown_field_is_refused() -> None:
    """As `replace` does."""
    with pytest.raises(TypeError, match="Parcel has no field color"):
        changed(Parcel("book"), color="red")


def test_a_value_is_made_of_all_its_fields() -> None:
    """Equal to the one it was taken from."""
    whole = task()
    values = {field.name: getattr(whole, field.name) for field in fields(whole)}
    assert made(BlockTask, values) == whole
