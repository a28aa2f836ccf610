"""A Dockerfile for the blocks of a project: the worker and what the blocks import, and no more.

Versions are those of the environment the file is written in, so that a block meets the packages it
was written with.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from jupyter_blocks._version import __version__
from jupyter_blocks.executors.outgoing import PROJECT_IN_IMAGE
from jupyter_blocks.freshness import Fingerprints
from jupyter_blocks.project import Project
from jupyter_blocks.requirements import python_version, requirements_of

__all__ = ["WORKER_MODULES", "ImageRecipe", "dockerfile", "recipe"]

WORKER_MODULES = ("cloudpickle", "jinja2", "numpy", "obstore", "pandas", "pyarrow", "yaml")
"""What a worker imports, all in all; Jupyter is not among it."""
_FALLBACK = {"obstore": "0.12"}


@dataclass(frozen=True)
class ImageRecipe:
    """What goes into an image."""

    python: str
    """Version, such as `3.12`."""
    worker: Mapping[str, str]
    """Distribution -> version of what the worker needs."""
    blocks: Mapping[str, str] = field(default_factory=dict)
    """Distribution -> version of what the blocks import besides."""
    wheel: str = ""
    """File name of a wheel of jupyter-blocks beside the Dockerfile; empty: from PyPI."""
    with_code: bool = False
    """Whether the project's code is baked in, for the setting `code: image`."""


def recipe(
    project: Project, pipelines: Iterable[str], *, wheel: str = "", with_code: bool = False
) -> ImageRecipe:
    """The image that the blocks of these pipelines need.

    Raises what reading a pipeline raises (`Project.pipeline`).
    """
    modules: set[str] = set()
    for name in pipelines:
        pipeline = project.pipeline(name)
        modules |= Fingerprints(project.root, pipeline, {}).imported_names(pipeline.blocks)
    worker = {**_FALLBACK, **requirements_of(WORKER_MODULES)}
    blocks = {k: v for k, v in requirements_of(modules).items() if k not in worker}
    return ImageRecipe(python_version(), worker, blocks, wheel, with_code)


def dockerfile(image: ImageRecipe) -> str:
    """The Dockerfile: slim, without root, with one layer for each thing that changes by itself."""
    ours = f"/tmp/{image.wheel}" if image.wheel else f"jupyter-blocks=={__version__}"  # noqa: S108
    parts = [f"FROM python:{image.python}-slim\n", _install("What a worker needs.", image.worker)]
    if image.blocks:
        parts.append(_install("What the blocks import.", image.blocks))
    if image.wheel:
        parts.append(f"COPY {image.wheel} /tmp/\n")
    parts.append(_WORKER.format(ours=ours))
    if image.with_code:
        parts.append(f"COPY --chown=blocks . {PROJECT_IN_IMAGE}\n")
    parts.append('CMD ["python", "-m", "jupyter_blocks.worker"]\n')
    return "\n".join(parts)


_WORKER = """\
# Jupyter itself is not needed to run blocks.
RUN pip install --no-cache-dir --no-deps {ours}

RUN useradd --create-home blocks
USER blocks
WORKDIR /home/blocks
ENV MPLBACKEND=agg PYTHONUNBUFFERED=1
"""


def _install(comment: str, packages: Mapping[str, str]) -> str:
    pinned = [f"{name}=={version}" for name, version in packages.items()]
    lines = textwrap.indent(" \\\n".join(pinned), "    ")
    return f"# {comment}\nRUN pip install --no-cache-dir \\\n{lines}\n"
