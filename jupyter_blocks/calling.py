"""How the functions of a block are called, and what their results mean.

Hand-written blocks are called as Mage calls them: one positional argument per upstream block,
runtime variables by `**kwargs`. Blocks exported from a notebook are called by name.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import CoroutineType, FunctionType
from typing import Any

from jupyter_blocks.executors.base import BlockTask

__all__ = [
    "BlockLogger",
    "CallError",
    "Signature",
    "call",
    "call_callback",
    "call_condition",
    "call_named",
    "call_positional",
    "call_sensor",
    "call_test",
    "check_count",
    "mage_kwargs",
    "named_outputs",
    "positional_outputs",
]

MOST_OUTPUTS = 64
"""A longer list is stored as one output; the next block receives the same list either way."""


class CallError(TypeError):
    """A function that cannot be called with what the block has, or a result it cannot store."""


@dataclass(frozen=True)
class Signature:
    """The parameters of a function, as far as calls go."""

    name: str
    positional: tuple[str, ...]
    keyword_only: tuple[str, ...]
    positional_only: int
    required: frozenset[str]
    has_args: bool
    has_kwargs: bool

    @classmethod
    def of(cls, function: Callable[..., Any]) -> Signature:
        """The signature of any callable; one that tells nothing is taken to accept everything."""
        name = getattr(function, "__name__", type(function).__name__)
        if type(function) is FunctionType and not function.__dict__:
            return cls._of_plain(function)
        try:
            parameters = inspect.signature(function).parameters.values()
        except (TypeError, ValueError):
            return cls(name, (), (), 0, frozenset(), True, True)
        kinds = [parameter.kind for parameter in parameters]
        by_place = (
            inspect.Parameter.POSITIONAL_ONLY,
            inspect.Parameter.POSITIONAL_OR_KEYWORD,
        )
        named = [p for p in parameters if p.kind in (*by_place, inspect.Parameter.KEYWORD_ONLY)]
        return cls(
            name=name,
            positional=tuple(p.name for p in named if p.kind in by_place),
            keyword_only=tuple(p.name for p in named if p.kind not in by_place),
            positional_only=kinds.count(inspect.Parameter.POSITIONAL_ONLY),
            required=frozenset(p.name for p in named if p.default is inspect.Parameter.empty),
            has_args=inspect.Parameter.VAR_POSITIONAL in kinds,
            has_kwargs=inspect.Parameter.VAR_KEYWORD in kinds,
        )

    @classmethod
    def _of_plain(cls, function: FunctionType) -> Signature:
        """The same for a function that nothing is wrapped around, ten times as fast."""
        code = function.__code__
        count, names = code.co_argcount, code.co_varnames
        positional, only = names[:count], names[count : count + code.co_kwonlyargcount]
        optional = set(positional[count - len(function.__defaults__ or ()) :])
        optional.update(function.__kwdefaults__ or ())
        return cls(
            name=function.__name__,
            positional=positional,
            keyword_only=only,
            positional_only=code.co_posonlyargcount,
            required=frozenset((*positional, *only)) - optional,
            has_args=bool(code.co_flags & inspect.CO_VARARGS),
            has_kwargs=bool(code.co_flags & inspect.CO_VARKEYWORDS),
        )

    def keywords(self, kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """What of `kwargs` the function takes: all by `**kwargs`, else keyword-only parameters."""
        if self.has_kwargs:
            return {name: value for name, value in kwargs.items() if name not in self.positional}
        return {name: kwargs[name] for name in self.keyword_only if name in kwargs}


def call(function: Callable[..., Any], *arguments: Any, **keywords: Any) -> Any:
    """Call a function of a block; an `async` one is run to its end."""
    result = function(*arguments, **keywords)
    if isinstance(result, CoroutineType):
        import asyncio

        return asyncio.run(result)
    return result


# arguments


def check_count(signature: Signature, upstream: Sequence[str]) -> None:
    """Raise `CallError` unless there is one positional parameter per upstream block."""
    takes, has = len(signature.positional), len(upstream)
    if takes == has or (signature.has_args and takes < has):
        return
    names = f" ({', '.join(signature.positional)})" if takes else ""
    blocks = f" ({', '.join(upstream)})" if has else ""
    raise CallError(
        f"'{signature.name}' takes {'at least ' if signature.has_args else ''}{takes} positional "
        f"argument{'' if takes == 1 else 's'}{names}, but the block has {has} upstream "
        f"block{'' if has == 1 else 's'}{blocks}."
    )


def call_positional(
    function: Callable[..., Any],
    inputs: Sequence[Any],
    upstream: Sequence[str],
    kwargs: Mapping[str, Any],
) -> Any:
    """Call a hand-written block."""
    signature = Signature.of(function)
    check_count(signature, upstream)
    return call(function, *inputs, **signature.keywords(kwargs))


def call_named(
    function: Callable[..., Any], values: Mapping[str, Any], kwargs: Mapping[str, Any]
) -> Any:
    """Call an exported block: `values` are its inputs and parameters."""
    signature = Signature.of(function)
    known = (*signature.positional, *signature.keyword_only)
    missing = sorted(signature.required - values.keys())
    if missing:
        raise CallError(
            f"'{signature.name}' needs {', '.join(missing)}, which the run does not provide."
        )
    arguments = [values[name] for name in signature.positional[: signature.positional_only]]
    by_name = {name: values[name] for name in known[signature.positional_only :] if name in values}
    if signature.has_kwargs:
        by_name = {**kwargs, **by_name}
    return call(function, *arguments, **by_name)


def call_sensor(
    function: Callable[..., Any], inputs: Callable[[], Sequence[Any]], kwargs: Mapping[str, Any]
) -> bool:
    """Ask a sensor: upstream outputs only by `*args`, runtime variables only by `**kwargs`."""
    signature = Signature.of(function)
    arguments = inputs() if signature.has_args else ()
    keywords = dict(kwargs) if signature.has_kwargs else signature.keywords(kwargs)
    return bool(call(function, *arguments, **keywords))


def call_condition(
    function: Callable[..., Any], inputs: Callable[[], Sequence[Any]], kwargs: Mapping[str, Any]
) -> bool:
    """Ask a condition, which gets as many upstream outputs as it takes."""
    signature = Signature.of(function)
    values = inputs() if signature.has_args or signature.positional else ()
    count = len(values) if signature.has_args else len(signature.positional)
    return bool(call(function, *values[:count], **signature.keywords(kwargs)))


def call_callback(
    function: Callable[..., Any], output: Callable[[], Any], kwargs: Mapping[str, Any]
) -> None:
    """Tell a callback: the block's output is positional if it takes one, else `__input`."""
    signature = Signature.of(function)
    if signature.positional or signature.has_args:
        call(function, output(), **signature.keywords(kwargs))
    elif signature.has_kwargs:
        call(function, **{"__input": output(), **kwargs})
    else:
        call(function, **signature.keywords(kwargs))


