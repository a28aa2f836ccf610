"""One entry of a pipeline's block list -> a `Block`, with every mistake in it.

Knows Mage's block keys and our own below `jupyter_blocks`. What needs the other blocks of the
pipeline (upstream names, replicas, cycles) is `pipeline`'s business.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from jupyter_blocks.block import (
    BLOCK_TYPES,
    Binding,
    Block,
    BlockType,
    RetryPolicy,
    SensorPolicy,
    Source,
)
from jupyter_blocks.settings import Section, did_you_mean, read_retry

__all__ = [
    "BLOCK_SETTINGS",
    "SKIPPED_TYPES",
    "Surroundings",
    "is_skipped",
    "read_block",
    "read_name",
]

SKIPPED_TYPES = frozenset({"callback", "chart", "conditional", "markdown", "scratchpad"})
"""Types Mage keeps in the block list and never runs there."""

_REFUSED_TYPES: Mapping[str, str] = {
    "dbt": "Run dbt from a custom block, for example with subprocess.run(['dbt', 'run']).",
    "dynamic_child": "Write one block that loops over the items.",
    "extension": "Put the checks into a @test function of the block.",
    "global_data_product": "Load the data with a data_loader block.",
    "group": "List the blocks of the group one by one.",
    "hook": "Use a custom block.",
    "pipeline": "Run the other pipeline by itself.",
}
_REFUSED_LANGUAGES: Mapping[str, str] = {
    "r": "Rewrite it in Python, or call Rscript from a Python block.",
    "sql": "Run the statement from a Python block, for example with pandas.read_sql or DuckDB.",
    "yaml": "Rewrite it as a Python block.",
}

BLOCK_SETTINGS = frozenset(
    {
        *("cache", "inputs", "outputs", "parameters", "poll_interval"),
        *("random_streams", "resources", "timeout", "together"),
    }
)
"""Keys of a block's own `jupyter_blocks` mapping."""
_SENSOR_SETTINGS = ("poll_interval", "timeout")
_RESOURCES = frozenset({"cpu", "gpu", "memory_mib"})


@dataclass(frozen=True)
class Surroundings:
    """What an entry is read against."""

    project: Path
    retry: RetryPolicy | None
    """Retry policy of the pipeline, which the block's own is merged over."""
    render: Callable[[str], str]
    """Fills in `{{ env_var(...) }}` and its like."""


def read_name(entry: Section) -> str:
    """The block's uuid; empty, with a problem, where it has none that can be used."""
    value = entry.get("uuid")
    if value is None or value == "":
        label = entry.get("name")
        of = f" (named '{label}')" if isinstance(label, str) else ""
        entry.problem("missing-uuid", f"A block{of} has no uuid.", "Add 'uuid: <name>'.")
        return ""
    name = entry.text("uuid") or ""
    if name and (name[0] == "/" or (".." in name and ".." in PurePosixPath(name).parts)):
        entry.problem(
            "bad-name",
            f"Block '{name}' would lie outside the project folder.",
            "A uuid is a file name, with '/' for a subfolder, and without '..'.",
            at=("uuid",),
        )
        return ""
    return name


def is_skipped(entry: Section) -> bool:
    """Whether the entry is one that never runs, and is passed over without a word."""
    kind = entry.get("type")
    return entry.get("language") == "markdown" or (isinstance(kind, str) and kind in SKIPPED_TYPES)


