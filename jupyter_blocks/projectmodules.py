"""Where blocks import from, and fresh copies of the project's own modules on a warm worker.

The project's parent and the project come last on `sys.path`, as Mage has it, so that an installed
`transformers` wins over the folder of that name. A notebook's folder comes first, as in Jupyter.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.machinery import FileFinder, ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from typing import NoReturn

__all__ = ["HELPERS", "import_path", "refresh"]

HELPERS = "helpers"
"""Package of the shared modules that export writes."""

_RACY_S = 2.0
"""A file as young as this may change again without its time of change telling."""


@contextmanager
def import_path(project: str, working_dir: str, *, is_exported: bool) -> Iterator[None]:
    """`sys.path` as the blocks of a project are to find it; restored at the end."""
    before = list(sys.path)
    first = [working_dir] if is_exported and working_dir else []
    own = (os.path.dirname(project), project)  # noqa: PTH120 - this runs before every block
    sys.path[:] = [*first, *before, *(folder for folder in own if folder not in before)]
    try:
        yield
    finally:
        sys.path[:] = before
        _modules.look()


def refresh(project: str, working_dir: str) -> None:
    """Forget the project's own modules if one of them changed or they are of another project.

    To be called within `import_path`, before a block is loaded. They are forgotten together,
    because one may hold what another one defined.
    """
    _modules.refresh((project, working_dir))
    _provide_helpers(f"{project}/{HELPERS}")


class _OwnModules:
    """The modules loaded from a project and its working folder."""

    def __init__(self) -> None:
        self._folders: tuple[str, ...] = ()
        self._seen_files: dict[str, _SeenFile] = {}
        """The files of these modules, by name."""
        self._seen: set[str] = set()
        self._newest: tuple[int, str] = (0, "")
        """How many modules there were, and the one added last."""

    def refresh(self, folders: tuple[str, ...]) -> None:
        self.look()
        changed = any(file.has_changed() for file in self._seen_files.values())
        if folders == self._folders and not changed:
            return
        for name in self._seen_files:
            sys.modules.pop(name, None)
        self._forget_namespaces((*self._folders, *folders))
        self._seen_files.clear()
        self._seen.clear()
        self._newest = (0, "")
        self._folders = folders
        importlib.invalidate_caches()
        self.look()

    def look(self) -> None:
        """Look at the modules loaded since the last time; most are none of the project's."""
        newest = len(sys.modules), next(reversed(sys.modules))
        if newest == self._newest:
            return
        self._newest = newest
        for name in sys.modules.keys() - self._seen:
            file = getattr(sys.modules.get(name), "__file__", None)
            if isinstance(file, str) and name != "__main__" and self._is_own(file):
                self._seen_files[name] = _SeenFile(file)
        self._seen = set(sys.modules)

    def _is_own(self, file: str) -> bool:
        if f"-packages{os.sep}" in file:
            return False
        return any(folder and file.startswith(folder + os.sep) for folder in self._folders)

    def _forget_namespaces(self, folders: tuple[str, ...]) -> None:
        """Forget packages without `__init__.py` in these folders: they have no file to watch.

        Where such a package lies follows `sys.path`, which by now names the next project.
        """
        folders = tuple(folder for folder in folders if folder)
        for name, module in list(sys.modules.items()):
            if getattr(module, "__file__", None) is None and hasattr(module, "__path__"):
                with suppress(Exception):
                    places = tuple(str(place) for place in module.__path__)
                    if any(place.startswith(folders) for place in places):
                        del sys.modules[name]


_modules = _OwnModules()


class _SeenFile:
    """A file as it was when it was looked at."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._status = self._stat()
        is_young = self._status is not None and time.time() - self._status[0] / 1e9 < _RACY_S
        self._content = self._read() if is_young else None

    def has_changed(self) -> bool:
        if self._stat() != self._status:
            return True
        return self._content is not None and self._read() != self._content

    def _stat(self) -> tuple[int, int, int] | None:
        with suppress(OSError):
            found = os.stat(self._path)  # noqa: PTH116 - this runs before every block
            return found.st_mtime_ns, found.st_size, found.st_ino
        return None

    def _read(self) -> bytes:
        with suppress(OSError):
            return Path(self._path).read_bytes()
        return b""


class _FreshLoader(SourceFileLoader):
    """Compiles from source: the cache Python keeps misses a change within the same second."""

    def path_stats(self, path: object) -> NoReturn:
        """Say that there is nothing a cached file could be compared with."""
        raise OSError(f"no cache for {path}")


def _provide_helpers(folder: str) -> None:
    """Make `helpers.<pipeline>` importable whatever else on the path is called `helpers`.

    A module or package of that name, such as one next to the notebook, is loaded as usual and finds
    the project's folder added to its path.
    """
    loaded = sys.modules.get(HELPERS)
    if loaded is not None and folder in getattr(loaded, "__path__", ()):
        return
    if not os.path.isdir(folder):  # noqa: PTH112 - this runs before every block
        return
    sys.path_importer_cache[folder] = FileFinder(folder, (_FreshLoader, [".py"]))
    if loaded is not None:
        loaded.__path__ = [*getattr(loaded, "__path__", ()), folder]
        return
    spec = PathFinder.find_spec(HELPERS)
    if spec is not None and spec.origin is not None:
        _load_with_folder(spec, folder)


def _load_with_folder(spec: ModuleSpec, folder: str) -> None:
    if spec.loader is None or Path(str(spec.origin)).is_relative_to(folder):
        return
    spec.submodule_search_locations = [*(spec.submodule_search_locations or ()), folder]
    module = importlib.util.module_from_spec(spec)
    sys.modules[HELPERS] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[HELPERS]
        raise
