"""What leaves this machine for an attempt on another one: the code, the task, the command.

All of it goes through the variable store but three values; nothing here asks the platform.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

from jupyter_blocks.bundle import MOST_MIB, Bundle, digest_of, make_bundle
from jupyter_blocks.errors import ExecutorError
from jupyter_blocks.executors.base import BlockTask, CodeRef, ExecutorContext, Reason
from jupyter_blocks.executors.jobs import SubmitError, WorkerCommand
from jupyter_blocks.executors.settingsreader import SettingsReader
from jupyter_blocks.requirements import python_version, requirements_of
from jupyter_blocks.secretrefs import parse_reference
from jupyter_blocks.taskboot import ATTEMPT, DIGEST, TASK, code_key, task_key
from jupyter_blocks.variables.locations import is_uri
from jupyter_blocks.variables.openstorage import object_uri
from jupyter_blocks.variables.storage import AlreadyExistsError, Storage

__all__ = ["COMMON_SETTINGS", "Outgoing", "Parcel"]

COMMON_SETTINGS = (
    "calls_per_s",
    "code",
    "environment",
    "ignore",
    "max_code_mib",
    "project_path",
    "python",
    "secrets",
    "shared_variables",
    "start_timeout_s",
)
"""Settings of every remote executor, in the project's section or a block's `executor_config`."""

PROJECT_IN_IMAGE = "/home/blocks/project"
_WORKER = ("-m", "jupyter_blocks.worker")


@dataclass(frozen=True)
class Parcel:
    """One attempt, ready to be sent."""

    task: BlockTask
    """As the worker gets it."""
    document: bytes
    """The task as JSON."""
    uri: str
    """Where the document will be."""
    command: WorkerCommand


@dataclass(frozen=True)
class _Common:
    """What settings say about code and environment, whatever the platform."""

    in_image: bool
    """Whether the code is in the image already."""
    folder: str
    """Where it is there."""
    ignored: tuple[str, ...]
    most_mib: float
    environment: Mapping[str, str]
    secrets: Mapping[str, str]


class Outgoing:
    """Makes and sends parcels for one run. Safe for use by threads."""

    def __init__(self, executor: str, context: ExecutorContext) -> None:
        self._executor = executor
        self._context = context
        self._lock = threading.Lock()
        self._sent: set[str] = set()

    def settings(self, task: BlockTask) -> Mapping[str, Any]:
        """The settings that hold for a task: the project's, and over them the block's own."""
        return {**self._context.settings, **task.executor_config}

    def check(self, task: BlockTask) -> None:
        """Raise `ExecutorError` for variables that others cannot reach, and for bad settings."""
        settings = self.settings(task)
        if not is_uri(task.variables) and not settings.get("shared_variables"):
            raise ExecutorError(
                f"Executor '{self._executor}' runs blocks on other machines, which cannot reach "
                "the variables in a folder of this one.",
                hint="Set 'remote_variables_dir: s3://bucket/prefix' (or gs://) in metadata.yaml.",
            )
        for reference in SettingsReader(self._executor, settings).pairs("secrets").values():
            parse_reference(reference)
        self._read(settings)

    def parcel(self, task: BlockTask) -> Parcel:
        """What is to be sent for a task. Pure: reads the project's files and writes nothing."""
        remote = self._remote(task)
        document = json.dumps(remote.as_json(), sort_keys=True, default=str).encode()
        uri = object_uri(task.variables, task_key(task.prefix))
        environment = {
            TASK: uri,
            DIGEST: sha256(document).hexdigest(),
            ATTEMPT: task.attempt_id,
        }
        python = str(remote.executor_config.get("python") or "python")
        return Parcel(remote, document, uri, WorkerCommand((python, *_WORKER), environment))

    def send(self, parcel: Parcel, storage: Storage) -> None:
        """Put the code and the task into the store; what is there already stays.

        Raises `SubmitError` where the attempt has another task already.
        """
        self._send_code(parcel.task, storage)
        key = task_key(parcel.task.prefix)
        try:
            storage.create(key, parcel.document)
        except AlreadyExistsError:
            if storage.read(key) != parcel.document:
                raise SubmitError(
                    f"Another task is in the store for attempt {parcel.task.attempt_id}.",
                    Reason.CONFIGURATION,
                    hint="Has the project changed since the attempt was made? Run again.",
                ) from None

    def _remote(self, task: BlockTask) -> BlockTask:
        settings = self.settings(task)
        common = self._read(settings)
        return replace(
            task,
            project="",
            working_dir=_below(task.working_dir, task.project),
            code=self._code(task, common),
            python=python_version(),
            packages=requirements_of(self._context.modules.get(task.block, ())),
            environment=common.environment,
            secrets=common.secrets,
            executor_config=settings,
        )

    def _read(self, settings: Mapping[str, Any]) -> _Common:
        reading = SettingsReader(self._executor, settings)
        found = _Common(
            in_image=reading.choice("code", ("bundle", "image")) == "image",
            folder=reading.text("project_path") or PROJECT_IN_IMAGE,
            ignored=reading.texts("ignore"),
            most_mib=reading.number("max_code_mib") or MOST_MIB,
            environment=reading.pairs("environment"),
            secrets=reading.pairs("secrets"),
        )
        reading.check()
        return found

    def _code(self, task: BlockTask, common: _Common) -> CodeRef:
        if common.in_image:
            return CodeRef(self._image_digest, folder=common.folder)
        digest = self._bundle.sha256
        return CodeRef(digest, code_key(task.pipeline, task.run_id, digest))

    @cached_property
    def _bundle(self) -> Bundle:
        common = self._read(self._context.settings)
        return make_bundle(self._context.project, common.ignored, most_mib=common.most_mib)

    @cached_property
    def _image_digest(self) -> str:
        return digest_of(self._context.project)

    def _send_code(self, task: BlockTask, storage: Storage) -> None:
        code = task.code
        if code is None or not code.key:
            return
        with self._lock:
            if code.key in self._sent:
                return
            if not storage.exists(code.key):
                with suppress(AlreadyExistsError):
                    storage.create(code.key, self._bundle.data)
            self._sent.add(code.key)


def _below(folder: str, project: str) -> str:
    """A folder of the project relative to it; the project itself for a folder elsewhere."""
    path = Path(folder)
    return path.relative_to(project).as_posix() if path.is_relative_to(project) else "."
