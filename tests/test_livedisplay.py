"""The live table, on a real terminal of its own."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pexpect
import pytest

from tests.commandline import terminal
from tests.projects import block, write_project

pytestmark = pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # pexpect forks

SLOW = """
import time
from pathlib import Path
print("sleeping", flush=True)
try:
    while not Path({flag!r}).exists():
        time.sleep(0.02)
except KeyboardInterrupt:
    print("cleaning up", flush=True)
    raise
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A block that waits for a file `flag`, one before and one after it."""
    root = tmp_path / "project"
    slow = SLOW.format(flag=str(tmp_path / "flag"))
    write_project(
        root, [block("load"), block("slow", slow, ["load"]), block("after", upstream=["slow"])]
    )
    return root


def plain(text: str) -> str:
    """Text of a terminal without escape codes."""
    return re.sub(r"\x1b\[[?\d;]*[A-Za-z]", "", text).replace("\r", "")


def end(child: Any) -> tuple[str, int]:
    """All that is still written, and the exit code."""
    child.expect(pexpect.EOF)
    text = plain(child.before)
    child.close()
    return text, child.exitstatus


def test_shows_blocks_as_they_run(project: Path, tmp_path: Path) -> None:
    """Running and waiting blocks with symbols, log lines above, the table of results at the end."""
    child = terminal("run", project)
    child.expect_exact("sleeping")
    child.expect("1 of 3")
    child.expect("slow")
    (tmp_path / "flag").touch()
    text, code = end(child)
    assert code == 0
    last = text[text.rindex("   block") :]
    assert re.search(r"✓  slow +ok +local_python", last)
    assert "pipe succeeded in" in last


def test_ctrl_c_once_stops_gracefully(project: Path) -> None:
    """The block may clean up, the run is recorded as stopped, and how to go on is said."""
    child = terminal("run", project)
    child.expect_exact("sleeping")
    child.sendintr()
    child.expect_exact("Stopping ...")
    text, code = end(child)
    assert code == 130
    assert "cleaning up" in text
    assert re.search(r"■  slow +cancelled", text)
    assert re.search(r"Go on with: +jupyter blocks run \S+ --resume \S+", text)


def test_ctrl_c_twice_stops_at_once(project: Path, tmp_path: Path) -> None:
    """Without waiting for a block that does not want to end; the run can be finished later."""
    stubborn = "import time\nprint('sleeping', flush=True)\nwhile True:\n    try:\n"
    stubborn += "        time.sleep(60)\n    except KeyboardInterrupt:\n        print('no')"
    write_project(project, [block("load"), block("slow", stubborn, ["load"])])
    child = terminal("run", project)
    child.expect_exact("sleeping")
    child.sendintr()
    child.expect_exact("Stopping ...")
    child.sendintr()
    text, code = end(child)
    assert code == 130
    resume = re.search(r"Stopped at once. Go on with: jupyter blocks run \S+ --resume (\S+)", text)
    assert resume
    write_project(project, [block("load"), block("slow", "return 2", ["load"])])
    text, code = end(terminal("run", project, "--resume", resume[1]))
    assert code == 0
    assert re.search(r"=  load +cached", text)


def test_a_large_run_stays_within_the_terminal(tmp_path: Path) -> None:
    """Of 150 blocks only what matters is shown, and how many are not."""
    names = [f"block_{number:03}" for number in range(150)]
    specs = [block(name) for name in names]
    specs.append(
        block(
            "wait",
            f"from pathlib import Path\nwhile not Path({str(tmp_path / 'flag')!r}).exists(): pass",
        )
    )
    write_project(tmp_path / "project", specs)
    child = terminal("run", tmp_path / "project", rows=20, columns=60)
    child.expect("... and [0-9]+ more")
    child.expect("150 of 151")
    (tmp_path / "flag").touch()
    text, code = end(child)
    assert code == 0
    frames = text.split("pipe  ━")
    assert len(frames) > 1
    for frame in frames[1:-1]:
        assert len(frame.rstrip().splitlines()) <= 20


def test_no_color_is_respected(project: Path, tmp_path: Path) -> None:
    """NO_COLOR: a live display without colours."""
    (tmp_path / "flag").touch()
    child = terminal("run", project, NO_COLOR="1")
    child.expect(pexpect.EOF)
    child.close()
    colours = re.findall(r"\x1b\[(?:\d+;)*(?:3|4|9)\d(?:;\d+)*m", child.before)
    assert colours == []
    assert "✓" in child.before


def test_a_dumb_terminal_gets_plain_lines(project: Path, tmp_path: Path) -> None:
    """No cursor movement where there is none."""
    (tmp_path / "flag").touch()
    child = terminal("run", project, TERM="dumb")
    child.expect(pexpect.EOF)
    child.close()
    assert "\x1b" not in child.before
    assert "ok       slow" in child.before
