"""One task in, one report out: what Mage's blocks and exported blocks are given and leave."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from hashlib import sha256
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from jupyter_blocks.executors.base import BlockTask, InputRef
from jupyter_blocks.executors.reports import EXIT_CODES
from jupyter_blocks.worker import _booted
from tests.workbench import Workbench

COPIES_ON_WRITE = int(pd.__version__.partition(".")[0]) >= 3


@pytest.fixture
def bench(tmp_path: Path) -> Workbench:
    """A project without blocks."""
    return Workbench(tmp_path / "project")


def fails(report: Any, reason: str) -> str:
    """The message of an attempt that failed for this reason."""
    assert (report["status"], report["reason"]) == ("failed", reason), report
    return str(report["error"]["message"])


# the report


def test_a_report_says_what_came_of_the_task(bench: Workbench) -> None:
    """Status, manifest, outputs in short, and what it cost."""
    report = bench.run("@data_loader\ndef load():\n    return {'a': 1}\n", kind="data_loader")
    assert report["status"] == "succeeded"
    assert report["error"] is None
    assert list(report["outputs"]) == ["output_0"]
    assert set(report["outputs"]["output_0"]) == {"type", "rows", "bytes"}
    assert report["manifest"]["attempt_id"] == bench.done["block"].attempt_id
    assert report["duration_s"] > 0
    assert report["cpu_s"] >= 0
    assert report["peak_rss_mib"] > 1


def test_outputs_are_stored_but_not_committed(bench: Workbench) -> None:
    """Committing is the dispatcher's business."""
    bench.run("@custom\ndef f():\n    return 1\n")
    assert bench.store.latest("flights", "block") is None


# how Mage's blocks are called


RETURNED: list[tuple[str, str, str]] = [
    # what the block returns, names of its outputs, what the next block receives
    ("None", "", "[]"),
    ("[]", "", "[]"),
    ("()", "", "[]"),
    ("{}", "output_0", "{}"),
    ("0", "output_0", "0"),
    ("False", "output_0", "False"),
    ("''", "output_0", "''"),
    ("(1, 'a')", "output_0 output_1", "[1, 'a']"),
    ("[1, 'a']", "output_0 output_1", "[1, 'a']"),
    ("(7,)", "output_0", "7"),
    ("[[1, 2, 3]]", "output_0", "[1, 2, 3]"),
    ("list(range(12))", " ".join(f"output_{n}" for n in range(12)), str(list(range(12)))),
    ("list(range(100))", "output_0", str(list(range(100)))),
    ("{'a': 1, 2: 'two'}", "output_0", "{'a': 1, 2: 'two'}"),
    ("{3}", "output_0", "{3}"),
    ("b'x'", "output_0", "b'x'"),
    ("float('nan')", "output_0", "nan"),
    ("(None, 1)", "output_0 output_1", "[None, 1]"),
]


@pytest.mark.parametrize("in_memory", [False, True])
@pytest.mark.parametrize(("returned", "names", "received"), RETURNED)
def test_the_next_block_receives_what_mage_would_pass(
    bench: Workbench, returned: str, names: str, received: str, in_memory: bool
) -> None:
    """None and [] are nothing, lists and tuples several outputs, and a single one is unwrapped."""
    bench.memory = {} if in_memory else None
    first = bench.run(f"@custom\ndef f():\n    return {returned}\n", "first", keep=True)
    assert " ".join(bench.values(first)) == names
    second = bench.run("@custom\ndef f(x):\n    return repr(x)\n", "second", upstream="first")
    assert bench.value(second) == received


def test_numpy_arrays_come_back(bench: Workbench) -> None:
    """Where Mage passes a description of the array, ours passes the array."""
    bench.run("import numpy\n@custom\ndef f():\n    return numpy.arange(3)\n", "first")
    text = "@custom\ndef f(x):\n    x[0] = 5\n    return [type(x).__name__, x.tolist()]\n"
    assert list(bench.values(bench.run(text, upstream="first")).values()) == ["ndarray", [5, 1, 2]]


def test_one_argument_per_upstream_block_in_their_order(bench: Workbench) -> None:
    """A sensor and a block that stored nothing count too."""
    bench.run("@custom\ndef f():\n    return 'a'\n", "a")
    bench.run("@custom\ndef f():\n    return 'b', 2\n", "b")
    text = "@custom\ndef f(x, y, z):\n    return {'x': x, 'y': y, 'z': z}\n"
    report = bench.run(text, upstream="b wait a")
    assert bench.value(report) == {"x": ["b", 2], "y": [], "z": "a"}


