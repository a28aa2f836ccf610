"""Messages between the local executor and its processes."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from jupyter_blocks.executors import frames

MESSAGES = [{"pid": 1}, {"text": "é" * 5000}, {"held": []}]


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def test_all_that_has_arrived_is_taken_at_once(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    """In order, and without waiting for more."""
    ours, theirs = pair
    inbox = frames.Inbox(theirs)
    assert inbox.take(wait=False) == []
    for message in MESSAGES:
        frames.send(ours, message)
    assert inbox.take(wait=True) == MESSAGES
    assert inbox.take(wait=False) == []


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_messages_arrive_whole_however_they_are_cut(
    pair: tuple[socket.socket, socket.socket], size: int
) -> None:
    """A part of a message waits for the rest of it."""
    ours, theirs = pair
    inbox = frames.Inbox(theirs)
    data = b"".join(map(frames.packed, MESSAGES))
    taken = []
    for start in range(0, len(data), size):
        ours.sendall(data[start : start + size])
        taken += inbox.take(wait=False) or []
    assert taken == MESSAGES


def test_the_end_of_the_other_side_is_told_after_its_last_words(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    """A process that dies has said what it said; half a message counts for nothing."""
    ours, theirs = pair
    inbox = frames.Inbox(theirs)
    ours.sendall(frames.packed(MESSAGES[0]) + frames.packed(MESSAGES[1])[:100])
    ours.close()
    assert inbox.take(wait=True) == MESSAGES[:1]
    assert inbox.take(wait=True) is None