def read_block(entry: Section, name: str, around: Surroundings) -> Block | None:
    """The block of an entry that is to be run; None, with a problem, where it cannot be."""
    kind = _read_type(entry)
    if kind is None or not _is_python(entry):
        return None
    configuration = entry.mapping("configuration")
    _refuse_dynamic(entry, configuration)
    own = entry.section("jupyter_blocks") or Section(entry.report, {}, entry.at, name)
    own.refuse_unknown(BLOCK_SETTINGS, f"'jupyter_blocks' of block '{name}'")
    content = entry.text("content") or None
    return Block(
        name=name,
        type=kind,
        upstream=entry.names("upstream_blocks"),
        file=_block_file(entry, kind, configuration, around.project),
        label=entry.text("name") or name,
        content=content,
        executor_type=around.render(entry.text("executor_type") or "") or None,
        executor_config=entry.mapping("executor_config"),
        resources=_read_resources(own),
        retry=read_retry(entry, around.retry),
        timeout_s=entry.seconds("timeout"),
        sensor=_read_sensor(own, kind),
        configuration=configuration,
        binding=_read_binding(own),
        callbacks=_legacy_callback(entry, around.project),
        cache=own.flag("cache", True),
        line=entry.report.file.line(*entry.at),
    )


def _read_type(entry: Section) -> BlockType | None:
    name = entry.text("type")
    if name is None:
        if entry.get("type") is None:
            entry.problem(
                "unknown-block-type",
                f"Block '{entry.block}' has no type.",
                f"Add 'type:' with one of: {', '.join(sorted(BLOCK_TYPES))}.",
            )
        return None
    kind = BLOCK_TYPES.get(name)
    if kind is not None:
        return kind
    if name in _REFUSED_TYPES:
        entry.problem(
            "unsupported-block-type",
            f"Block '{entry.block}' is of type '{name}', which Jupyter Blocks does not run.",
            f"{_REFUSED_TYPES[name]} Or remove the block from the pipeline.",
            at=("type",),
        )
        return None
    known = [*BLOCK_TYPES, *SKIPPED_TYPES]
    entry.problem(
        "unknown-block-type",
        f"Block '{entry.block}' is of unknown type '{name}'.",
        did_you_mean(name, known) or f"Known types: {', '.join(sorted(BLOCK_TYPES))}.",
        at=("type",),
    )
    return None


def _is_python(entry: Section) -> bool:
    language = entry.text("language") or "python"
    if language == "python":
        return True
    entry.problem(
        "unsupported-language",
        f"Block '{entry.block}' is written in {language}; Jupyter Blocks runs Python blocks.",
        _REFUSED_LANGUAGES.get(language, "Rewrite it as a Python block."),
        at=("language",),
    )
    return False


def _refuse_dynamic(entry: Section, configuration: Mapping[str, Any]) -> None:
    if configuration.get("dynamic"):
        entry.problem(
            "dynamic-block",
            f"Block '{entry.block}' is dynamic (one child run per item of its output), which this "
            "version does not run.",
            "Return the whole list, and loop over it in the next block.",
            at=("configuration", "dynamic"),
        )


# which file


def _block_file(
    entry: Section, kind: BlockType, configuration: Mapping[str, Any], project: Path
) -> str:
    """Project-relative block file: the first place that has it, else the first place to look."""
    default = f"{kind.folder}/{entry.block}.py"
    given = configuration.get("file_path")
    if given is None and "file_source" not in configuration:
        return default
    places = [path for path in (_inside(given, project),) if path]
    places.append(default)
    source = configuration.get("file_source")
    if isinstance(source, Mapping):
        places += [path for path in (_inside(source.get("path"), project),) if path]
    return next((path for path in places if (project / path).is_file()), places[0])


def _inside(path: Any, project: Path) -> str:
    """`path` relative to the project, or empty: an absolute path of another machine is stale.

    Mage writes some of these paths relative to the project's parent.
    """
    if not isinstance(path, str) or not path:
        return ""
    full = Path(os.path.normpath(project / path))
    if full.is_relative_to(project):
        relative = full.relative_to(project)
        if relative.parts[:1] == (project.name,) and not full.is_file():
            relative = relative.relative_to(project.name)
        return relative.as_posix()
    return ""


def _legacy_callback(entry: Section, project: Path) -> tuple[str, ...]:
    """Mage's older way: `has_callback` means a file named after the block."""
    if not entry.flag("has_callback", False):
        return ()
    file = f"callbacks/{entry.block}_callback.py"
    if (project / file).is_file():
        return (file,)
    entry.problem(
        "missing-file",
        f"Block '{entry.block}' says 'has_callback', but {file} does not exist.",
        "Create the file, or remove the key.",
        at=("has_callback",),
        severity="warning",
    )
    return ()


