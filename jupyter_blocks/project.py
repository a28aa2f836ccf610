"""A project folder: its settings, its pipelines, and every path in it; creates a new one.

Also says what a TARGET on the command line means. What a pipeline's file says is `pipeline`'s
business; what is stored in a project belongs to the variable store and the journal.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

from jupyter_blocks.block import Block, RetryPolicy
from jupyter_blocks.blockcheck import check_block_file
from jupyter_blocks.errors import (
    Problem,
    ProjectError,
    UsageError,
    ValidationError,
    VariableError,
)
from jupyter_blocks.interpolation import render
from jupyter_blocks.pipeline import Pipeline, read_pipeline
from jupyter_blocks.settings import Report, Section, did_you_mean, listed, read_retry
from jupyter_blocks.variables.locations import is_uri, parse_location
from jupyter_blocks.yamlfile import YamlFile, parse_yaml

__all__ = [
    "Project",
    "Target",
    "create_project",
    "ensure_folders",
    "ensure_private",
    "find_project",
    "is_notebook",
    "open_project",
    "resolve_target",
]

_METADATA = "metadata.yaml"
_EXECUTOR_SETTINGS = {
    "ecs": "ecs_config",
    "emr": "emr_config",
    "emr_serverless": "emr_config",
    "gcp_cloud_run": "gcp_cloud_run_config",
    "k8s": "k8s_executor_config",
    "pyspark": "spark_config",
}
_EXAMPLE_BUCKETS = ("s3://bucket/path_prefix", "s3://bucket/path")
"""Values of `remote_variables_dir` in Mage's template, which mean nothing."""


@dataclass(frozen=True)
class Project:
    """One project. Nothing but its root metadata.yaml has been read."""

    root: Path
    """Absolute folder."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """The root metadata.yaml, with its templates filled in."""
    retry: RetryPolicy | None = None
    """Policy that pipelines and blocks are merged over; none: no retries are asked for."""
    warnings: tuple[Problem, ...] = ()
    """What is odd in the root metadata.yaml."""

    @property
    def name(self) -> str:
        """The name its metadata.yaml gives, else that of the folder."""
        return self._text("name") or self.root.name

    @property
    def state_dir(self) -> Path:
        """Folder of the run journal and other local state."""
        return self.root / ".blocks"

    @cached_property
    def variables_root(self) -> str:
        """Folder or URI of the variable store.

        `MAGE_DATA_DIR` speaks before `remote_variables_dir` and `variables_dir`; a relative folder
        is one of the project, and a folder elsewhere gets a subfolder named after the project. A
        URI is taken as it is. Raises `ProjectError` for one that makes no sense.
        """
        remote = self._text("remote_variables_dir")
        if remote in _EXAMPLE_BUCKETS:
            remote = ""
        chosen = os.environ.get("MAGE_DATA_DIR") or remote or self._text("variables_dir")
        if is_uri(chosen):
            return self._variables_uri(chosen)
        if not chosen:
            return str(self.root / ".variables")
        folder = Path(chosen).expanduser()
        if folder.is_absolute() and not folder.is_relative_to(self.root):
            folder = folder / self.root.name
        return os.path.normpath(self.root / folder)

    def _variables_uri(self, uri: str) -> str:
        where = f"{self.name}/metadata.yaml or MAGE_DATA_DIR"
        if uri.startswith("file://"):
            return unquote(urlsplit(uri).path)
        try:
            location = parse_location(uri)
        except VariableError as error:
            raise ProjectError(f"{where}: {error}") from error
        if location.scheme == "memory":
            raise ProjectError(
                f"{where}: variables cannot be kept in memory, because the blocks of a run have "
                "processes of their own.",
                hint="Name a folder, s3://bucket/prefix or gs://bucket/prefix.",
            )
        return uri

    @cached_property
    def project_id(self) -> str:
        """A name for the project that neither moving nor renaming its folder changes."""
        return self._text("project_uuid") or _stored_id(self.state_dir)

    def pipelines(self) -> list[str]:
        """Names of the pipelines, sorted."""
        folder = self.root / "pipelines"
        if not folder.is_dir():
            return []
        return sorted(path.parent.name for path in folder.glob(f"*/{_METADATA}"))

    def pipeline_path(self, name: str) -> Path:
        """The metadata.yaml of the pipeline called `name`, whether or not it exists."""
        return self.root / "pipelines" / name / _METADATA

    def pipeline(self, name: str) -> Pipeline:
        """The pipeline called `name`, free of errors.

        Raises `UsageError` if there is none of the name, and `ValidationError` with every problem
        of its metadata.yaml; problems of its block files are then added.
        """
        pipeline, problems = self.read_pipeline(name)
        if pipeline is None or any(problem.severity == "error" for problem in problems):
            for block in pipeline.blocks if pipeline else ():
                if block.content is not None or self.block_file(block).is_file():
                    problems += check_block_file(self.root, block)
            raise ValidationError(problems)
        return pipeline

    def read_pipeline(self, name: str) -> tuple[Pipeline | None, list[Problem]]:
        """The pipeline as far as it can be read, and what is wrong with it (see `pipeline`)."""
        path = self.pipeline_path(name)
        if not name or Path(name).name != name or not path.is_file():
            names = self.pipelines()
            hint = did_you_mean(name, names) or f"Pipelines: {listed(names)}."
            raise UsageError(f"Project '{self.name}' has no pipeline '{name}'.", hint=hint)
        return read_pipeline(path, project=self.root, defaults=self.retry)

    def block_file(self, block: Block) -> Path:
        """The absolute path of a block's file."""
        return self.root / block.file

    def executor_settings(self, executor: str) -> Mapping[str, Any]:
        """The project's section for an executor, such as `k8s_executor_config`; empty if none."""
        section = self.settings.get(_EXECUTOR_SETTINGS.get(executor, f"{executor}_config"))
        return section if isinstance(section, Mapping) else {}

    def _text(self, key: str) -> str:
        value = self.settings.get(key)
        return value if isinstance(value, str) else ""


