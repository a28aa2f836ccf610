"""A block file is looked into without running it, and what is wrong is said with its line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from jupyter_blocks.block import BLOCK_TYPES, Binding, Block, Source
from jupyter_blocks.blockcheck import check_block_file
from jupyter_blocks.errors import Problem

TWO = ("load", "weather")


def check(
    root: Path,
    text: str,
    upstream: tuple[str, ...] = (),
    kind: str = "transformer",
    binding: Binding | None = None,
) -> list[Problem]:
    """The problems of a block whose file holds `text`."""
    (root / "block.py").write_text(text, "utf-8")
    block = Block("clean", BLOCK_TYPES[kind], upstream, file="block.py", binding=binding)
    return check_block_file(root, block)


GOOD: list[tuple[str, int, str]] = [
    ("@transformer\ndef f(a, b, **kwargs): ...", 2, "transformer"),
    ("@transformer\ndef f(a, *args, **kwargs): ...", 2, "transformer"),
    ("@transformer\ndef f(*args): ...", 0, "transformer"),
    ("@transformer\ndef f(a, /, b, *, month=1): ...", 2, "transformer"),
    ("@transformer\nasync def f(a): ...", 1, "transformer"),
    ("@transformer()\ndef f(a): ...", 1, "transformer"),
    ("import jupyter_blocks.decorators as d\n@d.transformer\ndef f(a): ...", 1, "transformer"),
    ("from mage_ai.x import transformer as t\n@t\ndef f(a): ...", 1, "transformer"),
    ("from jupyter_blocks.decorators import loader\n@loader\ndef f(): ...", 0, "data_loader"),
    ("if 1:\n    @exporter\n    def f(a): ...", 1, "data_exporter"),
    ("try:\n  import x\nexcept E:\n  @custom\n  def f(): ...", 0, "custom"),
    ("def g(): ...\nf = custom(g)", 0, "custom"),
    ("from shared.blocks import *", 0, "custom"),
    ("if 'custom' not in globals():\n    from m import custom\n@custom\ndef f(): ...", 0, "custom"),
    ("@sensor\ndef f(*args, **kwargs): ...", 2, "sensor"),
    ("@sensor\ndef f(): ...", 2, "sensor"),
    ("@sensor\ndef f(path='x'): ...", 0, "sensor"),
    ("@wrapped\n@transformer\n@other(1)\ndef f(a): ...", 1, "transformer"),
    ("x = '\\d'\n@custom\ndef f(): ...", 0, "custom"),
]


@pytest.mark.parametrize(("text", "count", "kind"), GOOD)
def test_a_good_file_has_no_problems(tmp_path: Path, text: str, count: int, kind: str) -> None:
    """However the decorator got there, and whatever Mage would have called."""
    upstream = tuple(f"up{number}" for number in range(count))
    assert check(tmp_path, text, upstream, kind) == []


BAD: list[tuple[str, tuple[str, ...], str, int | None, str]] = [
    ("x = 1\ndef f(:\n", (), "syntax-error", 2, "is not valid Python: .*: def f"),
    ("x = '\n", (), "syntax-error", 1, "unterminated string"),
    ("def f(): ...", (), "missing-decorator", 1, "no function decorated with @transformer"),
    ("", (), "missing-decorator", None, "Put @transformer above"),
    (
        "\n@data_loader\ndef g(): ...",
        (),
        "missing-decorator",
        3,
        "is a transformer, but its function 'g' is decorated with @data_loader",
    ),
    (
        "@transformer\ndef f(a): ...",
        TWO,
        "argument-count",
        2,
        r"takes 1 positional argument \(a\), but the block has 2 upstream blocks \(load, weather\)",
    ),
    ("@transformer\ndef f(a, b): ...", ("load",), "argument-count", 2, "but the block has 1 upstr"),
    ("@transformer\ndef f(a): ...", (), "argument-count", 2, "has no upstream blocks"),
    ("@transformer\ndef f(): ...", ("x",), "argument-count", 2, "no positional arguments, but"),
    ("@transformer\ndef f(a, limit=1): ...", ("x",), "argument-count", 2, r"2 .* \(a, limit\)"),
    ("@transformer\ndef f(a, b, *args): ...", ("x",), "argument-count", 2, "at least 2 positional"),
]


@pytest.mark.parametrize(("text", "upstream", "code", "line", "says"), BAD)
def test_a_mistake_is_said_with_its_line(
    tmp_path: Path, text: str, upstream: tuple[str, ...], code: str, line: int | None, says: str
) -> None:
    """Both counts are named, and the decorator that is missing."""
    (problem,) = check(tmp_path, text, upstream)
    assert (problem.code, problem.line, problem.path) == (code, line, "block.py")
    assert problem.block == "clean"
    assert re.search(says, str(problem))


def test_a_second_function_is_a_warning(tmp_path: Path) -> None:
    """Mage calls only the first one, and says nothing."""
    text = "@transformer\ndef f(): ...\n@transformer\ndef g(): ...\n"
    (problem,) = check(tmp_path, text)
    assert (problem.severity, problem.line) == ("warning", 4)
    assert "only the first one, 'f', is called" in problem.message


def test_a_sensor_that_wants_inputs_by_name_is_said(tmp_path: Path) -> None:
    """Mage gives a sensor nothing that it does not ask for with *args or **kwargs."""
    (problem,) = check(tmp_path, "@sensor\ndef f(path): ...", ("a",), "sensor")
    assert "requires path" in problem.message


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("@transformer\ndef f(df, *, month): ...", None),
        ("@transformer\ndef f(df, **kwargs): ...", None),
        ("@transformer\ndef f(df, other): ...", "requires 'other', which is not given"),
        ("@transformer\ndef f(df, *, year): ...", "requires 'year', which is not given"),
        ("@transformer\ndef f(*, month): ...", "does not take 'df', which is an input"),
    ],
)
def test_the_function_of_an_exported_block_takes_what_it_is_given(
    tmp_path: Path, text: str, says: str | None
) -> None:
    """Inputs and parameters go by name."""
    binding = Binding({"df": Source("load", "df")}, ("month",), ("out",))
    problems = check(tmp_path, text, ("load",), binding=binding)
    assert [says is not None and says in problem.message for problem in problems] == (
        [True] if says else []
    )


def test_the_text_in_metadata_is_checked_like_a_file(tmp_path: Path) -> None:
    """`content` beats the file."""
    block = Block("clean", BLOCK_TYPES["custom"], content="def f(:")
    (problem,) = check_block_file(tmp_path, block)
    assert problem.code == "syntax-error"


@pytest.mark.parametrize("data", [b"x = 1\0", b"\xff\xfe\xfa", b"(" * 3000])
def test_a_file_that_is_no_text_is_said(tmp_path: Path, data: bytes) -> None:
    """Never a traceback of ours."""
    (tmp_path / "block.py").write_bytes(data)
    block = Block("clean", BLOCK_TYPES["custom"], file="block.py")
    (problem,) = check_block_file(tmp_path, block)
    assert problem.code == "syntax-error"


def test_condition_and_callback_files_are_checked_too(tmp_path: Path) -> None:
    """Each must hold a function with its own decorator; the older names are known."""
    files = {
        "block.py": "@custom\ndef f(): ...",
        "c1.py": "@condition\ndef f(*args): ...",
        "c2.py": "def f(): ...",
        "k1.py": "@on_failure\ndef f(**kwargs): ...",
        "k2.py": "@callback('cancelled')\ndef f(",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text, "utf-8")
    block = Block(
        "clean",
        BLOCK_TYPES["custom"],
        file="block.py",
        conditions=("c1.py", "c2.py"),
        callbacks=("k1.py", "k2.py", "k3.py"),
    )
    problems = check_block_file(tmp_path, block)
    assert [(problem.path, problem.code) for problem in problems] == [
        ("c2.py", "missing-decorator"),
        ("k2.py", "syntax-error"),
        ("k3.py", "missing-file"),
    ]
