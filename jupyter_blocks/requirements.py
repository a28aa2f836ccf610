"""What the blocks of a project import, as packages and versions: to compare two machines by.

Names come from the code, versions from what is installed where the run was started. A worker says
in one sentence what it lacks, before it runs anything.
"""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, packages_distributions, version

__all__ = ["differences", "python_version", "requirements_of"]

_OURS = "jupyter-blocks"


def python_version() -> str:
    """Version of this Python as far as packages depend on it: `3.12`."""
    return ".".join(platform.python_version_tuple()[:2])


def requirements_of(modules: Iterable[str]) -> dict[str, str]:
    """Distribution -> version of those that provide the modules, sorted; others are left out.

    Modules of the standard library, of the project, and what is not installed here have none.
    """
    owners = _owners()
    names = {module.partition(".")[0] for module in modules} - sys.stdlib_module_names
    found = {owner for name in names for owner in owners.get(name, ())}
    installed = {name: _version(name) for name in sorted(found, key=str.lower) if name != _OURS}
    return {name: number for name, number in installed.items() if number}


def differences(wanted: Mapping[str, str], python: str) -> tuple[list[str], list[str]]:
    """What this Python lacks, and what it has in another version, each as a few words."""
    missing, other = [], []
    for name, number in wanted.items():
        here = _version(name)
        if not here:
            missing.append(f"{name} {number}")
        elif here != number:
            other.append(f"{name} {here} instead of {number}")
    if python and python != python_version():
        other.append(f"Python {python_version()} instead of {python}")
    return missing, other


@cache
def _owners() -> Mapping[str, list[str]]:
    return packages_distributions()


@cache
def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
