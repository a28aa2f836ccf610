"""`jupyter blocks kernel`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.commandline import blocks


@pytest.fixture(autouse=True)
def ipython_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user of their own."""
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))


def test_enable_and_disable(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Says what it is now, and that it counts for new kernels."""
    enabled = blocks(capsys, "kernel", "enable")
    assert enabled.code == 0
    assert enabled.out.startswith("Kernels load the extension when they start")
    assert "from now on" in enabled.err
    assert "from now on" not in blocks(capsys, "kernel", "enable").err
    assert blocks(capsys, "kernel", "disable").out.startswith("Kernels do not load")
    assert not (tmp_path / "profile_default" / "ipython_kernel_config.json").exists()


def test_json_and_profiles(capsys: pytest.CaptureFixture[str]) -> None:
    """Each profile has a file of its own."""
    document = blocks(capsys, "kernel", "enable", "--profile", "work", "--json").document
    assert (document["enabled"], document["changed"]) == (True, True)
    assert "profile_work" in document["path"]
    assert not blocks(capsys, "kernel", "status", "--json").document["enabled"]


def test_a_broken_file_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2, and the file as it was."""
    path = tmp_path / "profile_default" / "ipython_kernel_config.json"
    path.parent.mkdir()
    path.write_text("{")
    answer = blocks(capsys, "kernel", "enable")
    assert answer.code == 2
    assert "was left as it is" in answer.err
    assert path.read_text() == "{"
