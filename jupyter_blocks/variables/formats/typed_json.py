"""Typed JSON: plain data as JSON that comes back exactly.

JSON alone loses tuples, sets, dates, big integers, NaN and keys that are not strings. Such values
are written as an object with one key that begins with `$`, so that any JSON reader still sees them
and this module brings them back exactly: same type, same value.
"""

from __future__ import annotations

import math
import re
import sys
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta, timezone, tzinfo
from itertools import chain
from typing import Any

from jupyter_blocks.errors import VariableError
from jupyter_blocks.variables.formats.base import NotExactError
from jupyter_blocks.variables.manifest import dump_json

__all__ = ["decode", "encode", "encode_text", "is_plain_type"]

_MOST_BITS = 10_000
"""Longer integers are written in hex: Python refuses to read very long decimal ones."""
_DEEPEST = 100
_NUMPY_SCALARS = (
    "bool",
    "bool_",
    "datetime64",
    "float16",
    "float32",
    "float64",
    "int16",
    "int32",
    "int64",
    "int8",
    "timedelta64",
    "uint16",
    "uint32",
    "uint64",
    "uint8",
)
_JSON_ATOMS = frozenset({type(None), bool, int, float})
_JSON_TYPES = _JSON_ATOMS | {str, list, dict}
_SURROGATE = re.compile("[\ud800-\udfff]")


def is_plain_type(kind: type) -> bool:
    """Whether values of exactly this class are plain data (their members may not be)."""
    return kind in _ENCODERS or f"{kind.__module__}.{kind.__qualname__}" in _LATE_ENCODERS


def encode(value: Any) -> Any:
    """`value` as JSON data; `NotExactError` if it would not come back exactly.

    Refused are subclasses (a named tuple, an enum), containers that hold the same list, dict or
    set twice (two names for one thing would become two things), and nesting beyond 100.
    """
    return _Encoder().encode(value, 0)


def decode(data: Any) -> Any:
    """The value that `encode` made `data` from; containers are new ones each time."""
    if type(data) is list:
        return [decode(item) for item in data]
    if type(data) is not dict:
        return data
    if len(data) == 1:
        (tag, content), *_ = data.items()
        if tag[:1] == "$":
            return _read_tagged(tag, content)
    return {key: decode(item) for key, item in data.items()}


def _read_tagged(tag: str, content: Any) -> Any:
    reader = _DECODERS.get(tag)
    if reader is None:
        raise VariableError(f"A stored value holds '{tag}', which this version cannot read.")
    return reader(content)


def encode_text(value: Any) -> bytes:
    """`encode` as bytes of UTF-8; fast for values that JSON holds as they are."""
    if _is_json(value):
        try:
            return dump_json(value)
        except ValueError:
            # NaN, an infinity, half of a surrogate pair or a giant integer: these need a tag.
            pass
    return dump_json(encode(value))


def _is_json(value: Any) -> bool:
    """Whether JSON holds a value as it is, going by types; level by level, without calls."""
    level, seen, depth = [value], set[int](), 0
    while level and depth < _DEEPEST:
        if not set(map(type, level)) <= _JSON_TYPES:
            return False
        dicts = [item for item in level if type(item) is dict]
        lists = [item for item in level if type(item) is list]
        known = len(seen)
        seen.update(map(id, dicts), map(id, lists))
        if len(seen) != known + len(dicts) + len(lists) or not _are_plain_keys(dicts):
            return False
        level = [*chain.from_iterable(lists), *chain.from_iterable(map(dict.values, dicts))]
        depth += 1
    return not level


def _are_plain_keys(dicts: list[dict[Any, Any]]) -> bool:
    if not set(map(type, chain.from_iterable(dicts))) <= {str}:
        return False
    return not any(key[:1] == "$" for key in set(chain.from_iterable(dicts)))


