"""What to write instead of a shell command: the Python statement that does the same."""

from __future__ import annotations

import re
import shlex

__all__ = ["is_installation", "subprocess_call"]

_INSTALLERS = re.compile(
    r"""(?:sudo\s+)?(?:\S*python[\d.]*\s+-m\s+|\{sys\.executable\}\s+-m\s+|"[^"]*python[^"]*"\s+-m\s+)?
    (?:pip[\d.]*|conda|mamba|micromamba|uv|poetry|apt|apt-get|brew|npm|jupyter\s+labextension)
    \s+(?:-\S+\s+)*(?:pip\s+)?(?:install|add|update|upgrade|uninstall|remove)\b""",
    re.VERBOSE,
)
_PATTERNS = re.compile(r"[|&;<>*?~`()\n]")
_VARIABLE = re.compile(r"(?<!\\)\$\$?(?P<name>[A-Za-z_]\w*)|\{(?P<expression>[^{}]+)\}")


def is_installation(command: str) -> bool:
    """Whether the command installs packages, which is the environment's business."""
    return _INSTALLERS.match(command.strip()) is not None


def subprocess_call(command: str, *, captured: bool = False) -> str:
    """A call of `subprocess.run` that does what the notebook's `!command` does."""
    options = ", capture_output=True, text=True" if captured else ""
    lines = ".stdout.splitlines()" if captured else ""
    words, shell = _words(command.strip())
    return f"subprocess.run({words}, {shell}check=True{options}){lines}"


def _words(command: str) -> tuple[str, str]:
    if _VARIABLE.search(command):
        filled = _VARIABLE.sub(lambda found: f"{{{found['name'] or found['expression']}}}", command)
        return f"f{filled!r}", "shell=True, "
    if _PATTERNS.search(command):
        return repr(command), "shell=True, "
    try:
        words = shlex.split(command)
    except ValueError:
        return repr(command), "shell=True, "
    return repr(words), ""
