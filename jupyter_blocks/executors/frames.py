"""JSON messages over a stream socket: four bytes of length, then UTF-8 JSON.

Used between the local executor and its processes. No pickle, so that neither side can be made to
run what the other one sends.
"""

from __future__ import annotations

import json
import socket
import struct
from typing import Any

__all__ = ["receive", "send"]

_LENGTH = struct.Struct(">I")


def send(connection: socket.socket, message: dict[str, Any]) -> None:
    """Send one message; raises `OSError` when the other side is gone."""
    data = json.dumps(message).encode()
    connection.sendall(_LENGTH.pack(len(data)) + data)


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