class _Encoder:
    """One walk through a value."""

    def __init__(self) -> None:
        self._seen: set[int] = set()

    def encode(self, value: Any, depth: int) -> Any:
        encoder = _ENCODERS.get(type(value))
        if encoder is None:
            kind = type(value)
            encoder = _LATE_ENCODERS.get(f"{kind.__module__}.{kind.__qualname__}")
            if encoder is None:
                raise NotExactError(f"{kind.__qualname__} is not plain data")
        return encoder(self, value, depth)

    def members(self, values: Any, depth: int) -> list[Any]:
        if depth >= _DEEPEST:
            raise NotExactError("nested too deeply")
        encode, depth = self.encode, depth + 1
        return [
            # The most common members of large values are let through without a call.
            item
            if item is None or ((kind := type(item)) is str and item.isascii()) or kind is bool
            else encode(item, depth)
            for item in values
        ]

    def once(self, container: Any) -> None:
        """Refuse a container that can be changed and was met before."""
        if id(container) in self._seen:
            raise NotExactError("the same container twice")
        self._seen.add(id(container))


Encoder = Callable[[_Encoder, Any, int], Any]


def _same(_walk: _Encoder, value: Any, _depth: int) -> Any:
    return value


def _int(_walk: _Encoder, value: int, _depth: int) -> Any:
    return value if value.bit_length() <= _MOST_BITS else {"$int": hex(value)}


def _float(_walk: _Encoder, value: float, _depth: int) -> Any:
    return value if math.isfinite(value) else {"$float": repr(value)}


def _str(_walk: _Encoder, value: str, _depth: int) -> Any:
    if value.isascii() or not _SURROGATE.search(value):
        return value
    return {"$str": _base64(value.encode("utf-8", "surrogatepass"))}


def _bytes(_walk: _Encoder, value: bytes, _depth: int) -> Any:
    return {"$bytes": _base64(value)}


def _bytearray(walk: _Encoder, value: bytearray, _depth: int) -> Any:
    walk.once(value)
    return {"$bytearray": _base64(value)}


def _list(walk: _Encoder, value: list[Any], depth: int) -> Any:
    walk.once(value)
    return walk.members(value, depth)


def _tuple(walk: _Encoder, value: tuple[Any, ...], depth: int) -> Any:
    return {"$tuple": walk.members(value, depth)}


def _set(walk: _Encoder, value: set[Any], depth: int) -> Any:
    walk.once(value)
    return {"$set": sorted(walk.members(value, depth), key=dump_json)}


def _frozenset(walk: _Encoder, value: frozenset[Any], depth: int) -> Any:
    return {"$frozenset": sorted(walk.members(value, depth), key=dump_json)}


def _dict(walk: _Encoder, value: dict[Any, Any], depth: int) -> Any:
    walk.once(value)
    members = walk.members(value.values(), depth)
    if all(map(_is_plain_key, value)):
        return dict(zip(value, members, strict=True))
    keys = walk.members(value, depth)
    return {"$dict": [list(pair) for pair in zip(keys, members, strict=True)]}


def _is_plain_key(key: Any) -> bool:
    return type(key) is str and key[:1] != "$" and not _SURROGATE.search(key)


def _complex(walk: _Encoder, value: complex, depth: int) -> Any:
    return {"$complex": walk.members((value.real, value.imag), depth)}


def _range(walk: _Encoder, value: range, depth: int) -> Any:
    return {"$range": walk.members((value.start, value.stop, value.step), depth)}


def _date(_walk: _Encoder, value: date, _depth: int) -> Any:
    return {"$date": value.isoformat()}


def _time(_walk: _Encoder, value: time, _depth: int) -> Any:
    return {"$time": [value.replace(tzinfo=None).isoformat(), value.fold, _zone(value.tzinfo)]}


def _datetime(_walk: _Encoder, value: datetime, _depth: int) -> Any:
    text = value.replace(tzinfo=None).isoformat()
    return {"$datetime": [text, value.fold, _zone(value.tzinfo)]}


def _timedelta(_walk: _Encoder, value: timedelta, _depth: int) -> Any:
    return {"$timedelta": [value.days, value.seconds, value.microseconds]}


