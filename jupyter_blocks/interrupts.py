"""What Ctrl-C does to a run: the first stops it gracefully, the next one at once."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["Interrupts", "StopAtOnce", "interruptible"]

_GRACEFUL = ("SIGINT", "SIGTERM", "SIGHUP")


class StopAtOnce(KeyboardInterrupt):
    """The user pressed Ctrl-C a second time."""


class Interrupts:
    """What the user asked for while a run went on."""

    def __init__(self, cancel: Callable[[], None]) -> None:
        self._cancel = cancel
        self.asked = False
        """Whether the run was asked to stop."""

    def __call__(self, number: int, _frame: FrameType | None) -> None:
        """Handle a signal."""
        if self.asked and number == signal.SIGINT:
            # A third one is not handled any more: it ends the process wherever it is.
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            raise StopAtOnce
        if not self.asked:
            self.asked = True
            # Not here: the interrupted thread may hold the very lock that `cancel` needs.
            threading.Thread(target=self._cancel, name="cancel", daemon=True).start()


@contextmanager
def interruptible(cancel: Callable[[], None]) -> Iterator[Interrupts]:
    """Within the `with` block, call `cancel` on the first Ctrl-C, SIGTERM or SIGHUP.

    A second Ctrl-C raises `StopAtOnce` there. Signals that were ignored before, as `nohup` does,
    stay so.
    """
    interrupts = Interrupts(cancel)
    before = {}
    for name in _GRACEFUL:
        number = getattr(signal, name)
        if signal.getsignal(number) is not signal.SIG_IGN:
            before[number] = signal.signal(number, interrupts)
    try:
        yield interrupts
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
