"""What was changed in a pipeline's metadata.yaml by hand: three texts of it, compared key by key.

Layout, comments and the order of keys say nothing. What Mage keeps for itself in the file, such as
the state of a block, says nothing either.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import yaml

__all__ = ["WHOLE_BLOCK", "SettingChange", "not_taken_over", "setting_changes", "yaml_stamp"]

WHOLE_BLOCK = ""
"""Key of a change that is about the block itself: its type where it is there."""

_DEFAULTS: Mapping[str, Any] = {
    "type": "python",
    "jupyter_blocks.cache": True,
    "jupyter_blocks.poll_interval": 60,
}
"""Values that say as much as no value."""

_RETRY = {"retries": 0, "delay": 5, "max_delay": 60, "exponential_backoff": True}
_OF_MAGE = """all_blocks_executed cache_block_output_in_memory callback_blocks color
    conditional_blocks created_at data_integration downstream_blocks error execution_framework
    groups has_callback language outputs_updated_at run_pipeline_in_one_process settings status
    updated_at widgets"""
"""Keys that Mage writes for itself; Jupyter Blocks reads none of them."""
_STAMP = {
    key: re.compile(rf"^jupyter_blocks:\n(?:[ \t].*\n)*?[ \t]+{key}:[ \t]*(\S.*?)[ \t]*$", re.M)
    for key in ("notebook", "digest")
}
_UNSAID = frozenset((*_OF_MAGE.split(), "uuid", "jupyter_blocks.digest"))


class SettingChange(NamedTuple):
    """One value that is another one in the file than in the export."""

    block: str
    """Name of the block; empty: a setting of the pipeline."""
    key: str
    """`executor_type`, `jupyter_blocks.cache`, `variables.month`; `WHOLE_BLOCK`."""
    base: Any
    """As it was exported; none: not said."""
    now: Any
    """As the notebook says it today."""
    file: Any
    """As the file says it."""
    is_conflict: bool = False
    """Whether the notebook says something else than it did, too, or what it said is not known."""

    def line(self, value: Any) -> str:
        """One of the values, as a line for people."""
        where = f"block '{self.block}': " if self.block else ""
        if self.key == WHOLE_BLOCK:
            return f"{where}{'there' if value else 'not there'}"
        return f"{where}no {self.key}" if value is None else f"{where}{self.key}: {value!r}"


_Values = dict[tuple[str, str], Any]


def setting_changes(
    base: str | None, file: str, now: str, retry: Mapping[str, Any]
) -> list[SettingChange]:
    """What the text of a `file` says otherwise than both `base`, as exported, and `now`.

    Without a `base`, each difference from `now` is a conflict. `retry` is what the project says
    about retries. Raises `ValueError` where the file is no mapping of YAML.
    """
    edited, present = _said(file, retry), _said(now, retry)
    exported = present if base is None else _said(base, retry)
    gone = {
        block
        for said, other in ((edited, exported), (exported, edited))
        for block, key in said
        if key == WHOLE_BLOCK and (block, key) not in other
    }
    changes = []
    for place in dict.fromkeys((*exported, *edited)):
        block, key = place
        was, new, today = exported.get(place), edited.get(place), present.get(place)
        if new in (was, today) if base is not None else new == today:
            continue
        if (key == WHOLE_BLOCK) == (block in gone):
            is_conflict = base is None or was != today
            was = None if base is None else was
            changes.append(SettingChange(block, key, was, today, new, is_conflict))
    return changes


def not_taken_over(
    changes: Iterable[SettingChange], file: str, again: str, retry: Mapping[str, Any]
) -> Iterator[str]:
    """Which changes a new export does not say as the edited `file` does.

    There may be more edges in it, where they follow from the code.
    """
    edited, exported = _said(file, retry), _said(again, retry)
    for change in changes:
        place = (change.block, change.key)
        wanted, got = edited.get(place), exported.get(place)
        if change.key == "upstream_blocks":
            edges = sorted({*(change.base or ()), *(wanted or ())})
            wanted = [name for name in edges if name in (wanted or ())]
            got = [name for name in edges if name in (got or ())]
        if wanted != got:
            where = f"block '{change.block}'" if change.block else "the pipeline"
            yield f"'{change.key}' of {where} would be {got!r}, not {wanted!r}"


def _said(text: str, retry: Mapping[str, Any]) -> _Values:
    """Everything a metadata.yaml says: (block, key) -> value; raises `ValueError`."""
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(f"it is not YAML ({' '.join(str(error).split())})") from error
    if not isinstance(document, dict):
        raise ValueError("it is not a mapping of keys to values")
    retries = _merged({**_RETRY, **retry}, document.get("retry_config"))
    said = dict(_told("", document, {**_RETRY, **retry}))
    entries = document.get("blocks")
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, dict) and entry.get("uuid"):
            name = str(entry["uuid"])
            said[name, WHOLE_BLOCK] = str(entry.get("type"))
            said |= dict(_told(name, entry, retries))
    return said


def yaml_stamp(text: str) -> tuple[str, str]:
    """The notebook that a metadata.yaml was exported from, and its digest; empty: not there.

    Both are found in a file that is not valid YAML any more, too.
    """
    found = {key: _STAMP[key].search(text) for key in _STAMP}
    notebook, digest = (match[1].strip("'\"") if match else "" for match in found.values())
    return notebook, digest


def _told(
    block: str, entry: Mapping[Any, Any], retries: Mapping[str, Any]
) -> Iterator[tuple[tuple[str, str], Any]]:
    """Keys and values of the pipeline or of one block, without those that say nothing."""
    for key, value in _flat(entry):
        if key.startswith("variables."):
            yield (block, key), value
        elif value in (None, "", [], {}) or value == _DEFAULTS.get(key) or key in _UNSAID:
            continue
        elif key == "retry_config":
            yield (block, key), _merged(retries, value)
        elif key == "upstream_blocks" and isinstance(value, list):
            yield (block, key), sorted(map(str, value))  # which value is whose: see `inputs`
        elif key != "name" or value != entry.get("uuid"):
            yield (block, key), value


def _flat(entry: Mapping[Any, Any]) -> Iterator[tuple[str, Any]]:
    """The keys, those of two mappings one by one; neither blocks nor the digest."""
    for key, value in entry.items():
        if key in ("jupyter_blocks", "variables") and isinstance(value, dict):
            yield from ((f"{key}.{inner}", item) for inner, item in value.items())
        elif key != "blocks":
            yield str(key), value


def _merged(one: Mapping[str, Any], other: Any) -> dict[str, Any]:
    return {**one, **other} if isinstance(other, dict) else dict(one)
