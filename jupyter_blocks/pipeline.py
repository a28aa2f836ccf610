"""A pipeline's metadata.yaml <-> objects: reading finds every mistake at once, with its line.

Mage's keys are read fully; `pipeline_yaml` writes the minimal text. The file itself is written by
`export`, and what is inside the block files is looked at by `blockcheck`.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from jupyter_blocks.block import BLOCK_TYPES, Block, RetryPolicy
from jupyter_blocks.blockentry import Surroundings, is_skipped, read_block, read_name
from jupyter_blocks.dag import Graph
from jupyter_blocks.edgecheck import check_edges
from jupyter_blocks.errors import Problem, ProjectError, UsageError, ValidationError
from jupyter_blocks.frozen import changed
from jupyter_blocks.interpolation import render
from jupyter_blocks.pipelinetext import pipeline_yaml
from jupyter_blocks.settings import Report, Section, did_you_mean, listed, read_retry
from jupyter_blocks.yamlfile import read_yaml

__all__ = ["PIPELINE_SETTINGS", "Pipeline", "pipeline_yaml", "read_pipeline"]

PIPELINE_SETTINGS = frozenset({"digest", "helpers", "notebook"})
"""Keys of a pipeline's own `jupyter_blocks` mapping."""

_TYPES = ("python", "pyspark")
_REFUSED_TYPES = {
    "databricks": "Set type to pyspark.",
    "execution_framework": "Set type to python.",
    "integration": "Load the source with a data_loader block.",
    "streaming": "Load the stream in batches with a data_loader block.",
}
_ATTACHED = {"conditionals": "conditions", "callbacks": "callbacks"}


