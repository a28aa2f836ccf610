"""The oracle of the round-trip tests: two values are the same, or it says where they differ."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd


def assert_same(expected: Any, actual: Any) -> None:
    """Fail unless both are of one class and equal in every bit a user could see."""
    assert type(actual) is type(expected)
    if isinstance(expected, pd.DataFrame):
        _assert_same_frame(expected, actual)
    elif isinstance(expected, pd.Series):
        _assert_same_series(expected, actual)
    elif isinstance(expected, pd.Index):
        assert_same_index(expected, actual)
    elif isinstance(expected, np.ndarray):
        _assert_same_array(expected, actual)
    else:
        assert_same_plain(expected, actual)


def assert_same_index(expected: Any, actual: Any) -> None:
    pd.testing.assert_index_equal(expected, actual, exact=True, check_exact=True)
    assert type(actual) is type(expected)
    assert expected.names == actual.names
    assert [type(name) for name in expected.names] == [type(name) for name in actual.names]
    assert getattr(expected, "freq", None) == getattr(actual, "freq", None)
    if isinstance(expected, pd.MultiIndex):
        assert len(expected.levels) == len(actual.levels)
        for one, other in zip(expected.levels, actual.levels, strict=True):
            assert_same_index(one, other)
        return
    _assert_same_dtype(expected.dtype, actual.dtype)
    _assert_same_cells(expected, actual)


def assert_same_plain(expected: Any, actual: Any) -> None:
    """Plain data: same classes all the way down, NaN equal to NaN, -0.0 not equal to 0.0."""
    assert type(actual) is type(expected)
    if isinstance(expected, (list, tuple)):
        assert len(actual) == len(expected)
        for one, other in zip(expected, actual, strict=True):
            assert_same_plain(one, other)
    elif isinstance(expected, dict):
        assert_same_plain(list(expected), list(actual))
        assert_same_plain(list(expected.values()), list(actual.values()))
    elif isinstance(expected, (set, frozenset)):
        key = lambda item: (type(item).__name__, repr(item))  # noqa: E731
        assert_same_plain(sorted(expected, key=key), sorted(actual, key=key))
    else:
        assert repr(actual) == repr(expected)


def _assert_same_frame(expected: pd.DataFrame, actual: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(
        expected,
        actual,
        check_exact=True,
        check_column_type="exact",
        check_index_type="exact",
        check_freq=True,
        check_flags=True,
    )
    assert_same_index(expected.columns, actual.columns)
    assert_same_index(expected.index, actual.index)
    assert expected.attrs == actual.attrs
    for position in range(expected.shape[1]):
        one, other = expected.iloc[:, position], actual.iloc[:, position]
        _assert_same_dtype(one.dtype, other.dtype)
        _assert_same_cells(one, other)


def _assert_same_series(expected: Any, actual: Any) -> None:
    pd.testing.assert_series_equal(
        expected, actual, check_exact=True, check_index_type="exact", check_freq=True
    )
    assert_same_index(expected.index, actual.index)
    assert type(expected.name) is type(actual.name)
    assert expected.attrs == actual.attrs
    _assert_same_dtype(expected.dtype, actual.dtype)
    _assert_same_cells(expected, actual)


def _assert_same_dtype(expected: Any, actual: Any) -> None:
    assert type(actual) is type(expected)
    assert repr(actual) == repr(expected)
    if isinstance(expected, pd.CategoricalDtype):
        assert list(map(repr, expected.categories)) == list(map(repr, actual.categories))
        assert_same_index(expected.categories, actual.categories)
    if isinstance(expected, pd.DatetimeTZDtype):
        assert type(expected.tz) is type(actual.tz)


def _assert_same_cells(expected: Any, actual: Any) -> None:
    """Cells of objects: the same classes. Numbers: the same bits, signs of zero and of NaN too."""
    if expected.dtype == object:
        for one, other in zip(expected, actual, strict=True):
            assert type(one) is type(other)
    elif isinstance(expected.dtype, np.dtype):
        _assert_same_array(expected.to_numpy(), actual.to_numpy())


def _assert_same_array(expected: Any, actual: Any) -> None:
    assert actual.dtype == expected.dtype
    assert actual.shape == expected.shape
    if expected.dtype.hasobject:
        assert_same_plain(expected.tolist(), actual.tolist())
    else:
        assert np.ascontiguousarray(actual).tobytes() == np.ascontiguousarray(expected).tobytes()
