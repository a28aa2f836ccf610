"""Plain data, text and bytes: in the manifest itself while they are small, else in a file.

A value that typed JSON does not hold exactly is left to pickle.
"""

from __future__ import annotations

import json
from typing import Any

from jupyter_blocks.variables.formats import typed_json
from jupyter_blocks.variables.formats.base import Encoded, Format, Sink, Source
from jupyter_blocks.variables.manifest import StoredOutput

__all__ = ["BYTES", "INLINE_LIMIT", "JSON", "TEXT"]

INLINE_LIMIT = 4096
"""Longer values, in bytes of JSON, get a file of their own."""

_ATOMS = frozenset({type(None), bool, int, float})


def _write_json(value: Any, sink: Sink) -> Encoded:
    if type(value) in _ATOMS:
        return Encoded("json", value=typed_json.encode(value))
    text = typed_json.encode_text(value)
    if len(text) <= INLINE_LIMIT:
        return Encoded("json", value=json.loads(text))
    with sink.file(".json") as file:
        file.write(text)
    return Encoded("json")


def _read_json(stored: StoredOutput, source: Source) -> Any:
    if not stored.objects:
        return typed_json.decode(stored.value)
    text = bytes(source.buffer(".json"))
    data = json.loads(text)
    return typed_json.decode(data) if b'{"$' in text else data


def _write_text(value: str, sink: Sink) -> Encoded:
    if len(value) <= INLINE_LIMIT // 4:
        return Encoded("text", value=typed_json.encode(value))
    with sink.file(".txt") as file:
        file.write(value.encode("utf-8", "surrogatepass"))
    return Encoded("text")


def _read_text(stored: StoredOutput, source: Source) -> Any:
    if not stored.objects:
        return typed_json.decode(stored.value)
    return str(source.buffer(".txt"), "utf-8", "surrogatepass")


def _write_bytes(value: bytes | bytearray, sink: Sink) -> Encoded:
    meta = {"mutable": True} if type(value) is bytearray else {}
    if len(value) <= INLINE_LIMIT // 2:
        return Encoded("bytes", meta, value=typed_json.encode(value))
    with sink.file(".bin") as file:
        file.write(value)
    return Encoded("bytes", meta)


def _read_bytes(stored: StoredOutput, source: Source) -> Any:
    if not stored.objects:
        return typed_json.decode(stored.value)
    data = source.buffer(".bin")
    return bytearray(data) if stored.meta.get("mutable") else bytes(data)


JSON = Format("json", _write_json, _read_json)
TEXT = Format("text", _write_text, _read_text)
BYTES = Format("bytes", _write_bytes, _read_bytes)
