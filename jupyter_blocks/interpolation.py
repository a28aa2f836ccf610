"""Fills in `{{ env_var("NAME") }}` and its like in settings, as Mage does.

Text without braces costs nothing: Jinja is imported only where there is something to fill in.
Templates are evaluated in a sandbox. Secrets come from environment variables of the same name.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

from jupyter_blocks.errors import ProjectError

__all__ = ["is_template", "render"]


def is_template(text: str) -> bool:
    """Whether there is something to fill in."""
    return "{{" in text or "{%" in text


def render(
    text: str, *, variables: Mapping[str, Any] | None = None, missing: list[str] | None = None
) -> str:
    """`text` with its templates filled in; an unset environment variable gives an empty text.

    `variables` are what `variables("name")` reads. Names of unset environment variables are added
    to `missing`. Raises `ProjectError` with the line of the mistake.
    """
    if not is_template(text):
        return text
    from jinja2 import StrictUndefined, TemplateError, TemplateSyntaxError, UndefinedError
    from jinja2.sandbox import SandboxedEnvironment

    # A file keeps its last line feed; metadata.yaml is data, not HTML, so nothing is escaped.
    environment = SandboxedEnvironment(undefined=StrictUndefined, keep_trailing_newline=True)
    environment.globals = _functions(variables or {}, missing if missing is not None else [])
    try:
        return str(environment.from_string(text).render())
    except TemplateSyntaxError as error:
        raise ProjectError(
            f"Line {error.lineno}: the template is wrong: {error.message}."
        ) from None
    except UndefinedError as error:
        known = ", ".join(sorted(environment.globals))
        raise ProjectError(
            f"Line {_line(error)}: {error.message}.", hint=f"Templates may use: {known}."
        ) from None
    except (TemplateError, ValueError, TypeError, KeyError, ArithmeticError) as error:
        reason = str(error).rstrip(".")
        raise ProjectError(f"Line {_line(error)}: the template fails: {reason}.") from None


def _functions(variables: Mapping[str, Any], missing: list[str]) -> dict[str, Any]:
    def env_var(name: str, default: Any = "") -> Any:
        if name not in os.environ and default == "":
            missing.append(name)
        return os.environ.get(name, default)

    def json_value(text: str, key: str) -> Any:
        return json.loads(text).get(key, "") if text else ""

    def secret(name: str, *_location: Any, **_options: Any) -> Any:
        return env_var(name)

    def variable(name: str) -> Any:
        return variables.get(name, "")

    return {
        "aws_secret_var": secret,
        "azure_secret_var": secret,
        "env_var": env_var,
        "json_value": json_value,
        "mage_secret_var": secret,
        "variables": variable,
    }


def _line(error: BaseException) -> int:
    """Line of the template in which the error was raised."""
    traceback, line = error.__traceback__, 1
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename == "<template>":
            line = traceback.tb_lineno
        traceback = traceback.tb_next
    return line
