"""Which files an export writes, leaves or removes, found out before anything is touched.

Pure but for reading the files that are there: their headers and digests say whose they are, and
whether somebody edited them.
"""

from __future__ import annotations

import difflib
import hashlib
import os
import re
import stat
import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import yaml

from jupyter_blocks.block import BLOCK_TYPES
from jupyter_blocks.blockfile import is_intact, parse_header, without_header
from jupyter_blocks.errors import Problem
from jupyter_blocks.samecode import same_code
from jupyter_blocks.settingsdiff import yaml_stamp

__all__ = [
    "ExportedFile",
    "Owner",
    "State",
    "block_path",
    "exported_pipelines",
    "planned_files",
    "signed_yaml_digest",
]

State = Literal["written", "unchanged", "differs", "edited", "removed"]

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_SURELY_OLD_NS = 2_000_000_000
"""A file that was changed less than so long ago may change again without another time."""
_YAML_DIGEST = re.compile(r"^  digest: '?([0-9a-f]{32})'?\n", re.MULTILINE)


@dataclass(frozen=True)
class ExportedFile:
    """One file of a project, as an export leaves it or would leave it."""

    path: str
    """Relative to the project, with '/'."""
    text: str
    """What the notebook says it holds; empty for a removed file."""
    state: State
    """`differs`: with `check`, would be written. `edited`: changed by hand, left alone."""
    diff: str = ""
    """Unified diff from the file to `text`; empty where they are equal."""


@dataclass(frozen=True)
class Owner:
    """The notebook that exports, and where to."""

    root: Path
    """Folder of the project."""
    notebook: str
    """Path of the notebook relative to the project, with '/'."""
    pipeline: str
    twin: str = ""
    """Path of the file that jupytext keeps the same notebook in; empty: there is none."""


@dataclass(frozen=True)
class _Found:
    """A file that is there already."""

    text: str
    notebook: str | None
    """Notebook it was exported from; none: written by hand."""
    is_intact: bool


def block_path(owner: Owner, folder: str, block: str) -> str:
    """Project-relative path of the file of a block: `folder/block.py`.

    Where another notebook of the project has exported a block of that name, the file goes into a
    folder of the pipeline's own below; copies of a notebook live side by side that way.
    """
    path = f"{folder}/{block}.py"
    found = _found(owner.root, path)
    if found is not None and _is_of_other_notebook(owner, found):
        return f"{folder}/{owner.pipeline}/{block}.py"
    return path


def _is_of_other_notebook(owner: Owner, found: _Found) -> bool:
    """Whether a notebook that still exists, other than this one, has exported the file."""
    other = found.notebook
    if other is None or other in (owner.notebook, owner.twin):
        return False
    return (owner.root / other).exists()


def exported_pipelines(root: Path, notebook: str) -> list[str]:
    """Names of the pipelines of a project that were exported from a notebook, sorted."""
    return [
        path.parent.name
        for path in sorted((root / "pipelines").glob("*/metadata.yaml"))
        if _yaml_notebook(path.read_bytes().decode("utf-8", "replace")) == notebook
    ]


def planned_files(
    owner: Owner,
    texts: Mapping[str, str],
    *,
    force: bool,
    check: bool,
    taken_over: Collection[str] = (),
) -> tuple[list[ExportedFile], list[Problem]]:
    """What happens to each file, and what is in the way.

    `texts` maps project-relative paths to the text they are to have. With `check` nothing is meant
    to be written, so nothing can be in the way. `taken_over` are files edited by hand whose changes
    the notebook has.
    """
    files: list[ExportedFile] = []
    problems: list[Problem] = []
    for path, text in sorted(texts.items()):
        found = _found(owner.root, path)
        may_go = force or path in taken_over
        state, problem = _fate(owner, path, text, found, force=may_go, check=check)
        files.append(
            ExportedFile(path, text, state, _diff(path, found.text if found else "", text))
        )
        problems += [problem] if problem and not check else []
    for path in _leftovers(owner, texts):
        found = _found(owner.root, path)
        if found is not None and found.is_intact:
            files.append(ExportedFile(path, "", "removed", _diff(path, found.text, "")))
        else:
            problems.append(_edited_leftover(owner, path))
    return files, problems


def signed_yaml_digest(text: str) -> str:
    """Digest of a metadata.yaml, without its own digest line: 32 hex digits."""
    return hashlib.sha256(_YAML_DIGEST.sub("", text, count=1).encode()).hexdigest()[:32]


def _fate(
    owner: Owner, path: str, text: str, found: _Found | None, *, force: bool, check: bool
) -> tuple[State, Problem | None]:
    changed: State = "differs" if check else "written"
    if found is None:
        return changed, None
    if found.text == text:
        return "unchanged", None
    if (owner.root / path).resolve() == (owner.root / owner.notebook).resolve():
        return changed, _is_the_notebook(owner, path)
    if found.notebook is None:
        return changed, None if force else _written_by_hand(owner, path)
    if _is_of_other_notebook(owner, found):
        return changed, _of_other_notebook(owner, path, found.notebook)
    if found.is_intact or force or _says_the_same(found.text, text, path):
        return changed, None
    return "edited", _edited(owner, path)


def _says_the_same(one: str, other: str, path: str) -> bool:
    """Whether an edited file holds nothing that the notebook has not: only its layout differs."""
    return path.endswith(".py") and same_code(without_header(one), without_header(other))


