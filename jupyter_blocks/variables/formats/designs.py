"""Design matrices of patsy, which statistics notebooks build from formulas, and models with them.

patsy leaves pickling open, since it does not promise that another version of it reads what this one
wrote. What a block stores is read with the packages it was written with. statsmodels leaves the
design of a model out and builds it again from the formula, for which the functions that the formula
names would have to be at hand where the model is read.
"""

from __future__ import annotations

import copyreg
import sys
from functools import cache
from types import ModuleType
from typing import Any

__all__ = ["design_reducers"]

_REFUSES = "no_pickling"
"""Name of the method that patsy gives its classes."""


def design_reducers() -> dict[type, Any]:
    """How to pickle classes of patsy that do not let themselves be pickled, and models' data."""
    patsy, models = sys.modules.get("patsy"), sys.modules.get("statsmodels.base.data")
    if patsy is None or not hasattr(patsy, "DesignMatrix"):
        return {}
    return {**_found(patsy), **(_found_in_models(models) if hasattr(models, "ModelData") else {})}


@cache
def _found_in_models(models: Any) -> dict[type, Any]:
    return {
        item: _reduce_data
        for item in vars(models).values()
        if isinstance(item, type) and issubclass(item, models.ModelData)
    }


def _reduce_data(data: Any) -> Any:
    """The data of a model with its design, as long as that is one of patsy."""
    state = vars(data)
    design = state.get("model_spec", state.get("design_info"))
    if isinstance(design, sys.modules["patsy"].DesignInfo):
        return copyreg.__newobj__, (type(data),), dict(state)  # type: ignore[attr-defined]
    return data.__reduce_ex__(5)


@cache
def _found(patsy: ModuleType) -> dict[type, Any]:
    modules = [module for name, module in sys.modules.items() if name.startswith("patsy.")]
    classes = {
        item for module in modules for item in vars(module).values() if isinstance(item, type)
    }
    found: dict[type, Any] = {kind: _reduce_plainly for kind in classes if _refuses(kind)}
    origin = getattr(sys.modules.get("patsy.origin"), "Origin", None)
    if origin is not None:
        found[origin] = _reduce_plainly
    found[patsy.DesignMatrix] = _reduce_matrix
    return found


def _refuses(kind: type) -> bool:
    return getattr(vars(kind).get("__getstate__"), "__name__", "") == _REFUSES


def _reduce_plainly(value: Any) -> Any:
    return copyreg.__newobj__, (type(value),), object.__getstate__(value)  # type: ignore[attr-defined]


def _reduce_matrix(matrix: Any) -> Any:
    if not hasattr(matrix, "design_info"):  # the result of arithmetic: an array by another name
        return sys.modules["numpy"].ndarray.__reduce__(matrix)
    return type(matrix), (matrix.__array__(), matrix.design_info)