def open_project(path: str | Path) -> Project:
    """The project whose folder is `path`; raises `ProjectError` if it is none.

    A root metadata.yaml that cannot be used is a `ValidationError` with every problem.
    """
    root = Path(path).expanduser().resolve()
    file = root / _METADATA
    if not file.is_file():
        what = "holds no metadata.yaml" if root.is_dir() else "does not exist"
        raise ProjectError(
            f"{path} is not a project: the folder {what}.",
            hint="Create a project with 'jupyter blocks init', or export a notebook.",
        )
    missing: list[str] = []
    text = file.read_text("utf-8-sig", "replace")
    try:
        yaml_file = parse_yaml(render(text, missing=missing), _METADATA)
    except ValidationError:
        raise
    except ProjectError as error:
        raise ProjectError(f"{_METADATA} of project '{root.name}': {error}") from None
    report = Report(yaml_file)
    settings = _settings(report, yaml_file)
    retry = read_retry(Section(report, settings), None)
    _warn_of_missing(report, text, missing)
    if report.has_errors:
        raise ValidationError(report.problems)
    return Project(root, settings, retry, tuple(report.problems))


def _settings(report: Report, file: YamlFile) -> Mapping[str, Any]:
    if file.value is None:
        return {}
    if not isinstance(file.value, Mapping):
        report.add("not-a-mapping", "The file is not a mapping of keys to values.")
        return {}
    for key in _EXECUTOR_SETTINGS.values():
        Section(report, file.value).section(key)
    trimmed = _trimmed(file.value)
    return trimmed if isinstance(trimmed, dict) else {}


def _warn_of_missing(report: Report, text: str, missing: list[str]) -> None:
    for name in dict.fromkeys(missing):
        lines = [number for number, line in enumerate(text.splitlines(), 1) if name in line]
        report.problems.append(
            Problem(
                "unset-variable",
                f"The environment variable '{name}' is not set; it is taken as empty.",
                severity="warning",
                path=_METADATA,
                line=lines[0] if lines else None,
            )
        )


def _trimmed(value: Any) -> Any:
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, dict):
        return {key: _trimmed(item) for key, item in value.items()}
    return [_trimmed(item) for item in value] if isinstance(value, list) else value


def find_project(start: str | Path) -> Project | None:
    """The project that `start` lies in: this folder or the nearest one above it; else none."""
    folder = Path(start).expanduser().resolve()
    for candidate in (folder, *folder.parents):
        if (candidate / _METADATA).is_file() and (candidate / "pipelines").is_dir():
            return open_project(candidate)
    return None