def _zone(zone: tzinfo | None) -> Any:
    """A time zone as JSON; zones that are not one of two standard kinds are refused."""
    if zone is None:
        return None
    if type(zone) is timezone:
        init: Any = zone.__reduce__()[1]
        offset, *name = init
        return [offset.days, offset.seconds, offset.microseconds, *name]
    zoneinfo = sys.modules.get("zoneinfo")
    if zoneinfo and isinstance(zone, zoneinfo.ZoneInfo) and zone.key:
        key: str = zone.key
        if zoneinfo.ZoneInfo(key) is zone:
            return key
    raise NotExactError(f"time zone {zone!r}")


def _decimal(_walk: _Encoder, value: Any, _depth: int) -> Any:
    return {"$decimal": str(value)}


def _uuid(_walk: _Encoder, value: Any, _depth: int) -> Any:
    if value.is_safe.value is not None:
        raise NotExactError("a UUID that knows how it was made")
    return {"$uuid": str(value)}


def _numpy_scalar(walk: _Encoder, value: Any, depth: int) -> Any:
    item = value.view("i8").item() if value.dtype.kind in "Mm" else value.item()
    return {"$numpy": [value.dtype.str, walk.encode(item, depth)]}


def _read_numpy(content: Any) -> Any:
    import numpy as np

    dtype, item = np.dtype(content[0]), decode(content[1])
    if dtype.kind in "Mm":
        return np.array(item, "i8").view(dtype)[()]
    return dtype.type(item)


def _read_zone(zone: Any) -> tzinfo | None:
    if zone is None:
        return None
    if isinstance(zone, str):
        from zoneinfo import ZoneInfo

        return ZoneInfo(zone)
    return timezone(timedelta(*zone[:3]), *zone[3:])


def _read_datetime(content: Any) -> datetime:
    text, fold, zone = content
    return datetime.fromisoformat(text).replace(fold=fold, tzinfo=_read_zone(zone))


def _read_time(content: Any) -> time:
    text, fold, zone = content
    return time.fromisoformat(text).replace(fold=fold, tzinfo=_read_zone(zone))


def _read_decimal(content: Any) -> Any:
    from decimal import Decimal

    return Decimal(content)


def _read_uuid(content: Any) -> Any:
    from uuid import UUID

    return UUID(content)


def _base64(data: bytes | bytearray) -> str:
    return b64encode(data).decode()


_ENCODERS: Mapping[type, Encoder] = {
    type(None): _same,
    bool: _same,
    bytearray: _bytearray,
    bytes: _bytes,
    complex: _complex,
    date: _date,
    datetime: _datetime,
    dict: _dict,
    float: _float,
    frozenset: _frozenset,
    int: _int,
    list: _list,
    range: _range,
    set: _set,
    str: _str,
    time: _time,
    timedelta: _timedelta,
    tuple: _tuple,
}

_LATE_ENCODERS: Mapping[str, Encoder] = {
    "decimal.Decimal": _decimal,
    "uuid.UUID": _uuid,
    **{f"numpy.{name}": _numpy_scalar for name in _NUMPY_SCALARS},
}
"""By name, so that modules nobody used need no import."""

_DECODERS: Mapping[str, Callable[[Any], Any]] = {
    "$bytearray": lambda content: bytearray(b64decode(content)),
    "$bytes": b64decode,
    "$complex": lambda content: complex(*decode(content)),
    "$date": date.fromisoformat,
    "$datetime": _read_datetime,
    "$decimal": _read_decimal,
    "$dict": lambda content: {decode(key): decode(item) for key, item in content},
    "$float": float,
    "$frozenset": lambda content: frozenset(decode(content)),
    "$int": lambda content: int(content, 16),
    "$numpy": _read_numpy,
    "$range": lambda content: range(*decode(content)),
    "$set": lambda content: set(decode(content)),
    "$str": lambda content: b64decode(content).decode("utf-8", "surrogatepass"),
    "$time": _read_time,
    "$timedelta": lambda content: timedelta(*content),
    "$tuple": lambda content: tuple(decode(content)),
    "$uuid": _read_uuid,
}
