"""A user's exception is told in their own lines: those of the notebook, and of the block file."""

from __future__ import annotations

import json
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jupyter_blocks.blockfile import Passage, compose
from jupyter_blocks.errors import UnstorableError
from jupyter_blocks.tracebacks import describe, exception_text


def run(path: Path, *, call: str = "f") -> BaseException:
    """Run a file and a function of it; gives what it raises."""
    namespace: dict[str, Any] = {}
    try:
        exec(compile(path.read_bytes(), str(path), "exec"), namespace)
        namespace[call]()
    except BaseException as error:
        first = error.__traceback__
        return error.with_traceback(first.tb_next if first else None)
    raise AssertionError("nothing was raised")


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write a file of the project."""

    def write_file(text: str, name: str = "custom/block.py") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), "utf-8")
        return path

    return write_file


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    """A block file exported from the second cell of a notebook, which lies beside the project."""
    text = compose(
        [
            Passage("import json\n\n@custom\ndef f():".replace("@custom\n", "")),
            Passage("    flights = {}\n    return flights['delay']", "abc123", 2),
        ],
        pipeline="flights",
        notebook="../flights.ipynb",
        block="clean",
    )
    path = tmp_path / "project/custom/clean.py"
    path.parent.mkdir(parents=True)
    path.write_text(text, "utf-8")
    cells = [{"id": "first"}, {"id": "abc123"}]
    (tmp_path / "flights.ipynb").write_text(json.dumps({"cells": cells}), "utf-8")
    return path


def test_a_frame_of_an_exported_file_shows_notebook_and_file(
    exported: Path, tmp_path: Path
) -> None:
    """Cell and line where the user wrote it, file and line where it ran, and the line itself."""
    described = describe(run(exported), project=tmp_path / "project")
    line = exported.read_text("utf-8").splitlines().index("    return flights['delay']") + 1
    assert described == {
        "type": "KeyError",
        "message": "'delay'",
        "traceback": (
            "Traceback (most recent call last):\n"
            f"  flights.ipynb, cell 2, line 3 (custom/clean.py, line {line}), in f\n"
            "    return flights['delay']\n"
            "KeyError: 'delay'"
        ),
        "file": "custom/clean.py",
        "line": line,
        "notebook": "flights.ipynb",
        "cell": 2,
        "cell_id": "abc123",
        "cell_line": 3,
    }


@pytest.mark.parametrize("notebook", [None, "no JSON", '{"cells": [{"id": "other"}]}'])
def test_without_the_notebook_the_cell_goes_by_its_id(
    exported: Path, tmp_path: Path, notebook: str | None
) -> None:
    """A worker elsewhere has the block file and not the notebook."""
    (tmp_path / "flights.ipynb").unlink()
    if notebook is not None:
        (tmp_path / "flights.ipynb").write_text(notebook, "utf-8")
    described = describe(run(exported), project=tmp_path / "project")
    assert described["cell"] is None
    assert "flights.ipynb, cell abc123, line 3 (" in described["traceback"]


def test_cells_without_ids_go_by_their_number(tmp_path: Path) -> None:
    """Older notebooks have no ids."""
    text = compose(
        [Passage("def f():"), Passage("    1 / 0", "#7", 1)], pipeline="p", notebook="n.ipynb"
    )
    (tmp_path / "helpers.py").write_text(text, "utf-8")
    described = describe(run(tmp_path / "helpers.py"), project=tmp_path)
    assert (described["cell"], described["cell_id"], described["cell_line"]) == (7, None, 1)


def test_library_frames_are_kept_short(write: Callable[..., Path], tmp_path: Path) -> None:
    """Of the frames of a library only the last one is shown, and how many came before it."""
    path = write(
        """\
        import json

        def f():
            return parse("{")

        def parse(text):
            return json.loads(text)
        """
    )
    lines = describe(run(path), project=tmp_path)["traceback"].splitlines()
    assert lines[:5] == [
        "Traceback (most recent call last):",
        "  custom/block.py, line 4, in f",
        '    return parse("{")',
        "  custom/block.py, line 7, in parse",
        "    return json.loads(text)",
    ]
    assert lines[5] == "  ... 2 frames of json"
    assert lines[6].startswith("  json/decoder.py, line ")
    assert lines[6].endswith(", in raw_decode")


def test_the_place_is_the_last_line_of_user_code(
    write: Callable[..., Path], tmp_path: Path
) -> None:
    """Not the line in the library that raised."""
    path = write("import json\ndef f():\n    json.loads('{')\n")
    described = describe(run(path), project=tmp_path)
    assert (described["file"], described["line"]) == ("custom/block.py", 3)
    assert described["type"] == "json.decoder.JSONDecodeError"


def test_modules_of_the_user_outside_the_project_are_shown(
    write: Callable[..., Path], tmp_path: Path
) -> None:
    """They are user code as well, by their full path."""
    tools = write("def g():\n    raise ValueError('no')\n", "elsewhere/jb_tools_of_mine.py")
    path = write(
        f"import sys\nsys.path.insert(0, {str(tools.parent)!r})\n"
        "from jb_tools_of_mine import g\ndef f():\n    g()\n",
        "project/custom/block.py",
    )
    before = list(sys.path)
    try:
        described = describe(run(path), project=tmp_path / "project")
    finally:
        sys.path[:] = before
    assert described["file"] == str(tools)
    assert f"  {tools}, line 2, in g\n    raise ValueError('no')" in described["traceback"]


def test_libraries_installed_inside_the_project_are_libraries(tmp_path: Path) -> None:
    """An environment often lies in the project folder."""
    place = tmp_path / "custom/block.py"
    place.parent.mkdir(parents=True)
    place.write_text("import yaml\ndef f():\n    yaml.safe_load('a: [')\n", "utf-8")
    library = Path(pytest.__file__).parent.parent
    described = describe(run(place), project=library.parent.parent.parent.parent)
    assert described["file"] == str(place)
    assert "yaml/" in described["traceback"]


CHAINED = """\
    def f():
        try:
            {}['inner']
        except KeyError as error:
            raise ValueError('outer') %s
    """


@pytest.mark.parametrize(
    ("ending", "sentence"),
    [
        ("from error", "was the direct cause of the following exception"),
        ("", "While the exception above was handled, another one occurred"),
        ("from None", None),
    ],
)
def test_chained_exceptions_are_told_from_the_first(
    write: Callable[..., Path], tmp_path: Path, ending: str, sentence: str | None
) -> None:
    """The cause first, unless the user hides it."""
    text = describe(run(write(CHAINED % ending)), project=tmp_path)["traceback"]
    assert text.endswith("ValueError: outer")
    assert ("KeyError: 'inner'" in text) == (sentence is not None)
    if sentence:
        before, after = text.split(sentence)
        assert "line 3, in f" in before
        assert "line 5, in f" in after


def test_what_a_library_raises_twice_is_told_once(
    write: Callable[..., Path], tmp_path: Path
) -> None:
    """Pandas turns the KeyError of its compiled index into one of its own."""
    path = write("import pandas\ndef f():\n    pandas.DataFrame({'a': [1]})['nope']\n")
    described = describe(run(path), project=tmp_path)
    assert described["traceback"].count("KeyError: 'nope'") == 1
    assert ".pyx" not in described["traceback"]
    assert described["file"] == "custom/block.py"


def test_the_members_of_a_group_are_told(write: Callable[..., Path], tmp_path: Path) -> None:
    """Each with its own lines; the place is the one that raised the group."""
    path = write(
        """\
        def raising(error):
            try:
                raise error
            except Exception as caught:
                return caught

        def f():
            raise ExceptionGroup('two', [raising(KeyError('a')), raising(ValueError('b'))])
        """
    )
    described = describe(run(path), project=tmp_path)
    text = described["traceback"]
    assert described["line"] == 8
    assert "ExceptionGroup: two (2 sub-exceptions)" in text
    assert "  --- 1 of 2 ---" in text
    assert "  KeyError: 'a'" in text
    assert "  ValueError: b" in text


def test_a_syntax_error_is_told_with_its_line(exported: Path, tmp_path: Path) -> None:
    """In a block file the notebook's line is named too."""
    text = exported.read_text("utf-8").replace("flights = {}", "flights = (")
    exported.write_text(text, "utf-8")
    described = describe(run(exported), project=tmp_path / "project")
    assert described["type"] == "SyntaxError"
    assert described["message"] == "'(' was never closed"
    assert (described["cell"], described["cell_line"]) == (2, 2)
    lines = described["traceback"].splitlines()
    assert lines[0].startswith("  flights.ipynb, cell 2, line 2 (custom/clean.py, line ")
    assert lines[1:3] == ["    flights = (", "              ^"]


