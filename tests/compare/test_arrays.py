"""numpy arrays and scalars, sparse matrices, random generators."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import sparse

from jupyter_blocks.compare import arrays, compare

IN_BOTH = "{} in the notebook, {} in the pipeline"


def eye(kind: str = "csr", corner: float = 0.0) -> Any:
    """A sparse matrix of 3 x 3, perhaps with something in a corner."""
    dense = np.eye(3)
    dense[2, 0] = corner
    return sparse.csr_matrix(dense).asformat(kind)


def unsorted_eye() -> Any:
    """The same, its entries in another order, with a stored zero."""
    rows, columns, data = [2, 0, 1, 0], [2, 0, 1, 2], [1.0, 1.0, 1.0, 0.0]
    return sparse.coo_matrix((data, (rows, columns)), shape=(3, 3)).tocsr()


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: np.array([1.0, np.nan]), id="nan"),
        pytest.param(lambda: np.array([complex(np.nan, 1), complex(1, np.nan)]), id="complex"),
        pytest.param(lambda: np.array(["NaT", "2013-01-01"], "M8[s]"), id="times"),
        pytest.param(lambda: np.array([{"a": 1}, None], object), id="objects"),
        pytest.param(lambda: np.ma.array([1, 2], mask=[0, 1]), id="masked"),
        pytest.param(lambda: np.float32(1.5), id="scalar"),
        pytest.param(lambda: np.array(np.nan), id="no dimension"),
        pytest.param(lambda: np.array([(1, np.nan)], "i4,f8"), id="records"),
        pytest.param(lambda: np.empty((0, 3)), id="empty"),
        pytest.param(lambda: np.asfortranarray(np.arange(6.0).reshape(2, 3)), id="by columns"),
        pytest.param(lambda: np.dtype("i4,f8"), id="dtype"),
        pytest.param(lambda: np.random.default_rng(1), id="Generator"),
        pytest.param(lambda: np.random.RandomState(1), id="RandomState"),
        pytest.param(lambda: np.random.PCG64(1), id="BitGenerator"),
        pytest.param(lambda: np.poly1d([1, 2]), id="poly1d"),
        pytest.param(lambda: np.add, id="ufunc"),
        pytest.param(lambda: np.mean, id="function"),
        pytest.param(eye, id="sparse"),
        pytest.param(lambda: eye("lil"), id="lists"),
        pytest.param(lambda: sparse.csr_array(np.array([[np.nan, 0]])), id="sparse nan"),
    ],
)
def test_the_same_made_twice_is_equal(make: Any) -> None:
    """Missing equals missing."""
    verdict = compare(make(), make())
    assert verdict.outcome == "equal", verdict.detail


@pytest.mark.parametrize(
    ("one", "other", "detail"),
    [
        (
            np.arange(4),
            np.array([0, 1, 9, 9]),
            "2 of 4 values differ, the first at [2]: " + IN_BOTH.format(2, 9),
        ),
        (np.arange(3), np.array([0, 1, 9]), "[2]: " + IN_BOTH.format(2, 9)),
        (np.zeros((2, 2)), np.array([[0, 0], [0, 1.0]]), "[1, 1]: " + IN_BOTH.format("0.0", "1.0")),
        (np.array(1), np.array(2), IN_BOTH.format(1, 2)),
        (np.zeros(2), np.zeros(2, int), IN_BOTH.format("dtype float64", "dtype int64")),
        (np.zeros(2), np.zeros((2, 1)), IN_BOTH.format("shape (2,)", "shape (2, 1)")),
        (np.float64(1), np.float64(2), IN_BOTH.format("1.0", "2.0")),
        (np.array([np.nan, 1]), np.array([1, 1.0]), "[0]: " + IN_BOTH.format("nan", "1.0")),
        (
            np.array([{"a": 1}, "x"], object),
            np.array([{"a": 2}, "x"], object),
            "[0]: ['a']: " + IN_BOTH.format(1, 2),
        ),
        (
            np.array([(1, 2.0)], [("a", "i4"), ("b", "f8")]),
            np.array([(1, 3.0)], [("a", "i4"), ("b", "f8")]),
            "field 'b': [0]: " + IN_BOTH.format("2.0", "3.0"),
        ),
        (
            np.ma.array([1, 2], mask=[0, 1]),
            np.ma.array([1, 2], mask=[1, 0]),
            "mask: 2 of 2 values differ, the first at [0]: " + IN_BOTH.format(False, True),
        ),
        (
            np.dtype([("a", "i4")]),
            np.dtype([("b", "i4")]),
            IN_BOTH.format("[('a', '<i4')]", "[('b', '<i4')]"),
        ),
        (
            np.random.default_rng(1),
            np.random.default_rng(2),
            "the random generator stands at another place, or has another seed",
        ),
        (
            eye(),
            eye(corner=2.0),
            "1 places are zero in one only, the first at [2, 0]: " + IN_BOTH.format("0", "2.0"),
        ),
        (
            eye(),
            eye() * 3,
            "3 of 3 values differ, the first at [0, 0]: " + IN_BOTH.format("1.0", "3.0"),
        ),
        (eye(), eye("csc"), IN_BOTH.format("scipy.csr_matrix", "scipy.csc_matrix")),
        (eye(), eye().astype(np.float32), IN_BOTH.format("dtype float64", "dtype float32")),
    ],
)
def test_differences_are_found_and_placed(one: Any, other: Any, detail: str) -> None:
    """The first place where they differ, and both values."""
    verdict = compare(one, other)
    assert (verdict.outcome, verdict.detail) == ("different", detail)


def test_sparse_matrices_are_compared_by_value() -> None:
    """Stored zeros are zeros, and the order of the entries is nobody's business."""
    assert compare(eye(), unsorted_eye()).outcome == "equal"


def test_what_lies_under_a_mask_does_not_count() -> None:
    """Nobody can see it."""
    one, other = (np.ma.array([1, hidden], mask=[0, 1]) for hidden in (2, 3))
    assert compare(one, other).outcome == "equal"


def test_rounding_is_said() -> None:
    """Of single precision there are fewer digits; one real difference is not rounding."""
    one = np.array([1.0, 0.1 + 0.2, np.nan])
    verdict = compare(one, np.array([1.0, 0.3, np.nan]))
    assert verdict.is_rounding
    assert verdict.detail.startswith("[1]: 0.30000000000000004 in the notebook, 0.3 in the ")
    assert not compare(one, np.array([1.1, 0.3, np.nan])).is_rounding
    assert not compare(one, np.array([1.0, 0.3, 1.0])).is_rounding
    short, other = np.float32(1.0), np.nextafter(np.float32(1.0), np.float32(2.0))
    assert compare(short, other).is_rounding


def test_large_arrays_are_compared_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the same verdict."""
    monkeypatch.setattr(arrays, "_PIECE", 10)
    one = np.arange(300.0).reshape(100, 3)
    other = one.copy()
    other[57, 1] = other[99, 2] = -1
    assert compare(one, one.copy()).outcome == "equal"
    assert compare(one, other).detail == (
        "2 of 300 values differ, the first at [57, 1]: 172.0 in the notebook, -1.0 in the pipeline"
    )
