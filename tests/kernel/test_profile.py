"""The one entry in IPython's config, and everybody else's settings."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from jupyter_blocks.errors import UsageError
from jupyter_blocks.kernel.profile import config_path, disable, enable, is_enabled
from tests.kernel.kernels import kernel
from tests.notebooks import notebook

OTHERS = {"InteractiveShellApp": {"extra_extensions": ["other"], "exec_lines": ["x = 1"]}, "B": {}}


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The config file of a user of their own."""
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    return config_path()


def test_enable_twice_and_disable_leave_nothing(path: Path) -> None:
    """Both may be said again; the file is gone where nobody else uses it."""
    assert enable(path)
    assert not enable(path)
    assert is_enabled(path)
    assert disable(path)
    assert not disable(path)
    assert not path.exists()


def test_settings_of_others_stay(path: Path) -> None:
    """Only our entry comes and goes."""
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(OTHERS))
    enable(path)
    now = json.loads(path.read_text())
    assert now["InteractiveShellApp"]["extra_extensions"] == ["other", "jupyter_blocks"]
    disable(path)
    assert json.loads(path.read_text()) == OTHERS


@pytest.mark.parametrize("text", ["{", "[]", '{"InteractiveShellApp": {"extra_extensions": 1}}'])
def test_a_file_that_is_not_understood_is_left_alone(path: Path, text: str) -> None:
    """An error that says why."""
    path.parent.mkdir(parents=True)
    path.write_text(text)
    with pytest.raises(UsageError, match="was left as it is"):
        enable(path)
    assert path.read_text() == text


def test_kernels_load_the_extension(path: Path, tmp_path: Path) -> None:
    """Beside what the user configures in Python."""
    enable(path)
    own = "c = get_config()\nc.InteractiveShellApp.extensions = ['autoreload']\n"
    (path.parent / "ipython_config.py").write_text(own)
    file = notebook(tmp_path, ("loader:a", "a = 1"))
    with kernel(file, load=False) as running:
        assert "never run" in running.run("%blocks").text
        assert running.run("%autoreload 0").status == "ok"