def test_kwargs_hold_what_mage_promises(bench: Workbench) -> None:
    """Always complete, whichever way the block is run."""
    text = """\
        @custom
        def f(**kwargs):
            kwargs.pop('logger').info('hello %s', 'you')
            return {key: repr(value) for key, value in kwargs.items()}
        """
    task = bench.task(
        text, parameters={"month": 3, "env": "prod"}, configuration={"rows": 1}, env="test"
    )
    kwargs = bench.value(bench.run_task(task))
    assert kwargs == {
        "execution_date": ("datetime.datetime(2024, 1, 31, 5, 6, 7, tzinfo=datetime.timezone.utc)"),
        "ds": "'2024-01-31'",
        "hr": "'05'",
        "env": "'prod'",
        "event": "{}",
        "execution_partition": "'run'",
        "month": "3",
        "configuration": "{'rows': 1}",
        "context": "{}",
        "pipeline_uuid": "'flights'",
        "block_uuid": "'block'",
        "repo_path": repr(str(bench.root)),
        "retry": "{'attempts': 1}",
    }
    assert '"stream": "stderr", "text": "INFO hello you\\n"' in bench.log(task)


def test_a_runtime_variable_may_set_the_execution_date(bench: Workbench) -> None:
    """`ds` and `hr` follow it."""
    text = (
        "@custom\ndef f(*, ds, hr, execution_date):\n    return {'r': (ds, hr, execution_date)}\n"
    )
    report = bench.run(text, parameters={"execution_date": "2020-02-03 04:00"})
    ds, hr, date = bench.value(report)["r"]
    assert (ds, hr, date.year) == ("2020-02-03", "04", 2020)


def test_the_context_is_shared_by_the_blocks_of_a_run(bench: Workbench) -> None:
    """Within one worker process, as in Mage; the next run begins anew."""
    text = "@custom\ndef f(**kwargs):\n    kwargs['context']['n'] = 1\n    return 1\n"
    bench.run(text)
    read = "@custom\ndef f(**kwargs):\n    return len(kwargs['context'])\n"
    assert bench.value(bench.run(read)) == 1
    bench.run_id = "later"
    assert bench.value(bench.run(read)) == 0


def test_mages_names_are_there_without_an_import(bench: Workbench) -> None:
    """Decorators, and upstream outputs by their uuid and as df_1, df_2."""
    bench.run("@data_loader\ndef f():\n    return 5\n", "load", "data_loader")
    bench.run("@data_loader\ndef f():\n    return 6\n", "more", "data_loader")
    text = """\
        if 'transformer' not in globals():
            from mage_ai.data_preparation.decorators import transformer
        if 'test' not in globals():
            from mage_ai.data_preparation.decorators import test

        top = load + df_2

        @preprocesser
        def before(*args):
            raise AssertionError('never called')

        @transformer
        def f(a, b):
            return [top, load, df_1, more]

        @test
        def check(*outputs):
            assert outputs == (11, 5, 5, 6)
        """
    report = bench.run(text, kind="transformer", upstream="load more")
    assert list(bench.values(report).values()) == [11, 5, 5, 6]


def test_only_the_first_function_is_called(bench: Workbench) -> None:
    """As Mage does; a function that an imported module marks does not count."""
    bench.write(
        "shared_blocks.py",
        "from jupyter_blocks.decorators import custom\n@custom\ndef other():\n    return 'other'\n",
    )
    text = """\
        from shared_blocks import other

        @custom
        def first():
            return 'first'

        @custom
        def second():
            return 'second'
        """
    assert bench.value(bench.run(text)) == "first"


def test_the_module_is_a_real_one(bench: Workbench) -> None:
    """`__file__` and `__name__` are set, and nothing runs as a script."""
    text = """\
        import dataclasses, inspect, sys

        if __name__ == '__main__':
            raise SystemExit('run as a script')

        @dataclasses.dataclass
        class Point:
            x: 'int'

        @custom
        def f():
            assert sys.modules[__name__].Point is Point
            return [__file__, __name__, inspect.getsource(Point)]
        """
    file, name, source = bench.values(bench.run(text, "deep/er")).values()
    assert file == str(bench.root / "custom/deep/er.py")
    assert name == "jupyter_blocks_project.custom.deep.er"
    assert "class Point" in source


