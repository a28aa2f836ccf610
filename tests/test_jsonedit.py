"""One value of a JSON text changes, and not one character beside it."""

# ruff: noqa: E501 - input and outcome side by side

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_blocks.jsonedit import replaced

TEXTS = st.text(max_size=6)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


@given(
    before=st.lists(st.dictionaries(TEXTS, VALUES, max_size=3), min_size=1, max_size=3),
    value=VALUES,
    key=TEXTS,
    indent=st.sampled_from([None, 1, 2, "\t"]),
    is_ascii=st.booleans(),
)
def test_the_document_has_the_value_and_is_else_the_same(
    before: list[dict[str, Any]], value: Any, key: str, indent: Any, is_ascii: bool
) -> None:
    """Whatever the layout; new keys go to the end."""
    text = json.dumps({"cells": before}, indent=indent, ensure_ascii=is_ascii)
    expected = json.loads(text)
    expected["cells"][-1][key] = value
    changed = replaced(text, ("cells", len(before) - 1, key), value)
    assert json.loads(changed) == expected
    if indent == 1 and not is_ascii and "\\u" not in text:
        assert changed == json.dumps(expected, indent=1, ensure_ascii=False)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"a": 2.50, "b": {"c" : 1 }}', '{"a": 2.50, "b": {"c" : ["x"] }}'),
        ('{"b":{"c":1},"a":[1,2]}', '{"b":{"c":["x"]},"a":[1,2]}'),
        ('{\r\n "b": {\r\n  "c": 1\r\n }\r\n}', '{\r\n "b": {\r\n  "c": [\r\n   "x"\r\n  ]\r\n }\r\n}'),
        ('{\n "b": {}\n}', '{\n "b": {\n  "c": [\n   "x"\n  ]\n }\n}'),
        ('{\n "b": {\n  "a": 1\n }\n}', '{\n "b": {\n  "a": 1,\n  "c": [\n   "x"\n  ]\n }\n}'),
        ('{"b":{"a":1},"d":[1,2]}', '{"b":{"a":1,"c":["x"]},"d":[1,2]}'),
    ],
)  # fmt: skip
def test_layout_follows_the_text(text: str, expected: str) -> None:
    """Numbers, blanks and line ends stay; what is new looks alike."""
    assert json.loads(replaced(text, ("b", "c"), ["x"])) == json.loads(expected)
    assert replaced(text, ("b", "c"), ["x"]) == expected


def test_a_way_that_leads_nowhere_is_an_error() -> None:
    """Only the last step may be new."""
    for path in (("a", "b", "c"), ("b", 3)):
        with pytest.raises(KeyError):
            replaced('{"b": []}', path, 1)