def create_project(root: str | Path, name: str | None = None) -> Project:
    """The project at `root`, made if it is not there yet; existing files stay as they are.

    `name` is written where it is not the folder's own.
    """
    folder = Path(root).expanduser().resolve()
    (folder / "pipelines").mkdir(parents=True, exist_ok=True)
    file = folder / _METADATA
    if not file.exists():
        settings = {"project_type": "standalone", "project_uuid": os.urandom(16).hex()}
        if name and name != folder.name:
            settings = {"name": name, **settings}
        file.write_text(
            "".join(f"{key}: {json.dumps(v)}\n" for key, v in settings.items()), "utf-8"
        )
    return open_project(folder)


def ensure_private(folder: str | Path) -> Path:
    """The folder, made if need be, with a .gitignore of its own that keeps it out of git."""
    path = Path(folder)
    path.mkdir(parents=True, exist_ok=True)
    ignore = path / ".gitignore"
    if not ignore.exists():
        ignore.write_text("*\n", "utf-8")
    return path


def ensure_folders(project: Project) -> None:
    """Make the folders of state and variables of a project; git is told to leave them alone."""
    ensure_private(project.state_dir)
    folder = project.variables_root
    if "://" not in folder and Path(folder).is_relative_to(project.root):
        ensure_private(folder)


def _stored_id(state_dir: Path) -> str:
    """The id kept in the state folder, for projects whose metadata.yaml has none."""
    file = state_dir / "project_id"
    if not file.exists():
        draft = ensure_private(state_dir) / f"project_id.{os.urandom(16).hex()}"
        draft.write_text(draft.suffix[1:] + "\n", "utf-8")
        # Linked, not renamed: of two processes the first one's id counts for both.
        with suppress(FileExistsError):
            os.link(draft, file)
        draft.unlink()
    return hashlib.sha256(file.read_bytes()).hexdigest()[:32]


# targets


@dataclass(frozen=True)
class Target:
    """What the command line's TARGET means."""

    kind: Literal["notebook", "project"]
    pipeline_name: str | None
    """Always set for a project; for a notebook only if the user named one."""
    project: Project | None = None
    """Set for a project; the project of a notebook is for export to find or to make."""
    notebook: Path | None = None
    """Absolute path of the notebook."""


def is_notebook(target: str | Path) -> bool:
    """Whether a target is a notebook, by its name: a notebook file, or a Python file with cells."""
    return Path(target).suffix in (".ipynb", ".py")


def resolve_target(target: str, pipeline: str | None = None, cwd: str | Path = ".") -> Target:
    """A notebook, a project folder with a pipeline, or a pipeline of the project around `cwd`.

    The pipeline may be left out if the project has exactly one. Raises `UsageError` that lists what
    there is.
    """
    here = Path(cwd).expanduser().resolve()
    path = here / Path(target).expanduser()
    if is_notebook(target):
        if not path.is_file():
            raise UsageError(f"There is no notebook {target}.", hint=_notebooks(path.parent))
        return Target("notebook", pipeline, notebook=path.resolve())
    if (path / _METADATA).is_file():
        return _project_target(path.resolve(), pipeline)
    around = find_project(here)
    if around is not None and pipeline is None and target in around.pipelines():
        return Target("project", target, around)
    if path.is_dir():
        open_project(path)  # says what is missing
    known = around.pipelines() if around else []
    hint = did_you_mean(target, known)
    if not hint and around is not None:
        hint = f"Pipelines of project '{around.name}': {listed(known)}."
    raise UsageError(
        f"'{target}' is neither a notebook, nor a project folder, nor a pipeline"
        f"{f' of project {around.name!r}' if around else ''}.",
        hint=hint or _notebooks(here),
    )


def _project_target(root: Path, pipeline: str | None) -> Target:
    if pipeline is None and root.parent.name == "pipelines" and not (root / "pipelines").is_dir():
        return Target("project", root.name, open_project(root.parent.parent))
    project = open_project(root)
    names = project.pipelines()
    if pipeline is None:
        if len(names) != 1:
            has = f"{len(names)} pipelines" if names else "no pipelines"
            raise UsageError(
                f"Project '{project.name}' has {has}.",
                hint=f"Name one of them: {listed(names)}." if names else "Export a notebook to it.",
            )
        pipeline = names[0]
    if pipeline not in names:
        hint = did_you_mean(pipeline, names) or f"Pipelines: {listed(names)}."
        raise UsageError(f"Project '{project.name}' has no pipeline '{pipeline}'.", hint=hint)
    return Target("project", pipeline, project)


def _notebooks(folder: Path) -> str:
    found = [path.name for path in folder.glob("*.ipynb")] if folder.is_dir() else []
    return f"Notebooks there: {listed(found)}." if found else ""