@dataclass(frozen=True)
class Pipeline:
    """One pipeline, as its metadata.yaml describes it."""

    name: str
    """Name of its folder."""
    type: str
    """`python` or `pyspark`."""
    blocks: tuple[Block, ...]
    """In the order of the file."""
    path: Path
    """Its metadata.yaml."""
    variables: Mapping[str, Any] = field(default_factory=dict)
    """Default values of the runtime variables; plain JSON."""
    executor_type: str | None = None
    executor_config: Mapping[str, Any] = field(default_factory=dict)
    retry: RetryPolicy | None = None
    """The project's policy with the pipeline's merged over it; the blocks' own include it."""
    concurrency_limit: int | None = None
    """How many blocks may run at once (`concurrency_config.block_run_limit`)."""
    notebook: str | None = None
    """Notebook it was exported from, relative to the project, with '/'."""
    helpers: str | None = None
    """Shared module of an exported notebook, relative to the project."""
    digest: str | None = None
    """Digest that export left in the file."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """The whole file as it stands."""
    warnings: tuple[Problem, ...] = ()
    """What was found that does not keep it from running."""

    @cached_property
    def graph(self) -> Graph:
        """The graph of the blocks, in the order of the file."""
        return Graph({block.name: block.upstream for block in self.blocks})

    def block(self, name: str) -> Block:
        """The block called `name`; raises `UsageError` naming those there are."""
        block = self._by_name.get(name)
        if block is None:
            hint = did_you_mean(name, self._by_name) or f"Blocks: {listed(self._by_name)}."
            raise UsageError(
                f"Pipeline '{self.name}' has no block '{name}'.", pipeline=self.name, hint=hint
            )
        return block

    def unread_outputs(self, block: Block) -> tuple[str, ...]:
        """Named outputs of an exported block that no other block is given."""
        outputs = block.binding.outputs if block.binding else ()
        whole = self._read[block.name, ""]
        return tuple(name for name in outputs if not self._read[block.name, name] + whole)

    def shared_outputs(self, block: Block) -> tuple[str, ...]:
        """Named outputs of an exported block that several other blocks are given."""
        outputs = block.binding.outputs if block.binding else ()
        whole = self._read[block.name, ""]
        return tuple(name for name in outputs if self._read[block.name, name] + whole > 1)

    @cached_property
    def _read(self) -> Counter[tuple[str, str]]:
        """How many blocks are given an output; no name of one: all outputs of that block."""
        found: Counter[tuple[str, str]] = Counter()
        for block in self.blocks:
            if block.binding is None:
                found.update({(name, "") for name in block.upstream})
            else:
                found.update({(each.block, each.output) for each in block.binding.inputs.values()})
        return found

    @cached_property
    def _by_name(self) -> Mapping[str, Block]:
        return {block.name: block for block in self.blocks}


def read_pipeline(
    path: Path, *, project: Path, defaults: RetryPolicy | None = None
) -> tuple[Pipeline | None, list[Problem]]:
    """Read the metadata.yaml at `path`; all problems at once, in the order of their lines.

    `defaults` is the project's retry policy. The pipeline is None where no graph can be made of the
    file: it cannot be parsed, or names are missing or doubled, or the blocks form a cycle. Problems
    of severity `error` mean that the pipeline must not run.
    """
    place = f"pipelines/{path.parent.name}/{path.name}"
    try:
        file = read_yaml(path, place)
    except ValidationError as error:
        return None, [replace(problem, pipeline=path.parent.name) for problem in error.problems]
    report = Report(file, path.parent.name)
    if not isinstance(file.value, Mapping):
        what = "is empty" if file.value is None else "is not a mapping of keys to values"
        report.add("not-a-mapping", f"The file {what}.", "Begin it with 'blocks:'.")
        return None, report.problems
    pipeline = _Reader(report, path, project, defaults).read()
    problems = sorted(report.problems, key=lambda problem: problem.line or 0)
    if pipeline is not None:
        warnings = tuple(problem for problem in problems if problem.severity == "warning")
        pipeline = replace(pipeline, warnings=warnings)
    return pipeline, problems


class _Reader:
    """Reads one file whose top level is a mapping."""

    def __init__(
        self, report: Report, path: Path, project: Path, defaults: RetryPolicy | None
    ) -> None:
        self.report = report
        self.path = path
        self.project = project
        self.root = Section(report, report.file.value)
        self.variables = self.root.mapping("variables")
        self.retry = read_retry(self.root, defaults)
        self.entries: dict[str, Section] = {}
        """Every usable entry of the block list by name, skipped and refused ones too."""

    def read(self) -> Pipeline | None:
        self._check_type()
        self._warn_of_repetitions()
        self._warn_of_extensions()
        own = self.root.section("jupyter_blocks") or Section(self.report, {})
        own.refuse_unknown(PIPELINE_SETTINGS, "'jupyter_blocks'")
        concurrency = self.root.section("concurrency_config") or Section(self.report, {})
        distinct = self._read_entries()
        blocks = self._attach(self._replicate(self._read_blocks()))
        whole = check_edges(self.report, blocks, self.entries)
        self._check_files(blocks, own.text("helpers"))
        if not (distinct and whole):
            return None
        return Pipeline(
            name=self.path.parent.name,
            type=self.root.text("type") or "python",
            blocks=tuple(blocks.values()),
            path=self.path,
            variables=self.variables,
            executor_type=self._render(self.root.text("executor_type") or "") or None,
            executor_config=self.root.mapping("executor_config"),
            retry=self.retry,
            concurrency_limit=concurrency.whole("block_run_limit", minimum=1),
            notebook=own.text("notebook"),
            helpers=own.text("helpers"),
            digest=own.text("digest"),
            settings=self.root.values,
        )

    def _check_type(self) -> None:
        kind = self.root.text("type") or "python"
        if kind in _TYPES:
            return
        hint = did_you_mean(kind, [*_TYPES, *_REFUSED_TYPES])
        self.root.problem(
            "unsupported-pipeline-type",
            f"This is a pipeline of type '{kind}'; Jupyter Blocks runs python and pyspark.",
            _REFUSED_TYPES.get(kind) or hint,
            at=("type",),
        )

    def _warn_of_repetitions(self) -> None:
        for key, line in self.report.file.repeated_keys:
            self.report.problems.append(
                Problem(
                    "repeated-key",
                    f"The key '{key}' is there twice; only the last one counts.",
                    "Remove one of them.",
                    severity="warning",
                    pipeline=self.report.pipeline,
                    path=self.report.file.place,
                    line=line,
                )
            )

    def _warn_of_extensions(self) -> None:
        extensions = self.root.get("extensions")
        for name, extension in extensions.items() if isinstance(extensions, Mapping) else ():
            if isinstance(extension, Mapping) and extension.get("blocks"):
                self.root.problem(
                    "unsupported-block-type",
                    f"The blocks of extension '{name}' are not run.",
                    "Put their checks into @test functions.",
                    at=("extensions", name),
                    severity="warning",
                )

    def _render(self, text: str) -> str:
        try:
            return render(text, variables=self.variables).strip()
        except ProjectError as error:
            self.root.problem("bad-template", f"'{text}' cannot be filled in. {error}")
            return ""

    # blocks

    def _read_entries(self) -> bool:
        """Fill `entries`; whether every entry has a name of its own."""
        entries = self.root.entries("blocks")
        distinct = len(entries) == len(self.root.get("blocks") or ())
        for entry in entries:
            name = read_name(entry)
            first = self.entries.get(name)
            if first is not None:
                line = self.report.file.line(*first.at)
                entry.problem(
                    "duplicate-block",
                    f"Block '{name}' is there twice (first in line {line}).",
                    "Give one of them another uuid.",
                    at=("uuid",),
                )
            if not name or first is not None:
                distinct = False
                continue
            self.entries[name] = changed(entry, block=name)
        return distinct

    def _read_blocks(self) -> dict[str, Block]:
        around = Surroundings(self.project, self.retry, self._render)
        blocks: dict[str, Block] = {}
        for name, entry in self.entries.items():
            if is_skipped(entry):
                continue
            block = read_block(entry, name, around)
            if block is not None:
                blocks[name] = block
        return blocks

    def _replicate(self, blocks: dict[str, Block]) -> dict[str, Block]:
        """Replicas use the file of the block they replicate."""
        for name, block in blocks.items():
            entry = self.entries[name]
            original = entry.text("replicated_block")
            if not original:
                continue
            if original in blocks and original != name:
                source = blocks[original]
                blocks[name] = replace(block, file=source.file, content=source.content)
                continue
            entry.problem(
                "unknown-block",
                f"Block '{name}' replicates '{original}', which this pipeline does not have.",
                did_you_mean(original, blocks),
                at=("replicated_block",),
            )
        return blocks

    def _attach(self, blocks: dict[str, Block]) -> dict[str, Block]:
        """Conditions and callbacks name the blocks they belong to as their upstream blocks."""
        for key, attribute in _ATTACHED.items():
            for entry in self.root.entries(key):
                name = read_name(entry)
                for target in entry.names("upstream_blocks") if name else ():
                    if target in blocks:
                        files = (*getattr(blocks[target], attribute), f"{key}/{name}.py")
                        blocks[target] = _with_files(blocks[target], attribute, files)
                    elif target not in self.entries:
                        self._unknown_target(entry, key, name, target)
        return blocks

    def _unknown_target(self, entry: Section, key: str, name: str, target: str) -> None:
        entry.problem(
            "unknown-upstream",
            f"'{name}' in '{key}' belongs to block '{target}', which this pipeline does not have.",
            did_you_mean(target, self.entries),
            at=("upstream_blocks",),
        )

    # files

    def _check_files(self, blocks: Mapping[str, Block], helpers: str | None) -> None:
        for block in blocks.values():
            original = self.entries[block.name].get("replicated_block")
            if original and original not in blocks:
                continue
            if block.content is None and not _is_file(f"{self.project}/{block.file}"):
                self._missing_file(block)
            for file in (*block.conditions, *block.callbacks):
                if not (self.project / file).is_file():
                    self.entries[block.name].problem(
                        "missing-file",
                        f"Block '{block.name}' uses {file}, which does not exist.",
                        "Create it, or remove its entry.",
                    )
        if helpers and not (self.project / helpers).is_file():
            self.root.problem(
                "missing-file",
                f"The helpers of the pipeline, {helpers}, do not exist.",
                "Export the notebook again.",
                at=("jupyter_blocks", "helpers"),
            )

    def _missing_file(self, block: Block) -> None:
        folder = self.project / Path(block.file).parent
        near = sorted(path.stem for path in folder.glob("*.py")) if folder.is_dir() else []
        name = Path(block.file).name
        others = (kind.folder for kind in BLOCK_TYPES.values() if kind != block.type)
        elsewhere = next((other for other in others if (self.project / other / name).is_file()), "")
        hint = did_you_mean(Path(block.file).stem, near) or "Create it, or correct the uuid."
        if elsewhere:
            hint = f"There is {elsewhere}/{name}: is the type '{block.type}' right?"
        self.entries[block.name].problem(
            "missing-file",
            f"Block '{block.name}' has no file: looked for {block.file} in {self.project}.",
            hint,
            at=("uuid",),
        )


def _is_file(path: str) -> bool:
    return os.path.isfile(path)  # noqa: PTH113 - asked for every block of a pipeline


def _with_files(block: Block, attribute: str, files: tuple[str, ...]) -> Block:
    if attribute == "conditions":
        return replace(block, conditions=files)
    return replace(block, callbacks=files)
