"""YAML is read with positions, and every mistake in it is said with its line and column."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from jupyter_blocks.errors import Problem, ValidationError
from jupyter_blocks.yamlfile import parse_yaml, read_yaml

TEXT = """\
name: flights
blocks:
- uuid: load
  upstream_blocks: []
- uuid: clean
  upstream_blocks:
  - load
  - weather
"""


def problem_of(text: str) -> Problem:
    """The one problem of a text that cannot be read."""
    with pytest.raises(ValidationError) as caught:
        parse_yaml(text, "metadata.yaml")
    (problem,) = caught.value.problems
    return problem


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        ((), 1),
        (("blocks",), 2),
        (("blocks", 1), 5),
        (("blocks", 1, "uuid"), 5),
        (("blocks", 1, "upstream_blocks"), 6),
        (("blocks", 1, "upstream_blocks", 1), 8),
        (("blocks", 1, "timeout"), 5),
        (("blocks", 7), 2),
    ],
)
def test_each_value_knows_its_line(keys: tuple[str | int, ...], line: int) -> None:
    """A value that is not there has the line of its nearest parent."""
    assert parse_yaml(TEXT, "x").line(*keys) == line


def test_plain_data_comes_out() -> None:
    """Numbers, booleans and null are what YAML says they are."""
    value = parse_yaml("a: 1\nb: [1.5, yes, ~, 'x']\nc: {d: 2024-01-31}", "x").value
    assert value["a"] == 1
    assert value["b"] == [1.5, True, None, "x"]
    assert value["c"]["d"].isoformat() == "2024-01-31"


def test_anchors_and_merged_mappings_are_understood() -> None:
    """Mage projects may use all of YAML."""
    value = parse_yaml("a: &x {k: 1}\nb: *x\nc:\n  <<: *x\n  l: 2\n", "x").value
    assert value == {"a": {"k": 1}, "b": {"k": 1}, "c": {"k": 1, "l": 2}}


@pytest.mark.parametrize(
    ("text", "line", "message", "hint"),
    [
        ("a: 1\nb: [1, 2\nc: 3\n", 3, r"at column \d+: .*flow sequence", ""),
        ("a:\n\tb: 1\n", 2, "at column 1", "not with tabs"),
        ("a: b: c\n", 1, "mapping values are not allowed", "in quotes"),
        ("a: 1\nb: {{ env_var('X') }}\n", 2, "unhashable key", "quotes"),
        ("x: !!python/object:os.system {}\n", 1, "constructor", "Only plain data"),
        ("a: 1\nb: 2024-13-01\n", 2, "'2024-13-01' cannot be read: month must be in", "quotes"),
        ("a: 1\n---\nb: 2\n", 2, "single document", ""),
        ("a: *nope\n", 1, "undefined alias", ""),
    ],
)
def test_a_mistake_is_said_with_its_line(text: str, line: int, message: str, hint: str) -> None:
    """The message says what and where, the hint what to do."""
    problem = problem_of(text)
    assert (problem.code, problem.path, problem.line) == ("bad-yaml", "metadata.yaml", line)
    assert re.search(message, problem.message)
    assert hint in problem.hint


def test_a_control_character_is_said() -> None:
    """Bytes that YAML forbids are a problem like any other, not a traceback."""
    assert "Not valid YAML" in problem_of("a: \x01\n").message


def test_deep_nesting_is_said() -> None:
    """A file made to break the reader does not break it."""
    assert "Not valid YAML" in problem_of("[" * 5000 + "]" * 5000).message


@pytest.mark.parametrize("anchor", ["", "z: &anchor 1\n"])
def test_repeated_keys_are_found(anchor: str) -> None:
    """YAML lets the last of two equal keys win silently; the reader can tell the user."""
    file = parse_yaml(f"{anchor}a: 1\nb:\n- c: 1\n  c: 2\na: 3\n", "x")
    offset = anchor.count("\n")
    assert sorted(file.repeated_keys) == [("a", 5 + offset), ("c", 4 + offset)]
    assert file.value["a"] == 3


def test_a_file_that_is_not_utf8_is_said(tmp_path: Path) -> None:
    """The line of the first bad byte is given."""
    path = tmp_path / "metadata.yaml"
    path.write_bytes(b"a: 1\nb: caf\xe9\n")
    with pytest.raises(ValidationError, match=r"metadata.yaml, line 2: .* 0xe9 is not UTF-8"):
        read_yaml(path, "metadata.yaml")


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    """Reading what is not there says so."""
    with pytest.raises(ValidationError, match="cannot be read: No such file"):
        read_yaml(tmp_path / "metadata.yaml", "metadata.yaml")


def test_an_empty_file_holds_nothing(tmp_path: Path) -> None:
    """A byte order mark and comments are nothing too."""
    path = tmp_path / "metadata.yaml"
    path.write_text("\ufeff# nothing\n", "utf-8")
    file = read_yaml(path, "metadata.yaml")
    assert file.value is None
    assert file.line("a") is None