def test_objects_of_a_class_of_the_block_file_reach_the_next_block(bench: Workbench) -> None:
    """Whatever process it runs in."""
    text = "class Point:\n    x = 5\n@custom\ndef f():\n    return Point()\n"
    bench.run(text, "first")
    assert bench.value(bench.run("@custom\ndef f(p):\n    return p.x\n", upstream="first")) == 5


def test_the_text_may_be_kept_in_metadata(bench: Workbench) -> None:
    """`content` beats the file, and tracebacks show its lines."""
    task = bench.task("raise SystemError('the file was run')\n")
    text = "@custom\ndef f():\n    return 1 / 0\n"
    with_content = BlockTask(**{**vars(task), "content": text, "file": ""})
    report = bench.run_task(with_content)
    assert fails(report, "user_error") == "division by zero"
    assert report["error"]["line"] == 3
    assert "return 1 / 0" in report["error"]["traceback"]


def test_a_changed_file_is_run_as_it_is_now(bench: Workbench) -> None:
    """Also when the change leaves size and time as they were."""
    for value in (1, 2, 3):
        assert bench.value(bench.run(f"@custom\ndef f():\n    return {value}\n")) == value


def test_async_functions_are_awaited(bench: Workbench) -> None:
    """A block may be a coroutine."""
    text = """\
        import asyncio

        @custom
        async def f():
            await asyncio.sleep(0)
            return 'done'
        """
    assert bench.value(bench.run(text)) == "done"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("@custom\ndef f(a, b): ...", r"takes 2 positional arguments (a, b), but the block has 1"),
        ("@custom\ndef f(): ...", "takes 0 positional arguments, but the block has 1 upstream"),
        ("@transformer\ndef f(a): ...", "no function decorated with @custom"),
        ("def f(:", "invalid syntax"),
        ("import not_there_at_all", "No module named 'not_there_at_all'"),
    ],
)
def test_a_file_that_cannot_be_called_is_never_tried_again(
    bench: Workbench, text: str, says: str
) -> None:
    """Its reason is the configuration."""
    bench.run("@custom\ndef f():\n    return 1\n", "load")
    assert says in fails(bench.run(text, upstream="load"), "configuration")


def test_a_missing_file_is_said(bench: Workbench) -> None:
    """With the path that was tried."""
    task = bench.task("")
    (bench.root / task.file).unlink()
    message = fails(bench.run_task(task), "configuration")
    assert f"cannot be read: {bench.root / task.file}: No such file" in message


# exported blocks


def test_an_exported_block_is_called_by_name(bench: Workbench) -> None:
    """Inputs by their source, parameters as keyword arguments, several outputs by their names."""
    bench.run("@custom\ndef f():\n    return 'a', 'b'\n", "load")
    text = """\
        from jupyter_blocks.decorators import transformer

        @transformer
        def join(second, first, *, month):
            return {'both': first + second, 'month': month}
        """
    task = bench.named(
        text,
        kind="transformer",
        upstream="load",
        inputs={"first": "load.output_0", "second": "load.output_1"},
        used_parameters=("month",),
        parameters={"month": 3, "other": 4},
        outputs=("month", "both"),
    )
    assert bench.values(bench.run_task(task)) == {"month": 3, "both": "ab"}


def test_one_output_is_the_return_value_itself(bench: Workbench) -> None:
    """Lists and dicts are not taken apart; no outputs store nothing."""
    text = "from jupyter_blocks.decorators import custom\n@custom\ndef f():\n    return [1, 2]\n"
    assert bench.values(bench.run_task(bench.named(text, outputs=("df",)))) == {"df": [1, 2]}
    assert bench.values(bench.run_task(bench.named(text))) == {}


@pytest.mark.parametrize(
    ("returned", "says"),
    [
        ("5", "must return a dict with the outputs a, b, not int"),
        ("{'a': 1}", "it returned one without b"),
        ("{'a': 1, 'c': 2}", "it returned one without b and with the unknown c"),
    ],
)
def test_several_outputs_must_be_there_by_name(bench: Workbench, returned: str, says: str) -> None:
    """What is missing and what is too much is named."""
    text = f"from jupyter_blocks.decorators import custom\n@custom\ndef f():\n    return {returned}"
    task = bench.named(text, outputs=("a", "b"))
    assert says in fails(bench.run_task(task), "configuration")


