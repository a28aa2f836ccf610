"""Block files read like the notebook: text kept, imports on top, arguments and returns added."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_blocks.binding import analyze_notebook
from jupyter_blocks.blockfile import parse_header
from jupyter_blocks.celltext import passages
from jupyter_blocks.codegen import block_text, helpers_text
from jupyter_blocks.notebook import parse_notebook
from tests.notebooks import Source, notebook_document


def generated(*cells: Source, **options: Any) -> dict[str, str]:
    """Block -> text of its file without the header; the helpers under the name `helpers`."""
    document = json.dumps(notebook_document(*cells, **options)).encode()
    pipeline = analyze_notebook(parse_notebook(document, Path("demo.ipynb")))
    assert pipeline.is_valid, pipeline.problems
    texts = {
        block.name: block_text(block, pipeline=pipeline.name, notebook="demo.ipynb")
        for block in pipeline.blocks
    }
    if pipeline.helpers:
        texts["helpers"] = helpers_text(
            pipeline.helpers, pipeline=pipeline.name, notebook="demo.ipynb"
        )
    for name, text in texts.items():
        compile(text, name, "exec")
        assert parse_header(text) is not None
    return {name: without_header(text) for name, text in texts.items()}


def without_header(text: str) -> str:
    lines = text.split("\n")
    while lines[0].startswith("#"):
        del lines[0]
    return "\n".join(lines)


def test_a_plain_block_file() -> None:
    """Imports as written, shared names, one decorated function around the text of the cell."""
    texts = generated(
        ("imports", "import math\n\nimport json  # fast enough"),
        ("parameters", "month = 1"),
        ("functions", "LIMIT = 2\n\ndef first(xs):\n    return xs[:LIMIT]"),
        ("loader:rows", "rows = [1, 2, 3]\nnames = ['a']"),
        (
            "transformer:join",
            """
            # Take a few.
            few = first(rows)

            few = [  # as text
              json.dumps((name, month))
                for name in names
            ]
            """,
        ),
        ("exporter:save", "print(few, rows, names)"),
    )
    assert texts["join"] == (
        "from jupyter_blocks.decorators import transformer\n"
        "\n"
        "import math\n"
        "\n"
        "import json\n"
        "\n"
        "from helpers.demo import first\n"
        "\n"
        "\n"
        "@transformer\n"
        "def join(rows, names, *, month):\n"
        "    # Take a few.\n"
        "    few = first(rows)\n"
        "\n"
        "    few = [  # as text\n"
        "      json.dumps((name, month))\n"
        "        for name in names\n"
        "    ]\n"
        "    return few\n"
    )
    assert '    return {"rows": rows, "names": names}\n' in texts["rows"]
    assert "return" not in texts["save"]
    assert texts["helpers"] == (
        "import math\n\nimport json\n\n\nLIMIT = 2\n\ndef first(xs):\n    return xs[:LIMIT]\n"
    )


def test_a_decorated_block_file_is_the_cell_as_it_is() -> None:
    """Only its imports move to the top with the others."""
    cell = "@transformer\ndef f(x):\n    return x  # as is\n\n\n@test\ndef ok(out):\n    assert out"
    texts = generated(
        ("imports", "import os"), ("loader", "x = 1"), ("", f"import json\n\n\n{cell}")
    )
    assert texts["f"] == (
        "from jupyter_blocks.decorators import test, transformer\n"
        f"\nimport os\nimport json\n\n\n{cell}\n"
    )


def test_the_last_expression_becomes_the_return_value() -> None:
    """In its place, without a semicolon; else a return is added behind it."""
    texts = generated(
        ("loader:a", "x = [1]; x;  # shown"),
        ("loader:b", "y = [2]; (\n    y\n)  # shown"),
        ("loader:c", "z = 3\nz\n# the end"),
        ("sensor:s", "len([1]) > 0 ;"),
        ("exporter:d", "print(x, y)"),
    )
    body = {name: text.split("():\n")[1] for name, text in texts.items() if "():\n" in text}
    assert body == {
        "a": "    x = [1]; x;  # shown\n    return x\n",
        "b": "    y = [2]; return (\n        y\n    )  # shown\n",
        "c": "    z = 3\n    return z\n    # the end\n",
        "s": "    return len([1]) > 0\n",
    }


def test_lines_that_moved_leave_no_trace_in_the_body() -> None:
    """Imports and functions go with the comments above them; other comments and lines stay."""
    texts = generated(
        (
            "loader:a",
            """
            # Libraries
            import os

            # How much.
            def much(x):
                return x

            # The work.
            x = much(1)
            import json; y = 2  # two


            def more(x):
                return x
            z = 3
            """,
        ),
    )
    assert texts["a"].split("():\n")[1] == (
        "    # Libraries\n"
        "\n"
        "    # The work.\n"
        "    x = much(1)\n"
        "    y = 2  # two\n"
        "\n"
        "    z = 3\n"
        "    return z\n"
    )
    assert texts["helpers"] == (
        "import os\nimport json\n\n\n# How much.\ndef much(x):\n    return x\n\n\n"
        "def more(x):\n    return x\n"
    )


def test_names_that_the_body_binds_again_come_in_as_defaults() -> None:
    """A local name hides the module's for the whole function, which a notebook does not know."""
    texts = generated(("loader:a", "sum = sum([1])"), ("loader:b", "n = len([])\nlen = n"))
    assert "def a(*, sum=sum):" in texts["a"]
    assert "def b(*, len=len):" in texts["b"]


