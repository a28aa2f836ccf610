"""The notebook's side of a check: cells run in a kernel as they do in Jupyter."""

from __future__ import annotations

from pathlib import Path

from tests.check.checking import check, details, names

DECORATORS = ("imports", "from jupyter_blocks.decorators import loader, transformer")


def test_plain_cells_see_the_result_of_a_decorated_block(tmp_path: Path) -> None:
    """The name of the block stands for the result, as in the pipeline, not for the function."""
    result = check(
        tmp_path,
        DECORATORS,
        ("loader", "@loader\ndef numbers():\n    return [1, 2]"),
        ("transformer:total", "s = sum(numbers)"),
        (
            "transformer:named",
            "@transformer\ndef longer(numbers, s):\n    return numbers + [s]",
        ),
        ("transformer:again", "named.append(5)"),
        ("exporter:save", "print(named, s)"),
    )
    assert result.ok, result.as_json()
    assert names(result.equal) == [
        ("numbers", "numbers"),
        ("total", "s"),
        ("named", "named"),
        ("again", "named"),
    ]


def test_whole_blocks_and_waiting_functions(tmp_path: Path) -> None:
    """An argument may name a block with several outputs, or one that only shows a value."""
    result = check(
        tmp_path,
        DECORATORS,
        ("loader:both", "a = 1\nb = 2"),
        ("transformer:shown", "a + b"),
        (
            "transformer:waits",
            (
                "@transformer\nasync def waits(both, shown, b):\n    import asyncio\n"
                "    await asyncio.sleep(0)\n    return [both, shown, b]"
            ),
        ),
        ("exporter:save", "print(a, b, waits)"),
    )
    assert result.ok, result.as_json()
    assert ("waits", "waits") in names(result.equal)
    assert ("shown", "output_0") in names(result.equal)


def test_cells_run_as_in_a_kernel(tmp_path: Path) -> None:
    """Magics, top-level await, `display`, `_` and `Out`, and the kernel itself."""
    result = check(
        tmp_path,
        ("", "%matplotlib inline\n%config InlineBackend.figure_format = 'svg'"),
        ("", "assert get_ipython().kernel is not None\n1 + 1"),
        ("", "assert _ == 2 and Out[2] == 2"),
        ("loader:wait", "import asyncio\n\nasync def two():\n    return 2\n\nx = await two()"),
        ("transformer:timed", "%%time\ny = x + 1"),
        ("transformer:show", "display(y)\nz = y + 1"),
        ("", "asyncio.get_running_loop()"),
        ("exporter:save", "print(z)"),
    )
    assert result.ok, (result.error, result.as_json())
    assert details(result.equal) == {"x": "", "y": "", "z": ""}


def test_values_are_those_after_the_last_cell_of_the_block(tmp_path: Path) -> None:
    """Whatever other cells make of them later."""
    result = check(
        tmp_path,
        ("loader:load", "xs = [1]"),
        ("continue", "xs.append(2)"),
        ("transformer:more", "xs = xs + [3]"),
        ("exporter:save", "print(xs)"),
    )
    assert names(result.equal) == [("load", "xs"), ("more", "xs")]


def test_skipped_cells_run_but_may_fail(tmp_path: Path) -> None:
    """They are part of the notebook; whether it can do without them is what is checked."""
    result = check(
        tmp_path,
        ("loader:load", "xs = [1, 2]"),
        ("skip", "import nothing_of_that_name"),
        ("skip", "a first look\nat the data"),
        ("transformer:total", "s = sum(xs)"),
        ("exporter:save", "print(s)"),
    )
    assert result.ok, result.error
    assert names(result.equal) == [("load", "xs"), ("total", "s")]
    assert [note.partition(": ")[0] for note in result.notes] == [
        "Cell 2 has the tag 'skip' and fails",
        "Cell 3 has the tag 'skip' and fails",
    ]


