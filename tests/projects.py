"""Small projects on disk, for tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from textwrap import dedent
from typing import Any

import yaml

from jupyter_blocks.project import Project, open_project

FOLDERS = {
    "data_loader": "data_loaders",
    "transformer": "transformers",
    "data_exporter": "data_exporters",
    "sensor": "sensors",
    "custom": "custom",
}


def block(
    name: str,
    body: str = "return 1",
    upstream: Sequence[str] = (),
    kind: str = "",
    **settings: Any,
) -> dict[str, Any]:
    """One block: `body` is that of its function, with the upstream blocks as arguments."""
    kind = kind or ("transformer" if upstream else "data_loader")
    return {"name": name, "body": body, "upstream": list(upstream), "kind": kind, **settings}


def source(kind: str, name: str, body: str, upstream: Sequence[str]) -> str:
    """The text of a hand-written block file."""
    arguments = ", ".join([*upstream, "**kwargs"])
    lines = dedent(body).strip().replace("\n", "\n    ")
    return f"@{kind}\ndef {name}({arguments}):\n    {lines}\n"


def write_project(
    root: Path,
    blocks: Sequence[Mapping[str, Any]],
    *,
    pipeline: str = "pipe",
    settings: Mapping[str, Any] | None = None,
    **keys: Any,
) -> Project:
    """Write a project of one pipeline and open it; `keys` go into the pipeline's metadata."""
    root.mkdir(parents=True, exist_ok=True)
    (root / "metadata.yaml").write_text(
        yaml.safe_dump({"project_type": "standalone", **(settings or {})}), "utf-8"
    )
    entries = []
    for spec in blocks:
        entry = dict(spec)
        name, body, kind = entry.pop("name"), entry.pop("body"), entry.pop("kind")
        folder = root / FOLDERS[kind]
        folder.mkdir(exist_ok=True)
        text = source(kind, name, body, entry["upstream"]) if not body.startswith("@") else body
        (folder / f"{name}.py").write_text(text, "utf-8")
        entry["upstream_blocks"] = entry.pop("upstream")
        entries.append({"uuid": name, "type": kind, **entry})
    home = root / "pipelines" / pipeline
    home.mkdir(parents=True, exist_ok=True)
    document = {"uuid": pipeline, "name": pipeline, "type": "python", "blocks": entries, **keys}
    (home / "metadata.yaml").write_text(yaml.safe_dump(document, sort_keys=False), "utf-8")
    return open_project(root)
