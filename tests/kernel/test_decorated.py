"""Decorated functions in a real kernel behave as in a run: conditions, tests, callbacks."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.commandline import shell
from tests.kernel.kernels import kernel
from tests.kernel.test_cells import store_of
from tests.notebooks import notebook

IMPORTS = ("", "from jupyter_blocks import callback, condition, loader, test, transformer")
NUMBERS = ("", "@loader\ndef numbers():\n    return [1, 2, 3]")


def total(body: str = "return sum(numbers)") -> str:
    return f"@transformer\ndef total(numbers):\n    {body}\n\n"


def stored(path: Path) -> set[str]:
    return set(store_of(path).blocks("demo"))


CONDITIONS = [
    ("@condition\ndef enough(numbers):\n    return len(numbers) == 3", ""),
    ("@condition\ndef enough():\n    return False", "Condition 'enough' is false."),
    ("@condition\nasync def enough(numbers):\n    return not numbers", "is false."),
    ("@condition\ndef enough():\n    return 1 / 0", "Condition 'enough' failed: ZeroDivision"),
]


@pytest.mark.parametrize(("code", "said"), CONDITIONS)
def test_conditions_decide_as_in_a_run(tmp_path: Path, code: str, said: str) -> None:
    """A false one, or one that fails, keeps the function from being called; a note says so."""
    path = notebook(tmp_path, IMPORTS, NUMBERS, ("", total() + code))
    with kernel(path) as running:
        running.cell(1)
        running.cell(2)
        answer = running.cell(3)
    assert answer.status == "ok"
    assert said in answer.stderr
    assert answer.result == ("" if said else "6")
    assert stored(path) == ({"numbers"} if said else {"numbers", "total"})
    ran = shell("run", path.name, "--json", cwd=tmp_path).document["blocks"]["total"]["status"]
    assert ran == ("CONDITION_FAILED" if said else "SUCCEEDED")


CALLBACKS = (
    "@callback\ndef good(value):\n    print('good', value)\n\n"
    "@callback('failure')\ndef bad(**kwargs):\n"
    "    print('bad', kwargs['parent_block_uuid'], repr(kwargs['__error']))\n\n"
    "@callback\ndef broken():\n    raise ValueError('mine')"
)


def test_callbacks_are_told_of_success(tmp_path: Path) -> None:
    """With the output; what they raise is told and changes nothing."""
    path = notebook(tmp_path, IMPORTS, NUMBERS, ("", total() + CALLBACKS))
    with kernel(path) as running:
        for number in (1, 2):
            running.cell(number)
        answer = running.cell(3)
    assert answer.status == "ok"
    assert answer.result == "6"
    assert answer.stdout == "good 6\n"
    assert "Callback 'broken' failed; the block is not affected." in answer.stderr
    assert "mine" in answer.stderr
    assert "total" in stored(path)


def test_callbacks_are_told_of_failure(tmp_path: Path) -> None:
    """With the error, which stays the error of the cell; nothing is stored."""
    path = notebook(tmp_path, IMPORTS, NUMBERS, ("", total("return 1 / 0") + CALLBACKS))
    with kernel(path) as running:
        for number in (1, 2):
            running.cell(number)
        answer = running.cell(3)
    assert answer.error.startswith("ZeroDivisionError")
    assert answer.stdout == "bad total ZeroDivisionError('division by zero')\n"
    assert stored(path) == {"numbers"}


def test_all_tests_run_on_values_of_their_own(tmp_path: Path) -> None:
    """The first failure is the error of the cell, the others are named; a test changes nothing."""
    tests = (
        "@test\ndef first(value):\n    value['x'] = 0\n    assert False, 'one'\n\n"
        "@test\nasync def second(value):\n    assert value['x'].sum() == 7, 'two'"
    )
    table = "import pandas as pd\n\n@loader\ndef table():\n    return pd.DataFrame({'x': [1]})\n\n"
    path = notebook(tmp_path, IMPORTS, ("", table + tests))
    with kernel(path) as running:
        running.cell(1)
        answer = running.cell(2)
    assert answer.error == "AssertionError: one"
    assert "Test 'second' failed, too: AssertionError: two" in answer.stderr


def test_tests_of_one_name_all_run(tmp_path: Path) -> None:
    """As in a run, where each of them was marked."""
    tests = "".join(
        f"@test\ndef check(value):\n    assert value > {number}, 'not above {number}'\n\n"
        for number in (2, 0, 1)
    )
    path = notebook(tmp_path, IMPORTS, ("", f"@loader\ndef one():\n    return 1\n\n{tests}"))
    with kernel(path) as running:
        running.cell(1)
        answer = running.cell(2)
        assert answer.error == "AssertionError: not above 2"
        assert answer.stderr.count("failed, too") == 1
        assert "not above 1" in answer.stderr
        answer = running.run("value = one()")
        assert answer.status == "ok"


def test_a_generator_goes_from_block_to_block(tmp_path: Path) -> None:
    """Its tests and callbacks do not use it up; a fresh kernel finds its parts."""
    text = (
        "@loader\ndef parts():\n    for n in range(3):\n        yield {'n': n}\n\n"
        "@test\ndef three(given):\n    assert len(list(given)) == 3\n\n"
        "@test\ndef again(given):\n    assert len(list(given)) == 3\n\n"
        "@callback('success')\ndef tell(given):\n    print(len(list(given)), 'told')"
    )
    reader = "@transformer\ndef total(parts):\n    return sum(part['n'] for part in parts)"
    path = notebook(tmp_path, IMPORTS, ("", text), ("", reader))
    with kernel(path) as running:
        running.cell(1)
        answer = running.cell(2)
        assert (answer.status, answer.stdout, answer.stderr) == ("ok", "3 told\n", "")
        assert running.cell(3).result == "3"
    with kernel(path) as running:
        running.cell(1)
        answer = running.cell(3)
        assert (answer.result, answer.stderr) == ("3", "")


def test_what_blocks_share_in_a_run_they_share_here(tmp_path: Path) -> None:
    """`kwargs['context']` is one dict for all blocks."""
    path = notebook(
        tmp_path,
        IMPORTS,
        ("", "@loader\ndef first(**kwargs):\n    kwargs['context']['n'] = 7\n    return 1"),
        (
            "",
            "@transformer\ndef second(first, **kwargs):\n    return kwargs['context']['n'] + first",
        ),
    )
    with kernel(path) as running:
        for number in (1, 2):
            running.cell(number)
        assert running.cell(3).result == "8"


def test_an_input_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    """The function is not called, the cell is no error, and the note says what is wrong."""
    path = notebook(tmp_path, IMPORTS, NUMBERS, ("", total()))
    with kernel(path) as first:
        first.cell(1)
        first.cell(2)
    for file in tmp_path.glob(".variables/**/numbers/*.manifest.json"):
        file.write_text("{", "utf-8")
    with kernel(path) as second:
        second.cell(1)
        answer = second.cell(3)
    assert answer.status == "ok"
    assert "'total' was not called." in answer.stderr
    assert "Traceback" not in answer.stderr
