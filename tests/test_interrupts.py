"""What Ctrl-C does to a run."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from jupyter_blocks.interrupts import StopAtOnce, interruptible


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_first_signal_asks_the_run_to_stop(number: signal.Signals) -> None:
    """The run is asked once, and goes on to its end."""
    asked = threading.Event()
    with interruptible(asked.set) as interrupts:
        os.kill(os.getpid(), number)
        assert asked.wait(10)
        assert interrupts.asked


def test_a_second_ctrl_c_stops_at_once() -> None:
    """Whatever the first one was."""
    with interruptible(lambda: None):
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(StopAtOnce):
            os.kill(os.getpid(), signal.SIGINT)


def test_further_wishes_to_end_change_nothing() -> None:
    """A terminal that is closed sends SIGHUP after Ctrl-C: the run still ends gracefully."""
    asked: list[int] = []
    with interruptible(lambda: asked.append(1)):
        for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
            os.kill(os.getpid(), number)
    for thread in threading.enumerate():
        if thread.name == "cancel":
            thread.join()
    assert asked == [1]


def test_handlers_are_put_back() -> None:
    """Afterwards Ctrl-C does what it did before."""
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with interruptible(lambda: None):
        assert signal.getsignal(signal.SIGINT) != before[0]
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_ignored_signals_stay_ignored() -> None:
    """`nohup jupyter blocks run` survives the end of its terminal."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with interruptible(lambda: None) as interrupts:
            os.kill(os.getpid(), signal.SIGHUP)
            assert not interrupts.asked
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_asking_does_not_wait_for_a_lock_of_the_interrupted_thread() -> None:
    """The signal arrives while the thread holds the lock that cancelling needs."""
    lock = threading.Lock()
    asked = threading.Event()

    def cancel() -> None:
        with lock:
            asked.set()

    with interruptible(cancel), lock:
        os.kill(os.getpid(), signal.SIGINT)
        assert not asked.is_set()
    assert asked.wait(10)
