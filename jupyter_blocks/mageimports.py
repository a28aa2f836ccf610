"""The few imports from `mage_ai` that block files are full of, for machines without Mage.

They exist only while a block runs, and only where the real package is missing. Any other import
from `mage_ai` fails with one clear sentence.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Self

from jupyter_blocks.interpolation import render
from jupyter_blocks.loading import MAGE_NAMES

if TYPE_CHECKING:
    from importlib.abc import Loader, MetaPathFinder
else:  # slow to import, and Python asks for the methods only
    Loader, MetaPathFinder = type("Loader", (), {}), type("MetaPathFinder", (), {})

__all__ = ["ConfigFileLoader", "FileIO", "get_repo_path", "mage_imports"]

_ROOT = "mage_ai"


def get_repo_path(*_args: Any, **_options: Any) -> str:
    """The folder of the project."""
    return os.environ.get("MAGE_RUNTIME__REPO_PATH", str(Path.cwd()))


class FileIO:
    """Reads and writes tables as files; the format is told by the ending or by `format`."""

    def __init__(self, *_args: Any, **_options: Any) -> None:
        """Accept what Mage's takes."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        """Nothing is open."""

    def load(
        self,
        filepath: str | Path,
        format: str | None = None,  # noqa: A002 - Mage's name for it
        limit: int | None = None,
        **options: Any,
    ) -> Any:
        """The table in a file, at most `limit` rows of it; `options` go to pandas."""
        import pandas

        readers: dict[str, Callable[..., Any]] = {
            "csv": pandas.read_csv,
            "hdf5": pandas.read_hdf,
            "json": pandas.read_json,
            "parquet": pandas.read_parquet,
            "xlsx": pandas.read_excel,
            "xml": pandas.read_xml,
        }
        table = readers[_format(filepath, format, readers)](filepath, **options)
        return table if limit is None else table.head(limit)

    def export(
        self,
        df: Any,
        filepath: str | Path,
        format: str | None = None,  # noqa: A002 - Mage's name for it
        **options: Any,
    ) -> None:
        """Write a table to a file, without its index as Mage does; `options` go to pandas."""
        writers: dict[str, Callable[..., Any]] = {
            "csv": lambda: df.to_csv(filepath, **{"index": False, **options}),
            "hdf5": lambda: df.to_hdf(filepath, **{"key": "table", **options}),
            "json": lambda: df.to_json(filepath, **options),
            "parquet": lambda: df.to_parquet(filepath, **options),
            "xlsx": lambda: df.to_excel(filepath, **{"index": False, **options}),
            "xml": lambda: df.to_xml(filepath, **{"index": False, **options}),
        }
        name = _format(filepath, format, writers)
        if "://" not in str(filepath):
            Path(filepath).parent.mkdir(parents=True, exist_ok=True)
        writers[name]()


class ConfigFileLoader:
    """The settings of one profile of `io_config.yaml`, with its templates filled in."""

    def __init__(
        self, filepath: str | Path | None = None, profile: str = "default", **_options: Any
    ) -> None:
        import yaml

        path = Path(filepath or Path(get_repo_path()) / "io_config.yaml")
        document = yaml.safe_load(render(path.read_text("utf-8"))) or {}
        profile = str(getattr(profile, "value", profile))
        if profile not in document:
            raise KeyError(f"{path} has no profile '{profile}'; it has: {', '.join(document)}")
        self.config: dict[str, Any] = document[profile] or {}

    def get(self, key: Any, default: Any = None) -> Any:
        """A setting, or the default."""
        return self.config.get(str(getattr(key, "value", key)), default)

    def __getitem__(self, key: Any) -> Any:
        return self.config[str(getattr(key, "value", key))]

    def __contains__(self, key: Any) -> bool:
        return str(getattr(key, "value", key)) in self.config


def _format(filepath: str | Path, given: str | None, known: Mapping[str, Any]) -> str:
    ending = str(getattr(given, "value", given) or Path(filepath).suffix.removeprefix("."))
    name = {"xls": "xlsx", "h5": "hdf5", "hdf": "hdf5", "pq": "parquet"}.get(ending, ending)
    if name not in known:
        raise ValueError(
            f"FileIO does not know the format '{ending}' of {filepath}. Known: {', '.join(known)}."
        )
    return name


_MODULES: Mapping[str, Mapping[str, Any]] = {
    "mage_ai": {},
    "mage_ai.data_preparation": {},
    "mage_ai.data_preparation.decorators": MAGE_NAMES,
    "mage_ai.data_preparation.repo_manager": {"get_repo_path": get_repo_path},
    "mage_ai.io": {},
    "mage_ai.io.config": {"ConfigFileLoader": ConfigFileLoader},
    "mage_ai.io.file": {"FileIO": FileIO},
    "mage_ai.settings": {},
    "mage_ai.settings.repo": {"get_repo_path": get_repo_path},
}


class _Finder(MetaPathFinder, Loader):
    """Asked last, so that a Mage that is installed comes first."""

    def find_spec(
        self, fullname: str, _path: Sequence[str] | None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname.partition(".")[0] != _ROOT:
            return None
        if fullname not in _MODULES:
            if not isinstance(getattr(sys.modules.get(_ROOT), "__loader__", None), _Finder):
                return None
            raise ModuleNotFoundError(
                f"No module named '{fullname}': Jupyter Blocks stands in for Mage's decorators, "
                "FileIO, ConfigFileLoader and get_repo_path only. Use the library behind it "
                "directly, or install mage-ai.",
                name=fullname,
            )
        return ModuleSpec(fullname, self, is_package=True)

    def create_module(self, _spec: ModuleSpec) -> None:
        """Leave it to Python."""

    def exec_module(self, module: ModuleType) -> None:
        vars(module).update(_MODULES[module.__name__])


_FINDER = _Finder()


@contextmanager
def mage_imports() -> Iterator[None]:
    """Stand in for `mage_ai` within the `with` block."""
    sys.meta_path.append(_FINDER)
    try:
        yield
    finally:
        sys.meta_path.remove(_FINDER)
        if isinstance(getattr(sys.modules.get(_ROOT), "__loader__", None), _Finder):
            for name in _MODULES:
                sys.modules.pop(name, None)