def _found(root: Path, path: str) -> _Found | None:
    file = f"{root}/{path}"
    try:
        seen = os.stat(file)  # noqa: PTH116 - hundreds of files, after each edit of a notebook
    except OSError:
        if not Path(file).exists():
            return None
        raise
    if not stat.S_ISREG(seen.st_mode):
        return _Found("", None, is_intact=False)
    changed_at = max(seen.st_mtime_ns, seen.st_ctime_ns)
    if time.time_ns() - changed_at < _SURELY_OLD_NS:
        return _read(file)
    return _known(file, (seen.st_ino, seen.st_mtime_ns, seen.st_ctime_ns, seen.st_size))


@lru_cache(maxsize=1024)
def _known(file: str, _seen: tuple[int, ...]) -> _Found:
    """The same for a file that lies there as it was seen."""
    return _read(file)


def _read(file: str) -> _Found:
    text = Path(file).read_bytes().decode("utf-8", "replace").replace("\r\n", "\n")
    return _judged(text, is_yaml=file.endswith(".yaml"))


@lru_cache(maxsize=1024)
def _judged(text: str, *, is_yaml: bool) -> _Found:
    """What a file says of its origin; front ends ask again after each edit of a notebook."""
    if is_yaml:
        notebook = _yaml_notebook(text)
        digest = _YAML_DIGEST.search(text)
        is_signed = digest is not None and digest[1] == signed_yaml_digest(text)
        return _Found(text, notebook, is_signed)
    header = parse_header(text)
    return _Found(text, header.notebook if header else None, is_intact(text))


def _yaml_notebook(text: str) -> str | None:
    try:
        document = yaml.load(text, _Loader)  # noqa: S506 - the safe one, in C where there is one
    except yaml.YAMLError:  # edited by hand, and not yet right
        return yaml_stamp(text)[0] or None
    own = document.get("jupyter_blocks") if isinstance(document, dict) else None
    notebook = own.get("notebook") if isinstance(own, dict) else None
    return notebook if isinstance(notebook, str) else None


def _leftovers(owner: Owner, texts: Mapping[str, str]) -> Iterator[str]:
    """Files exported from this notebook before that its blocks do not need any more."""
    folders = (*(kind.folder for kind in BLOCK_TYPES.values()), "helpers")
    for folder in sorted(folders):
        for path in _modules(owner.root, folder):
            if path not in texts and _is_exported_from(owner.root / path, owner):
                yield path
    for file in sorted((owner.root / "pipelines").glob("*/metadata.yaml")):
        path = f"pipelines/{file.parent.name}/{file.name}"
        if path not in texts:
            found = _found(owner.root, path)
            if found is not None and found.notebook in (owner.notebook, owner.twin):
                yield path


def _modules(root: Path, folder: str) -> list[str]:
    """The Python files in a folder of a project at any depth, relative to the project."""
    found = []
    for at, _, names in os.walk(root / folder):
        inside = Path(at).relative_to(root).as_posix()
        found += [f"{inside}/{name}" for name in names if name.endswith(".py")]
    return sorted(found, key=lambda path: path.split("/"))


def _is_exported_from(file: Path, owner: Owner) -> bool:
    with file.open("rb") as stream:
        first = stream.readline().decode("utf-8", "replace").rstrip("\r\n")
    header = parse_header(first)
    return header is not None and header.notebook in (owner.notebook, owner.twin)


def _diff(path: str, old: str, new: str) -> str:
    if old == new:
        return ""
    lines = difflib.unified_diff(
        old.splitlines(keepends=True), new.splitlines(keepends=True), f"a/{path}", f"b/{path}"
    )
    return "".join(line if line.endswith("\n") else f"{line}\n" for line in lines)


def _written_by_hand(owner: Owner, path: str) -> Problem:
    return _taken(
        owner,
        path,
        f"The file {path} is there already and was not made by an export.",
        "Give the block another name with its tag, export to another project with --project, or "
        "overwrite the file with --force.",
    )


def _is_the_notebook(owner: Owner, path: str) -> Problem:
    return _taken(
        owner,
        path,
        f"The block would be written to {path}, which is the notebook itself.",
        "Give the block another name with its tag, move the notebook to another folder, or export "
        "to another project with --project.",
    )


def _of_other_notebook(owner: Owner, path: str, notebook: str) -> Problem:
    return _taken(
        owner,
        path,
        f"The file {path} was exported from another notebook, {notebook}.",
        "Give the block or the pipeline another name, or export to another project with --project.",
    )


def _taken(owner: Owner, path: str, message: str, hint: str) -> Problem:
    return _problem(owner, "file-taken", path, message, hint)


def _edited(owner: Owner, path: str) -> Problem:
    hint = (
        "Bring the change into the notebook with 'jupyter blocks notebook "
        f"{owner.notebook}', or overwrite the file with --force."
    )
    return _problem(
        owner,
        "edited-file",
        path,
        f"The file {path} was edited by hand after it was exported.",
        hint,
    )


def _edited_leftover(owner: Owner, path: str) -> Problem:
    problem = _problem(
        owner,
        "edited-leftover",
        path,
        f"The file {path} belongs to no block of the notebook any more, but was edited by hand.",
        "Delete it, or move it to another project.",
    )
    return Problem(**{**problem.__dict__, "severity": "warning"})


def _problem(owner: Owner, code: str, path: str, message: str, hint: str) -> Problem:
    return Problem(code, message, hint, pipeline=owner.pipeline, path=path)