def test_an_exception_whose_text_fails_is_told(write: Callable[..., Path], tmp_path: Path) -> None:
    """What user code defines may fail when it is asked."""
    path = write(
        """\
        class Odd(Exception):
            def __str__(self):
                raise TypeError('no text')

        def f():
            raise Odd
        """
    )
    described = describe(run(path), project=tmp_path)
    assert described["message"] == "<str() of the exception failed with TypeError>"
    assert described["line"] == 6


def test_notes_are_shown(write: Callable[..., Path], tmp_path: Path) -> None:
    """What was added to an exception belongs to it."""
    path = write("def f():\n    e = ValueError('a')\n    e.add_note('look here')\n    raise e\n")
    text = describe(run(path), project=tmp_path)["traceback"]
    assert text.endswith("ValueError: a\nlook here")


def test_runaway_recursion_stays_readable(write: Callable[..., Path], tmp_path: Path) -> None:
    """A thousand frames alike are not shown."""
    text = describe(run(write("def f():\n    f()\n")), project=tmp_path)["traceback"]
    assert len(text.splitlines()) < 80
    assert "  ... 9" in text


def test_an_exception_without_user_code_has_the_place_it_is_given(tmp_path: Path) -> None:
    """Such as a function that was called with the wrong arguments."""
    where = (str(tmp_path / "custom/block.py"), 4)
    described = describe(TypeError("f() takes 1"), project=tmp_path, where=where)
    assert (described["file"], described["line"]) == ("custom/block.py", 4)
    assert described["traceback"] == "TypeError: f() takes 1"