def test_parameters_reach_the_helpers_of_the_notebook(bench: Workbench) -> None:
    """A hoisted function that reads a parameter sees the value of the run, on any worker."""
    bench.write("helpers/flights.py", "month = 1\ndef shown():\n    return month * 10\n")
    text = """\
        from jupyter_blocks.decorators import custom
        from helpers.flights import month, shown

        @custom
        def f():
            return [shown(), month]
        """
    for month in (7, 8):
        task = bench.named(text, outputs=("r",), parameters={"month": month, "shown": 1})
        assert bench.value(bench.run_task(task)) == [month * 10, month]


def test_changed_helpers_are_imported_again(bench: Workbench) -> None:
    """A warm worker does not run the code of yesterday, even within the same second."""
    text = """\
        from jupyter_blocks.decorators import custom
        from helpers.flights import number

        @custom
        def f():
            return number
        """
    for number in (1, 2):
        bench.write("helpers/flights.py", f"number = {number}\n")
        task = bench.named(text, outputs=("r",))
        assert bench.value(bench.run_task(task)) == number
    assert not (bench.root / "helpers/__pycache__").exists()


def test_an_exported_block_lacks_what_the_run_does_not_provide(bench: Workbench) -> None:
    """A required parameter without a value."""
    text = "from jupyter_blocks.decorators import custom\n@custom\ndef f(*, month):\n    return 1\n"
    task = bench.named(text, outputs=("r",), used_parameters=("month",))
    assert "'f' needs month" in fails(bench.run_task(task), "configuration")


def test_a_notebooks_own_modules_are_found(bench: Workbench) -> None:
    """They lie beside the notebook; one called `helpers` does not hide ours."""
    notebooks = bench.root.parent
    (notebooks / "helpers.py").write_text("mine = 'mine'\n", "utf-8")
    (notebooks / "tools.py").write_text("tool = 'tool'\n", "utf-8")
    bench.write("helpers/flights.py", "ours = 'ours'\n")
    text = """\
        from jupyter_blocks.decorators import custom
        from helpers import mine
        from helpers.flights import ours
        from tools import tool

        @custom
        def f():
            return [mine, ours, tool]
        """
    task = bench.named(text, outputs=("r",), working_dir=str(notebooks))
    assert bench.value(bench.run_task(task)) == ["mine", "ours", "tool"]


# inputs


def test_missing_inputs_are_told_apart(bench: Workbench) -> None:
    """The block to run first is named."""
    text = "from jupyter_blocks.decorators import custom\n@custom\ndef f(x):\n    return 1\n"
    task = bench.named(text, upstream="load", inputs={"x": "load.df"})
    assert "'load', which stored nothing. Run 'load' first." in fails(
        bench.run_task(task), "input_missing"
    )


def test_corrupt_inputs_are_told_apart(bench: Workbench) -> None:
    """An input that was changed on disk is never handed out."""
    bench.run("@custom\ndef f():\n    return 1\n", "load")
    good = bench.done["load"]
    bench.done["load"] = InputRef("load", good.run_id, good.attempt_id, "0" * 64)
    message = fails(bench.run("@custom\ndef f(x): ...\n", upstream="load"), "input_missing")
    assert "was changed" in message


def test_what_one_block_does_to_a_value_in_memory_no_other_sees(bench: Workbench) -> None:
    """Tables that stay in memory behave like new ones; what could be spoilt is read afresh."""
    bench.memory = {}
    text = """\
        import pandas as pd

        @custom
        def f():
            return pd.DataFrame({'a': [1, 2]}), {'mutable': []}
        """
    bench.run(text, "load", keep=True)
    kept = {name for _, name in bench.memory}
    assert kept == ({"", "output_0"} if COPIES_ON_WRITE else {""})  # "": the manifest
    change = """\
        @custom
        def f(values):
            table, plain = values
            seen = [table['a'].sum(), len(plain['mutable'])]
            table.loc[0, 'a'] = 100
            plain['mutable'].append(1)
            return {'seen': [int(each) for each in seen]}
        """
    for _ in range(2):
        assert bench.value(bench.run(change, upstream="load")) == {"seen": [3, 0]}


