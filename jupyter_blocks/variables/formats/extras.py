"""Attributes that somebody put on a pandas table, which pickle and Arrow would lose.

patsy keeps the design of a matrix as an attribute of a DataFrame (`design_info`), and people who
write `df.total = ...` make one instead of a column. A notebook has them as long as the table is the
same object.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

__all__ = ["extras", "table_reducers"]


def extras(table: Any) -> Mapping[str, Any]:
    """The attributes of a DataFrame or Series that neither pandas nor an accessor put there."""
    return {
        name: value
        for name, value in vars(table).items()
        if not name.startswith("_") and not hasattr(type(table), name)
    }


def table_reducers() -> dict[type, Any]:
    """How to pickle tables together with such attributes, once pandas is imported."""
    pandas = sys.modules.get("pandas")
    if pandas is None or not hasattr(pandas, "DataFrame") or not hasattr(pandas, "Series"):
        return {}
    return dict.fromkeys((pandas.DataFrame, pandas.Series), _reduce)


def _reduce(table: Any) -> Any:
    reduced = table.__reduce_ex__(5)
    own = extras(table)
    if not own:
        return reduced
    function, arguments, state, *rest = reduced
    return (function, arguments, {**state, **own}, *rest)
