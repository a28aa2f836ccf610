"""What only Python itself can say of modules: the names they give, and what is the same thing.

A process of its own imports them: a module may print, change settings or crash. Answers about
what lies in no folder of a notebook hold as long as this process runs.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Collection
from pathlib import Path
from typing import Any

__all__ = ["exported_names", "same_things"]

_TIMEOUT_S = 60
_START = """
import importlib, json, sys
asked = json.loads(sys.argv[1])
try:
    exec(asked["path_code"], {})
except Exception:
    pass
def answer(found):
    sys.__stdout__.write("\\n" + json.dumps(found))
"""
_LIST_NAMES = """
module = importlib.import_module(asked["module"])
names = getattr(module, "__all__", None)
if names is None:
    names = [name for name in vars(module) if not name.startswith("_")]
answer([sorted(names), getattr(module, "__file__", None)])
"""
_COMPARE = """
def found(path):
    parts = path.split(".")
    for end in range(len(parts), 0, -1):
        try:
            value = importlib.import_module(".".join(parts[:end]))
        except ImportError:
            continue
        for part in parts[end:]:
            value = getattr(value, part)
        return value
    raise ImportError(path)
def same(one, other):
    try:
        return found(one) is found(other)
    except Exception:
        return False
answer([same(one, other) for one, other in asked["pairs"]])
"""

Pair = tuple[str, str]

_installed: dict[tuple[str, str, str], tuple[str, ...]] = {}
_compared: dict[tuple[Pair, str, str], bool] = {}


def exported_names(module: str, folder: Path, path_code: str) -> tuple[str, ...] | str:
    """Names that `from module import *` gives; a text says why it cannot be imported.

    `path_code` are the statements that change `sys.path` before.
    """
    key = (module, str(folder), path_code)
    if known := _installed.get(key):
        return known
    done = _ask(_LIST_NAMES, {"module": module, "path_code": path_code}, folder)
    if isinstance(done, str):
        return done
    names, file = tuple(done[0]), done[1]
    if not path_code and (
        file is None or not Path(file).resolve().is_relative_to(folder.resolve())
    ):
        _installed[key] = names
    return names


def same_things(pairs: Collection[Pair], folder: Path, path_code: str) -> frozenset[Pair]:
    """Those pairs of dotted names that are one thing, as `pylab.np` and `numpy` are."""
    place = (str(folder), path_code)
    new = [pair for pair in pairs if (pair, *place) not in _compared]
    if new:
        done = _ask(_COMPARE, {"pairs": new, "path_code": path_code}, folder)
        answers = [False] * len(new) if isinstance(done, str) else done
        _compared.update({(pair, *place): same for pair, same in zip(new, answers, strict=True)})
    return frozenset(pair for pair in pairs if _compared[(pair, *place)])


def _ask(code: str, asked: dict[str, Any], folder: Path) -> list[Any] | str:
    """The answer of a Python that imports as the notebook does; a text if there is none."""
    try:
        done = subprocess.run(  # noqa: S603 - this Python; the notebook imports the same modules
            [sys.executable, "-c", _START + code, json.dumps(asked)],
            cwd=folder if folder.is_dir() else None,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"importing it took more than {_TIMEOUT_S} s."
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        return lines[-1] if lines else f"importing it ended with exit code {done.returncode}."
    found: list[Any] = json.loads(done.stdout.rpartition("\n")[2])
    return found