def test_only_what_a_later_block_reads_is_kept(bench: Workbench) -> None:
    """Memory is for those who need it."""
    bench.memory = {}
    bench.run("@custom\ndef f():\n    return 1\n", keep=False)
    assert bench.memory == {}


# sensors, conditions, tests, callbacks


@pytest.mark.parametrize(
    ("returned", "status", "reason"),
    [
        ("True", "succeeded", ""),
        ("[]", "waiting", "sensor_waiting"),
        ("1 / 0", "failed", "user_error"),
    ],
)
def test_a_sensor_says_whether_to_go_on(
    bench: Workbench, returned: str, status: str, reason: str
) -> None:
    """It stores nothing, and what it raises fails it."""
    report = bench.run(f"@sensor\ndef f():\n    return {returned}\n", kind="sensor")
    assert (report["status"], report["reason"]) == (status, reason)
    assert report["outputs"] == {}
    assert (report["manifest"] is not None) == (status == "succeeded")


@pytest.mark.parametrize(
    ("signature", "seen"),
    [
        ("", "0"),
        ("*args", "len(args) == 1"),
        ("**kwargs", "kwargs['month'] == 3"),
        ("*args, **kwargs", "args == (5,) and kwargs['month'] == 3"),
        ("month, **kwargs", "month == 3"),
    ],
)
def test_a_sensor_gets_only_what_it_asks_for(bench: Workbench, signature: str, seen: str) -> None:
    """Inputs by *args, variables by **kwargs."""
    bench.run("@custom\ndef f():\n    return 5\n", "load")
    text = f"@sensor\ndef f({signature}):\n    assert {seen or True}\n    return True\n"
    if not signature:
        text = "@sensor\ndef f():\n    return True\n"
    report = bench.run(text, kind="sensor", upstream="load", parameters={"month": 3})
    assert report["status"] == "succeeded", report["error"]


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        ("return True", "succeeded", ""),
        ("return args[0] > 10", "condition_false", "Condition 'check' is false"),
        ("raise ValueError('odd')", "condition_false", "Condition 'check' failed: odd"),
    ],
)
def test_a_block_runs_only_if_all_its_conditions_hold(
    bench: Workbench, body: str, status: str, says: str
) -> None:
    """An exception counts as false; the outputs of upstream blocks are at hand."""
    bench.run("@custom\ndef f():\n    return 5\n", "load")
    bench.write("conditionals/yes.py", "@condition\ndef yes():\n    return True\n")
    bench.write("conditionals/check.py", f"@condition\ndef check(*args, **kwargs):\n    {body}\n")
    files = ("conditionals/yes.py", "conditionals/check.py")
    report = bench.run("@custom\ndef f(x):\n    return x\n", upstream="load", conditions=files)
    assert report["status"] == status
    if says:
        assert report["reason"] == "condition_false"
        assert report["manifest"] is None
        assert says in report["error"]["message"]


def test_all_tests_run_and_each_failing_one_is_named(bench: Workbench) -> None:
    """A block whose outputs fail a test has not succeeded, and stores nothing."""
    text = """\
        @custom
        def f():
            return 1, 2

        @test
        def good(first, second, **kwargs):
            assert kwargs['month'] == 3

        @test
        def told(first, second) -> None:
            assert first == 2, 'first must be 2'

        @test
        def bare(*outputs):
            assert outputs == (1, 3)

        @test
        def broken(first, second):
            {}['x']
        """
    task = bench.task(text, parameters={"month": 3})
    report = bench.run_task(task)
    message = fails(report, "test_failed")
    assert message == (
        "3 tests failed: told: first must be 2; bare: assert outputs == (1, 3); broken: 'x'"
    )
    assert report["error"]["line"] == 11
    assert report["error"]["traceback"].count("Traceback") == 3
    assert not (bench.root / ".variables" / f"{task.prefix}.manifest.json").exists()


def test_tests_can_be_left_out(bench: Workbench) -> None:
    """`--no-test`."""
    text = "@custom\ndef f():\n    return 1\n@test\ndef t(x):\n    assert False\n"
    assert bench.run(text, run_tests=False)["status"] == "succeeded"


