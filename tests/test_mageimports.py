"""Block files written for Mage import what they always import, on machines without Mage."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

from jupyter_blocks.mageimports import mage_imports
from tests.workbench import Workbench

LOADER = """\
    from mage_ai.io.file import FileIO
    from mage_ai.settings.repo import get_repo_path
    from os import path
    if 'data_loader' not in globals():
        from mage_ai.data_preparation.decorators import data_loader
    from mage_ai.data_preparation.decorators import test

    @data_loader
    def load_data_from_file(*args, **kwargs):
        return FileIO().load(path.join(get_repo_path(), 'titanic.csv'))

    @test
    def test_output(output, *args) -> None:
        assert output is not None, 'The output is undefined'
        assert list(output.columns) == ['name', 'age']
    """
EXPORTER = """\
    from mage_ai.io.config import ConfigFileLoader
    from mage_ai.io.file import FileIO
    from mage_ai.settings.repo import get_repo_path
    from pandas import DataFrame

    @data_exporter
    def export_data_to_file(df: DataFrame, **kwargs) -> None:
        config = ConfigFileLoader(f'{get_repo_path()}/io_config.yaml', 'default')
        FileIO().export(df, config['FOLDER'] + '/out.' + kwargs['ending'])
    """


@pytest.fixture
def bench(tmp_path: Path) -> Workbench:
    """A project with a file to load and an io_config.yaml."""
    bench = Workbench(tmp_path / "project")
    bench.write("titanic.csv", "name,age\nKarl,22\nMalia,31\n")
    bench.write("io_config.yaml", "default:\n  FOLDER: \"{{ env_var('JB_OUT', 'out') }}\"\n")
    return bench


@pytest.mark.parametrize("ending", ["csv", "parquet", "json", "pq"])
def test_files_are_loaded_and_exported(bench: Workbench, ending: str) -> None:
    """FileIO, get_repo_path, ConfigFileLoader and the decorators."""
    loaded = bench.run(LOADER, "load", "data_loader")
    assert len(bench.value(loaded)) == 2
    report = bench.run(
        EXPORTER, "export", "data_exporter", upstream="load", parameters={"ending": ending}
    )
    assert report["status"] == "succeeded", report["error"]
    assert (bench.root / f"out/out.{ending}").stat().st_size > 0


def test_the_rest_of_mage_is_refused_in_one_sentence(bench: Workbench) -> None:
    """With what there is and what to do."""
    report = bench.run("from mage_ai.io.postgres import Postgres\n")
    assert report["reason"] == "configuration"
    assert report["error"]["message"].startswith("No module named 'mage_ai.io.postgres'")
    assert "install mage-ai" in report["error"]["message"]


def test_an_unknown_format_is_said(bench: Workbench) -> None:
    """With the formats that are known."""
    report = bench.run(
        "from mage_ai.io.file import FileIO\n@custom\ndef f():\n    FileIO().load('a.docx')\n"
    )
    assert "does not know the format 'docx' of a.docx. Known: csv" in report["error"]["message"]


def test_nothing_is_left_after_the_block(bench: Workbench) -> None:
    """Other code of the process still sees that Mage is not installed."""
    bench.run(LOADER, "load", "data_loader")
    assert not [name for name in sys.modules if name.startswith("mage_ai")]
    assert importlib.util.find_spec("mage_ai") is None


def test_an_installed_mage_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it is there it is used, also for what we stand in for."""
    (tmp_path / "mage_ai").mkdir()
    (tmp_path / "mage_ai/__init__.py").write_text("real = True\n", "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    with mage_imports():
        import mage_ai  # type: ignore[import-not-found]

        assert mage_ai.real
        with pytest.raises(ModuleNotFoundError, match=r"No module named 'mage_ai.other'$"):
            import mage_ai.other
    monkeypatch.delitem(sys.modules, "mage_ai")
