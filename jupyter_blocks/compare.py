"""Whether two values are the same, exactly, and where they first differ.

Exact means: the same types, dtypes, index, order of rows and every value; missing equals missing.
What has no notion of equality, such as a figure or a fitted model, is said to be not comparable,
never taken as equal.
"""

from __future__ import annotations

import cmath
import dataclasses
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any, Literal

__all__ = ["Verdict", "compare"]

Outcome = Literal["equal", "different", "not_comparable"]
_DEEPEST = 100
_SHOWN = 60


@dataclass(frozen=True)
class Verdict:
    """What a comparison came to."""

    outcome: Outcome
    detail: str = ""
    """Where and how the values differ, or why they cannot be compared."""

    def within(self, where: str) -> Verdict:
        """The same, said of the whole that this was a part of."""
        return Verdict(self.outcome, f"{where}{self.detail}") if self.detail else self


EQUAL = Verdict("equal")


def compare(notebook: Any, pipeline: Any, depth: int = 0) -> Verdict:
    """Compare the notebook's value with the pipeline's."""
    if depth > _DEEPEST:
        return Verdict("not_comparable", "nested too deeply")
    if _kind(notebook) != _kind(pipeline):
        return _differ(_type_name(notebook), _type_name(pipeline))
    comparison = _BY_PACKAGE.get(_package(notebook))
    if comparison is not None:
        return comparison(notebook, pipeline, depth)
    if isinstance(notebook, float | complex):
        return _same(notebook == pipeline or _both_nan(notebook, pipeline), notebook, pipeline)
    if isinstance(notebook, Mapping):
        return _mappings(notebook, pipeline, depth)
    if isinstance(notebook, Set):
        return _same(notebook == pipeline, notebook, pipeline)
    if isinstance(notebook, Sequence) and not isinstance(notebook, str | bytes | bytearray | range):
        return _sequences(notebook, pipeline, depth)
    if dataclasses.is_dataclass(notebook) and not isinstance(notebook, type):
        return _mappings(_fields(notebook), _fields(pipeline), depth)
    return _plain(notebook, pipeline)


def _differ(notebook: object, pipeline: object) -> Verdict:
    return Verdict("different", f"{notebook} in the notebook, {pipeline} in the pipeline")


def _same(equal: Any, notebook: object, pipeline: object) -> Verdict:
    return EQUAL if equal else _differ(_short(notebook), _short(pipeline))


def _kind(value: object) -> str:
    """Module and name of the class; the notebook's own classes live in the pipeline's module."""
    kind = type(value)
    module = kind.__module__
    if module == "__main__" or module.startswith("helpers."):
        module = "<notebook>"
    return f"{module}:{kind.__qualname__}"


def _package(value: object) -> str:
    """The package whose values are compared like this one; subclasses are like their base."""
    packages = (base.__module__.partition(".")[0] for base in type(value).__mro__)
    return next((package for package in packages if package in _BY_PACKAGE), "")


def _type_name(value: object) -> str:
    kind = type(value)
    own = kind.__module__ in ("builtins", "__main__") or kind.__module__.startswith("helpers.")
    return kind.__qualname__ if own else f"{kind.__module__.partition('.')[0]}.{kind.__qualname__}"


def _short(value: object) -> str:
    text = " ".join(repr(value).split())
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}..."


def _both_nan(one: complex, other: complex) -> bool:
    return cmath.isnan(one) and cmath.isnan(other)


def _plain(notebook: Any, pipeline: Any) -> Verdict:
    if notebook is None or notebook is pipeline:
        return EQUAL
    name = _type_name(notebook)
    if not any("__eq__" in vars(kind) for kind in type(notebook).__mro__[:-1]):
        return Verdict("not_comparable", f"{name} has no notion of equality")
    try:
        answer = notebook == pipeline
    except Exception as error:  # the class decides what its comparison raises
        return Verdict("not_comparable", f"comparing {name} raises {type(error).__name__}")
    if not isinstance(answer, bool):
        return Verdict("not_comparable", f"comparing {name} gives no yes or no")
    return _same(answer, notebook, pipeline)


def _fields(value: Any) -> dict[str, Any]:
    return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}