@pytest.mark.skipif(not COPIES_ON_WRITE, reason="each test would need a copy of the whole table")
def test_a_test_does_not_change_what_is_stored(bench: Workbench) -> None:
    """It is given a table of its own."""
    text = """\
        import pandas as pd

        @custom
        def f():
            return pd.DataFrame({'a': [1]})

        @test
        def t(table):
            table.loc[0, 'a'] = 5
        """
    assert bench.value(bench.run(text))["a"].tolist() == [1]


CALLBACKS = """\
    import json, os

    def note(what):
        with open('notes.txt', 'a') as file:
            print(what, file=file)

    @callback
    def bare(**kwargs):
        note(f"success {kwargs['parent_block_uuid']} {kwargs['__input']}")

    @callback('success')
    def with_output(output, **kwargs):
        note(f"output {output}")

    @callback('failure')
    def failed(**kwargs):
        note(f"failure {kwargs['__error']} {kwargs['retry']}")

    @on_failure
    def older(**kwargs):
        note(f"older {kwargs['block_uuid']}")

    @callback('success')
    def broken(**kwargs):
        raise ValueError('callback is broken')

    @callback('success')
    def after():
        note('after')
    """


def test_callbacks_are_told_how_it_ended(bench: Workbench) -> None:
    """What a callback raises is logged, and the others are still called."""
    bench.write("callbacks/tell.py", CALLBACKS)
    task = bench.task("@custom\ndef f():\n    return 5\n", callbacks=("callbacks/tell.py",))
    assert bench.run_task(task)["status"] == "succeeded"
    notes = bench.root / "notes.txt"
    assert notes.read_text("utf-8") == "success block 5\noutput 5\nafter\n"
    assert "Callback 'broken' failed; the block is not affected." in bench.log(task)
    assert "callback is broken" in bench.log(task)
    notes.unlink()
    text = "@custom\ndef f():\n    raise ValueError('no')\n"
    assert bench.run(text, callbacks=("callbacks/tell.py",))["status"] == "failed"
    assert notes.read_text("utf-8") == "failure no {'attempts': 1}\nolder block\n"


def test_a_broken_callback_file_does_not_hurt_the_block(bench: Workbench) -> None:
    """It is logged."""
    bench.write("callbacks/tell.py", "import not_there_at_all\n")
    task = bench.task("@custom\ndef f():\n    return 5\n", callbacks=("callbacks/tell.py",))
    assert bench.run_task(task)["status"] == "succeeded"
    assert "No module named 'not_there_at_all'" in bench.log(task)


# what goes wrong


def test_a_failing_block_shows_its_own_lines_only(bench: Workbench) -> None:
    """Nothing of ours is in the traceback."""
    text = "@custom\ndef f():\n    return {}['gone']\n"
    report = bench.run(text)
    assert fails(report, "user_error") == "'gone'"
    assert report["error"]["traceback"] == (
        "Traceback (most recent call last):\n"
        "  custom/block.py, line 3, in f\n"
        "    return {}['gone']\n"
        "KeyError: 'gone'"
    )
    assert (report["error"]["type"], report["error"]["file"]) == ("KeyError", "custom/block.py")


def test_sys_exit_is_a_failure(bench: Workbench) -> None:
    """A block ends by returning, whatever the code."""
    report = bench.run("import sys\n@custom\ndef f():\n    sys.exit(0)\n")
    assert "The block called sys.exit(0)" in fails(report, "user_error")


def test_an_interrupt_cancels(bench: Workbench) -> None:
    """The report says where the block was."""
    report = bench.run("@custom\ndef f():\n    raise KeyboardInterrupt\n")
    assert (report["status"], report["reason"]) == ("cancelled", "cancelled")
    assert "The block was stopped." in report["error"]["message"]
    assert report["error"]["line"] == 3


def test_a_missing_file_is_explained_with_both_folders(bench: Workbench) -> None:
    """Relative paths are relative to the working folder, which surprises people."""
    folder = bench.root.parent / "elsewhere"
    folder.mkdir()
    report = bench.run("@custom\ndef f():\n    return open('data.csv')\n", working_dir=str(folder))
    message = fails(report, "user_error")
    assert f"'data.csv' was looked for in the folder the block runs in, {folder}" in message
    assert f"the project is in {bench.root}" in message


