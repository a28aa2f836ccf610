"""Containers of fake clouds: they run exactly the command and the environment that were submitted.

A container is a process that cannot see the folders it must not see (a mount namespace, where this
user may make one), has no environment but what the request, the image and the machine's role give
it, and is killed when it holds more memory than its limit. What it writes is kept.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from jupyter_blocks.testing import mounting

__all__ = [
    "Container",
    "ContainerHost",
    "Image",
    "Mount",
    "can_hide",
    "lying_image",
    "worker_image",
]

_WATCH_INTERVAL_S = 0.02


@dataclass(frozen=True)
class Image:
    """What a container finds in its file system: here, what its PATH and environment are."""

    path: tuple[str, ...]
    """Folders in which commands are looked for."""
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Mount:
    """A folder or file that a container finds at a place of its own."""

    source: str
    target: str
    """Absolute path in the container."""
    read_only: bool = False
    size: int = 0
    """Bytes of memory it is made of; 0: it is `source`."""


def worker_image(environment: Mapping[str, str] | None = None) -> Image:
    """An image with this very Python and its packages."""
    return Image((str(Path(sys.executable).parent), "/usr/bin", "/bin"), environment or {})


def lying_image(folder: Path, exit_code: int = 0) -> Image:
    """An image whose `python` does nothing and ends at once: no suite may pass with it."""
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / "python"
    program.write_text(f"#!/bin/sh\nexit {exit_code}\n", "utf-8")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return Image((str(folder), "/usr/bin", "/bin"))


def can_hide() -> bool:
    """Whether this user may hide folders from a process."""
    return bool(_unshare())


@cache
def _unshare() -> tuple[str, ...]:
    """The command that gives a process mounts of its own; empty where that is not allowed.

    In a changed root the mounts cannot be made private, and need not be where none is shared.
    """
    if not shutil.which("unshare"):
        return ()
    ways = ["private"]
    with suppress(OSError):
        if "shared:" not in Path("/proc/self/mountinfo").read_text("utf-8"):
            ways.append("unchanged")
    for way in ways:
        words = ("unshare", "--mount", "--propagation", way, "--")
        command = [*words, "sh", "-c", "mount -t tmpfs none /mnt"]
        if subprocess.run(command, capture_output=True, check=False).returncode == 0:  # noqa: S603
            return words
    return ()


_HIDE = (
    'while [ "$1" != "--" ]; do mount -t tmpfs -o size=64k none "$1" || exit 125; shift; done; '
    'shift; exec "$@"'
)


class Container:
    """One process, from its start to its end."""

    def __init__(
        self,
        words: Sequence[str],
        environment: Mapping[str, str],
        *,
        hidden: Sequence[Path] = (),
        mounts: Sequence[Mount] = (),
        memory_mib: float | None = None,
        ended: Callable[[Container], None] = lambda _container: None,
    ) -> None:
        if mounts and not can_hide():
            raise OSError("this user may not mount volumes, so that no container has any")
        self.words = tuple(words)
        self.environment = dict(environment)
        self.started_at = time.time()
        self.exit_code: int | None = None
        """Of the process; 128 and the signal's number where a signal ended it."""
        self.out_of_memory = False
        self._memory_mib = memory_mib
        self._ended = ended
        self._folder = Path(tempfile.mkdtemp(prefix="container-"))
        self._log = self._folder / "output"
        self._process = self._start(hidden, mounts)
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    @property
    def pid(self) -> int:
        """Id of the process, which leads a group of its own."""
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether it has not ended yet."""
        return self.exit_code is None

    def output(self) -> str:
        """What it has written so far."""
        with suppress(OSError):
            return self._log.read_text("utf-8", "replace")
        return ""

    def stop(self, grace_s: float) -> None:
        """SIGTERM now, SIGKILL after `grace_s` seconds; does not wait."""
        self.signal(signal.SIGTERM)
        killer = threading.Timer(grace_s, self.kill)
        killer.daemon = True
        killer.start()

    def kill(self) -> None:
        """End it at once."""
        self.signal(signal.SIGKILL)

    def signal(self, number: int) -> None:
        """Send a signal to all of its processes."""
        if self.is_running:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)

    def wait(self, timeout_s: float = 30.0) -> int | None:
        """Its exit code; none if it does not end in time."""
        self._thread.join(timeout_s)
        return self.exit_code

    def remove(self) -> None:
        """End it and forget what it wrote."""
        self.kill()
        self.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _start(self, hidden: Sequence[Path], mounts: Sequence[Mount]) -> subprocess.Popen[bytes]:
        words = list(self.words)
        if mounts:
            root = self._folder / "root"
            root.mkdir()
            plan = {
                "root": str(root),
                "hidden": [str(folder) for folder in hidden],
                "mounts": [vars(mount) for mount in mounts],
            }
            program = (sys.executable, "-I", "-S", mounting.__file__, json.dumps(plan))
            words = [*_unshare(), *program, *words]
        elif hidden and can_hide():
            folders = [str(folder) for folder in hidden]
            words = [*_unshare(), "sh", "-c", _HIDE, "sh", *folders, "--", *words]
        environment = {"HOME": str(self._folder), "TMPDIR": str(self._folder), **self.environment}
        with self._log.open("wb") as log:
            return subprocess.Popen(  # noqa: S603 - the command under test
                words,
                cwd=self._folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _watch(self) -> None:
        while self._process.poll() is None:
            if self._memory_mib and _group_rss_mib(self._process.pid) > self._memory_mib:
                self.out_of_memory = True
                self.kill()
            time.sleep(_WATCH_INTERVAL_S)
        code = self._process.returncode
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)  # what it left behind
        self.exit_code = code if code >= 0 else 128 - code
        self._ended(self)


@dataclass
class ContainerHost:
    """Starts containers from images, as the machines of a cloud do."""

    images: dict[str, Image]
    """Image reference -> image; others cannot be pulled."""
    role: Mapping[str, str] = field(default_factory=dict)
    """Environment that stands for the rights of the machine, such as access to the store."""
    hidden: Sequence[Path] = ()
    """Folders that no container may see, such as the project's."""
    containers: list[Container] = field(default_factory=list)

    def run(
        self,
        image: str,
        command: Sequence[str],
        environment: Mapping[str, str],
        *,
        mounts: Sequence[Mount] = (),
        memory_mib: float | None = None,
        ended: Callable[[Container], None] = lambda _container: None,
    ) -> Container:
        """Start a container; `KeyError` for an image that is not there.

        `OSError` where it cannot be started, as with mounts that this user may not make.
        """
        found = self.images[image]
        path = os.pathsep.join(found.path)
        words = [shutil.which(command[0], path=path) or command[0], *command[1:]]
        variables = {"PATH": path, "LANG": "C.UTF-8", **self.role, **found.environment}
        container = Container(
            words,
            {**variables, **environment},
            hidden=self.hidden,
            mounts=mounts,
            memory_mib=memory_mib,
            ended=ended,
        )
        self.containers.append(container)
        return container

    def close(self) -> None:
        """End all containers."""
        for container in self.containers:
            container.remove()


def _group_rss_mib(group: int) -> float:
    """Memory of all processes of a group, in MiB."""
    total = 0
    page = os.sysconf("SC_PAGE_SIZE")
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError, ValueError, IndexError):
                fields = (entry / "stat").read_text("ascii", "replace").rpartition(")")[2].split()
                if int(fields[2]) == group:
                    total += int(fields[21])
    return total * page / 2**20
