"""The Dockerfile for blocks, and that what it leaves out is not needed."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from textwrap import dedent

import pytest

from jupyter_blocks.image import WORKER_MODULES, ImageRecipe, dockerfile, recipe
from jupyter_blocks.requirements import python_version, requirements_of
from tests.commandline import blocks
from tests.projects import block, write_project

SLIM = {
    *("cloudpickle", "jinja2", "markupsafe", "numpy", "obstore", "pandas", "pyarrow", "yaml"),
    *("dateutil", "six", "pytz", "tzdata", "_yaml", "pandas_datetime"),
}
"""Modules of an image without the packages of any block: the worker's, and what those need."""


def test_a_dockerfile_reads_like_one_written_by_hand() -> None:
    """Pinned, slim, without root; what changes most comes last."""
    image = ImageRecipe("3.12", {"numpy": "2.1"}, {"polars": "1.9"}, "blocks-1.whl", with_code=True)
    assert dockerfile(image) == dedent("""\
        FROM python:3.12-slim

        # What a worker needs.
        RUN pip install --no-cache-dir \\
            numpy==2.1

        # What the blocks import.
        RUN pip install --no-cache-dir \\
            polars==1.9

        COPY blocks-1.whl /tmp/

        # Jupyter itself is not needed to run blocks.
        RUN pip install --no-cache-dir --no-deps /tmp/blocks-1.whl

        RUN useradd --create-home blocks
        USER blocks
        WORKDIR /home/blocks
        ENV MPLBACKEND=agg PYTHONUNBUFFERED=1

        COPY --chown=blocks . /home/blocks/project

        CMD ["python", "-m", "jupyter_blocks.worker"]
        """)


def test_what_blocks_and_their_helpers_import_goes_in(tmp_path: Path) -> None:
    """In the version that is installed here; of the pipelines that are asked for."""
    project = write_project(
        tmp_path / "shop",
        [
            block("load", "import pandas\nfrom utils.mine import x\nreturn x"),
            block("fit", "import sklearn.linear_model\nreturn 1", ["load"]),
        ],
    )
    (project.root / "utils").mkdir()
    (project.root / "utils/mine.py").write_text("import scipy.stats\nx = 1\n", "utf-8")
    found = recipe(project, project.pipelines())
    assert found.python == python_version()
    assert found.blocks == {
        "scikit-learn": version("scikit-learn"),
        "scipy": version("scipy"),
    }
    assert found.worker["pandas"] == version("pandas")


def test_the_command_writes_beside_the_project(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file of its own, again and again; never over one that somebody wrote."""
    project = write_project(tmp_path / "shop", [block("load")])
    (project.root / ".blocksignore").write_text("data/\n*.bin\n", "utf-8")
    for _ in range(2):
        answer = blocks(capsys, "image", "--project", project.root)
        assert answer.code == 0
        assert "docker build -f Dockerfile.blocks -t NAME ." in answer.err
    text = (project.root / "Dockerfile.blocks").read_text("utf-8")
    assert "pandas==" in text
    ignored = (project.root / "Dockerfile.blocks.dockerignore").read_text("utf-8").splitlines()
    assert {"**/.*", "**/*.ipynb", "**/data/", "**/*.bin"} <= set(ignored)
    (project.root / "Dockerfile").write_text("FROM scratch\n", "utf-8")
    answer = blocks(
        capsys, "image", "--project", project.root, "--output", project.root / "Dockerfile"
    )
    assert answer.code == 2
    assert "was not written by this command" in answer.err
    assert (project.root / "Dockerfile").read_text("utf-8") == "FROM scratch\n"


def test_a_worker_needs_nothing_but_what_the_image_has(tmp_path: Path) -> None:
    """No Jupyter, no rich, no jsonschema: a task runs where they cannot be imported."""
    from jupyter_blocks.executors.base import BlockTask
    from jupyter_blocks.variables.store import VariableStore

    installed = requirements_of(WORKER_MODULES)
    assert {"cloudpickle", "numpy", "obstore", "pandas", "pyarrow"} <= set(installed)
    project = write_project(
        tmp_path / "shop",
        [
            block(
                "load",
                "import pandas as pd\n"
                "class Mine:\n    pass\n"
                "print('loading')\n"
                "return pd.DataFrame({'a': [1, 2]}), Mine, {1, 2}, 'text'",
            )
        ],
    )
    store = VariableStore(project.variables_root)
    task = BlockTask(
        run_id="run",
        pipeline="pipe",
        block="load",
        type="data_loader",
        attempt_id="a" * 26,
        attempt=1,
        project=str(project.root),
        working_dir=str(project.root),
        file="data_loaders/load.py",
        variables=project.variables_root,
        prefix=store.prefix("pipe", "run", "load", "a" * 26),
    )
    code = dedent(f"""\
        import importlib.abc, json, sys

        sys.path[:0] = {[str(Path(__file__).parent.parent)]!r}
        allowed = {sorted(SLIM)!r}

        class Image(importlib.abc.MetaPathFinder):
            def find_spec(self, name, path=None, target=None):
                top = name.partition(".")[0]
                known = top in sys.stdlib_module_names or top in allowed
                if path is None and not known and not top.startswith("_sysconfigdata"):
                    if top in ("jupyter_blocks", "data_loaders"):
                        return None
                    raise ModuleNotFoundError(f"the image has no {{name}}", name=name)

        sys.meta_path.insert(0, Image())
        from jupyter_blocks.executors.base import BlockTask
        from jupyter_blocks.worker import run_task
        print(json.dumps(run_task(BlockTask.from_json(json.loads(sys.argv[1])))))
    """)
    out = subprocess.run(
        [sys.executable, "-P", "-c", code, json.dumps(task.as_json())],
        capture_output=True,
        text=True,
        check=False,
    )
    assert out.returncode == 0, out.stderr
    report = json.loads(out.stdout)
    assert report["status"] == "succeeded", report["error"]
    assert len(report["outputs"]) == 4


@pytest.mark.skipif(not shutil.which("podman"), reason="podman is not installed")
def test_the_image_is_built_and_runs_a_block(tmp_path: Path) -> None:
    """With podman, where there is one and a registry to take the base image from."""
    project = write_project(tmp_path / "shop", [block("load")])
    root = Path(__file__).parent.parent
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", project.root, root],
        check=True,
    )
    (wheel,) = project.root.glob("*.whl")
    image = recipe(project, project.pipelines(), wheel=wheel.name)
    (project.root / "Dockerfile.blocks").write_text(dockerfile(image), "utf-8")
    build = ["podman", "build", "-q", "-f", "Dockerfile.blocks", "-t", "blocks-test", "."]
    subprocess.run(build, cwd=project.root, check=True)
    words = ["python", "-m", "jupyter_blocks.worker"]
    out = subprocess.run(
        ["podman", "run", "--rm", "blocks-test", *words],
        capture_output=True,
        text=True,
        check=False,
    )
    assert out.returncode == 22, out.stderr
    assert "The task cannot be used" in out.stderr
