"""How functions of blocks are called, and what their results mean."""

from __future__ import annotations

import functools
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_blocks.calling import (
    BlockLogger,
    CallError,
    Signature,
    call,
    call_callback,
    call_condition,
    call_named,
    call_positional,
    check_count,
    mage_kwargs,
    named_outputs,
    positional_outputs,
)
from jupyter_blocks.executors.base import BlockTask


def everything(*args: Any, **kwargs: Any) -> Any:
    """Give what it was given."""
    return args, kwargs


def mixed(a: Any, /, b: Any, c: Any = 3, *rest: Any, d: Any, e: Any = 5, **more: Any) -> Any:
    """One parameter of every kind."""
    return a, b, c, rest, d, e, more


FUNCTIONS: list[Callable[..., Any]] = [
    everything,
    mixed,
    lambda: None,
    lambda a, b=1: (a, b),
    lambda *, a, b=1: (a, b),
    lambda a, /, *rest: (a, rest),
]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_fast_way_to_a_signature_agrees_with_the_slow_one(function: Any) -> None:
    """Whatever the kinds of the parameters."""

    @functools.wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    assert Signature.of(function) == Signature.of(wrapped)


def test_a_callable_that_tells_nothing_takes_everything() -> None:
    """Some built-in functions have no signature."""
    signature = Signature.of(min)
    assert signature.has_args
    assert signature.has_kwargs


@pytest.mark.parametrize(
    ("function", "count", "is_good"),
    [
        (lambda: None, 0, True),
        (lambda a: a, 1, True),
        (lambda a: a, 0, False),
        (lambda a: a, 2, False),
        (lambda a, b=1: a, 1, False),
        (lambda *args: args, 3, True),
        (lambda a, *args: a, 3, True),
        (lambda a, b, *args: a, 1, False),
        (lambda a, *, month=1: a, 1, True),
        (lambda a, **kwargs: a, 1, True),
    ],
)
def test_one_positional_parameter_per_upstream_block(
    function: Any, count: int, is_good: bool
) -> None:
    """Or *args for those that are left; the text names both counts."""
    upstream = [f"up{number}" for number in range(count)]
    if is_good:
        check_count(Signature.of(function), upstream)
        return
    with pytest.raises(CallError, match=rf"takes .* argument.* but the block has {count} upstream"):
        check_count(Signature.of(function), upstream)


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (lambda x, **kwargs: (x, kwargs), (1, {"month": 3, "env": "dev"})),
        (lambda x: x, 1),
        (lambda x, *, month: (x, month), (1, 3)),
        (lambda x, *, year=9: (x, year), (1, 9)),
        (lambda env, **kwargs: (env, kwargs), (1, {"month": 3})),
    ],
)
def test_runtime_variables_go_where_they_are_asked_for(function: Any, expected: Any) -> None:
    """By **kwargs, or by name to keyword-only parameters; never to a positional one."""
    assert call_positional(function, [1], ["load"], {"month": 3, "env": "dev"}) == expected


def test_a_named_call_fills_every_kind_of_parameter() -> None:
    """Positional-only ones by place, the rest by name, `**kwargs` as Mage fills them."""
    values = {"a": 1, "b": 2, "d": 4}
    assert call_named(mixed, values, {"env": "dev"}) == (1, 2, 3, (), 4, 5, {"env": "dev"})
    assert call_named(lambda b: b, {"a": 1, "b": 2}, {}) == 2
    with pytest.raises(CallError, match="needs b, d, which"):
        call_named(mixed, {"a": 1}, {})


@pytest.mark.parametrize(
    ("function", "seen"),
    [
        (lambda *args: args == (1, 2), True),
        (lambda first: first == 1, True),
        (lambda: None, False),
        (lambda **kwargs: kwargs["month"] == 3, True),
    ],
)
def test_a_condition_gets_as_many_inputs_as_it_takes(function: Any, seen: bool) -> None:
    """It is asked, whatever it returns."""
    assert call_condition(function, lambda: [1, 2], {"month": 3}) is seen


