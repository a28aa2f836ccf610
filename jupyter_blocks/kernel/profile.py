"""Whether kernels load the extension by themselves: one entry in the config of IPython's profile.

Written to `extra_extensions`, which adds to what people configure and replaces nothing of it. Only
our own entry is ever added or taken out; a file that is not ours to understand is left alone.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from jupyter_blocks.errors import UsageError

__all__ = ["EXTENSION", "config_path", "disable", "enable", "is_enabled"]

EXTENSION = "jupyter_blocks"
_APP = "InteractiveShellApp"
_KEY = "extra_extensions"


def config_path(profile: str = "default") -> Path:
    """The config file for kernels of an IPython profile of this user."""
    folder = os.environ.get("IPYTHONDIR") or "~/.ipython"
    return Path(folder).expanduser() / f"profile_{profile}" / "ipython_kernel_config.json"


def is_enabled(path: Path) -> bool:
    """Whether kernels load the extension when they start."""
    return EXTENSION in _extensions(_read(path), path)


def enable(path: Path) -> bool:
    """Let kernels load the extension when they start; false if they did already."""
    document = _read(path)
    extensions = _extensions(document, path)
    if EXTENSION in extensions:
        return False
    document.setdefault(_APP, {})[_KEY] = [*extensions, EXTENSION]
    _write(path, document)
    return True


def disable(path: Path) -> bool:
    """Take our entry out again; false if there is none. A file with nothing else goes as well."""
    document = _read(path)
    extensions = _extensions(document, path)
    if EXTENSION not in extensions:
        return False
    section = document[_APP]
    section[_KEY] = [name for name in extensions if name != EXTENSION]
    if not section[_KEY]:
        del section[_KEY]
    if not section:
        del document[_APP]
    if document:
        _write(path, document)
    else:
        path.unlink()
    return True


def _read(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from error
    try:
        document = json.loads(text) if text.strip() else {}
    except ValueError as error:
        raise _strange(path, f"it is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise _strange(path, "it is not a JSON object")
    return document


def _extensions(document: dict[str, Any], path: Path) -> list[str]:
    section = document.get(_APP, {})
    value = section.get(_KEY, []) if isinstance(section, dict) else None
    if not isinstance(value, list):
        raise _strange(path, f"its {_APP}.{_KEY} is not a list")
    return value


def _strange(path: Path, what: str) -> UsageError:
    return UsageError(
        f"{path} was left as it is: {what}.",
        hint=f"Correct it, or run `%load_ext {EXTENSION}` in the notebook.",
    )


def _write(path: Path, document: dict[str, Any]) -> None:
    """Replace the file in one step."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.write_text(json.dumps(document, indent=2) + "\n", "utf-8")
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise UsageError(f"{path} cannot be written: {error.strerror}.") from error
