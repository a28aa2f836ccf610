"""How the fake cluster is reached: a loopback HTTP server, and what goes wrong on the way to it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from jupyter_blocks.testing.fake_kubernetes_objects import ApiStatusError

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


def serve(answer: Answer) -> ThreadingHTTPServer:
    """A server on a free port of this machine; it listens once `serve_forever` is called."""
    handler = type("Handler", (_Handler,), {"answer": staticmethod(answer)})
    server = _Server(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    return server


class _Server(ThreadingHTTPServer):
    request_queue_size = 128


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Answers are two writes, which must not wait for each other.
    disable_nagle_algorithm = True
    answer: Answer

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        authorization = self.headers.get("Authorization", "")
        answer = self.answer(self.command, self.path, authorization, body)
        if answer is None:
            self.close_connection = True
            return
        with suppress(ConnectionError):
            self._send(*answer)

    do_GET = do_POST = do_DELETE = _serve  # noqa: N815 - names that http.server wants

    def _send(self, code: int, text: str, headers: Mapping[str, str]) -> None:
        data = text.encode()
        self.send_response_only(code)
        self.send_header("Date", formatdate(usegmt=True))
        self.send_header("Content-Length", str(len(data)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as in the base class
        """Say nothing."""