def test_the_function_steps_aside_for_names_the_code_uses() -> None:
    """The name of the block stays; the function gets another one."""
    texts = generated(
        ("loader:print", "x = 1"),
        ("loader:json", "import json\ny = json.dumps(1)"),
        ("loader:class", "z = 1"),
        ("transformer:x", "x + 1"),
    )
    assert "def print_block():" in texts["print"]
    assert "def json_block():" in texts["json"]
    assert "def class_block():" in texts["class"]
    assert "def x(x):" in texts["x"]


def test_decorators_step_aside_for_the_notebooks_own_names() -> None:
    """A function called `transformer` in the notebook is that function in the block."""
    texts = generated(
        ("functions", "def transformer(x):\n    return x"), ("transformer:a", "y = transformer(1)")
    )
    assert "import jupyter_blocks.decorators\n" in texts["a"]
    assert "@jupyter_blocks.decorators.transformer\ndef a():" in texts["a"]


def test_what_is_imported_already_is_not_imported_again() -> None:
    """A notebook that imports our decorators keeps its own line."""
    texts = generated(
        ("imports", "from jupyter_blocks.decorators import data_loader"), ("loader:a", "x = 1")
    )
    assert texts["a"].count("import") == 1


def test_settings_load_in_every_block() -> None:
    """Each block sets the options of the cells above anew: others may have run in between."""
    texts = generated(
        ("imports", "import warnings\nwarnings.filterwarnings('ignore')"),
        ("loader:a", "x = 1"),
        ("functions", "def f(x):\n    return x"),
        ("exporter:b", "print(f(x))"),
    )
    for name in ("a", "b"):
        assert "import warnings\n\n" in texts[name]
        assert "\n\nwarnings.filterwarnings('ignore')\n\n\n@" in texts[name]
    assert "from helpers.demo import f\n" in texts["b"]
    assert "filterwarnings" not in texts["helpers"]


def test_a_parameter_that_is_read_as_a_global_has_one() -> None:
    """The worker sets such constants; the file works without it as well."""
    texts = generated(
        ("parameters", "rate = 2"),
        ("functions", "def f(x):\n    return x * rate"),
        ("", "@loader\ndef a():\n    return rate"),
        ("loader:b", "y = f(1)"),
        ("test:b", "assert y == rate"),
    )
    assert "rate = 2  # parameter\n" in texts["a"]
    assert "rate = 2  # parameter\n" in texts["b"]
    assert "rate = 2  # parameter\n" in texts["helpers"]
    assert "@test\ndef test_b(y):\n    assert y == rate\n" in texts["b"]


def test_long_lists_of_names_are_broken_into_lines() -> None:
    """Signatures, imports and returns stay readable."""
    names = [f"a_rather_long_name_{number}" for number in range(6)]
    values = "\n".join(f"{name} = 1" for name in names)
    functions = "\n".join(f"def use_{name}(x):\n    return x" for name in names)
    uses = "\n".join(f"use_{name}({name})" for name in names)
    texts = generated(("loader:a", values), ("functions", functions), ("transformer:b", uses))
    assert "def b(\n    a_rather_long_name_0,\n" in texts["b"]
    assert "from helpers.demo import (\n    use_a_rather_long_name_0,\n" in texts["b"]
    assert '    return {\n        "a_rather_long_name_0": a_rather_long_name_0,\n' in texts["a"]


def test_imports_are_in_the_order_that_the_cells_saw() -> None:
    """Where two cells import one name, the last one before the block wins in its file."""
    texts = generated(
        ("loader:a", "import datetime\nx = datetime.date.min"),
        ("loader:b", "from datetime import datetime\ny = datetime.min"),
    )
    first, second = "import datetime\n", "from datetime import datetime\n"
    assert texts["a"].index(second) < texts["a"].index(f"\n{first}")
    assert texts["b"].index(f"\n{first}") < texts["b"].index(second)


def test_star_imports_are_written_out() -> None:
    """Only the names that the notebook uses."""
    texts = generated(("imports", "from math import *"), ("loader:a", "x = floor(pi)"))
    assert "from math import floor, pi\n" in texts["a"]


def test_imports_of_a_cell_that_is_left_out_go_where_they_are_needed() -> None:
    """And nowhere else."""
    texts = generated(
        ("", "import json\nprint(json)"), ("loader:a", "x = json"), ("loader:b", "y = 1")
    )
    assert "import json" in texts["a"]
    assert "import json" not in texts["b"]


@pytest.mark.parametrize("source", ["", "# nothing", "\n\n# nothing\n\n"])
def test_a_cell_without_code_is_a_block_that_does_nothing(source: str) -> None:
    """Its comments stay."""
    text = generated(("custom:a", source))["a"]
    assert text.endswith("    pass\n")


TEXTS = st.text(st.sampled_from("ab \t\n\\{}'\f#"), max_size=30)


@given(TEXTS, TEXTS, st.sampled_from(["", "r", "b"]), st.sampled_from(['"""', "'''"]))
def test_strings_keep_their_value_under_indentation(
    one: str, other: str, prefix: str, quotes: str
) -> None:
    """Whatever lines, backslashes and quotes they hold."""
    source = f"x = [{prefix}{quotes}{one}{quotes},\n  {prefix}{quotes}{other}{quotes}]\ny = 1"
    expected: dict[str, Any] = {}
    try:
        exec(compile(source, "cell", "exec"), expected)
    except (SyntaxError, ValueError, SyntaxWarning, DeprecationWarning):
        return
    body = "\n".join(part.text for part in passages("c", source.split("\n"), indent="    "))
    found: dict[str, Any] = {}
    exec(f"def f():\n{body}\n    return x", found)
    assert found["f"]() == expected["x"]
