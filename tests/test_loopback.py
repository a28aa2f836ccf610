"""Servers of fakes."""

from __future__ import annotations

import http.client
from urllib.request import urlopen

import pytest

from jupyter_blocks.testing.loopback import LoopbackHandler, LoopbackServer


class Echo(LoopbackHandler):
    greeting: str

    def do_POST(self) -> None:
        self.reply(201, self.greeting.encode() + self.body(), {"X-Asked": self.path})

    def do_HEAD(self) -> None:
        self.reply(200, b"not sent")

    def do_GET(self) -> None:
        self.hang_up()


def connected(server: LoopbackServer) -> http.client.HTTPConnection:
    return http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=10)


def test_requests_are_answered() -> None:
    """With status, headers and body; one connection serves for many."""
    with LoopbackServer(Echo, greeting="hello ") as server:
        connection = connected(server)
        for name in ["a", "b"]:
            connection.request("POST", f"/{name}", body=name)
            answer = connection.getresponse()
            seen = answer.status, answer.headers["X-Asked"], answer.read()
            assert seen == (201, f"/{name}", f"hello {name}".encode())
        connection.close()


def test_answers_to_head_have_no_body() -> None:
    """Only its length, so that the next answer is not mixed up with it."""
    with LoopbackServer(Echo, greeting="") as server:
        connection = connected(server)
        connection.request("HEAD", "/")
        answer = connection.getresponse()
        assert (answer.headers["Content-Length"], answer.read()) == ("8", b"")
        connection.request("POST", "/", body="next")
        assert connection.getresponse().read() == b"next"
        connection.close()


def test_hanging_up() -> None:
    """The client sees the connection end."""
    with LoopbackServer(Echo) as server, pytest.raises(http.client.RemoteDisconnected):
        urlopen(server.url)


def test_servers_end() -> None:
    """A closed server is not there any more, and others have ports of their own."""
    with LoopbackServer(Echo) as server, LoopbackServer(Echo) as other:
        assert server.url != other.url
    connection = connected(server)
    with pytest.raises(ConnectionRefusedError):
        connection.request("HEAD", "/")
