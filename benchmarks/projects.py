"""The projects that are measured: chains and fans of no-op blocks, and the DataFrame pipeline."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

NO_OP = """from jupyter_blocks import {decorator}


@{decorator}
def {name}({arguments}):
    return {result}
"""

LOAD = """import numpy as np
import pandas as pd

from jupyter_blocks import data_loader


@data_loader
def load():
    n = {rows}
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {{
            "id": np.arange(n),
            "value": rng.normal(size=n),
            "group": rng.integers(0, 100, n, dtype="int32"),
            "flag": rng.integers(0, 2, n).astype(bool),
            "time": np.datetime64("2020-01-01") + rng.integers(0, 10**6, n).astype("m8[s]"),
            "name": np.array(["alpha", "beta", "gamma"])[rng.integers(0, 3, n)],
        }}
    )
"""
CLEAN = """from jupyter_blocks import transformer


@transformer
def clean(df):
    return df[df["flag"]].assign(value=lambda d: d["value"] * 2)
"""
EXPORT = """from jupyter_blocks import data_exporter


@data_exporter
def export(df):
    return df.groupby(["group", "name"], as_index=False)["value"].mean()
"""
PLAIN = """import numpy as np
import pandas as pd

n = {rows}
rng = np.random.default_rng(0)
df = pd.DataFrame(
    {{
        "id": np.arange(n),
        "value": rng.normal(size=n),
        "group": rng.integers(0, 100, n, dtype="int32"),
        "flag": rng.integers(0, 2, n).astype(bool),
        "time": np.datetime64("2020-01-01") + rng.integers(0, 10**6, n).astype("m8[s]"),
        "name": np.array(["alpha", "beta", "gamma"])[rng.integers(0, 3, n)],
    }}
)
df = df[df["flag"]].assign(value=lambda d: d["value"] * 2)
result = df.groupby(["group", "name"], as_index=False)["value"].mean()
"""


def write_project(
    root: Path, pipeline: str, files: Mapping[str, str], edges: Mapping[str, list[str]]
) -> None:
    """Write a project of one pipeline; `files` maps `folder/block` to the text of its file."""
    (root / "metadata.yaml").parent.mkdir(parents=True, exist_ok=True)
    (root / "metadata.yaml").write_text("project_type: standalone\n")
    entries = []
    for path, text in files.items():
        folder, name = path.split("/")
        (root / folder).mkdir(exist_ok=True)
        (root / folder / f"{name}.py").write_text(text)
        kind = folder.removesuffix("s")
        entries.append(f"- uuid: {name}\n  type: {kind}\n  upstream_blocks: {edges[name]}\n")
    home = root / "pipelines" / pipeline
    home.mkdir(parents=True, exist_ok=True)
    (home / "metadata.yaml").write_text(
        f"uuid: {pipeline}\nname: {pipeline}\ntype: python\nblocks:\n{''.join(entries)}"
    )


def chain(root: Path, length: int) -> None:
    """A chain of blocks that hand on a number."""
    files = {
        "data_loaders/b0": NO_OP.format(
            decorator="data_loader", name="b0", arguments="", result="0"
        )
    }
    edges: dict[str, list[str]] = {"b0": []}
    for i in range(1, length):
        files[f"transformers/b{i}"] = NO_OP.format(
            decorator="transformer", name=f"b{i}", arguments="x", result="x + 1"
        )
        edges[f"b{i}"] = [f"b{i - 1}"]
    write_project(root, "noop", files, edges)


def fan(root: Path, width: int) -> None:
    """One block and `width` blocks that read it."""
    files = {
        "data_loaders/b0": NO_OP.format(
            decorator="data_loader", name="b0", arguments="", result="0"
        )
    }
    edges: dict[str, list[str]] = {"b0": []}
    for i in range(1, width + 1):
        files[f"transformers/b{i}"] = NO_OP.format(
            decorator="transformer", name=f"b{i}", arguments="x", result="x + 1"
        )
        edges[f"b{i}"] = ["b0"]
    write_project(root, "noop", files, edges)


def tables(root: Path, rows: int) -> None:
    """Three blocks on a frame of `rows` x 6, and a plain script that does the same work."""
    files = {
        "data_loaders/load": LOAD.format(rows=rows),
        "transformers/clean": CLEAN,
        "data_exporters/export": EXPORT,
    }
    write_project(root, "tables", files, {"load": [], "clean": ["load"], "export": ["clean"]})
    (root / "plain.py").write_text(PLAIN.format(rows=rows))
