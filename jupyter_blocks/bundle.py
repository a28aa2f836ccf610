"""The code of a project as one file, named by its content, for workers on other machines.

The same files give the same bytes on every machine: sorted, without times and owners. What a block
needs from its project is in there; what the store, git, Python and Jupyter keep beside it is not.
"""

from __future__ import annotations

import gzip
import io
import os
import stat
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from hashlib import sha256
from pathlib import Path, PurePosixPath

from jupyter_blocks.errors import ProjectError

__all__ = ["IGNORE_FILE", "MOST_MIB", "Bundle", "digest_of", "left_out", "make_bundle", "unpack"]

IGNORE_FILE = ".blocksignore"
"""Names what is left out, one pattern a line, as in .gitignore (without `!` and `**` within)."""
MOST_MIB = 64.0
"""What the files may weigh together, in MiB, unless the settings say otherwise."""
_LEFT_OUT = ("__pycache__", "node_modules", "*.pyc", "*.ipynb", "*.egg-info")
_LARGEST = 5


@dataclass(frozen=True)
class Bundle:
    """A project's code."""

    sha256: str
    """Of the archive before it is compressed, in hex."""
    data: bytes
    """The archive: a tar, compressed by gzip."""
    files: tuple[str, ...]
    """What is in it: paths below the project, sorted."""


def make_bundle(
    root: str | os.PathLike[str], ignore: Sequence[str] = (), *, most_mib: float = MOST_MIB
) -> Bundle:
    """The code of the project at `root`.

    Hidden files, notebooks, virtual environments, caches, and what `.blocksignore` or `ignore`
    name are left out. Raises `ProjectError` for a link, and for files of more than `most_mib`.
    """
    folder = Path(root)
    files = _files(folder, ignore, most_mib)
    archive = _archive(folder, files)
    compressed = gzip.compress(archive, compresslevel=6, mtime=0)
    return Bundle(sha256(archive).hexdigest(), compressed, tuple(files))


def digest_of(root: str | os.PathLike[str], ignore: Sequence[str] = ()) -> str:
    """The `sha256` that `make_bundle` would give, for code that an image has brought along."""
    folder = Path(root)
    return sha256(_archive(folder, _files(folder, ignore, float("inf")))).hexdigest()


def unpack(data: bytes, digest: str, folder: str | os.PathLike[str]) -> None:
    """Write the files of a bundle; `ValueError` if it is not the one that was announced."""
    archive = gzip.decompress(data)
    if sha256(archive).hexdigest() != digest:
        raise ValueError(f"the sha256 of the code is not {digest}")
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        for member in tar:
            _extract(tar, member, Path(folder))


def _extract(tar: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> None:
    """Write one file; Python before 3.11.4 has no filter for what may be extracted."""
    path = PurePosixPath(member.name)
    data = tar.extractfile(member) if member.isreg() else None
    if data is None or path.is_absolute() or ".." in path.parts:
        raise ValueError(f"{member.name} is no file of a project")
    target = folder / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(data.read())
    target.chmod(0o755 if member.mode & stat.S_IXUSR else 0o644)


def _archive(folder: Path, files: Sequence[str]) -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for name in files:
            data = (folder / name).read_bytes()
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            is_executable = (folder / name).stat().st_mode & stat.S_IXUSR
            entry.mode = 0o755 if is_executable else 0o644
            tar.addfile(entry, io.BytesIO(data))
    return target.getvalue()


def _files(folder: Path, ignore: Sequence[str], most_mib: float) -> list[str]:
    patterns = _Patterns([*left_out(folder), *ignore])
    sizes = dict(sorted(_walk(folder, PurePosixPath(), patterns)))
    total_mib = sum(sizes.values()) / 2**20
    if total_mib > most_mib:
        largest = sorted(sizes.items(), key=lambda item: -item[1])[:_LARGEST]
        listed = ", ".join(f"{name} ({size / 2**20:.1f} MiB)" for name, size in largest)
        raise ProjectError(
            f"The files of project '{folder.name}' are {total_mib:.0f} MiB, too much to send as "
            f"code (limit: {most_mib:g} MiB). The largest: {listed}.",
            hint=f"Name what the blocks do not need in {folder.name}/{IGNORE_FILE}, and read data "
            "from where every machine can reach it.",
        )
    return list(sizes)


def left_out(root: str | os.PathLike[str]) -> list[str]:
    """Patterns of what is no code of a project, beside hidden files: ours, then its own."""
    return [*_LEFT_OUT, *_lines(Path(root) / IGNORE_FILE)]


def _lines(file: Path) -> list[str]:
    if not file.is_file():
        return []
    lines = (line.strip() for line in file.read_text("utf-8-sig").splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def _walk(root: Path, below: PurePosixPath, patterns: _Patterns) -> Iterator[tuple[str, int]]:
    with os.scandir(root / below) as entries:
        found = sorted(entries, key=lambda entry: entry.name)
    for entry in found:
        path = below / entry.name
        is_folder = entry.is_dir(follow_symlinks=False)
        if entry.name.startswith(".") or patterns.match(path, is_folder=is_folder):
            continue
        if entry.is_symlink():
            raise ProjectError(
                f"{path} in project '{root.name}' is a link; links cannot be sent to other "
                "machines.",
                hint=f"Put the file itself there, or name the link in {IGNORE_FILE}.",
            )
        if is_folder and not (root / path / "pyvenv.cfg").exists():
            yield from _walk(root, path, patterns)
        elif entry.is_file(follow_symlinks=False):
            yield str(path), entry.stat().st_size


class _Patterns:
    """Patterns of names and paths to leave out."""

    def __init__(self, patterns: Sequence[str]) -> None:
        self._patterns = [(text.strip("/"), text) for text in patterns]

    def match(self, path: PurePosixPath, *, is_folder: bool) -> bool:
        """Whether one of them means this file or folder."""
        for pattern, written in self._patterns:
            if written.endswith("/") and not is_folder:
                continue
            is_path = "/" in written.rstrip("/")
            if fnmatchcase(str(path) if is_path else path.name, pattern):
                return True
        return False
