"""The JupyterLab plugin and the server mean the same: tags, states, fields of the answers."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

import jupyter_blocks.server
from jupyter_blocks.block import BLOCK_TYPES
from jupyter_blocks.tags import TAGS

SOURCE = Path(__file__).parents[1] / "labextension" / "src"
SERVER = Path(jupyter_blocks.server.__file__).parent
SCHEMAS: dict[str, Any] = yaml.safe_load((SERVER / "openapi.yaml").read_text("utf-8"))[
    "components"
]["schemas"]
TOKENS = "".join((SOURCE / name).read_text("utf-8") for name in ("tokens.ts", "valueTypes.ts"))
TYPES = (SOURCE / "blockTypes.ts").read_text("utf-8")

INTERFACES = {
    "IProblem": "Problem",
    "IFreshness": "Freshness",
    "IEdge": "Edge",
    "IAnalyzedBlock": "AnalyzedBlock",
    "IAnalysis": "Analysis",
    "IStoredSize": "Output",
    "IBlockRun": "BlockRun",
    "IRunState": "RunState",
    "IRunRecord": "RunRecord",
    "IVariable": "Variable",
    "IRunRequest": "StartRequest",
    "IPreview": "Preview",
    "IPage": "Page",
    "ICondition": "Condition",
    "IChartRequest": "ChartRequest",
    "IChart": "Chart",
    "ITree": "Tree",
    "IText": "Text",
    "IStoredRun": "StoredRun",
    "IComparedColumn": "ComparedColumn",
    "IComparison": "Comparison",
    "IPlan": "Plan",
    "ILog": "Log",
    "IExport": "Export",
    "ITakenBack": "TakenBack",
}


def words(text: str) -> list[str]:
    """The quoted words of a piece of TypeScript."""
    return re.findall(r"'([^']*)'", text)


def union(name: str) -> set[str]:
    """The words of `export type NAME = 'a' | 'b';`."""
    found = re.search(rf"export type {name} =(.*?);", TOKENS, re.S)
    assert found, name
    return set(words(found[1]))


def members(name: str) -> dict[str, bool]:
    """Fields of an interface, and whether they have to be there."""
    found = re.search(rf"export interface {name} {{(.*?)\n}}", TOKENS, re.S)
    assert found, name
    return {
        field: not optional for field, optional in re.findall(r"^  (\w+)(\??):", found[1], re.M)
    }


def test_block_types_are_the_same() -> None:
    """Names, tags and other words for them."""
    table = TYPES[TYPES.index("export const BLOCK_TYPES") :]
    found = re.findall(r"name: '(\w+)',\s+tag: '(\w+)',\s+aliases: \[(.*?)\]", table)
    assert [(name, tag, tuple(words(more))) for name, tag, more in found] == [
        (kind.name, kind.tag, kind.aliases) for kind in BLOCK_TYPES.values()
    ]
    assert union("BlockTypeName") == set(SCHEMAS["BlockType"]["enum"]) == set(BLOCK_TYPES)


def test_tags_are_the_same() -> None:
    """Every tag the export knows is one the plugin takes for ours, and no other."""
    lists = re.findall(r"_TAGS = \[(.*?)\]", TYPES)
    kinds = {word for kind in BLOCK_TYPES.values() for word in (kind.name, kind.tag, *kind.aliases)}
    assert {word for text in lists for word in words(text)} | kinds == set(TAGS)


@pytest.mark.parametrize("name", ["BlockStatus", "RunStatus"])
def test_states_are_the_same(name: str) -> None:
    """Each word of the contract, and no other."""
    assert union(name) == set(SCHEMAS[name]["enum"])


@pytest.mark.parametrize("name", INTERFACES)
def test_fields_are_those_of_the_contract(name: str) -> None:
    """What the plugin reads is there, and what it relies on is always there."""
    schema = SCHEMAS[INTERFACES[name]]
    fields = members(name)
    assert fields
    assert set(fields) <= set(schema["properties"])
    assert {field for field, needed in fields.items() if needed} <= set(schema["required"])


def test_conditions_are_those_of_the_contract() -> None:
    """Each operator of a filter."""
    assert union("ConditionOperator") == set(SCHEMAS["Condition"]["properties"]["op"]["enum"])


def test_the_event_is_that_of_the_schema() -> None:
    """Field by field, and under its name."""
    schema = yaml.safe_load((SERVER / "events" / "run.yaml").read_text("utf-8"))
    assert members("IRunEvent") == dict.fromkeys(schema["properties"], True)
    assert f"'{schema['$id']}'" in (SOURCE / "index.ts").read_text("utf-8")