def _mappings(notebook: Mapping[Any, Any], pipeline: Mapping[Any, Any], depth: int) -> Verdict:
    if notebook.keys() != pipeline.keys():
        only = [key for key in notebook if key not in pipeline]
        extra = [key for key in pipeline if key not in notebook]
        where = f"only in the notebook: {_short(only[0])}" if only else ""
        more = f"only in the pipeline: {_short(extra[0])}" if extra else ""
        return Verdict("different", "; ".join(filter(None, ("other keys", where, more))))
    return _parts(((f"[{_short(key)}]: ", notebook[key], pipeline[key]) for key in notebook), depth)


def _sequences(notebook: Sequence[Any], pipeline: Sequence[Any], depth: int) -> Verdict:
    if len(notebook) != len(pipeline):
        return _differ(f"{len(notebook)} items", f"{len(pipeline)} items")
    pairs = enumerate(zip(notebook, pipeline, strict=True))
    return _parts(((f"[{number}]: ", one, other) for number, (one, other) in pairs), depth)


def _parts(parts: Any, depth: int) -> Verdict:
    """The first part that differs, else the first that cannot be compared, else equal."""
    unclear = EQUAL
    for where, one, other in parts:
        verdict = compare(one, other, depth + 1)
        if verdict.outcome == "different":
            return verdict.within(where)
        if verdict.outcome == "not_comparable" and unclear is EQUAL:
            unclear = verdict.within(where)
    return unclear


# arrays and tables


def _numpy(notebook: Any, pipeline: Any, depth: int) -> Verdict:
    import numpy as np

    if not hasattr(notebook, "dtype"):
        return _plain(notebook, pipeline)
    if notebook.dtype != pipeline.dtype:
        return _differ(f"dtype {notebook.dtype}", f"dtype {pipeline.dtype}")
    if notebook.shape != pipeline.shape:
        return _differ(f"shape {notebook.shape}", f"shape {pipeline.shape}")
    if notebook.dtype.names or notebook.dtype.kind == "O":
        flat = [value.ravel().tolist() for value in (notebook, pipeline)]
        return _sequences(flat[0], flat[1], depth)
    if isinstance(notebook, np.ma.MaskedArray):
        masks = [np.ma.getmaskarray(value) for value in (notebook, pipeline)]
        verdict = _numpy(masks[0], masks[1], depth)
        filled = notebook.filled(), np.ma.array(pipeline, fill_value=notebook.fill_value).filled()
        return verdict.within("mask") if verdict is not EQUAL else _numpy(*filled, depth)
    unequal = np.asarray(notebook != pipeline)
    if notebook.dtype.kind in "fcmM":
        unequal &= ~(_isnan(notebook) & _isnan(pipeline))
    if not unequal.any():
        return EQUAL
    place = tuple(int(index) for index in np.argwhere(unequal)[0])
    if not place:
        return _differ(_short(notebook.item()), _short(pipeline.item()))
    where = ", ".join(map(str, place))
    count = int(unequal.sum())
    return _differ(_short(notebook[place].item()), _short(pipeline[place].item())).within(
        f"{count:,} of {notebook.size:,} values differ, the first at [{where}]: "
    )


def _isnan(array: Any) -> Any:
    import numpy as np

    return np.isnat(array) if array.dtype.kind in "mM" else np.isnan(array)


def _pandas(notebook: Any, pipeline: Any, depth: int) -> Verdict:
    import pandas as pd

    if isinstance(notebook, pd.DataFrame):
        return _frames(notebook, pipeline, depth)
    if isinstance(notebook, pd.Series):
        if not _same_label(notebook.name, pipeline.name):
            return _differ(f"name {_short(notebook.name)}", f"name {_short(pipeline.name)}")
        verdict = _indexes(notebook.index, pipeline.index, depth)
        return verdict if verdict is not EQUAL else _columns(notebook, pipeline, depth)
    if isinstance(notebook, pd.Index):
        return _indexes(notebook, pipeline, depth)
    if isinstance(notebook, pd.api.extensions.ExtensionArray):
        return _pandas(pd.Series(notebook), pd.Series(pipeline), depth)
    if notebook is pd.NA or notebook is pd.NaT:
        return EQUAL
    return _plain(notebook, pipeline)


