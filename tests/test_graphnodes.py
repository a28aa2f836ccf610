"""The graph as something to draw."""

from __future__ import annotations

from pathlib import Path

from jupyter_blocks.graphnodes import GraphNode, graph_document, notebook_nodes, pipeline_nodes
from jupyter_blocks.opening import read_draft
from tests.notebooks import notebook
from tests.projects import block, write_project


def test_blocks_come_in_topological_order(tmp_path: Path) -> None:
    """Whatever the order of the file; each with the executor it would run on."""
    specs = [
        block("save", upstream=["load"], kind="data_exporter", executor_type="local_python"),
        block("load"),
    ]
    pipeline = write_project(tmp_path, specs).pipeline("pipe")
    assert pipeline_nodes(pipeline, {"DEFAULT_EXECUTOR_TYPE": "k8s"}) == [
        GraphNode("load", "data_loader", (), "k8s"),
        GraphNode("save", "data_exporter", ("load",), "local_python"),
    ]


def test_a_notebook_has_the_same_graph(tmp_path: Path) -> None:
    """Before it is exported: executors of cells, of the notebook, of the environment."""
    cells = (
        ("loader:load", "x = 1"),
        ("transformer:add", "y = x", {"executor": "k8s"}),
    )
    draft = read_draft(notebook(tmp_path, *cells))
    nodes = notebook_nodes(draft, {})
    assert [(node.name, node.tag, node.upstream, node.executor) for node in nodes] == [
        ("load", "loader", (), "local_python"),
        ("add", "transformer", ("load",), "k8s"),
    ]
    whole = read_draft(notebook(tmp_path, *cells, executor="ecs"))
    assert [node.executor for node in notebook_nodes(whole, {})] == ["ecs", "k8s"]


def test_document() -> None:
    """The promised shape."""
    nodes = [GraphNode("load", "data_loader", (), "local_python")]
    assert graph_document("flights", nodes) == {
        "pipeline": "flights",
        "blocks": [
            {"name": "load", "type": "data_loader", "upstream": [], "executor": "local_python"}
        ],
    }
