"""What is stored of a pipeline is looked up again when it may have changed, and only then."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from jupyter_blocks.project import Project, open_project
from jupyter_blocks.server import freshness
from jupyter_blocks.server.freshness import StoredFreshness
from jupyter_blocks.variables.store import VariableStore
from tests.projects import block, write_project
from tests.server.conftest import run

OLD = 1_000_000_000


class Looking:
    """Asks again and again, and counts how often the store is opened for it."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.opened = 0
        self._kept = StoredFreshness()

    def _open(self, project: Project) -> VariableStore:
        self.opened += 1
        return VariableStore(project.variables_root)

    def at(self, signature: Any = 0) -> Mapping[str, Any]:
        found = self._kept.of(self.project, "pipe", signature, self._open)
        return {name: said["state"] for name, said in found.items()}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project that has run, whose block imports a module of its own; all files are old."""
    made = write_project(
        tmp_path / "shop", [block("one", "from tools.sums import add\nreturn add(1, 2)")]
    )
    (made.root / "tools").mkdir()
    (made.root / "tools" / "__init__.py").touch()
    (made.root / "tools" / "sums.py").write_text("def add(a, b):\n    return a + b\n")
    run(made)
    return open_project(made.root)


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every look is long after the last one, and every file was old when it was read."""
    monkeypatch.setattr(freshness, "TRUSTED_S", -1.0)
    monkeypatch.setattr(freshness, "_SURELY_OLD_NS", -(10**18))


@pytest.mark.usefixtures("later")
def test_nothing_is_read_where_nothing_changed(project: Project) -> None:
    """However long ago the last look was: the times of the files say so."""
    looking = Looking(project)
    assert looking.at() == looking.at() == {"one": "fresh"}
    assert looking.opened == 1
    assert looking.at(signature=1) == {"one": "fresh"}
    assert looking.opened == 2


@pytest.mark.usefixtures("later")
def test_a_module_that_a_block_imports_is_seen_to_change(project: Project) -> None:
    """Though no file of the pipeline did; and a module that takes its place."""
    looking = Looking(project)
    assert looking.at() == {"one": "fresh"}
    sums = project.root / "tools" / "sums.py"
    sums.write_text("def add(a, b):\n    return b - a\n")
    assert looking.at() == {"one": "stale"}
    sums.write_text("def add(a, b):\n    return a + b\n")
    assert looking.at() == {"one": "fresh"}
    (project.root / "tools.py").write_text("")
    assert looking.at() == {"one": "fresh"}  # the package is imported as before
    sums.unlink()
    assert looking.at() == {"one": "stale"}


def test_files_that_changed_just_now_are_not_believed(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They may change again at the same time of the clock."""
    monkeypatch.setattr(freshness, "TRUSTED_S", -1.0)
    looking = Looking(project)
    looking.at()
    looking.at()
    assert looking.opened == 2
    for file in project.root.rglob("*.py"):
        os.utime(file, (OLD, OLD))  # the time of its status says still that it is new
    looking.at()
    assert looking.opened == 3


def test_what_cannot_be_read_is_looked_up_again(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A failure is no answer to keep."""
    monkeypatch.setattr(freshness, "TRUSTED_S", -1.0)
    looking = Looking(project)
    file = project.pipeline_path("pipe")
    text = file.read_text()
    file.write_text("[")
    assert looking.at() == {}
    file.write_text(text)
    assert looking.at() == {"one": "fresh"}
