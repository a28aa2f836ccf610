"""How long blocks wait for a machine."""

from __future__ import annotations

from jupyter_blocks.executors.patience import Patience
from tests.executors.test_apicalls import Clock


def test_a_block_waits_so_long_and_no_longer() -> None:
    """Counted from its first refusal, each block for itself."""
    clock = Clock()
    patience = Patience(60, clock)
    assert not patience.is_over("a")
    clock.sleep(59)
    assert not patience.is_over("a")
    assert not patience.is_over("b")
    clock.sleep(1)
    assert patience.is_over("a")
    assert not patience.is_over("b")


def test_who_waits_behind_its_own_run_is_not_given_up() -> None:
    """While another block of the run has a machine, one without waits for its turn."""
    clock = Clock()
    patience = Patience(60, clock)
    for _ in range(10):
        assert not patience.is_over("a")
        clock.sleep(50)
        patience.something_runs()
    clock.sleep(59)
    assert not patience.is_over("a")
    clock.sleep(1)
    assert patience.is_over("a")


def test_what_is_stuck_by_itself_is_given_up_whatever_else_runs() -> None:
    """A volume that is not there does not come because others run."""
    clock = Clock()
    patience = Patience(60, clock)
    assert not patience.is_over("a", for_room=False)
    clock.sleep(60)
    patience.something_runs()
    assert patience.is_over("a", for_room=False)


def test_a_block_that_got_its_machine_begins_anew() -> None:
    """What it waited before is forgotten."""
    clock = Clock()
    patience = Patience(60, clock)
    assert not patience.is_over("a")
    patience.forget("a")
    clock.sleep(60)
    assert not patience.is_over("a")
