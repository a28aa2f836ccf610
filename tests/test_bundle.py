"""The code of a project as one file: the same bytes everywhere, and nothing that is not code."""

from __future__ import annotations

import gzip
import io
import os
import shutil
import subprocess
import sys
import tarfile
from hashlib import sha256
from pathlib import Path

import pytest

from jupyter_blocks.bundle import digest_of, make_bundle, unpack
from jupyter_blocks.errors import ProjectError


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with code, and with what gathers around it."""
    root = tmp_path / "shop"
    for name in (
        "metadata.yaml",
        "pipelines/p/metadata.yaml",
        "transformers/größe.py",
        "utils/helpers.py",
        "sql/query.sql",
        "io_config.yaml",
        "notebook.ipynb",
        ".env",
        ".variables/pipelines/p/x.json",
        ".git/config",
        "utils/__pycache__/helpers.cpython-311.pyc",
        "node_modules/left-pad/index.js",
        "env/pyvenv.cfg",
        "env/lib/site.py",
        "data/big.csv",
        "data/small.csv",
    ):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"# {name}\n", "utf-8")
    return root


def test_code_goes_and_the_rest_stays(project: Path) -> None:
    """Hidden files, notebooks, caches and environments are no code."""
    assert make_bundle(project).files == (
        "data/big.csv",
        "data/small.csv",
        "io_config.yaml",
        "metadata.yaml",
        "pipelines/p/metadata.yaml",
        "sql/query.sql",
        "transformers/größe.py",
        "utils/helpers.py",
    )


@pytest.mark.parametrize(
    ("patterns", "left_out"),
    [
        ("data/", {"data/big.csv", "data/small.csv"}),
        ("data/big.csv", {"data/big.csv"}),
        ("*.csv", {"data/big.csv", "data/small.csv"}),
        ("# data/\n\n  big.*  ", {"data/big.csv"}),
        ("/sql", {"sql/query.sql"}),
        ("sql.py", set()),
    ],
)
def test_a_project_names_what_it_leaves_out(
    project: Path, patterns: str, left_out: set[str]
) -> None:
    """`.blocksignore` is written as .gitignore is."""
    everything = set(make_bundle(project).files)
    (project / ".blocksignore").write_text(patterns, "utf-8")
    assert everything - set(make_bundle(project).files) == left_out


def test_the_same_files_give_the_same_bytes(project: Path, tmp_path: Path) -> None:
    """Times, owners, places and the order of writing do not count; content and modes do."""
    first = make_bundle(project)
    copy = tmp_path / "elsewhere"
    shutil.copytree(project, copy)
    for path in copy.rglob("*"):
        os.utime(path, (1, 1), follow_symlinks=False)
    assert make_bundle(copy).data == first.data
    code = f"from jupyter_blocks.bundle import *; print(make_bundle({str(copy)!r}).sha256)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == first.sha256
    (copy / "utils/helpers.py").chmod(0o755)
    assert make_bundle(copy).sha256 != first.sha256


def test_an_image_is_compared_by_the_same_digest(project: Path) -> None:
    """What is baked into an image has the digest of what would be sent."""
    assert digest_of(project) == make_bundle(project).sha256


def test_a_bundle_is_unpacked_as_it_was(project: Path, tmp_path: Path) -> None:
    """Content and execute bits come back."""
    (project / "utils/helpers.py").chmod(0o755)
    bundle = make_bundle(project)
    folder = tmp_path / "unpacked"
    folder.mkdir()
    unpack(bundle.data, bundle.sha256, folder)
    assert (folder / "transformers/größe.py").read_text("utf-8") == "# transformers/größe.py\n"
    assert os.access(folder / "utils/helpers.py", os.X_OK)
    assert make_bundle(folder).sha256 == bundle.sha256


def test_another_bundle_is_refused(project: Path, tmp_path: Path) -> None:
    """A digest that does not fit is found before anything is written."""
    bundle = make_bundle(project)
    other = gzip.compress(gzip.decompress(bundle.data) + b"\0")
    with pytest.raises(ValueError, match="sha256 of the code"):
        unpack(other, bundle.sha256, tmp_path / "unpacked")
    assert not (tmp_path / "unpacked").exists()


@pytest.mark.parametrize(
    ("name", "kind"),
    [("../out.py", tarfile.REGTYPE), ("/out.py", tarfile.REGTYPE), ("link", tarfile.SYMTYPE)],
)
def test_nothing_is_written_beside_the_folder(tmp_path: Path, name: str, kind: bytes) -> None:
    """Whatever somebody has put into an archive."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        entry = tarfile.TarInfo(name)
        entry.type, entry.linkname = kind, "/etc/hostname"
        tar.addfile(entry, io.BytesIO(b""))
    data = archive.getvalue()
    folder = tmp_path / "in"
    folder.mkdir()
    with pytest.raises(ValueError, match="is no file of a project"):
        unpack(gzip.compress(data), sha256(data).hexdigest(), folder)
    assert not (tmp_path / "out.py").exists()
    assert not list(folder.iterdir())


def test_a_link_is_refused_by_name(project: Path) -> None:
    """What it leads to is not on the other machine."""
    (project / "utils/link.py").symlink_to("/etc/hostname")
    with pytest.raises(ProjectError, match=r"utils/link\.py in project 'shop' is a link"):
        make_bundle(project)
    (project / ".blocksignore").write_text("utils/link.py\n", "utf-8")
    assert "utils/link.py" not in make_bundle(project).files


def test_too_much_is_refused_with_the_largest_files(project: Path) -> None:
    """Who put data beside the code reads what to leave out."""
    (project / "data/big.csv").write_bytes(b"x" * (3 << 20))
    with pytest.raises(ProjectError, match=r"3 MiB.*limit: 2 MiB.*data/big\.csv \(3\.0 MiB\)"):
        make_bundle(project, most_mib=2)
    assert "data/big.csv" not in make_bundle(project, ["data/big.csv"], most_mib=2).files
