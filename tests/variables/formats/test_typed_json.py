"""Plain data comes back from typed JSON exactly, or is refused."""

from __future__ import annotations

import datetime as dt
import decimal
import enum
import json
import math
import uuid
import zoneinfo
from collections import OrderedDict, namedtuple
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_blocks.errors import VariableError
from jupyter_blocks.variables.formats import NotExactError
from jupyter_blocks.variables.formats.typed_json import decode, encode, encode_text, is_plain_type
from tests.variables.same import assert_same_plain

Point = namedtuple("Point", "x y")


class Colour(enum.IntEnum):
    RED = 1


class Text(str):
    """A string with a class of its own."""


@dataclass
class Record:
    x: int = 1


TWELVE = dt.timedelta(hours=12, minutes=34, seconds=56, microseconds=7)

# value -> what other programs see
WRITTEN: list[tuple[Any, Any]] = [
    (None, None),
    (True, True),
    (1, 1),
    (2**64, 2**64),
    (-0.0, -0.0),
    (1e300, 1e300),
    (math.inf, {"$float": "inf"}),
    (math.nan, {"$float": "nan"}),
    ("a", "a"),
    ("ö🎉", "ö🎉"),
    ("\ud800", {"$str": "7aCA"}),
    (b"ab", {"$bytes": "YWI="}),
    (bytearray(b"ab"), {"$bytearray": "YWI="}),
    ([1, [2]], [1, [2]]),
    ((1, (2,)), {"$tuple": [1, {"$tuple": [2]}]}),
    ({3, 1}, {"$set": [1, 3]}),
    (frozenset({"a"}), {"$frozenset": ["a"]}),
    ({"a": {"b": 1}}, {"a": {"b": 1}}),
    ({1: "a", "1": "b"}, {"$dict": [[1, "a"], ["1", "b"]]}),
    ({"$tuple": 1}, {"$dict": [["$tuple", 1]]}),
    ({(1, 2): 3}, {"$dict": [[{"$tuple": [1, 2]}, 3]]}),
    (1 - 2j, {"$complex": [1.0, -2.0]}),
    (range(1, 9, 2), {"$range": [1, 9, 2]}),
    (dt.date(2020, 2, 29), {"$date": "2020-02-29"}),
    (dt.time(1, 2, 3, 4), {"$time": ["01:02:03.000004", 0, None]}),
    (dt.datetime(2020, 1, 1, fold=1), {"$datetime": ["2020-01-01T00:00:00", 1, None]}),
    (
        dt.datetime(2020, 1, 1, tzinfo=dt.UTC),
        {"$datetime": ["2020-01-01T00:00:00", 0, [0, 0, 0]]},
    ),
    (
        dt.datetime(2020, 1, 1, tzinfo=dt.timezone(TWELVE, "mine")),
        {"$datetime": ["2020-01-01T00:00:00", 0, [0, 45296, 7, "mine"]]},
    ),
    (
        dt.datetime(2020, 1, 1, tzinfo=zoneinfo.ZoneInfo("Europe/Berlin")),
        {"$datetime": ["2020-01-01T00:00:00", 0, "Europe/Berlin"]},
    ),
    (dt.timedelta(-1, 5), {"$timedelta": [-1, 5, 0]}),
    (decimal.Decimal("1.10"), {"$decimal": "1.10"}),
    (decimal.Decimal("-Infinity"), {"$decimal": "-Infinity"}),
    (uuid.UUID(int=5), {"$uuid": "00000000-0000-0000-0000-000000000005"}),
    (np.float32(1.5), {"$numpy": ["<f4", 1.5]}),
    (np.float64(math.nan), {"$numpy": ["<f8", {"$float": "nan"}]}),
    (np.uint64(2**64 - 1), {"$numpy": ["<u8", 2**64 - 1]}),
    (np.bool_(True), {"$numpy": ["|b1", True]}),
    (np.datetime64("2020-01-01", "D"), {"$numpy": ["<M8[D]", 18262]}),
    (np.timedelta64("NaT", "s"), {"$numpy": ["<m8[s]", -(2**63)]}),
]


