"""Settings are read key by key; a wrong type is a problem, and reading goes on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from jupyter_blocks.settings import Report, Section, did_you_mean, listed
from jupyter_blocks.yamlfile import parse_yaml


def section(text: str) -> Section:
    """The top level of a YAML text."""
    file = parse_yaml(text, "metadata.yaml")
    return Section(Report(file), file.value)


READ: dict[str, tuple[Callable[[Section], Any], Any]] = {
    "name: ' a '": (lambda s: s.text("name"), "a"),
    "name: ~": (lambda s: s.text("name", "b"), "b"),
    "n: 1.5": (lambda s: s.number("n"), 1.5),
    "other: 1": (lambda s: s.number("n", 7), 7),
    "w: 3": (lambda s: s.whole("w"), 3),
    "s: 0": (lambda s: s.seconds("s"), None),
    "s: 2": (lambda s: s.seconds("s"), 2.0),
    "f: no": (lambda s: s.flag("f", True), False),
    "m: {a: [1, {b: null}]}": (lambda s: s.mapping("m"), {"a": [1, {"b": None}]}),
    "l: [a, ' b']": (lambda s: s.names("l"), ("a", "b")),
    "l: []": (lambda s: s.names("l"), ()),
}


@pytest.mark.parametrize("text", READ)
def test_values_are_read(text: str) -> None:
    """Absent keys and null give the default."""
    found = section(text)
    read, expected = READ[text]
    assert read(found) == expected
    assert found.report.problems == []


WRONG: dict[str, tuple[Callable[[Section], Any], Any, str]] = {
    "name: 5": (lambda s: s.text("name", "x"), "x", "'name' must be a text, not 5."),
    "n: many": (lambda s: s.number("n", 1), 1, "a number of at least 0, not 'many'."),
    "n: -1": (lambda s: s.number("n", 1), 1, "at least 0, not -1."),
    "n: .inf": (lambda s: s.number("n", 1), 1, "not inf"),
    "n: .nan": (lambda s: s.number("n", 1), 1, "not nan"),
    "w: 1.5": (lambda s: s.whole("w", 1), 1, "a whole number of at least 0, not 1.5."),
    "w: yes": (lambda s: s.whole("w", 1), 1, "not true."),
    "f: 1": (lambda s: s.flag("f", True), True, "'f' must be true or false, not 1."),
    "m: [a]": (lambda s: s.mapping("m"), {}, "a mapping of keys to values, not a list."),
    "m: {a: !!binary YQ==}": (lambda s: s.mapping("m"), {"a": None}, "'m.a' holds b'a'"),
    "m: &x {a: *x}": (lambda s: s.mapping("m") and None, None, "'m' is nested too deeply."),
    "l: a": (lambda s: s.names("l"), (), "a list of names, not 'a'."),
    "l: [1]": (lambda s: s.names("l"), (), "a list of names, not a list."),
    "e: {}": (lambda s: s.entries("e"), [], "'e' must be a list, not a mapping."),
    "e: [1]": (lambda s: s.entries("e"), [], "Entry 1 of 'e' must be a mapping, not 1."),
}


@pytest.mark.parametrize("text", WRONG)
def test_a_wrong_value_is_a_problem_and_the_default_is_used(text: str) -> None:
    """One reading finds every mistake."""
    found = section(text)
    read, default, says = WRONG[text]
    assert read(found) == default
    (problem,) = found.report.problems
    assert says in problem.message
    assert problem.line == 1
    assert found.report.has_errors


def test_unknown_keys_are_refused_with_the_closest_known_one() -> None:
    """Or with all that are known."""
    found = section("outptus: 1\nzzz: 2\n")
    found.refuse_unknown({"outputs", "inputs"}, "the block")
    assert [str(problem) for problem in found.report.problems] == [
        "metadata.yaml, line 1: Unknown key 'outptus' in the block. Did you mean 'outputs'?",
        "metadata.yaml, line 2: Unknown key 'zzz' in the block. Known: inputs, outputs.",
    ]


def test_names_are_listed_up_to_ten() -> None:
    """A pipeline of a thousand blocks does not fill the screen."""
    assert listed([]) == "none"
    assert listed(["b", "a"]) == "a, b"
    assert listed(f"b{number:02}" for number in range(30)).endswith("b09 and 20 more")


def test_only_close_names_are_suggested() -> None:
    """Nothing is better than nonsense."""
    assert did_you_mean("trnasformer", ["transformer", "sensor"]) == "Did you mean 'transformer'?"
    assert did_you_mean("xyz", ["transformer"]) == ""
