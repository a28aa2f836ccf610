"""Templates in settings are filled in, and a mistake in one says its line."""

from __future__ import annotations

import subprocess
import sys

import pytest

from jupyter_blocks.errors import ProjectError
from jupyter_blocks.interpolation import render


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain: text\n", "plain: text\n"),
        ("a: {{ env_var('JB_A') }}\n", "a: one\n"),
        ("a: {{ env_var('JB_NONE', 'two') }}", "a: two"),
        ("a: {{ mage_secret_var('JB_A') }}", "a: one"),
        ("a: {{ aws_secret_var('JB_A') }}", "a: one"),
        ("a: {{ json_value(env_var('JB_JSON'), 'k') }}", "a: 5"),
        ("a: {{ json_value(env_var('JB_JSON'), 'other') }}", "a: "),
        ("a: {{ variables('month') }}", "a: 3"),
        ("{% if env_var('JB_A') == 'one' %}yes{% endif %}", "yes"),
    ],
)
def test_templates_are_filled_in(text: str, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Environment, secrets kept in the environment, JSON members and variables."""
    monkeypatch.setenv("JB_A", "one")
    monkeypatch.setenv("JB_JSON", '{"k": 5}')
    monkeypatch.delenv("JB_NONE", raising=False)
    assert render(text, variables={"month": 3}) == expected


def test_unset_variables_are_empty_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings of an executor that is not used do not keep a project from opening."""
    monkeypatch.delenv("JB_NONE", raising=False)
    missing: list[str] = []
    assert render("a: {{ env_var('JB_NONE') }}", missing=missing) == "a: "
    assert missing == ["JB_NONE"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a\n{{ nope('x') }}", "Line 2: 'nope' is undefined. Templates may use: aws_secret_var"),
        ("a\nb\n{{ env_var( }}", "Line 3: the template is wrong"),
        ("\n{{ json_value('{', 'k') }}", "Line 2: the template fails: Expecting"),
        ("{{ ''.__class__.__mro__ }}", "Line 1: the template fails: .* is unsafe"),
    ],
)
def test_a_mistake_says_its_line(text: str, message: str) -> None:
    """Neither a traceback of Jinja nor a silent gap."""
    with pytest.raises(ProjectError, match=message):
        render(text)


def test_jinja_is_imported_only_where_there_is_a_template() -> None:
    """Starting is cheap for everyone else."""
    code = (
        "import sys; from jupyter_blocks.interpolation import render;"
        "render('a: 1'); assert 'jinja2' not in sys.modules;"
        "render('{{ 1 }}'); assert 'jinja2' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
