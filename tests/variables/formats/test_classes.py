"""Classes that are stored by value stay what they are where they come from."""

from __future__ import annotations

import io

import cloudpickle

from jupyter_blocks.variables.formats.classes import ObjectUnpickler


def test_loading_never_changes_the_class_that_was_stored() -> None:
    """Neither when it is proven to load nor later: its methods keep the notebook's globals."""
    names: dict[str, object] = {"__name__": "__main__", "rate": 2}
    exec("class A:\n    def f(self):\n        return rate\na = A()", names)
    stored = cloudpickle.dumps(names["a"])
    proof = ObjectUnpickler(io.BytesIO(stored), (), set()).load()
    again = ObjectUnpickler(io.BytesIO(stored), ()).load()
    names["rate"] = 3
    assert names["a"].f() == 3  # type: ignore[attr-defined]
    assert type(proof) is not type(again) is names["A"]
