"""Where blocks import from, and that a warm worker imports what is there now."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jupyter_blocks.projectmodules import import_path, refresh


@pytest.fixture(autouse=True)
def _no_modules_left() -> Iterator[None]:
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        del sys.modules[name]


def write(path: Path, text: str) -> None:
    """Write a module."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


def imported(project: Path, name: str, working_dir: Path | None = None) -> Any:
    """Import a module as a block of the project does; the notebook's folder is `working_dir`."""
    folder = str(working_dir or project)
    with import_path(str(project), folder, is_exported=working_dir is not None):
        refresh(str(project), folder)
        return importlib.import_module(name)


def test_the_project_comes_last_on_the_path(tmp_path: Path) -> None:
    """An installed package wins over a folder of the project, as `transformers` must."""
    before = list(sys.path)
    with import_path(f"{tmp_path}/demo", f"{tmp_path}/nb", is_exported=False):
        assert sys.path == [*before, str(tmp_path), f"{tmp_path}/demo"]
    with import_path(f"{tmp_path}/demo", f"{tmp_path}/nb", is_exported=True):
        assert sys.path == [f"{tmp_path}/nb", *before, str(tmp_path), f"{tmp_path}/demo"]
    assert sys.path == before


def test_modules_are_found_from_the_project_and_its_parent(tmp_path: Path) -> None:
    """Mage's way is `from <project>.utils.x import y`; from the project itself works too."""
    write(tmp_path / "jb_demo/jb_utils/x.py", "y = 1\n")
    assert imported(tmp_path / "jb_demo", "jb_demo.jb_utils.x").y == 1
    assert imported(tmp_path / "jb_demo", "jb_utils.x").y == 1


def test_a_changed_module_is_imported_again_with_those_that_use_it(tmp_path: Path) -> None:
    """One that holds what another one defined is stale as well."""
    project = tmp_path / "demo"
    write(project / "jb_base.py", "number = 1\n")
    write(project / "jb_user.py", "from jb_base import number\n")
    first = imported(project, "jb_user")
    assert imported(project, "jb_user") is first
    write(project / "jb_base.py", "number = 22\n")
    assert imported(project, "jb_user").number == 22


def test_two_projects_do_not_share_modules(tmp_path: Path) -> None:
    """Each has its own `helpers` and whatever else goes by the same name."""
    for name in ("one", "two"):
        write(tmp_path / name / "helpers/flights.py", f"name = {name!r}\n")
        write(tmp_path / name / "jb_tools/x.py", f"name = {name!r}\n")
    for name in ("one", "two", "one"):
        assert imported(tmp_path / name, "helpers.flights").name == name
        assert imported(tmp_path / name, "jb_tools.x").name == name


@pytest.mark.parametrize("other", ["helpers.py", "helpers/__init__.py"])
def test_helpers_beside_the_notebook_do_not_hide_ours(tmp_path: Path, other: str) -> None:
    """Both are `helpers`: the user's own names and our submodules."""
    write(tmp_path / "nb" / other, "mine = 1\n")
    write(tmp_path / "nb/demo/helpers/flights.py", "ours = 2\n")
    project = tmp_path / "nb/demo"
    assert imported(project, "helpers.flights", tmp_path / "nb").ours == 2
    assert sys.modules["helpers"].mine == 1


def test_helpers_that_appear_later_are_found(tmp_path: Path) -> None:
    """A second notebook may be exported while the worker is warm."""
    project = tmp_path / "demo"
    write(project / "helpers/one.py", "")
    imported(project, "helpers.one")
    write(project / "helpers/two.py", "x = 2\n")
    assert imported(project, "helpers.two").x == 2