@pytest.mark.parametrize(
    ("signature", "expected"),
    [
        ("output", "output == 7"),
        ("output, **kwargs", "output == 7 and kwargs == {'k': 1}"),
        ("**kwargs", "kwargs == {'k': 1, '__input': 7}"),
        ("", "True"),
        ("*, k", "k == 1"),
    ],
)
def test_a_callback_gets_the_output_in_its_way(signature: str, expected: str) -> None:
    """Positional if it takes an argument, else as `__input`."""
    namespace: dict[str, Any] = {}
    exec(f"def f({signature}):\n    assert {expected}\n    f.called = True", namespace)
    call_callback(namespace["f"], lambda: 7, {"k": 1})
    assert namespace["f"].called


def test_a_coroutine_is_run_to_its_end() -> None:
    """The caller gets the result."""

    async def add(a: int, b: int) -> int:
        return a + b

    assert call(add, 1, b=2) == 3


@given(st.lists(st.integers(), min_size=0, max_size=200))
def test_the_outputs_of_a_list_are_its_members_in_order(values: list[int]) -> None:
    """However many there are, the next block receives the same list; none are none."""
    outputs = positional_outputs(values)
    if len(outputs) == 1 and len(values) > 1:
        assert outputs == {"output_0": values}
    else:
        assert list(outputs) == [f"output_{number}" for number in range(len(values))]
        assert list(outputs.values()) == values
    assert positional_outputs(tuple(values)).keys() == outputs.keys()


def test_other_results_are_one_output() -> None:
    """Dicts, sets and subclasses of list and tuple stay whole."""
    point = functools.partial(int)
    named = type("Named", (tuple,), {})((1, 2))
    for value in ({}, {"a": 1}, 0, "", point, named, range(3)):
        assert positional_outputs(value) == {"output_0": value}
    assert positional_outputs(None) == {}


def test_named_outputs_come_in_the_order_of_the_names() -> None:
    """Whatever the order of the returned dict."""
    assert list(named_outputs({"b": 2, "a": 1}, ("a", "b"), "f").items()) == [("a", 1), ("b", 2)]
    assert named_outputs({"b": 2}, ("a",), "f") == {"a": {"b": 2}}
    assert named_outputs(5, (), "f") == {}


def task(**more: Any) -> BlockTask:
    """A task with as little as possible."""
    return BlockTask("run", "p", "b", "custom", "id", 1, "/project", "/", "custom/b.py", **more)


def test_kwargs_are_complete_without_a_date() -> None:
    """A task that was started by hand runs now."""
    kwargs = mage_kwargs(task(), {})
    assert kwargs["execution_date"].tzinfo is UTC
    assert kwargs["ds"] == kwargs["execution_date"].strftime("%Y-%m-%d")


def test_a_date_that_is_none_is_left_as_it_is() -> None:
    """The user may give execution_date another meaning; ds and hr are those of now."""
    kwargs = mage_kwargs(task(parameters={"execution_date": "latest"}), {})
    assert kwargs["execution_date"] == "latest"
    assert datetime.strptime(kwargs["ds"], "%Y-%m-%d")


def test_what_the_system_says_beats_runtime_variables() -> None:
    """A variable called `block_uuid` does not hide the block's."""
    kwargs = mage_kwargs(task(parameters={"block_uuid": "x", "ds": "y"}), {})
    assert (kwargs["block_uuid"], kwargs["ds"]) == ("b", "y")


def test_the_logger_takes_tags_as_mages_does(capsys: pytest.CaptureFixture[str]) -> None:
    """Further keyword arguments are part of the message."""
    logger = BlockLogger("test_calling.tags")
    logger.info("loaded", rows=3, table="flights")
    logger.warning("%d left", 2)
    logger.debug("hidden")
    assert logger.name.endswith("test_calling.tags")
    assert capsys.readouterr().err == "INFO loaded rows=3 table='flights'\nWARNING 2 left\n"
