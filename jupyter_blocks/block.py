"""What a block is: its type, its name, its file, its upstream blocks and its settings.

The only module in which the names of tags, folders and decorators are written down.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from jupyter_blocks.errors import ProjectError

__all__ = [
    "BLOCK_TYPES",
    "Binding",
    "Block",
    "BlockType",
    "RetryPolicy",
    "SensorPolicy",
    "Source",
    "block_name_problem",
    "block_type",
    "module_name",
]


@dataclass(frozen=True)
class BlockType:
    """One kind of block and everything that is called after it."""

    name: str
    """Name in metadata.yaml and of the decorator."""
    tag: str
    """Name of the cell tag, and key of the colour and the icon."""
    folder: str
    """Folder of the block files, in the project."""
    aliases: tuple[str, ...] = ()
    """Other accepted tags."""

    def __str__(self) -> str:
        return self.name


BLOCK_TYPES: Mapping[str, BlockType] = {
    kind.name: kind
    for kind in (
        BlockType("data_loader", "loader", "data_loaders", ("data_loader",)),
        BlockType("transformer", "transformer", "transformers"),
        BlockType("data_exporter", "exporter", "data_exporters", ("data_exporter",)),
        BlockType("sensor", "sensor", "sensors"),
        BlockType("custom", "custom", "custom"),
    )
}

_BY_TAG = {
    tag: kind for kind in BLOCK_TYPES.values() for tag in (kind.name, kind.tag, *kind.aliases)
}

_NAME = re.compile(r"[a-z][a-z0-9_]*\Z")


def block_type(name: str) -> BlockType:
    """The block type called `name`, by its metadata name or by its tag.

    Raises `ProjectError` naming the known types.
    """
    kind = _BY_TAG.get(name)
    if kind is None:
        known = ", ".join(sorted(BLOCK_TYPES))
        raise ProjectError(f"Unknown block type '{name}'. Known types: {known}.")
    return kind


def block_name_problem(name: str) -> str:
    """Why `name` cannot name a block made from a notebook cell; empty if it can."""
    if _NAME.match(name):
        return ""
    return (
        f"'{name}' is not a block name: use lower case letters, digits and '_', "
        "beginning with a letter."
    )


@dataclass(frozen=True)
class Source:
    """Where an argument comes from: one output of an earlier block.

    `output` is empty where all outputs of the block are meant, as Mage passes them.
    """

    block: str
    output: str = ""

    @classmethod
    def parse(cls, text: str) -> Source:
        """Read `block` or `block.output`; the output name never holds a dot."""
        block, _, output = text.partition(".")
        return cls(block, output)

    def __str__(self) -> str:
        return f"{self.block}.{self.output}" if self.output else self.block


@dataclass(frozen=True)
class Binding:
    """How a block exported from a notebook is called and what its return value means.

    Blocks without a binding are called as Mage calls them: one positional argument per upstream
    block, keyword arguments for everything else.
    """

    inputs: Mapping[str, Source] = field(default_factory=dict)
    """Argument name -> where its value comes from, in the order of the signature."""
    parameters: tuple[str, ...] = ()
    """Pipeline parameters that the function takes as keyword arguments or reads as globals."""
    outputs: tuple[str, ...] = ()
    """Names of the outputs. One: the return value is it. Several: the return value maps them."""
    random_streams: str | None = None
    """Upstream block that leaves the global random streams as this one is to find them; empty for
    the first block that draws from them. None: the block has nothing to do with them."""
    together: tuple[str, ...] = ()
    """Outputs that may share objects, or memory, of which a later block changes some in place: who
    reads several of them is given values that share what these shared."""


@dataclass(frozen=True)
class RetryPolicy:
    """How often and after which pauses a failed block is tried again.

    Keys and defaults are those of Mage's `retry_config`; `max_delay_s` caps each single pause.
    """

    retries: int = 0
    delay_s: float = 5.0
    max_delay_s: float = 60.0
    exponential_backoff: bool = True

    def pause_s(self, failures: int) -> float:
        """Seconds to wait after the given number of failures (1 or more)."""
        factor = 2.0 ** min(failures - 1, 60) if self.exponential_backoff else 1.0
        return min(self.delay_s * factor, self.max_delay_s)


@dataclass(frozen=True)
class SensorPolicy:
    """How a sensor polls."""

    poll_interval_s: float = 60.0
    timeout_s: float | None = None
    """Seconds after the first poll at which the sensor fails; none: it polls for ever."""


@dataclass(frozen=True)
class Block:
    """One block of a pipeline, as metadata.yaml describes it."""

    name: str
    """Mage's uuid; may hold '/' for a file in a subfolder."""
    type: BlockType
    upstream: tuple[str, ...] = ()
    """Upstream blocks; their order is that of the positional arguments."""
    file: str = ""
    """Block file, relative to the project, with '/'."""
    label: str = ""
    """Name shown to people; empty: the same as `name`."""
    content: str | None = None
    """Source text kept in metadata.yaml itself; it beats the file."""
    executor_type: str | None = None
    executor_config: Mapping[str, Any] = field(default_factory=dict)
    resources: Mapping[str, Any] = field(default_factory=dict)
    """Wishes any executor understands: `cpu` (cores), `memory_mib`, `gpu` (how many)."""
    retry: RetryPolicy | None = None
    timeout_s: float | None = None
    sensor: SensorPolicy = field(default_factory=SensorPolicy)
    configuration: Mapping[str, Any] = field(default_factory=dict)
    """Handed to the block in `kwargs['configuration']`."""
    binding: Binding | None = None
    conditions: tuple[str, ...] = ()
    """Project-relative files whose `@condition` functions must all hold."""
    callbacks: tuple[str, ...] = ()
    """Project-relative files whose `@callback` functions run after the block."""
    cache: bool = True
    """Whether `--changed` may keep stored outputs."""
    line: int | None = None
    """Line of the block's entry in metadata.yaml."""


def module_name(text: str) -> str:
    """`text` as the name of a block, a pipeline or a module: lower case, digits and '_'."""
    name = re.sub(r"[^a-z0-9_]+", "_", text.lower()).strip("_") or "pipeline"
    return name if name[0].isalpha() else f"p_{name}"
