"""HTTP servers on the loopback interface, for fakes of services that speak HTTP.

    with LoopbackServer(Handler) as server:
        urlopen(server.url)

`Handler` inherits from `LoopbackHandler` and has methods such as `do_GET`, which call `reply`.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

__all__ = ["LoopbackHandler", "LoopbackServer"]


class LoopbackHandler(BaseHTTPRequestHandler):
    """Answers requests of one connection; inherit and add `do_GET` and the like."""

    protocol_version = "HTTP/1.1"
    # Answers are two writes, which must not wait for each other.
    disable_nagle_algorithm = True

    def body(self) -> bytes:
        """What was sent with the request; to be read once."""
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def reply(self, status: int, data: bytes = b"", headers: Mapping[str, str] = {}) -> None:
        """Answer; whoever has hung up meanwhile gets none.

        An answer to HEAD has the headers of `data` and not `data` itself.
        """
        with suppress(ConnectionError):
            self.send_response(status)
            for name, value in {"Content-Length": str(len(data)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(data)

    def hang_up(self) -> None:
        """End the connection without an answer."""
        self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as in the base class
        """Say nothing."""


class LoopbackServer:
    """Serves on a free port of this machine, a thread for each connection, until it is closed."""

    def __init__(self, handler: type[LoopbackHandler], **attributes: object) -> None:
        """Start to serve with handlers that have these attributes."""
        self._server = _Server(("127.0.0.1", 0), type("Handler", (handler,), attributes))
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), daemon=True
        )
        self._thread.start()

    @property
    def url(self) -> str:
        """Where it serves, without a slash at the end."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        """Take no more connections; those that are open are left to their ends."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> LoopbackServer:
        """Serve while the `with` block runs."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close it."""
        self.close()


class _Server(ThreadingHTTPServer):
    # Clients with sixteen threads and more connect at once.
    request_queue_size = 128
