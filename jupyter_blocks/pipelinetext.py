"""The text of a pipeline's metadata.yaml: minimal, and the same for the same pipeline.

Only what differs from the defaults is written: no status, no downstream copy of the edges, nothing
of the machine. Reading the text back gives the same blocks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

import yaml

from jupyter_blocks.block import Block, RetryPolicy, SensorPolicy

__all__ = ["pipeline_yaml", "retry_config", "signed"]

_Dumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
_RETRY_KEYS = {
    "retries": "retries",
    "delay_s": "delay",
    "max_delay_s": "max_delay",
    "exponential_backoff": "exponential_backoff",
}
_FLOW_WIDTH = 90
_MOST_ENTRIES = 1024
_entry_texts: dict[str, str] = {}
"""What was written for a block, by all there is to say of it: most are the same the next time."""


class _Inline(list[Any]):
    """A list to be written on one line."""


class _Writer(_Dumper):  # type: ignore[misc]  # the base is chosen when the module is loaded
    """Writes short lists of names on one line and never refers to a value by an anchor."""

    def ignore_aliases(self, _data: Any) -> bool:
        return True


_Writer.add_representer(
    _Inline,
    lambda dumper, data: dumper.represent_sequence("tag:yaml.org,2002:seq", data, flow_style=True),
)


def pipeline_yaml(
    *,
    name: str,
    blocks: Iterable[Block],
    type: str = "python",  # noqa: A002 - the name of the key
    variables: Mapping[str, Any] | None = None,
    executor_type: str | None = None,
    executor_config: Mapping[str, Any] | None = None,
    retry: RetryPolicy | None = None,
    concurrency_limit: int | None = None,
    notebook: str | None = None,
    helpers: str | None = None,
    digest: str | None = None,
) -> str:
    """The metadata.yaml of a pipeline, as text that ends with a line feed.

    A block's retry policy is written where it differs from the pipeline's.
    """
    own = {"notebook": notebook, "helpers": helpers, "digest": digest}
    document = {
        "name": name,
        "uuid": name,
        "type": type,
        "executor_type": executor_type,
        "executor_config": dict(executor_config or {}),
        "retry_config": retry_config(retry),
        "concurrency_config": {"block_run_limit": concurrency_limit} if concurrency_limit else {},
        "variables": dict(variables or {}),
        "jupyter_blocks": _said(own),
    }
    entries = [_entry(block, retry) for block in blocks]
    if not entries:
        return _dumped({**_said(document), "blocks": []})
    return "".join([_dumped(_said(document)), "blocks:\n", *map(_entry_text, entries)])


def signed(text: str, place: str, digest: str) -> str:
    """The text of `pipeline_yaml` with the digest `place` replaced by another one."""
    old, new = (_dumped({"digest": each}) for each in (place, digest))
    return text.replace(f"\n  {old}", f"\n  {new}", 1)


def _entry(block: Block, inherited: RetryPolicy | None) -> dict[str, Any]:
    default_file = f"{block.type.folder}/{block.name}.py"
    configuration = dict(block.configuration)
    if block.file and block.file != default_file:
        configuration["file_path"] = block.file
    entry = {
        "name": block.label if block.label != block.name else None,
        "executor_type": block.executor_type,
        "executor_config": dict(block.executor_config),
        "retry_config": retry_config(block.retry) if block.retry != inherited else None,
        "timeout": _number(block.timeout_s),
        "configuration": configuration,
        "content": block.content,
        "jupyter_blocks": _said(_own_settings(block)),
    }
    return {
        "uuid": block.name,
        "type": block.type.name,
        "upstream_blocks": _inline(block.upstream),
        **_said(entry),
    }


def _own_settings(block: Block) -> dict[str, Any]:
    settings: dict[str, Any] = {}
    binding = block.binding
    if binding is not None:
        settings["inputs"] = {name: str(source) for name, source in binding.inputs.items()}
        settings["parameters"] = _inline(binding.parameters) or None
        settings["outputs"] = _inline(binding.outputs)
        streams = binding.random_streams
        settings["random_streams"] = True if streams == "" else streams
        settings["together"] = _inline(binding.together) or None
    sensor = block.sensor
    if sensor.poll_interval_s != SensorPolicy.poll_interval_s:
        settings["poll_interval"] = _number(sensor.poll_interval_s)
    settings["timeout"] = _number(sensor.timeout_s)
    settings["resources"] = {key: _number(value) for key, value in block.resources.items()}
    settings["cache"] = None if block.cache else False
    return settings


def retry_config(retry: RetryPolicy | None) -> dict[str, Any]:
    """The policy as metadata.yaml has it; empty where there is none."""
    if retry is None:
        return {}
    return {_RETRY_KEYS[key]: _number(value) for key, value in asdict(retry).items()}


def _said(values: Mapping[str, Any]) -> dict[str, Any]:
    """Without the keys that say nothing; an empty list of outputs does say something."""
    return {
        key: value
        for key, value in values.items()
        if value is not None and value != {} and (value != "" or key == "content")
    }


def _number(value: Any) -> Any:
    """Whole numbers without a decimal point."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _inline(names: Iterable[str]) -> list[str]:
    items = list(names)
    short = sum(len(item) + 2 for item in items) <= _FLOW_WIDTH
    return _Inline(items) if short else items


def _entry_text(entry: Mapping[str, Any]) -> str:
    """One block of the list."""
    said = repr(entry)
    text = _entry_texts.get(said)
    if text is None:
        text = _dumped([entry])
        if len(_entry_texts) >= _MOST_ENTRIES:
            _entry_texts.clear()
        _entry_texts[said] = text
    return text


def _dumped(document: Any) -> str:
    return str(
        yaml.dump(
            document,
            Dumper=_Writer,
            sort_keys=False,
            allow_unicode=True,
            default_flow_style=False,
            width=4096,
        )
    )
