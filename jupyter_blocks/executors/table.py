"""The table of executors: names, where each lives, and what it needs, imported on first use.

Third parties add one with an entry point in the group `jupyter_blocks.executors` that names a
factory taking an `ExecutorContext`. A name in this table cannot be taken by an entry point.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, cast

from jupyter_blocks.errors import ExecutorError
from jupyter_blocks.executors.base import Executor, ExecutorContext

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

__all__ = [
    "EXECUTORS",
    "ExecutorEntry",
    "executor_names",
    "find_executor",
    "is_known_executor",
    "open_executor",
]

ENTRY_POINT_GROUP = "jupyter_blocks.executors"


@dataclass(frozen=True)
class ExecutorEntry:
    """One known executor."""

    name: str
    target: str
    """`module:factory`; the factory takes an `ExecutorContext`."""
    about: str
    """What it runs blocks on, as half a sentence."""
    settings_key: str = ""
    """Key of its section in the project's metadata.yaml."""
    install: str = ""
    """How to install what it needs; empty: nothing more is needed."""
    requires: tuple[str, ...] = ()
    """Modules that must be importable."""
    source: str = "jupyter-blocks"
    """Distribution that provides it."""


EXECUTORS: Mapping[str, ExecutorEntry] = {
    entry.name: entry
    for entry in (
        ExecutorEntry(
            "local_python",
            "jupyter_blocks.executors.local:LocalExecutor",
            "warm worker processes on this machine",
        ),
        ExecutorEntry(
            "k8s",
            "jupyter_blocks.executors.kubernetes.backend:open_kubernetes",
            "Jobs of a Kubernetes cluster",
            "k8s_executor_config",
            "pip install 'jupyter-blocks[k8s]'",
            ("kubernetes", "obstore"),
        ),
        ExecutorEntry(
            "ecs",
            "jupyter_blocks.executors.ecs.backend:open_ecs",
            "tasks of AWS ECS, on Fargate or EC2",
            "ecs_config",
            "pip install 'jupyter-blocks[aws]'",
            ("boto3", "obstore"),
        ),
        ExecutorEntry(
            "gcp_cloud_run",
            "jupyter_blocks.executors.cloud_run.backend:open_cloud_run",
            "Jobs of Google Cloud Run",
            "gcp_cloud_run_config",
            "pip install 'jupyter-blocks[gcp]'",
            ("google.cloud.run_v2", "obstore"),
        ),
    )
}


def executor_names() -> list[str]:
    """Names of all executors that are installed, sorted."""
    return sorted({*EXECUTORS, *_plugins()})


def is_known_executor(name: str) -> bool:
    """Whether an executor of this name is installed."""
    return name in EXECUTORS or name in _plugins()


def find_executor(name: str) -> ExecutorEntry:
    """The entry of one executor; raises `ExecutorError` naming the known ones."""
    if name in EXECUTORS:
        return EXECUTORS[name]
    plugin = _plugins().get(name)
    if plugin is None:
        raise ExecutorError(f"Unknown executor '{name}'. Available: {', '.join(executor_names())}.")
    distribution = plugin.dist.name if plugin.dist else "unknown"
    return ExecutorEntry(
        name, plugin.value, f"provided by {distribution}", f"{name}_config", source=distribution
    )


def open_executor(name: str, context: ExecutorContext) -> Executor:
    """Import an executor and open it for a run.

    Raises `ExecutorError` saying what is missing and how to install it.
    """
    entry = find_executor(name)
    module, _, attribute = entry.target.partition(":")
    try:
        factory = getattr(import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        hint = f"Install it with `{entry.install}`." if entry.install else ""
        raise ExecutorError(
            f"Executor '{name}' of {entry.source} cannot be loaded: {error}.", hint=hint
        ) from error
    return cast("Callable[[ExecutorContext], Executor]", factory)(context)


def _plugins() -> dict[str, EntryPoint]:
    from importlib.metadata import entry_points  # slow to import, and seldom needed

    found = {point.name: point for point in entry_points(group=ENTRY_POINT_GROUP)}
    return {name: point for name, point in found.items() if name not in EXECUTORS}
