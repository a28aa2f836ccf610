"""moto's S3 in a process of its own, on a free port of the loopback interface.

    python -m tests.motoserver

prints the port and serves until its standard input is closed, so it never outlives who started it.
Requests are carried out one after the other: S3 compares and writes in one step, moto in two.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

__all__ = ["moto_server"]


@contextmanager
def moto_server() -> Iterator[str]:
    """Run the server while the `with` block runs; its URL."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.motoserver"],
        cwd=Path(__file__).parent.parent,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdin is not None
    try:
        port = process.stdout.readline().strip()
        assert port, "moto did not start"
        yield f"http://127.0.0.1:{port}"
    finally:
        process.stdin.close()
        process.stdout.close()
        process.wait(10)


def _serve() -> None:
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import WSGIRequestHandler, make_server

    class Quiet(WSGIRequestHandler):
        def log(self, *_: object, **__: object) -> None:
            pass

    dispatcher, lock = DomainDispatcherApplication(create_backend_app), threading.Lock()

    def one_by_one(environ: Any, start_response: Any) -> list[bytes]:
        with lock:
            return [b"".join(dispatcher(environ, start_response))]

    server = make_server("127.0.0.1", 0, one_by_one, threaded=True, request_handler=Quiet)
    threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    _serve()
