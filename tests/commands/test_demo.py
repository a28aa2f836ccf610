"""`jupyter blocks init` and `demo`."""

from __future__ import annotations

from pathlib import Path

import pytest

from jupyter_blocks import demo
from tests.commandline import blocks


@pytest.fixture(autouse=True)
def sample(monkeypatch: pytest.MonkeyPatch) -> None:
    """The small sample, whether or not the whole year is installed."""
    monkeypatch.setattr(demo, "installed_data", lambda: None)


def test_init(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A project, and what to do with it."""
    answer = blocks(capsys, "init", tmp_path / "flights")
    assert answer.code == 0
    assert "Created" in answer.out
    assert "jupyter-blocks[demo]" in answer.out
    assert f"jupyter blocks run {tmp_path}/flights/flights.ipynb" in answer.out
    assert (tmp_path / "flights" / "flights.ipynb").is_file()


def test_init_twice(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is overwritten."""
    assert blocks(capsys, "init", tmp_path / "flights").code == 0
    answer = blocks(capsys, "init", tmp_path / "flights")
    assert answer.code == 2
    assert "nothing was changed" in answer.err


def test_demo(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Creates, exports, runs, and shows a table of blocks and a result; twice if need be."""
    folder = tmp_path / "flights"
    for first_line in (f"Created {folder}", f"Using {folder}."):
        answer = blocks(capsys, "demo", folder)
        assert answer.code == 0, answer.err
        assert answer.out.startswith(first_line)
        assert "Exported flights.ipynb: 11 blocks" in answer.out
        assert "flights succeeded in" in answer.out
        assert "by_carrier  delay_by_carrier" in answer.out
        assert "airline" in answer.out
        assert "Try:" in answer.out
    assert (folder / "out" / "flights.db").is_file()
