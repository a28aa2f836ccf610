"""Run as a program in a mount namespace: give a command its volumes, then become the command.

`python -I -S mounting.py PLAN COMMAND...`; PLAN is JSON: `root`, an empty folder; `hidden`, folders
to cover; `mounts`, each with `source`, `target`, `read_only`, and `size` for one in memory. Where a
target is not there, its place is made in a copy of the root that is nothing but mounts, so that
this machine's own folders stay as they are. Linux only; imports nothing of the package.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
from pathlib import Path
from typing import Any

__all__ = ["main"]

_READ_ONLY, _REMOUNT, _BIND, _RECURSIVE, _UNBINDABLE = 1, 32, 4096, 16384, 1 << 17
_FAILED = 125


def main(plan: dict[str, Any], command: list[str]) -> None:
    """Does not come back; `OSError` where something cannot be mounted."""
    here = Path.cwd()
    for folder in plan["hidden"]:
        _mount("tmpfs", folder, "tmpfs", 0, "size=64k")
    root = Path(plan["root"])
    _mount("tmpfs", root, "tmpfs", 0, "size=16m")
    _mount("none", root, "", _UNBINDABLE)  # else it would be found in itself
    targets = [Path(os.path.realpath(mount["target"])) for mount in plan["mounts"]]
    _copy(Path("/"), root, set(targets), {Path("/"), *(p for t in targets for p in t.parents)})
    for mount, target in zip(plan["mounts"], targets, strict=True):
        _attach(mount, root / target.relative_to("/"))
    os.chroot(root)
    os.chdir(here)
    os.execvp(command[0], command)  # noqa: S606 - the command under test


def _copy(folder: Path, copy: Path, targets: set[Path], opened: set[Path]) -> None:
    """Make a folder again: what leads to a target as a folder, all else as mounts."""
    copy.mkdir(exist_ok=True)
    if not folder.is_dir():
        return
    for entry in os.scandir(folder):
        path, place = folder / entry.name, copy / entry.name
        if path in targets:
            continue
        if entry.is_symlink():
            place.symlink_to(path.readlink())
        elif path in opened:
            _copy(path, place, targets, opened)
        elif entry.is_dir():
            place.mkdir()
            _mount(path, place, "", _BIND | _RECURSIVE)
        elif entry.is_file():
            place.touch()
            _mount(path, place, "", _BIND)


def _attach(mount: dict[str, Any], place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    if mount.get("size"):
        place.mkdir(exist_ok=True)
        _mount("tmpfs", place, "tmpfs", 0, f"size={mount['size']}")
        return
    source = Path(mount["source"])
    if source.is_dir():
        place.mkdir(exist_ok=True)
    else:
        place.touch()
    _mount(source, place, "", _BIND)
    if mount["read_only"]:
        _mount("none", place, "", _BIND | _REMOUNT | _READ_ONLY)


def _mount(
    source: Path | str, target: Path | str, kind: str, flags: int, options: str = ""
) -> None:
    library = ctypes.CDLL(None, use_errno=True)
    words = [str(word).encode() for word in (source, target, kind)]
    if library.mount(*words, ctypes.c_ulong(flags), options.encode()):
        number = ctypes.get_errno()
        raise OSError(number, f"{os.strerror(number)}: cannot mount {target}")


if __name__ == "__main__":
    try:
        main(json.loads(sys.argv[1]), sys.argv[2:])
    except OSError as failure:
        print(f"The container cannot be made: {failure}", file=sys.stderr)
        sys.exit(_FAILED)
