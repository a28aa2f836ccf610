"""The pages of the documentation: links lead somewhere, code is code, and no message is missing."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
import yaml

from jupyter_blocks.cellsettings import CellSettings, NotebookSettings
from jupyter_blocks.executors.base import Reason
from jupyter_blocks.run import BlockStatus
from jupyter_blocks.tags import TAGS

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "jupyter_blocks"
PAGES = sorted(
    path
    for path in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"))
    if path.name != "LICENSE.md"
)
LINK = re.compile(r"(?<!!)\[[^\]]+\]\(([^)\s]+)\)|(?:src|srcset)=\"([^\"]+)\"")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)
CODE = re.compile(r"[a-z]+(-[a-z]+)+\Z|(alias|cycle|magic)\Z")
SALES = "city,amount\nLyon,120.0\nParis,80.5\nLyon,30.0\nParis,60.0\nNice,45.0\n"
REPORTING = {"Problem", "add", "error", "problem", "warning", "_problem", "_refusal"}


def page_id(path: Path) -> str:
    """Name of a page in the list of tests."""
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_links_lead_somewhere(page: Path) -> None:
    """Every relative link names a file of the repository, and a heading of it."""
    for link in links(page.read_text("utf-8")):
        target, _, heading = link.partition("#")
        path = (page.parent / target).resolve() if target else page
        assert path.exists(), f"{page.name} links to {link}"
        if heading:
            assert heading in headings(path.read_text("utf-8")), f"{page.name} links to {link}"


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_code_is_code(page: Path) -> None:
    """Python blocks parse, JSON and YAML blocks load."""
    check = {"python": ast.parse, "json": json.loads, "yaml": yaml.safe_load}
    for language, text in FENCE.findall(page.read_text("utf-8")):
        if language in check:
            check[language](text)


def test_every_message_is_explained() -> None:
    """Each problem code of the package is in a table of messages, and each of these is used."""
    explained = {
        code
        for page in ("notebooks.md", "pipelines.md", "running.md")
        for code in explained_codes((ROOT / "docs" / page).read_text("utf-8"))
    }
    assert explained == set(problem_codes())


def test_every_tag_and_setting_is_explained() -> None:
    """What a cell may say is on the page about notebooks."""
    text = (ROOT / "docs" / "notebooks.md").read_text("utf-8")
    words = set(re.findall(r"[\w-]+", " ".join(re.findall(r"`([^`\n]+)`", text))))
    settings = {*CellSettings.__dataclass_fields__, *NotebookSettings.__dataclass_fields__}
    assert {*TAGS, *settings} <= words


def test_every_status_is_explained() -> None:
    """The statuses a finished block can have are on the page about running."""
    text = (ROOT / "docs" / "running.md").read_text("utf-8")
    assert {status for status in BlockStatus if status.is_final} <= set(
        re.findall(r"[A-Z_]+", text)
    )


def test_every_reason_is_explained() -> None:
    """Who writes an executor finds each reason an attempt can end for."""
    text = (ROOT / "docs" / "executors.md").read_text("utf-8")
    assert {f"`{reason.name}`" for reason in Reason} <= set(re.findall(r"`[A-Z_]+`", text))


def test_every_module_is_in_the_architecture() -> None:
    """A newcomer can guess the file from the change they want to make."""
    text = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    named = set(re.findall(r"`([\w/]+(?:\.py|/))`", text))
    modules = {path.name for path in PACKAGE.glob("*.py") if not path.name.startswith("_")}
    families = {f"{path.parent.name}/" for path in PACKAGE.glob("*/__init__.py")}
    families |= {f"{path.parent.name}/" for path in PACKAGE.glob("*/*.py")}
    assert named == modules | families


def test_commands_page_says_what_the_commands_say() -> None:
    """The page is what `scripts/write_commands.py` writes from the commands."""
    script = [sys.executable, str(ROOT / "scripts" / "write_commands.py"), "--check"]
    done = subprocess.run(script, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_example_of_the_readme_runs(tmp_path: Path) -> None:
    """Its cells make the pipeline it shows, with the result and the block file it shows."""
    text = (ROOT / "README.md").read_text("utf-8")
    cells = next(code for language, code in FENCE.findall(text) if "#| block:" in code)
    (tmp_path / "sales.csv").write_text(SALES, "utf-8")
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(cell) for cell in cells.strip().split("\n\n")]
    )
    nbformat.write(notebook, tmp_path / "sales.ipynb")
    ran, shown = (
        subprocess.run(
            [sys.executable, "-m", "jupyter_blocks", *words],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for words in (["run", "sales.ipynb"], ["show", "sales.ipynb", "by_city"])
    )
    assert re.findall(r"^✓  \w+", ran, re.M) == re.findall(r"^✓  \w+", text, re.M)
    assert shown.strip().split("\n\n")[-1] in text
    function = textwrap.dedent(re.findall(r"^  ```python\n(.*?)^  ```$", text, re.M | re.S)[0])
    assert function in (tmp_path / "transformers" / "by_city.py").read_text("utf-8")


def links(text: str) -> Iterator[str]:
    """Links and pictures of a page that point into the repository."""
    for found in LINK.finditer(FENCE.sub("", text)):
        link = found[1] or found[2]
        if "://" not in link and not link.startswith("mailto:"):
            yield link


def headings(text: str) -> set[str]:
    """Anchors of the headings of a page."""
    titles = re.findall(r"^#+ (.+)$", FENCE.sub("", text), re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def explained_codes(text: str) -> Iterator[str]:
    """Codes in the first column of the tables below the heading 'Messages'."""
    for row in re.findall(r"^\| (`.*?) \|", text.partition("\n## Messages\n")[2], re.M):
        yield from re.findall(r"`([^`]+)`", row)


def problem_codes() -> Iterator[str]:
    """Texts in the source that are the code of a `Problem`."""
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "attr", getattr(node.func, "id", ""))
                parts = node.args[:2] if name in REPORTING else []
            elif isinstance(node, ast.Tuple) and "variables" not in path.parts:
                parts = node.elts[:1]
            elif isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "code":
                parts = [node.value]
            elif isinstance(node, ast.Return) and path.name == "tags.py":
                parts = [node.value] if node.value else []
            else:
                continue
            for part in parts:
                if isinstance(part, ast.Constant) and CODE.match(str(part.value)):
                    yield str(part.value)