def _frames(notebook: Any, pipeline: Any, depth: int) -> Verdict:
    if notebook.shape != pipeline.shape:
        return _differ(
            *(
                f"{frame.shape[0]:,} rows x {frame.shape[1]:,} columns"
                for frame in (notebook, pipeline)
            )
        )
    verdict = _indexes(notebook.columns, pipeline.columns, depth).within("columns: ")
    if verdict is EQUAL:
        verdict = _indexes(notebook.index, pipeline.index, depth)
    if verdict is not EQUAL:
        return verdict
    return _parts_of_frame(notebook, pipeline, depth)


def _parts_of_frame(notebook: Any, pipeline: Any, depth: int) -> Verdict:
    unclear = EQUAL
    for position, label in enumerate(notebook.columns):
        one, other = notebook.iloc[:, position], pipeline.iloc[:, position]
        verdict = _columns(one, other, depth).within(f"column {_short(label)}: ")
        if verdict.outcome == "different":
            return verdict
        if verdict is not EQUAL and unclear is EQUAL:
            unclear = verdict
    return unclear


def _indexes(notebook: Any, pipeline: Any, depth: int) -> Verdict:
    if type(notebook) is not type(pipeline):
        return _differ(type(notebook).__name__, type(pipeline).__name__).within("index: ")
    if len(notebook) != len(pipeline):
        return _differ(f"{len(notebook):,} labels", f"{len(pipeline):,} labels").within("index: ")
    names = list(notebook.names), list(pipeline.names)
    if len(names[0]) != len(names[1]) or not all(map(_same_label, *names)):
        return _differ(f"names {_short(names[0])}", f"names {_short(names[1])}").within("index: ")
    levels = range(notebook.nlevels)
    for level in levels:
        one, other = notebook.get_level_values(level), pipeline.get_level_values(level)
        verdict = _columns(one, other, depth)
        if verdict is not EQUAL:
            return verdict.within("index: ")
    return EQUAL


def _same_label(one: Any, other: Any) -> bool:
    return compare(one, other) is EQUAL


def _columns(notebook: Any, pipeline: Any, depth: int) -> Verdict:
    """Two Series, or two flat Indexes, of the same length."""
    if notebook.dtype != pipeline.dtype:
        return _differ(f"dtype {notebook.dtype}", f"dtype {pipeline.dtype}")
    if notebook.dtype == object:
        return _objects(notebook, pipeline, depth)
    if notebook.equals(pipeline):
        return EQUAL
    return _objects(notebook, pipeline, depth)


def _objects(notebook: Any, pipeline: Any, depth: int) -> Verdict:
    """Value by value: for columns of objects, and to find the place of a difference."""
    pairs = zip(notebook, pipeline, strict=True)
    rows = ((f"row {row}: ", one, other) for row, (one, other) in enumerate(pairs))
    return _parts(rows, depth)


def _polars(notebook: Any, pipeline: Any, depth: int) -> Verdict:
    if hasattr(notebook, "schema"):
        if notebook.schema != pipeline.schema:
            return _differ(_short(dict(notebook.schema)), _short(dict(pipeline.schema)))
        if notebook.shape != pipeline.shape:
            return _differ(f"{notebook.height:,} rows", f"{pipeline.height:,} rows")
        if notebook.equals(pipeline):
            return EQUAL
        columns = (
            (f"column {_short(name)}: ", notebook[name], pipeline[name])
            for name in notebook.columns
        )
        return _parts(columns, depth)
    if not hasattr(notebook, "dtype"):
        return _plain(notebook, pipeline)
    if notebook.dtype != pipeline.dtype:
        return _differ(f"dtype {notebook.dtype}", f"dtype {pipeline.dtype}")
    return _sequences(notebook.to_list(), pipeline.to_list(), depth)


def _arrow(notebook: Any, pipeline: Any, depth: int) -> Verdict:
    if not hasattr(notebook, "equals"):
        return _plain(notebook, pipeline)
    if getattr(notebook, "schema", None) != getattr(pipeline, "schema", None):
        return _differ(_short(notebook.schema), _short(pipeline.schema))
    if notebook.equals(pipeline) or not hasattr(notebook, "to_pylist"):
        return _same(notebook.equals(pipeline), notebook, pipeline)
    return _sequences(notebook.to_pylist(), pipeline.to_pylist(), depth)


_BY_PACKAGE = {"numpy": _numpy, "pandas": _pandas, "polars": _polars, "pyarrow": _arrow}