# our own keys


def _read_binding(own: Section) -> Binding | None:
    if own.get("outputs") is None:
        for key in ("inputs", "parameters"):
            if own.get(key) is not None:
                own.problem(
                    "wrong-type",
                    f"Block '{own.block}' has '{key}' but no 'outputs' in 'jupyter_blocks'.",
                    "Add 'outputs: [...]'; it may be empty.",
                    at=(key,),
                )
        return None
    inputs = {
        argument: Source.parse(source)
        for argument, source in own.mapping("inputs").items()
        if _is_source(own, argument, source)
    }
    return Binding(
        inputs,
        _identifiers(own, "parameters"),
        _identifiers(own, "outputs"),
        _random_streams(own),
        _together(own),
    )


def _together(own: Section) -> tuple[str, ...]:
    """Outputs that share objects; a name that is no output is a mistake."""
    names = _identifiers(own, "together")
    for index, name in enumerate(names):
        if name not in own.names("outputs"):
            own.problem(
                "wrong-type",
                f"'{name}' in 'together' of block '{own.block}' is not one of its outputs.",
                "Name outputs only.",
                at=("together", index),
            )
    return names


def _random_streams(own: Section) -> str | None:
    """`true` for the first block of a stream, else the block it goes on from."""
    value = own.get("random_streams")
    if value is None or isinstance(value, str):
        return value
    if value is not True:
        own.problem(
            "wrong-type",
            f"'random_streams' of block '{own.block}' must be true or the name of a block.",
            at=("random_streams",),
        )
    return "" if value is True else None


def _is_source(own: Section, argument: str, source: Any) -> bool:
    if not argument.isidentifier():
        own.problem(
            "wrong-type",
            f"'{argument}' in 'inputs' of block '{own.block}' is not a Python name.",
            at=("inputs", argument),
        )
        return False
    if isinstance(source, str) and source.strip("."):
        return True
    own.problem(
        "wrong-type",
        f"Input '{argument}' of block '{own.block}' must be 'block' or 'block.output'.",
        at=("inputs", argument),
    )
    return False


def _identifiers(own: Section, key: str) -> tuple[str, ...]:
    names = own.names(key)
    for index, name in enumerate(names):
        wrong = "is not a Python name" if not name.isidentifier() else ""
        wrong = wrong or ("is there twice" if name in names[:index] else "")
        if wrong:
            own.problem(
                "wrong-type",
                f"'{name}' in '{key}' of block '{own.block}' {wrong}.",
                at=(key, index),
            )
    return names


def _read_sensor(own: Section, kind: BlockType) -> SensorPolicy:
    if kind.name != "sensor":
        for key in _SENSOR_SETTINGS:
            if own.get(key) is not None:
                hint = "Use the block's own key 'timeout'." if key == "timeout" else "Remove it."
                message = f"'{key}' in 'jupyter_blocks' is for sensors; '{own.block}' is none."
                own.problem("unknown-setting", message, hint, at=(key,))
        return SensorPolicy()
    interval_s = own.number("poll_interval", minimum=0.001)
    return SensorPolicy(
        SensorPolicy.poll_interval_s if interval_s is None else interval_s,
        timeout_s=own.seconds("timeout"),
    )


def _read_resources(own: Section) -> dict[str, Any]:
    resources = own.section("resources")
    if resources is None:
        return {}
    resources.refuse_unknown(_RESOURCES, f"'resources' of block '{own.block}'")
    found = {
        "cpu": resources.number("cpu", minimum=0.001),
        "memory_mib": resources.whole("memory_mib", minimum=1),
        "gpu": resources.whole("gpu", minimum=1),
    }
    return {key: value for key, value in found.items() if value is not None}
