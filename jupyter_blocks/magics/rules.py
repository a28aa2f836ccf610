"""What becomes of each IPython command: left out, unwrapped, or a problem with its remedy."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from jupyter_blocks.magics.shell import is_installation, subprocess_call
from jupyter_blocks.wordsets import word_set

__all__ = ["CellRule", "Rule", "assigned_command", "cell_magic", "line_magic", "shell_command"]


@dataclass(frozen=True)
class Rule:
    """What becomes of one command. Without `code` the command stays as a comment."""

    code: str | None = None
    """Python text that does the same."""
    note: str = ""
    problem: tuple[str, str, str] | None = None
    """Code, message and hint."""


@dataclass(frozen=True)
class CellRule:
    """What becomes of a cell magic; its body stays as code, or as a comment."""

    keeps_body: bool
    note: str = ""
    shows_value: bool = True
    """Whether a last expression is shown, as it is where there is no magic."""
    problem: tuple[str, str, str] | None = None


_SHOWS = word_set(
    """Pprint aimport alias alias_magic autoawait automagic autoreload autosave code_wrap colors
    config connect_info debug dirs doctest_mode gui hist history killbgscripts lf ll load_ext
    logoff logon logstart logstate logstop ls lsmagic lx magic man matplotlib more notebook page
    pdb pdef pdoc pfile pinfo pinfo2 pprint precision profile psearch psource pwd qtconsole
    quickref reload_ext reset tb tensorboard unload_ext version_information watermark who who_ls
    whos xmode"""
)
"""Line magics that change nothing but what the notebook shows, or how it is edited."""

_INSTALLS = word_set("conda mamba micromamba pip uv")

_SCRIPTS = word_set("! bash cmd perl powershell python python2 python3 pypy ruby script sh")
_SHELL_MAGICS = word_set("! sx system")
_PAGES = {
    "html": "HTML",
    "javascript": "Javascript",
    "js": "Javascript",
    "latex": "Latex",
    "markdown": "Markdown",
    "svg": "SVG",
}
_QUERIES = word_set("bigquery bq sql sqlcmd")

_FLAG = re.compile(r"\s*(-[A-Za-z]|--[\w-]+)(?P<joined>\S*)")
_WITH_VALUE = {
    "lprun": "fmDTsuz",
    "memit": "rti",
    "mprun": "fT",
    "prun": "lsTD",
    "timeit": "nrpv",
}
"""Options of a profiler that take a value, as in `-n 10`."""

_RECORDED = "the run record holds the time and memory of each block"


def line_magic(name: str, arguments: str) -> Rule:
    """What becomes of the statement `%name arguments`."""
    if name in _SHOWS:
        return Rule(note=f"Left out '%{name}': it only changes what the notebook shows.")
    if name in _INSTALLS:
        return _installation(f"%{name} {arguments}")
    maker = _LINE_MAGICS.get(name)
    if maker is not None:
        return maker(name, arguments)
    if name in _QUERIES:
        return Rule(problem=_query(f"%{name}"))
    text = f"'%{name}' is a command of IPython."
    return Rule(problem=("magic", text, "Write it as Python, or move it to a cell tagged 'skip'."))


def assigned_command(target: str, sign: str, command: str) -> Rule:
    """What becomes of `target = %command` or `target = !command`."""
    placeholder = f"{target} = None"
    if sign == "!":
        hint = f"Write {target} = {subprocess_call(command, captured=True)}."
        problem = ("shell-command", f"'!{command}' is a shell command.", hint)
        return Rule(code=placeholder, problem=problem)
    name, _, arguments = command.partition(" ")
    if name == "time":
        code = _without_options(name, arguments)
        return Rule(code=f"{target} = {code}", note=f"Unwrapped '%time': {_RECORDED}.")
    hint = _ASSIGNED_HINTS.get(name, "Write it as Python.").format(target=target, value=arguments)
    message = f"'%{name}' is a command of IPython."
    return Rule(code=placeholder, problem=("magic", message, hint))


_ASSIGNED_HINTS = {
    "env": '{target} = os.environ["{value}"] does the same (import os).',
    "pwd": "{target} = os.getcwd() does the same (import os).",
    "sql": "Write a loader block: {target} = pd.read_sql(query, connection).",
    "timeit": "Leave it out: how long a block takes is in the run record.",
}


def shell_command(command: str) -> Rule:
    """What becomes of the statement `!command`."""
    if is_installation(command):
        return _installation(f"!{command}")
    hint = f"Write {subprocess_call(command)} (import subprocess), or delete the line."
    return Rule(problem=("shell-command", f"'!{command}' is a shell command.", hint))


def cell_magic(name: str, arguments: str, body: str) -> CellRule:
    """What becomes of a cell that begins with `%%name arguments`."""
    if name in {"time", "prun", "memit", "mprun", "snakeviz"}:
        note = f"Unwrapped '%%{name}': {_RECORDED}."
        return CellRule(keeps_body=True, note=note, shows_value=name == "time")
    if name == "timeit":
        return _timed_cell(arguments, body)
    if name == "capture":
        return _captured_cell(arguments)
    if name in _PAGES:
        shown = f"display({_PAGES[name]}(text))"
        hint = f"Write {shown} with 'from IPython.display import {_PAGES[name]}, display'."
    elif name in _SCRIPTS or name in _SHELL_MAGICS:
        program = "bash" if name in _SHELL_MAGICS else name
        hint = f'Write subprocess.run(["{program}"], input=text, text=True, check=True).'
    elif name in {"writefile", "file"}:
        path = arguments.rpartition(" ")[2] or "name"
        hint = f'Write Path("{path}").write_text(text), or keep the file beside the notebook.'
    elif name in _QUERIES:
        return CellRule(keeps_body=False, problem=_query(f"%%{name}"))
    else:
        hint = "Write it as Python, or give the cell the tag 'skip'."
    message = f"'%%{name}' makes the cell something else than Python."
    return CellRule(keeps_body=False, problem=("cell-magic", message, hint))


def _timed_cell(arguments: str, body: str) -> CellRule:
    code = _without_options("timeit", arguments)
    if not code and _only_expressions(body):
        note = "Unwrapped '%%timeit': the code runs once."
        return CellRule(keeps_body=True, note=note, shows_value=False)
    note = "Left out the '%%timeit' cell: nothing that it assigns ever reaches the notebook."
    return CellRule(keeps_body=False, note=note)


def _captured_cell(arguments: str) -> CellRule:
    names = [word for word in arguments.split() if not word.startswith("-")]
    kept = f" It is not kept in '{names[0]}'." if names else ""
    return CellRule(
        keeps_body=True, note=f"Unwrapped '%%capture': the log holds what a block prints.{kept}"
    )


def _only_expressions(source: str) -> bool:
    try:
        body = ast.parse(source).body
    except (SyntaxError, ValueError):
        return False
    return ":=" not in source and all(isinstance(node, ast.Expr) for node in body)


def _without_options(name: str, arguments: str) -> str:
    """The code behind the options of a profiler: `-n 10 -r3 f(x)` gives `f(x)`."""
    text = arguments.strip()
    while flag := _FLAG.match(text):
        text = text[flag.end() :].lstrip()
        takes_value = flag[1][1:] in _WITH_VALUE.get(name, "")
        if takes_value and not flag["joined"]:
            text = text.partition(" ")[2].lstrip()
    return text


def _timed(name: str, arguments: str) -> Rule:
    return Rule(
        code=_without_options(name, arguments) or None, note=f"Unwrapped '%{name}': {_RECORDED}."
    )


def _profiled(name: str, arguments: str) -> Rule:
    rule = _timed(name, arguments)
    return replace(rule, code=_unshown(rule.code))


def _unshown(code: str | None) -> str | None:
    """A profiler does not show the value of what it runs; nor does an expression with a `;`."""
    return f"{code};" if code and not code.endswith(";") else code


def _timed_often(name: str, arguments: str) -> Rule:
    code = _without_options(name, arguments)
    if _only_expressions(code):
        return Rule(code=_unshown(code) or None, note=f"Unwrapped '%{name}': the code runs once.")
    return Rule(note=f"Left out '%{name}': nothing that it assigns ever reaches the notebook.")


def _deleted(name: str, arguments: str) -> Rule:
    code = _without_options(name, arguments)
    return Rule(code=f"del {code}", note=f"Wrote 'del {code}' for '%{name}'.")


def _environment(name: str, arguments: str) -> Rule:
    variable, _, value = re.sub(r"\s*=\s*|\s+", "=", arguments.strip(), count=1).partition("=")
    if not value:
        return Rule(note=f"Left out '%{name}': it only shows the environment.")
    hint = f'Write os.environ["{variable}"] = {value!r} in each block that needs it (import os).'
    return Rule(problem=("magic", f"'%{name}' sets a variable of this process only.", hint))


def _directory(name: str, arguments: str) -> Rule:
    message = f"'%{name}' changes the folder of this process; each block starts in the notebook's."
    path = arguments.strip().strip("\"'") or "~"
    return Rule(
        problem=("magic", message, f'Put the folder into the paths: Path("{path}") / name.')
    )


def _script(name: str, arguments: str) -> Rule:
    path = next((word for word in arguments.split() if not word.startswith("-")), "script.py")
    module = path.rpartition("/")[2].partition(".")[0]
    hint = f"Import what it defines: from {module} import name."
    if path.endswith(".ipynb"):
        hint = "Move what it defines into a module, and import that."
    return Rule(
        problem=("magic", f"'%{name} {path}' puts the names of another file in here.", hint)
    )


def _stored(name: str, arguments: str) -> Rule:
    hint = "Delete the line: blocks hand values on, and the store keeps them."
    command = f"%{name} {arguments}".strip()
    return Rule(problem=("magic", f"'{command}' keeps values for IPython.", hint))


def _pylab(name: str, _arguments: str) -> Rule:
    hint = "Write 'import numpy as np' and 'import matplotlib.pyplot as plt', and use their names."
    return Rule(
        problem=("magic", f"'%{name}' fills the notebook with names of other modules.", hint)
    )


def _files(name: str, arguments: str) -> Rule:
    return shell_command(f"{name} {arguments}".strip())


def _shell(_name: str, arguments: str) -> Rule:
    return shell_command(arguments.strip())


def _installation(text: str) -> Rule:
    return Rule(note=f"Left out '{text.strip()}': install packages in the environment.")


def _query(magic: str) -> tuple[str, str, str]:
    hint = "Write a loader block: df = pd.read_sql(query, connection)."
    return ("magic", f"'{magic}' is a query that only IPython can run.", hint)


_LINE_MAGICS: dict[str, Callable[[str, str], Rule]] = {
    "cat": _files,
    "cd": _directory,
    "cp": _files,
    "env": _environment,
    "lprun": _profiled,
    "memit": _profiled,
    "mkdir": _files,
    "mprun": _profiled,
    "mv": _files,
    "popd": _directory,
    "prun": _profiled,
    "pushd": _directory,
    "pylab": _pylab,
    "rm": _files,
    "rmdir": _files,
    "run": _script,
    "set_env": _environment,
    "snakeviz": _profiled,
    "store": _stored,
    "sx": _shell,
    "system": _shell,
    "time": _timed,
    "timeit": _timed_often,
    "xdel": _deleted,
}
