"""What a run will do: which blocks run, where, in what order, and why (or why not).

A plan carries all that the runner needs as plain JSON, so that `--dry-run` prints it, the journal
keeps it and another process can carry on with it. `planner.py` makes plans.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any

from jupyter_blocks.block import RetryPolicy, SensorPolicy
from jupyter_blocks.executors.base import InputRef

__all__ = ["Action", "PlannedBlock", "RunOptions", "RunPlan"]


class Action(StrEnum):
    """What a plan does with a block."""

    RUN = "run"
    CACHED = "cached"
    """Use the stored outputs instead."""
    SKIPPED = "skipped"
    """Do nothing: not asked for, or a sensor taken as satisfied."""


@dataclass(frozen=True)
class RunOptions:
    """What the user asked for."""

    parameters: Mapping[str, Any] = field(default_factory=dict)
    """Resolved runtime variables, defaults included."""
    executor: str | None = None
    blocks: tuple[str, ...] = ()
    """Only these blocks; empty: all."""
    from_block: str | None = None
    to_block: str | None = None
    changed: bool = False
    skip_sensors: bool = False
    run_tests: bool = True
    max_workers: int | None = None

    @property
    def selects(self) -> bool:
        """Whether only a part of the pipeline was asked for."""
        return bool(self.blocks or self.from_block or self.to_block)


@dataclass(frozen=True)
class PlannedBlock:
    """One block of a plan."""

    name: str
    type: str
    action: Action
    reason: str
    """Why it runs, or why it does not."""
    executor: str
    executor_reason: str
    upstream: tuple[str, ...] = ()
    waits_for: tuple[str, ...] = ()
    """Upstream blocks that run in this plan."""
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    timeout_s: float | None = None
    sensor: SensorPolicy = field(default_factory=SensorPolicy)
    fingerprint: Mapping[str, Any] = field(default_factory=dict)
    """Code, parameters and settings the outputs will belong to (`freshness`)."""
    stored: InputRef | None = None
    """Stored outputs to use where the block does not run."""
    stored_outputs: Mapping[str, Any] = field(default_factory=dict)
    sequence: int = 0
    """Attempts of this plan are numbered from here on."""

    @property
    def is_sensor(self) -> bool:
        """Whether the block polls."""
        return self.type == "sensor"

    def as_json(self) -> dict[str, Any]:
        """The block as a JSON document."""
        nested = {
            "retry": vars(self.retry),
            "sensor": vars(self.sensor),
            "stored": vars(self.stored) if self.stored else None,
        }
        return {**vars(self), **nested}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> PlannedBlock:
        """Read what `as_json` made."""
        values = dict(data)
        values["action"] = Action(values["action"])
        values["upstream"] = tuple(values["upstream"])
        values["waits_for"] = tuple(values["waits_for"])
        values["retry"] = RetryPolicy(**values["retry"])
        values["sensor"] = SensorPolicy(**values["sensor"])
        values["stored"] = InputRef(**values["stored"]) if values["stored"] else None
        return cls(**values)


@dataclass(frozen=True)
class RunPlan:
    """What a run will do. `blocks` are in topological order."""

    run_id: str
    pipeline: str
    blocks: tuple[PlannedBlock, ...]
    parameters: Mapping[str, Any] = field(default_factory=dict)
    run_tests: bool = True
    execution_date: str = ""
    """ISO 8601, UTC."""
    working_dir: str = ""
    """Folder the blocks run in."""

    def as_json(self) -> dict[str, Any]:
        """The plan as a JSON document."""
        values = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {**values, "blocks": [block.as_json() for block in self.blocks]}

    @cached_property
    def text(self) -> str:
        """The JSON document as text."""
        return json.dumps(self.as_json())

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> RunPlan:
        """Read what `as_json` made."""
        values = dict(data)
        values["blocks"] = tuple(PlannedBlock.from_json(block) for block in values["blocks"])
        return cls(**values)

    @property
    def running(self) -> tuple[PlannedBlock, ...]:
        """The blocks that will run."""
        return tuple(block for block in self.blocks if block.action is Action.RUN)

    def readers(self) -> dict[str, int]:
        """How many blocks wait for each block, of those that run."""
        return dict(Counter(name for block in self.running for name in block.waits_for))
