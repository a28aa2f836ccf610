"""JSON messages over a stream socket: four bytes of length, then UTF-8 JSON.

Used between the local executor and its processes. No pickle, so that neither side can be made to
run what the other one sends.
"""

from __future__ import annotations

import json
import socket
import struct
from typing import Any

__all__ = ["Inbox", "packed", "receive", "send"]

_LENGTH = struct.Struct(">I")


def packed(message: dict[str, Any]) -> bytes:
    """A message as it is sent."""
    data = json.dumps(message).encode()
    return _LENGTH.pack(len(data)) + data


def send(connection: socket.socket, message: dict[str, Any]) -> None:
    """Send one message; raises `OSError` when the other side is gone."""
    connection.sendall(packed(message))


def receive(connection: socket.socket) -> dict[str, Any] | None:
    """Wait for one message; none when the other side is gone, even in the middle of a message."""
    header = _read(connection, _LENGTH.size)
    if header is None:
        return None
    data = _read(connection, _LENGTH.unpack(header)[0])
    if data is None:
        return None
    message: dict[str, Any] = json.loads(data)
    return message


class Inbox:
    """Takes messages off a socket, as many at once as have arrived."""

    _MOST = 256 * 1024

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._data = bytearray()

    def take(self, *, wait: bool) -> list[dict[str, Any]] | None:
        """What has arrived, at least one message with `wait`; none when the other side is gone."""
        while True:
            try:
                part = self._connection.recv(self._MOST, 0 if wait else socket.MSG_DONTWAIT)
            except BlockingIOError:
                return []
            except ConnectionError:
                return None
            if not part:
                return None
            self._data += part
            messages = self._messages()
            if messages:
                return messages

    def _messages(self) -> list[dict[str, Any]]:
        messages, start = [], 0
        while len(self._data) - start >= _LENGTH.size:
            first = start + _LENGTH.size
            last = first + _LENGTH.unpack_from(self._data, start)[0]
            if len(self._data) < last:
                break
            messages.append(json.loads(self._data[first:last]))
            start = last
        del self._data[:start]
        return messages


def _read(connection: socket.socket, size: int) -> bytes | None:
    data = b""
    while len(data) < size:
        try:
            part = connection.recv(size - len(data))
        except (ConnectionError, TimeoutError):
            return None
        if not part:
            return None
        data = data + part if data else part
    return data
