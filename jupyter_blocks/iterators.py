"""When a generator or another iterator may leave a block: it is used up then, part by part.

A notebook uses an iterator up where it is read, once. Where storing it earlier, or giving it to
several blocks, could make a difference, an exported block is refused; what hand-written blocks give
is a value like any other.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from types import FunctionType, GeneratorType
from typing import Any

from jupyter_blocks.errors import UnstorableError
from jupyter_blocks.variables.formats.parts import is_one_pass

__all__ = ["iterators", "refuse_draws", "used_up"]

_REMEDY = "Store what it yields, such as `list(...)`, or create it inside the block that uses it."
_DEEPEST = 10


def used_up(
    outputs: Mapping[str, Any], unread: Collection[str], shared: Collection[str]
) -> tuple[str, ...]:
    """Names of the iterators among the outputs of an exported block that may be read to their end.

    Raises `UnstorableError` for one that the notebook might use otherwise: several blocks read it
    (`shared`), or what it yields depends on variables when it is read. Those that nobody reads
    (`unread`) are left alone.
    """
    names = [name for name in iterators(outputs) if name not in unread]
    for name in names:
        if name in shared:
            raise _error(name, "and several blocks read it: in the notebook the first uses it up")
        late = sorted(_late_names(outputs[name]))
        if late:
            said = ", ".join(f"`{each}`" for each in late)
            raise _error(name, f"which looks at {said} only when it is read")
    return tuple(names)


def iterators(outputs: Mapping[str, Any]) -> tuple[str, ...]:
    """Names of the outputs that are generators or other iterators."""
    return tuple(name for name, value in outputs.items() if is_one_pass(value))


def refuse_draws(
    before: Mapping[str, Any] | None, after: Mapping[str, Any] | None, name: str
) -> None:
    """Raise `UnstorableError` where random streams of a notebook moved while `name` was read."""
    if before != after:
        raise _error(name, "which draws random numbers when it is read")


def _error(name: str, why: str) -> UnstorableError:
    error = UnstorableError(
        f"output '{name}' cannot be stored: it is a generator or another iterator, {why}.",
        hint=_REMEDY,
    )
    error.output = name
    return error


def _late_names(value: Any, depth: int = _DEEPEST) -> set[str]:
    """Variables around it that an iterator looks up only while it is read."""
    if not depth:
        return set()
    if isinstance(value, FunctionType):
        return set(value.__code__.co_freevars)
    if isinstance(value, GeneratorType):
        found = set(value.gi_code.co_freevars)
        frame = value.gi_frame
        inner = frame.f_locals.values() if frame is not None else ()
    elif isinstance(value, (map, filter, zip, enumerate)):
        found, inner = set(), _arguments(value)
    else:
        return set()
    return found.union(*(_late_names(each, depth - 1) for each in inner if _is_lazy(each)))


def _is_lazy(value: Any) -> bool:
    return isinstance(value, (FunctionType, Iterator))


def _arguments(value: Any) -> Any:
    try:
        return value.__reduce__()[1]
    except TypeError:  # an iterator among them does not let itself be copied
        return ()