def test_an_unstorable_output_is_told_apart(bench: Workbench) -> None:
    """With its name and the way out."""
    report = bench.run("import threading\n\n@custom\ndef f():\n    return threading.Lock()\n")
    message = fails(report, "unstorable")
    assert "'output_0'" in message
    assert "inside the block" in message


def test_an_unstorable_variable_is_told_with_the_line_that_made_it(bench: Workbench) -> None:
    """The last one in the block: that is the value that would be stored."""
    text = """
        import threading

        from jupyter_blocks import custom

        @custom
        def block(x=1):
            lock = None
            if x:
                lock = threading.Lock()
            done = True
            return {"lock": lock, "done": done}
    """
    report = bench.run_task(bench.named(text, outputs=("lock", "done")))
    assert "output 'lock' cannot be stored: it is a lock" in fails(report, "unstorable")
    assert (report["error"]["file"], report["error"]["line"]) == ("custom/block.py", 10)


def test_storing_twice_is_a_fault_of_protocol(bench: Workbench) -> None:
    """The same attempt run again does not overwrite what the first one stored."""
    task = bench.task("@custom\ndef f():\n    return 1\n")
    assert bench.run_task(task)["status"] == "succeeded"
    fails(bench.run_task(task), "protocol")


def test_a_missing_working_folder_is_said(bench: Workbench) -> None:
    """The worker reports its own faults too."""
    report = bench.run("@custom\ndef f(): ...", working_dir=str(bench.root / "gone"))
    assert "The worker failed: FileNotFoundError" in fails(report, "infrastructure")


@pytest.mark.skipif(sys.platform != "linux", reason="other systems cannot limit memory")
def test_a_memory_limit_ends_the_block_and_not_the_worker(bench: Workbench) -> None:
    """Limit and peak are named; the next block is not limited."""
    text = "@custom\ndef f():\n    return len(bytearray(300 << 20))\n"
    report = bench.run(text, resources={"memory_mib": 200})
    message = fails(report, "out_of_memory")
    assert "more than its limit of 200 MiB" in message
    assert "MiB at most" in message
    assert bench.value(bench.run(text)) == 300 << 20
    assert bench.value(bench.run(text, resources={"memory_mib": 600})) == 300 << 20


def test_the_worker_is_as_before_after_every_block(bench: Workbench) -> None:
    """Folder, environment, path and arguments, whether the block succeeds or not."""
    text = """\
        import os, sys
        @custom
        def f():
            os.chdir('/')
            os.environ['JB_LEFT'] = 'x'
            sys.path.insert(0, '/somewhere')
            sys.argv.append('x')
            raise ValueError
        """
    before = Path.cwd(), dict(os.environ), list(sys.path), list(sys.argv)
    bench.run(text)
    assert (Path.cwd(), dict(os.environ), list(sys.path), list(sys.argv)) == before
    seen = """\
        import os, sys
        @custom
        def f():
            return [os.getcwd(), os.environ['MAGE_RUNTIME__REPO_PATH'], sys.argv, sys.path[-2:]]
        """
    folder, repo, arguments, path = bench.values(bench.run(seen)).values()
    assert folder == repo == str(bench.root)
    assert arguments == [str(bench.root / "custom/block.py")]
    assert path == [str(bench.root.parent), str(bench.root)]


# the command


@pytest.fixture
def command(bench: Workbench) -> Any:
    """Run `python -m jupyter_blocks.worker` on a task."""

    def run(task: BlockTask, *, popen: bool = False, **environment: str) -> Any:
        document = bench.root / f"{task.attempt_id}.json"
        document.write_text(json.dumps(task.as_json()), "utf-8")
        variables = {
            **os.environ,
            "JUPYTER_BLOCKS_TASK": document.as_uri(),
            "JUPYTER_BLOCKS_TASK_SHA256": sha256(document.read_bytes()).hexdigest(),
            "JUPYTER_BLOCKS_ATTEMPT": task.attempt_id,
            **environment,
        }
        words = [sys.executable, "-m", "jupyter_blocks.worker"]
        if popen:
            return subprocess.Popen(words, env=variables, stderr=subprocess.PIPE)
        return subprocess.run(words, env=variables, capture_output=True, text=True, check=False)

    return run


