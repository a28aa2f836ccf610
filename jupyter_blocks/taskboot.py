"""How a worker on another machine comes to its task, its code and its secrets.

The order makes a second worker harmless and a wrong image plain: the task and its digest, the claim
that only one process can make, a sign of life, the code, the packages, the secrets. What goes wrong
is a report like any other.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import tarfile
import tempfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from hashlib import sha256
from pathlib import Path, PurePosixPath

from jupyter_blocks import bundle
from jupyter_blocks.errors import BlocksError, VariableError
from jupyter_blocks.executors.base import BlockTask, CodeRef, Reason
from jupyter_blocks.heartbeat import beating
from jupyter_blocks.redaction import hide
from jupyter_blocks.requirements import differences
from jupyter_blocks.secretrefs import resolve_secrets
from jupyter_blocks.variables.manifest import run_prefix
from jupyter_blocks.variables.openstorage import open_storage, split_object
from jupyter_blocks.variables.storage import AlreadyExistsError, Storage

__all__ = [
    "ATTEMPT",
    "DIGEST",
    "TASK",
    "BootError",
    "claim",
    "code_key",
    "prepared",
    "read_task",
    "result_key",
    "task_key",
]

TASK = "JUPYTER_BLOCKS_TASK"
DIGEST = "JUPYTER_BLOCKS_TASK_SHA256"
ATTEMPT = "JUPYTER_BLOCKS_ATTEMPT"


class BootError(BlocksError):
    """A worker cannot run its task where it is; `reason` goes into its report."""

    def __init__(self, message: str, reason: Reason, *, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.reason = reason


def code_key(pipeline: str, run_id: str, digest: str) -> str:
    """Key of a bundle of code: it is kept with the run, and goes with it."""
    return f"{run_prefix(pipeline, run_id)}/code-{digest}.tar.gz"


def task_key(prefix: str) -> str:
    """Key of the task document of the attempt `prefix`."""
    return f"{prefix}/task.json"


def result_key(prefix: str) -> str:
    """Key of the worker's report of the attempt `prefix`."""
    return f"{prefix}/result.json"


def read_task(environment: Mapping[str, str] = os.environ) -> BlockTask:
    """The task that the environment names by URI or path, digest and attempt id.

    Raises `ValueError` if it is not the one that was announced, `KeyError`, `OSError` or
    `VariableError` where it cannot be read.
    """
    uri = environment[TASK]
    if "://" in uri:
        root, key = split_object(uri)
        data = open_storage(root).read(key)
    else:
        data = Path(uri).read_bytes()
    if sha256(data).hexdigest() != environment[DIGEST]:
        raise ValueError(f"the sha256 of {uri} is not the one that was announced")
    task = BlockTask.from_json(json.loads(data))
    if task.attempt_id != environment[ATTEMPT]:
        raise ValueError(f"it is that of attempt {task.attempt_id}, not {environment[ATTEMPT]}")
    return task


def claim(storage: Storage, prefix: str) -> bool:
    """Claim an attempt for this process; false if another one has."""
    document = {"pid": os.getpid(), "host": os.uname().nodename, "nonce": secrets.token_hex(8)}
    try:
        storage.create(f"{prefix}/claim.json", json.dumps(document).encode())
    except AlreadyExistsError:
        return False
    return True


@contextmanager
def prepared(task: BlockTask, storage: Storage) -> Iterator[BlockTask]:
    """The task as it can be run here, with code, environment and secrets in their places.

    Raises `BootError` where that cannot be. A task without `code` is one of this machine.
    """
    if task.code is None:
        with _environment(task):
            yield task
        return
    with beating(storage, task.prefix, task.heartbeat_s), _code(task.code, storage) as folder:
        _check_packages(task)
        with _environment(task):
            yield replace(
                task,
                project=str(folder),
                working_dir=str(folder / _relative(task.working_dir)),
                resources={**task.resources, "memory_mib": 0},  # the container's limit holds
            )


@contextmanager
def _code(code: CodeRef, storage: Storage) -> Iterator[Path]:
    if code.folder:
        yield _checked_image(code)
        return
    parent = Path(tempfile.mkdtemp(prefix="jupyter-blocks-"))
    try:
        # The folder above the project is on `sys.path` too, so it has to be one of its own.
        folder = parent / "project"
        folder.mkdir()
        _unpack(code, storage, folder)
        yield folder
    finally:
        shutil.rmtree(parent, ignore_errors=True)


def _unpack(code: CodeRef, storage: Storage, folder: Path) -> None:
    try:
        bundle.unpack(storage.read(code.key), code.sha256, folder)
    except (ValueError, EOFError, OSError, zlib.error, tarfile.TarError, VariableError) as error:
        raise BootError(
            f"The code of the project cannot be used: {error}.", Reason.INPUT_MISSING
        ) from error


def _checked_image(code: CodeRef) -> Path:
    folder = Path(code.folder)
    if not folder.is_dir():
        raise BootError(
            f"The image holds no project at {code.folder}.",
            Reason.CONFIGURATION,
            hint="Build it with 'jupyter blocks image --with-code', or leave 'code: image' out.",
        )
    found = bundle.digest_of(folder)
    if found != code.sha256:
        raise BootError(
            f"The code in the image ({found[:12]}) is not the code of this run "
            f"({code.sha256[:12]}).",
            Reason.CONFIGURATION,
            hint="Build the image again, or leave 'code: image' out so that the code is sent.",
        )
    return folder


def _relative(working_dir: str) -> PurePosixPath:
    path = PurePosixPath(working_dir)
    if path.is_absolute() or ".." in path.parts:
        raise BootError(f"The folder {working_dir} is not in the project.", Reason.CONFIGURATION)
    return path


def _check_packages(task: BlockTask) -> None:
    missing, other = differences(task.packages, task.python)
    if missing:
        also = f" It also has {', '.join(other)}." if other else ""
        raise BootError(
            f"The image lacks packages that the project imports: {', '.join(missing)}.{also}",
            Reason.CONFIGURATION,
            hint="Add them to the image ('jupyter blocks image' writes a Dockerfile that does).",
        )
    if other:
        print(f"The image has {', '.join(other)}.", flush=True)


@contextmanager
def _environment(task: BlockTask) -> Iterator[None]:
    try:
        values = resolve_secrets(task.secrets) if task.secrets else {}
    except BlocksError as error:
        raise BootError(str(error), Reason.CONFIGURATION) from error
    hide(values.values())
    before = {name: os.environ.get(name) for name in (*task.environment, *values)}
    os.environ.update({**task.environment, **values})
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