@pytest.mark.parametrize(("value", "document"), WRITTEN, ids=repr)
def test_values_are_written_so_that_others_can_read_them(value: Any, document: Any) -> None:
    """Any JSON reader sees the data; this package brings back the very type."""
    assert repr(encode(value)) == repr(document)
    assert json.loads(encode_text(value)) == document
    assert_same_plain(value, decode(document))


def _cycle() -> Any:
    items: list[Any] = []
    items.append(items)
    return items


def _shared() -> Any:
    row = [0]
    return [row, row]


def _deep() -> Any:
    value: Any = 1
    for _ in range(150):
        value = [value]
    return value


REFUSED: dict[str, Any] = {
    "named tuple": Point(1, 2),
    "enum": Colour.RED,
    "string of a subclass": Text("a"),
    "key of a subclass": {Text("a"): 1, "b": 2},
    "ordered dict": OrderedDict(a=1),
    "dataclass": Record(),
    "object": object(),
    "inside": [{"a": (1, Record())}],
    "one list twice": _shared(),
    "one list twice, in a tuple": ([1], *_shared()),
    "cycle": _cycle(),
    "too deep": _deep(),
    "time zone of one's own": dt.datetime(
        2020, 1, 1, tzinfo=zoneinfo.ZoneInfo.no_cache("Europe/Berlin")
    ),
    "UUID made safely": uuid.UUID(int=1, is_safe=uuid.SafeUUID.safe),
    "long double": np.longdouble(1.5),
    "numpy string": np.str_("a"),
    "array": np.arange(3),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_would_come_back_as_something_else_is_refused(case: str) -> None:
    """Another format has to take it."""
    with pytest.raises(NotExactError):
        encode(REFUSED[case])
    with pytest.raises(NotExactError):
        encode_text(REFUSED[case])


def test_giant_integers_are_written_in_hex() -> None:
    """Python refuses to read long decimal ones."""
    giant = 7**9000
    assert decode(json.loads(encode_text([giant]))) == [giant]
    assert encode(giant) == {"$int": hex(giant)}


def test_two_halves_of_a_surrogate_pair_stay_two() -> None:
    """A JSON reader would join them."""
    assert decode(json.loads(encode_text(["\ud83d\ude00"]))) == ["\ud83d\ude00"]


def test_what_is_read_is_new_each_time() -> None:
    """Changing one copy changes no other, and not what is stored."""
    document = encode({"a": [1], "b": {"c": {2}}})
    first, second = decode(document), decode(document)
    first["a"].append(9)
    first["b"]["c"].add(9)
    assert second == decode(document) == {"a": [1], "b": {"c": {2}}}


def test_an_unknown_tag_is_explained() -> None:
    """It was written by a later version."""
    with pytest.raises(VariableError, match=r"holds '\$later', which this version cannot read"):
        decode([{"$later": 1}])


@pytest.mark.parametrize(("kind", "plain"), [(dict, True), (uuid.UUID, True), (Point, False)])
def test_plain_types_are_told_by_their_class(kind: type, plain: bool) -> None:
    """Without looking at a value."""
    assert is_plain_type(kind) is plain


ATOMS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.complex_numbers(),
    st.text(st.characters(), max_size=8),
    st.binary(max_size=8),
    st.dates(),
    st.times(),
    st.datetimes(timezones=st.none() | st.just(dt.UTC) | st.timezones()),
    st.timedeltas(),
    st.decimals(),
    st.uuids(),
)
KEYS = st.one_of(st.text(st.characters(), max_size=4), st.integers(), st.booleans(), st.none())
PLAIN = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=4).map(tuple),
        st.dictionaries(KEYS, inner, max_size=4),
        st.sets(KEYS, max_size=4),
        st.frozensets(KEYS, max_size=4),
    ),
    max_leaves=12,
)


@given(PLAIN)
def test_any_plain_data_comes_back_exactly(value: Any) -> None:
    """Both ways of writing give the same text where both can be used."""
    try:
        text = encode_text(value)
    except NotExactError:
        # Hypothesis may hand out one list twice.
        return
    assert_same_plain(value, decode(json.loads(text)))
    assert json.loads(text) == json.loads(json.dumps(encode(value)))