@pytest.mark.parametrize(
    ("text", "code", "reason"),
    [
        ("@custom\ndef f():\n    print('hello')\n    return 7\n", 0, ""),
        ("@custom\ndef f():\n    raise ValueError('no')\n", 20, "user_error"),
        ("@custom\ndef f():\n    return 1\n@test\ndef t(x):\n    assert 0\n", 20, "test_failed"),
        ("import not_there_at_all\n", 23, "configuration"),
    ],
)
def test_the_command_leaves_a_result_and_an_exit_code(
    bench: Workbench, command: Any, text: str, code: int, reason: str
) -> None:
    """Claim, result, manifest and log are beside each other in the store."""
    task = bench.task(text)
    done = command(task)
    assert done.returncode == code
    folder = bench.root / ".variables" / task.prefix
    assert json.loads((folder / "claim.json").read_text("utf-8"))["pid"] > 0
    result = json.loads((folder / "result.json").read_text("utf-8"))
    assert result["reason"] == reason
    manifest = bench.root / ".variables" / f"{task.prefix}.manifest.json"
    assert manifest.exists() == (code == 0)
    if code == 0:
        assert bench.value(result) == 7
        assert '"text": "hello\\n"' in bench.log(task)
    else:
        assert result["error"]["traceback"] in done.stderr


def test_missing_inputs_have_an_exit_code_of_their_own(bench: Workbench, command: Any) -> None:
    """21, so that the dispatcher can tell them apart without the result."""
    lost = InputRef("load", "run", "nope", "0" * 64)
    task = bench.task("@custom\ndef f(x): ...\n")
    assert command(BlockTask(**{**vars(task), "upstream": (lost,)})).returncode == 21


@pytest.mark.parametrize(
    "environment",
    [
        {"JUPYTER_BLOCKS_TASK_SHA256": "0" * 64},
        {"JUPYTER_BLOCKS_ATTEMPT": "another"},
        {"JUPYTER_BLOCKS_TASK": "/not/there"},
    ],
)
def test_another_task_than_was_meant_is_not_run(
    bench: Workbench, command: Any, environment: dict[str, str]
) -> None:
    """Exit code 22, and nothing is claimed."""
    task = bench.task("@custom\ndef f(): ...\n")
    done = command(task, **environment)
    assert done.returncode == 22
    assert "The task cannot be used" in done.stderr
    assert not (bench.root / ".variables" / task.prefix).exists()


def test_a_fault_before_the_block_is_reported(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker elsewhere has no other way to tell of it."""
    task = bench.task("@custom\ndef f():\n    return 1\n")

    def fail(*_: object) -> None:
        raise TypeError("a fault of ours")

    monkeypatch.setattr("jupyter_blocks.worker.taskboot.prepared", fail)
    report = _booted(task, bench.store)
    assert "The worker failed: TypeError: a fault of ours" in fails(report, "infrastructure")
    assert report["duration_s"] >= 0


def test_an_attempt_is_run_by_one_process_only(bench: Workbench, command: Any) -> None:
    """The second one leaves with 24."""
    task = bench.task("@custom\ndef f():\n    open('ran.txt', 'a').write('x')\n")
    assert command(task).returncode == 0
    assert command(task).returncode == 24
    assert (bench.root / "ran.txt").read_text("utf-8") == "x"


def test_a_terminated_command_reports_that_it_was_cancelled(bench: Workbench, command: Any) -> None:
    """SIGTERM leaves time to say so: exit code 25."""
    text = "import time\n@custom\ndef f():\n    open('on', 'w').close()\n    time.sleep(60)\n"
    task = bench.task(text)
    with command(task, popen=True) as process:
        deadline = time.monotonic() + 30
        while not (bench.root / "on").exists():
            assert time.monotonic() < deadline, "the block never began"
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == EXIT_CODES["cancelled"] == 25
    folder = bench.root / ".variables" / task.prefix
    assert json.loads((folder / "result.json").read_text("utf-8"))["status"] == "cancelled"


def test_a_crash_leaves_the_place_in_the_log(bench: Workbench, command: Any) -> None:
    """Native code that fails kills the process; the log says where Python was."""
    text = "import ctypes\n@custom\ndef crash():\n    ctypes.string_at(0)\n"
    task = bench.task(text)
    assert command(task).returncode == -signal.SIGSEGV
    assert "Segmentation fault" in bench.log(task)
    assert "in crash" in bench.log(task)
