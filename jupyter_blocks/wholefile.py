"""Whole small files, read with as few calls to the system as it takes.

A run reads several for every block, and what `open` does besides (asking for kind, size, position)
takes longer than the reading.
"""

from __future__ import annotations

import os

__all__ = ["read_file"]

_PIECE = 64 * 1024


def read_file(path: str) -> bytes:
    """All bytes of a file; raises `OSError` as `open` does."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        data = piece = os.read(handle, _PIECE)
        while piece:
            # A short answer is not always the end of the file.
            piece = os.read(handle, _PIECE)
            data += piece
        return data
    finally:
        os.close(handle)
