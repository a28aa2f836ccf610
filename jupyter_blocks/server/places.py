"""Where requests may reach: every path is one below the server's root, links resolved.

Paths of requests and answers are relative to the root, with "/", as those of Jupyter's contents.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from jupyter_blocks.export import project_folder
from jupyter_blocks.pipeline import Pipeline
from jupyter_blocks.project import Project, is_notebook, open_project
from jupyter_blocks.server.faults import RequestError
from jupyter_blocks.variables.store import VariableStore

__all__ = ["Places"]

_SKIPPED = frozenset({"node_modules", "__pycache__", "site-packages"})
_MOST_FOLDERS = 5_000
"""Folders that are looked at while projects are searched."""


@dataclass(frozen=True)
class Places:
    """The root of the server, and what may be reached below it."""

    root: Path
    """Absolute, links resolved."""
    variable_roots: tuple[Path, ...] = ()
    """Folders elsewhere that variables may be kept in."""
    allow_hidden: bool = False

    def resolve(self, path: str) -> Path:
        """The file or folder that a request names; refuses whatever lies outside the root."""
        if "\0" in path:
            raise RequestError(400, "A path holds no null characters.")
        parts = [part for part in path.split("/") if part not in ("", ".")]
        if ".." in parts:
            raise self._outside(path)
        if not self.allow_hidden and any(part.startswith(".") for part in parts):
            raise RequestError(404, f"There is nothing at '{path}'.")
        try:
            found = self.root.joinpath(*parts).resolve()
        except (OSError, RuntimeError, ValueError) as error:  # loops of links, halves of characters
            raise RequestError(400, f"'{path[:100]}' is not a path.") from error
        self.check(found)
        return found

    def check(self, path: Path) -> None:
        """Refuse a path that, links resolved, lies outside the root."""
        if not path.resolve().is_relative_to(self.root):
            raise self._outside(path.name)

    def relative(self, path: Path) -> str:
        """A path as requests and answers have it; the root itself is the empty string."""
        text = path.resolve().relative_to(self.root).as_posix()
        return "" if text == "." else text

    def notebook(self, path: str, *, must_exist: bool = True) -> Path:
        """The notebook that a request names."""
        found = self.resolve(path)
        if not is_notebook(found):
            raise RequestError(
                400, f"'{path}' is not a notebook.", hint="Name an .ipynb file or a .py with cells."
            )
        if must_exist and not _is_file(found):
            raise RequestError(404, f"There is no notebook '{path}'.")
        return found

    def project(self, path: str) -> Project:
        """The project whose folder a request names."""
        return open_project(self.project_folder(path))

    def project_folder(self, path: str) -> Path:
        """The same, unread: its folder."""
        folder = self.resolve(path)
        if not _is_file(folder / "metadata.yaml"):
            raise RequestError(
                404, f"'{path or '.'}' is not a project.", hint="Export a notebook to it."
            )
        self.check(folder / "metadata.yaml")
        return folder

    def pipeline(self, project: Project, name: str) -> Pipeline:
        """A pipeline of a project, as its files say."""
        if name not in project.pipelines():
            raise RequestError(404, f"Project '{project.name}' has no pipeline '{name}'.")
        self.check(project.pipeline_path(name))
        return project.pipeline(name)

    def project_of(self, notebook: Path) -> Path:
        """The folder of the project that a notebook belongs to."""
        folder = project_folder(notebook)
        if not folder.is_relative_to(self.root):
            raise RequestError(
                403,
                f"{notebook.name} belongs to a project in a folder above the root of this server.",
                hint="Start the server in the folder of the project.",
            )
        self.check(folder / "metadata.yaml")
        return folder

    def store(self, project: Project) -> VariableStore:
        """The variables of a project, if they are kept where this server may look."""
        if "://" in project.variables_root:
            store = VariableStore(project.variables_root)
            local = store.storage.path("x")
            if local is None:
                return store
            folder = local.parent.resolve()
        else:
            folder = Path(project.variables_root).resolve()
        if not any(folder.is_relative_to(root) for root in (self.root, *self.variable_roots)):
            raise RequestError(
                403,
                f"Project '{project.name}' keeps its variables outside the root of this server.",
                hint="Add their folder to BlocksApp.variable_roots in the server's configuration.",
            )
        return VariableStore(project.variables_root)

    def projects(self, depth: int, most: int) -> Iterator[Path]:
        """Folders of projects below the root, the nearest first; links are not followed."""
        level, seen, found = [self.root], 0, 0
        for _ in range(depth + 1):
            below: list[Path] = []
            for folder in level:
                seen += 1
                if seen > _MOST_FOLDERS or found >= most:
                    return
                if _is_file(folder / "metadata.yaml") and (folder / "pipelines").is_dir():
                    found += 1
                    yield folder
                    continue
                below += _folders(folder)
            level = below

    def _outside(self, path: str) -> RequestError:
        return RequestError(
            403,
            f"'{path}' lies outside the root of this server.",
            hint="Paths are relative to the folder the server was started in.",
        )


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        return False


def _folders(folder: Path) -> Sequence[Path]:
    try:
        with os.scandir(folder) as entries:
            return sorted(
                Path(entry.path)
                for entry in entries
                if entry.is_dir(follow_symlinks=False)
                and not entry.name.startswith(".")
                and entry.name not in _SKIPPED
            )
    except OSError:
        return ()