def test_without_any_place_the_fields_are_empty(tmp_path: Path) -> None:
    """All keys are there all the same."""
    described = describe(TypeError("x"), project=tmp_path)
    assert described["file"] is described["line"] is described["cell"] is None


def test_errors_of_this_package_hide_what_led_to_them(tmp_path: Path) -> None:
    """They say everything, and what is below them is of no use to the user."""
    try:
        try:
            raise OSError("low level")
        except OSError as error:
            raise UnstorableError("high level") from error
    except UnstorableError as error:
        described = describe(error, project=tmp_path)
    assert described["traceback"].endswith("UnstorableError: high level")
    assert "low level" not in described["traceback"]
    assert described["type"] == "UnstorableError"


def test_hints_are_added_to_message_and_traceback(tmp_path: Path) -> None:
    """So that nobody misses them."""
    described = describe(ValueError("a"), project=tmp_path, hint="Do b.")
    assert described["message"] == "a\nDo b."
    assert described["traceback"] == "ValueError: a\nDo b."


def test_huge_messages_are_shortened(tmp_path: Path) -> None:
    """Some libraries put whole tables into theirs."""
    described = describe(ValueError("x" * 1_000_000), project=tmp_path)
    assert len(described["message"]) < 9_000
    assert len(described["traceback"]) < 70_000
    assert "characters left out" in described["message"]


def test_a_cycle_of_causes_ends(tmp_path: Path) -> None:
    """Exceptions can be made to cause each other."""
    first, second = ValueError("first"), ValueError("second")
    first.__cause__, second.__cause__ = second, first
    assert describe(first, project=tmp_path)["traceback"].count("ValueError: first") == 1


def test_the_text_of_an_exception_is_its_str() -> None:
    """Without surprises."""
    assert exception_text(KeyError("a")) == "'a'"
    assert exception_text(ValueError()) == ""