def call_test(
    function: Callable[..., Any], outputs: Sequence[Any], kwargs: Mapping[str, Any]
) -> None:
    """Run a test on the outputs of its block, one argument each."""
    call(function, *outputs, **Signature.of(function).keywords(kwargs))


# results


def positional_outputs(result: Any) -> dict[str, Any]:
    """The outputs of a hand-written block: a list or tuple is several, None is none."""
    if result is None or (type(result) in (list, tuple) and not result):
        return {}
    if type(result) is tuple or type(result) is list:
        if len(result) <= MOST_OUTPUTS:
            return {f"output_{number}": value for number, value in enumerate(result)}
        return {"output_0": list(result)}
    return {"output_0": result}


def named_outputs(result: Any, names: Sequence[str], function: str) -> dict[str, Any]:
    """The outputs of an exported block: one name is the result, several are its keys."""
    if not names:
        return {}
    if len(names) == 1:
        return {names[0]: result}
    wanted = ", ".join(names)
    if not isinstance(result, Mapping):
        raise CallError(
            f"'{function}' must return a dict with the outputs {wanted}, "
            f"not {type(result).__name__}."
        )
    missing = [name for name in names if name not in result]
    unknown = [str(name) for name in result if name not in names]
    if missing or unknown:
        wrong = [
            f"{what} {', '.join(which)}"
            for what, which in (("without", missing), ("with the unknown", unknown))
            if which
        ]
        raise CallError(
            f"'{function}' must return a dict with the outputs {wanted}; "
            f"it returned one {' and '.join(wrong)}."
        )
    return {name: result[name] for name in names}


# keyword arguments


def mage_kwargs(task: BlockTask, context: dict[str, Any]) -> dict[str, Any]:
    """Everything Mage puts into `kwargs`, always complete; runtime variables may set the date."""
    date = task.parameters.get("execution_date", task.execution_date)
    given = date
    if isinstance(date, str):
        given = _parse_date(date)
    moment = given if isinstance(given, datetime) else datetime.now(UTC)
    return {
        "execution_date": given,
        "ds": moment.isoformat()[:10],
        "hr": f"{moment.hour:02d}",
        "env": task.env,
        "event": {},
        "execution_partition": task.run_id,
        **{name: value for name, value in task.parameters.items() if name != "execution_date"},
        "configuration": dict(task.configuration),
        "context": context,
        "logger": BlockLogger(f"{task.pipeline}.{task.block}"),
        "pipeline_uuid": task.pipeline,
        "block_uuid": task.block,
        "repo_path": task.project,
        "retry": {"attempts": task.attempt},
    }


def _parse_date(text: str) -> datetime | str:
    if not text:
        return datetime.now(UTC)
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return text


class BlockLogger:
    """`kwargs['logger']`: a standard logger that writes to the attempt's log.

    Made on first use, so that blocks that do not log do not pay for it. As with Mage's, further
    keyword arguments are tags, which are added to the message.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        value = getattr(self._logger(), attribute)
        if attribute not in _LEVELS:
            return value

        def log(message: object, *arguments: Any, **options: Any) -> None:
            tags = {name: options.pop(name) for name in list(options) if name not in _OPTIONS}
            if tags:
                message = f"{message} {' '.join(f'{name}={tags[name]!r}' for name in tags)}"
                arguments = ()
            value(message, *arguments, **options)

        return log

    def _logger(self) -> Any:
        import logging

        logger = logging.getLogger(f"jupyter_blocks.blocks.{self._name}")
        if not logger.handlers:
            handler = logging.StreamHandler(sys.stderr)
            handler.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
            logger.addHandler(handler)
            logger.setLevel(logging.INFO)
            logger.propagate = False
        return logger


_LEVELS = frozenset({"critical", "debug", "error", "exception", "info", "warning"})
_OPTIONS = frozenset({"exc_info", "extra", "stack_info", "stacklevel"})
