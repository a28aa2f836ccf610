"""Classes that are stored by value, when they are loaded where they come from.

cloudpickle gives each such class an id. Where a process knows the id, loading fills the class that
is there with what was stored: its methods would see copies of the globals of that moment. The class
of a notebook in its own kernel must stay as it is, also when what was written is proven to load.
"""

from __future__ import annotations

import pickle
import sys
from collections.abc import Callable
from typing import Any
from weakref import WeakSet

__all__ = ["ObjectUnpickler"]

_MAKERS = ("_make_skeleton_class", "_make_skeleton_enum")
_FILLER = "_class_setstate"
_BY_VALUE = ("cloudpickle.cloudpickle", "joblib.externals.cloudpickle.cloudpickle")
_ID_FROM_END = -2
"""Where the id stands among the arguments of the makers."""

_loaded: WeakSet[type] = WeakSet()
"""Classes that came into this process by loading: these may be filled again."""


class ObjectUnpickler(pickle.Unpickler):
    """Loads values without touching classes that this process has defined itself.

    With `modules` it also notes there the modules of all classes and functions that a pickle names,
    and takes no class for one that is there: what comes back is made of the file alone.
    """

    def __init__(self, file: Any, buffers: Any, modules: set[str] | None = None) -> None:
        super().__init__(file, buffers=buffers)
        self._modules = modules

    def find_class(self, module: str, name: str, /) -> Any:
        """The class or function of that name; what makes classes spares those that are there."""
        found = super().find_class(module, name)
        if self._modules is not None:
            self._modules.add(module)
        if module not in _BY_VALUE:
            return found
        if name in _MAKERS:
            return _alone(found) if self._modules is not None else _noted(found, module)
        return _sparing(found) if name == _FILLER and self._modules is None else found


def _alone(make: Callable[..., type]) -> Callable[..., type]:
    """`make`, without an id by which a class could be found."""

    def made(*arguments: Any) -> type:
        return make(*arguments[:_ID_FROM_END], None, *arguments[_ID_FROM_END + 1 :])

    return made


def _noted(make: Callable[..., type], module: str) -> Callable[..., type]:
    """`make`, which remembers the classes that were not there before."""

    def made(*arguments: Any) -> type:
        known = getattr(sys.modules[module], "_DYNAMIC_CLASS_TRACKER_BY_ID", {})
        is_new = arguments[_ID_FROM_END] not in known
        found = make(*arguments)
        if is_new:
            _loaded.add(found)
        return found

    return made


def _sparing(fill: Callable[..., Any]) -> Callable[..., Any]:
    """`fill` for classes that were loaded; others stay as they are."""

    def filled(kind: type, state: Any) -> Any:
        return fill(kind, state) if kind in _loaded else kind

    return filled