def test_a_skipped_cell_that_matters_is_found(tmp_path: Path) -> None:
    """Without it the pipeline computes something else than the notebook."""
    result = check(
        tmp_path,
        ("loader:load", "xs = [1, 2]"),
        ("skip", "# one more\nxs.append(3)"),
        ("transformer:total", "s = sum(xs)"),
        ("exporter:save", "print(s)"),
    )
    (entry,) = result.different
    assert (entry.block, entry.cell, entry.line) == ("total", 2, 2)
    assert entry.detail == (
        "cell 2, line 2 changes 'xs' and is not part of the pipeline; "
        "6 in the notebook, 3 in the pipeline"
    )


def test_cells_that_are_meant_to_fail(tmp_path: Path) -> None:
    """The tag `raises-exception` says so, to Jupyter as to us."""
    result = check(
        tmp_path,
        ("loader:load", "x = 1"),
        ("raises-exception", "1 / 0"),
        ("exporter:save", "print(x)"),
    )
    assert result.ok, result.error
    assert names(result.equal) == [("load", "x")]


def test_nobody_answers_questions(tmp_path: Path) -> None:
    """A cell that asks fails at once, as in every run without people."""
    result = check(tmp_path, ("loader:load", "x = input('How many? ')"))
    assert result.error.startswith("cell 1: StdinNotImplementedError")


def test_what_cannot_be_stored_is_said(tmp_path: Path) -> None:
    """It fails in the pipeline for the same reason."""
    result = check(
        tmp_path,
        ("loader:load", "import threading\nlock = threading.Lock()\nx = 1"),
        ("exporter:save", "print(lock, x)"),
    )
    assert names(result.equal) == []
    assert ("load", "lock") in names(result.failed)
    assert "cannot be stored" in result.failed[0].detail


def test_what_nobody_reads_need_not_be_stored(tmp_path: Path) -> None:
    """The block has done its work; there is nothing to compare, and it is said why."""
    result = check(
        tmp_path,
        ("loader:load", "xs = [1, 2]"),
        ("transformer:squares", "squares = (x * x for x in xs)"),
        ("transformer:show", "total = sum(xs)\n(x for x in xs)"),
        ("exporter:save", "print(total)"),
    )
    assert result.ok, result.as_json()
    assert names(result.equal) == [("load", "xs"), ("show", "total")]
    assert names(result.not_comparable) == [("squares", "squares")]
    assert result.not_comparable[0].detail.startswith("not stored: it is a generator")


def test_show_takes_a_figure(tmp_path: Path) -> None:
    """As in a notebook, whose backend does not mind."""
    result = check(
        tmp_path,
        ("imports", "import matplotlib.pyplot as plt"),
        ("loader:load", "xs = [3, 1, 2]"),
        ("transformer:draw", "figure = plt.figure()\nplt.show(figure)\nn = len(xs)"),
        ("exporter:save", "print(n)"),
    )
    assert result.ok, result.as_json()


def test_a_class_that_stays_in_its_block_is_a_value(tmp_path: Path) -> None:
    """So that its objects are its objects in every block."""
    result = check(
        tmp_path,
        ("loader:load", "k = 2"),
        ("transformer:make", "class C:\n    def f(self):\n        return k"),
        ("transformer:one", "c = C()"),
        ("transformer:two", "x = c.f(), isinstance(c, C), type(c) is C"),
        ("exporter:save", "print(x)"),
    )
    assert result.ok, result.as_json()
    assert ("two", "x") in names(result.equal)
    assert ("make", "C") in names(result.equal)


def test_figures_begin_anew_in_each_cell(tmp_path: Path) -> None:
    """As the inline backend has it; so they do in blocks."""
    result = check(
        tmp_path,
        ("imports", "import matplotlib.pyplot as plt"),
        ("loader:load", "xs = [3, 1, 2]"),
        ("transformer:first", "plt.plot(xs)\nplt.gcf()"),
        ("transformer:second", "plt.title('alone')\nlines = len(plt.gca().lines)"),
        ("exporter:save", "print(lines)"),
    )
    assert result.ok, result.as_json()
    assert not result.not_comparable
