"""The projects that are measured: chains and fans of no-op blocks, and work on large values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

NO_OP = """from jupyter_blocks import {decorator}


@{decorator}
def {name}({arguments}):
    return {result}
"""


@dataclass(frozen=True)
class Work:
    """Three steps on large values, as the bodies of functions without their first lines."""

    rows: int
    load: str
    clean: str
    export: str
    imports: str = "import numpy as np\nimport pandas as pd\n"


WORKS: Mapping[str, Work] = {
    "mixed": Work(
        5_000_000,
        """\
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "id": np.arange(ROWS),
            "value": rng.normal(size=ROWS),
            "group": rng.integers(0, 100, ROWS, dtype="int32"),
            "flag": rng.integers(0, 2, ROWS).astype(bool),
            "time": np.datetime64("2020-01-01") + rng.integers(0, 10**6, ROWS).astype("m8[s]"),
            "name": np.array(["alpha", "beta", "gamma"])[rng.integers(0, 3, ROWS)],
        }
    )
""",
        """\
    return df[df["flag"]].assign(value=lambda d: d["value"] * 2)
""",
        """\
    return df.groupby(["group", "name"], as_index=False)["value"].mean()
""",
    ),
    "text": Work(
        2_000_000,
        """\
    rng = np.random.default_rng(0)
    words = pd.Series([f"word {number} of many" for number in range(100_000)])
    few = pd.Series(["alpha", "beta", "gamma"])
    return pd.DataFrame(
        {
            "key": words.take(rng.integers(0, len(words), ROWS)).reset_index(drop=True),
            "other": words.take(rng.integers(0, len(words), ROWS)).reset_index(drop=True),
            "kind": few.take(rng.integers(0, 3, ROWS)).reset_index(drop=True),
        }
    )
""",
        """\
    return df[df["kind"] != "beta"].assign(other=lambda d: d["other"].str.upper())
""",
        """\
    return df["kind"].value_counts().reset_index()
""",
    ),
    "objects": Work(
        300_000,
        """\
    rng = np.random.default_rng(0)
    cells = [None if n % 7 == 0 else n if n % 3 else str(n) for n in range(ROWS)]
    lists = [[n, n + 1] for n in range(ROWS)]
    return pd.DataFrame(
        {"any": pd.Series(cells, dtype=object), "list": lists, "value": rng.normal(size=ROWS)}
    )
""",
        """\
    return df[df["value"] > 0].assign(size=lambda d: d["list"].map(len))
""",
        """\
    return df.groupby("size")["value"].mean().reset_index()
""",
    ),
    "arrays": Work(
        40_000_000,
        """\
    return np.random.default_rng(0).normal(size=(ROWS // 8, 8))
""",
        """\
    return (df - df.mean(axis=0)) / df.std(axis=0)
""",
        """\
    return df.T @ df
""",
        imports="import numpy as np\n",
    ),
    "models": Work(
        60_000,
        """\
    return np.random.default_rng(0).normal(size=(ROWS, 4))
""",
        """\
    return RandomForestRegressor(8, random_state=0).fit(df[:, :3], df[:, 3])
""",
        """\
    return float(df.predict(np.zeros((1, 3)))[0])
""",
        imports="import numpy as np\nfrom sklearn.ensemble import RandomForestRegressor\n",
    ),
}
"""What is measured besides blocks that do nothing: tables of all kinds, arrays, models."""


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


def same_fan(root: Path, width: int) -> None:
    """As `fan`, with one file for all blocks below: the code of the project stays small."""
    fan(root, 1)
    first = "- uuid: b0\n  type: data_loader\n  upstream_blocks: []\n"
    others = "".join(
        f"- uuid: b{i}\n  type: transformer\n  upstream_blocks: [b0]\n"
        "  configuration: {file_path: transformers/b1.py}\n"
        for i in range(1, width + 1)
    )
    (root / "pipelines" / "noop" / "metadata.yaml").write_text(
        f"uuid: noop\nname: noop\ntype: python\nblocks:\n{first}{others}"
    )


def tables(root: Path, rows: int, work: str = "mixed") -> None:
    """Three blocks on a value of `rows`, and a plain script that does the same work."""
    chosen = WORKS[work]
    steps = {
        "data_loaders/load": ("data_loader", "load()", chosen.load),
        "transformers/clean": ("transformer", "clean(df)", chosen.clean),
        "data_exporters/export": ("data_exporter", "export(df)", chosen.export),
    }
    head = f"{chosen.imports}\nROWS = {rows}\n"
    files = {
        path: f"{chosen.imports}\nfrom jupyter_blocks import {decorator}\n\nROWS = {rows}\n\n\n"
        f"@{decorator}\ndef {signature}:\n{body}"
        for path, (decorator, signature, body) in steps.items()
    }
    write_project(root, "tables", files, {"load": [], "clean": ["load"], "export": ["clean"]})
    functions = "\n\n".join(f"def {signature}:\n{body}" for _, signature, body in steps.values())
    script = f"{head}\n\n{functions}\n\ndf = load()\ndf = clean(df)\nresult = export(df)\n"
    (root / "plain.py").write_text(script)
