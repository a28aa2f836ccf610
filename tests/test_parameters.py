"""Runtime variables are typed, complete and checked before anything runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from jupyter_blocks.errors import UsageError
from jupyter_blocks.parameters import parse_runtime_vars, resolve_parameters
from tests.projects import block, write_project

DEFAULTS = {
    "month": 1,
    "rate": 0.5,
    "city": "NYC",
    "quick": False,
    "carriers": ["AA"],
    "options": {"a": 1},
    "until": None,
}


def resolve(tmp_path: Path, *, notebook: bool = True, **given: Any) -> dict[str, Any]:
    keys: dict[str, Any] = {"variables": DEFAULTS}
    if notebook:
        (tmp_path / "n.ipynb").write_text("{}")
        keys["jupyter_blocks"] = {"notebook": "n.ipynb"}
    body = "return kwargs.get('undeclared')"
    project = write_project(tmp_path, [block("load", body)], **keys)
    return resolve_parameters(project.root, project.pipeline("pipe"), **given)


def test_defaults_come_from_the_pipeline(tmp_path: Path) -> None:
    """Without options a run has the pipeline's own values."""
    assert resolve(tmp_path) == DEFAULTS


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("month=12", 12),
        ("rate=2", 2.0),
        ("city=12", "12"),
        ("city=", ""),
        ("city=a=b", "a=b"),
        ("quick=true", True),
        ("quick=No", False),
        ('carriers=["UA", "DL"]', ["UA", "DL"]),
        ('options={"b": [2]}', {"b": [2]}),
        ("until=2013-01-31", "2013-01-31"),
        ("until=3", 3),
    ],
)
def test_texts_are_read_as_the_type_of_the_default(
    tmp_path: Path, text: str, value: object
) -> None:
    """`--param` values get the type of the parameters cell."""
    resolved = resolve(tmp_path, params=[text])[text.partition("=")[0]]
    assert resolved == value
    assert type(resolved) is type(value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("month=january", "'month' is a whole number.*'january'"),
        ("month=1.5", "'month' is a whole number"),
        ("quick=perhaps", "'quick' is true or false"),
        ("carriers=UA", "'carriers' is a list"),
        ("options=[1]", "'options' is an object"),
        ("monht=2", "no parameter 'monht'. Did you mean 'month'"),
        ("zzz=2", "Its parameters: carriers, city, month"),
        ("month", "NAME=VALUE"),
        ("=3", "NAME=VALUE"),
    ],
)
def test_malformed_and_unknown_params_are_errors(tmp_path: Path, text: str, message: str) -> None:
    """The text says what was expected."""
    with pytest.raises(UsageError, match=message):
        resolve(tmp_path, params=[text])


def test_runtime_vars_override_and_params_win(tmp_path: Path) -> None:
    """The most specific option is the last word."""
    resolved = resolve(tmp_path, runtime_vars={"month": 2, "rate": 1}, params=["month=3"])
    assert (resolved["month"], resolved["rate"]) == (3, 1.0)
    assert type(resolved["rate"]) is float


@pytest.mark.parametrize(
    ("values", "message"),
    [({"month": "1"}, "'1' is a text"), ({"month": True}, "True is true or false")],
)
def test_runtime_vars_of_another_type_are_errors(
    tmp_path: Path, values: dict[str, object], message: str
) -> None:
    """A text where the notebook has a number would fail much later, or not at all."""
    with pytest.raises(UsageError, match=message):
        resolve(tmp_path, runtime_vars=values)


def test_hand_written_pipelines_take_what_their_blocks_read(tmp_path: Path) -> None:
    """Mage needs no declaration; a name no block mentions is a mistake all the same."""
    resolved = resolve(tmp_path, notebook=False, runtime_vars={"undeclared": 1, "month": "x"})
    assert (resolved["undeclared"], resolved["month"]) == (1, "x")
    with pytest.raises(UsageError, match="no parameter 'nowhere'"):
        resolve(tmp_path, notebook=False, runtime_vars={"nowhere": 1})


@pytest.mark.parametrize(
    ("text", "message"),
    [("{month: 1}", "not valid JSON.*column 2"), ("[1]", "must be a JSON object, not a list")],
)
def test_runtime_vars_must_be_a_json_object(text: str, message: str) -> None:
    """Bad JSON stops the run; Mage would go on without variables."""
    with pytest.raises(UsageError, match=message):
        parse_runtime_vars(text)
