"""How the fake cluster is reached: a loopback HTTP server, and what goes wrong on the way to it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from jupyter_blocks.testing.fake_kubernetes_objects import ApiStatusError
from jupyter_blocks.testing.loopback import LoopbackHandler, LoopbackServer

__all__ = ["Answer", "Fault", "Faults", "serve"]

Answer = Callable[[str, str, str, bytes], tuple[int, str, dict[str, str]] | None]
"""Method, path, authorization and body -> status, body and headers; none: hang up."""

_WHEN = {"POST": "create", "GET": "list", "DELETE": "stop"}
_MESSAGES = {
    410: "The provided continue parameter is too old to display a consistent list.",
    429: "too many requests, please try again later",
    503: "apiserver is shutting down",
    504: "the server was unable to return a response in the time allotted",
}


@dataclass(frozen=True)
class Fault:
    """One answer that is wrong."""

    when: str
    """`create`, `list`, `page` (a later page of a list), `stop`, `any`."""
    status: int
    is_done: bool
    """Whether what was asked is done all the same."""

    @property
    def error(self) -> ApiStatusError:
        """The answer."""
        return ApiStatusError(self.status, _MESSAGES.get(self.status, "etcdserver: timed out"))


@dataclass
class Faults:
    """What is to go wrong, and the rate above which calls are refused."""

    script: list[Fault] = field(default_factory=list)
    most_calls_per_s: float | None = None
    refused: int = 0
    """Calls that came too fast."""
    _tokens: float = 0.0
    _filled_at: float = 0.0

    def next(self, method: str, query: Mapping[str, str]) -> Fault | None:
        """The fault that a call meets."""
        if self._is_too_fast():
            self.refused += 1
            return Fault("any", 429, is_done=False)
        kinds = {"any", _WHEN.get(method, "")}
        if "continue" in query:
            kinds.add("page")
        for fault in self.script:
            if fault.when in kinds:
                self.script.remove(fault)
                return fault
        return None

    def _is_too_fast(self) -> bool:
        """A bucket of the tokens of one second."""
        if self.most_calls_per_s is None:
            return False
        now = time.monotonic()
        earned = (now - self._filled_at) * self.most_calls_per_s
        self._tokens = min(self.most_calls_per_s, self._tokens + earned)
        self._filled_at = now
        if self._tokens < 1:
            return True
        self._tokens -= 1
        return False


def serve(answer: Answer) -> LoopbackServer:
    """A server on a free port of this machine, which listens until it is closed."""
    return LoopbackServer(_Handler, answer=staticmethod(answer))


class _Handler(LoopbackHandler):
    answer: Answer

    def _serve(self) -> None:
        authorization = self.headers.get("Authorization", "")
        answer = self.answer(self.command, self.path, authorization, self.body())
        if answer is None:
            self.hang_up()
            return
        status, text, headers = answer
        self.reply(status, text.encode(), headers)

    do_GET = do_POST = do_DELETE = _serve  # noqa: N815 - names that http.server wants
