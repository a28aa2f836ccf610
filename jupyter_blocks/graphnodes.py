"""The graph of a pipeline as something to draw: nodes in topological order with what they read."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jupyter_blocks.binding import NotebookPipeline
from jupyter_blocks.block import block_type
from jupyter_blocks.dag import Graph
from jupyter_blocks.pipeline import Pipeline
from jupyter_blocks.planner import choose_executor

__all__ = ["GraphNode", "graph_document", "notebook_nodes", "pipeline_nodes"]


@dataclass(frozen=True)
class GraphNode:
    """One block of a drawing."""

    name: str
    type: str
    """Name of the block type."""
    upstream: tuple[str, ...] = ()
    executor: str = ""

    @property
    def tag(self) -> str:
        """The short name of the type, as cell tags have it."""
        return block_type(self.type).tag


def pipeline_nodes(
    pipeline: Pipeline, environment: Mapping[str, str] | None = None
) -> list[GraphNode]:
    """The blocks of a pipeline in topological order, each with the executor it would run on."""
    variables = os.environ if environment is None else environment
    blocks = (pipeline.block(name) for name in pipeline.graph.order)
    return [
        GraphNode(
            block.name,
            block.type.name,
            block.upstream,
            choose_executor(block, pipeline, None, variables)[0],
        )
        for block in blocks
    ]


def notebook_nodes(
    draft: NotebookPipeline, environment: Mapping[str, str] | None = None
) -> list[GraphNode]:
    """The same for the blocks a notebook describes."""
    variables = os.environ if environment is None else environment
    default = draft.settings.executor or variables.get("DEFAULT_EXECUTOR_TYPE") or "local_python"
    graph = Graph({block.name: block.upstream for block in draft.blocks})
    return [
        GraphNode(
            name,
            draft.block(name).type.name,
            draft.block(name).upstream,
            draft.block(name).settings.executor or default,
        )
        for name in graph.order
    ]


def graph_document(pipeline: str, nodes: Iterable[GraphNode]) -> dict[str, Any]:
    """The graph as `graph --json` prints it."""
    blocks: Sequence[dict[str, Any]] = [
        {
            "name": node.name,
            "type": node.type,
            "upstream": list(node.upstream),
            "executor": node.executor,
        }
        for node in nodes
    ]
    return {"pipeline": pipeline, "blocks": blocks}
