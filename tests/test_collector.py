"""Holding back the collector of garbage leaves it as it was found."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from jupyter_blocks.collector import collector_paused


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    """Whatever a test does, the others have a collector."""
    yield
    gc.enable()


def test_it_rests_inside_and_works_again_after() -> None:
    """In pauses inside of pauses as well, and after a failure."""
    with collector_paused():
        with pytest.raises(ValueError, match="inside"), collector_paused():
            raise ValueError("inside")
        assert not gc.isenabled()
    assert gc.isenabled()


def test_who_has_none_gets_none() -> None:
    """A collector that somebody has switched off stays off."""
    gc.disable()
    with collector_paused():
        pass
    assert not gc.isenabled()


def test_the_last_of_many_threads_lets_it_work_again() -> None:
    """Whichever of them comes or goes first."""
    together = Barrier(4)

    def pause(number: int) -> bool:
        with collector_paused():
            together.wait(20)
            rested = not gc.isenabled()
            together.wait(20)
            return rested

    with ThreadPoolExecutor(4) as threads:
        assert all(threads.map(pause, range(4)))
    assert gc.isenabled()
