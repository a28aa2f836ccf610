"""What is said of an attempt on another machine that has ended."""

from __future__ import annotations

import pytest

from jupyter_blocks.executors.base import Phase, Reason
from jupyter_blocks.executors.jobs import JobState
from jupyter_blocks.executors.verdict import Verdict, of_report, without_report

ENDED = [
    # exit code, phase, reason, words
    (0, Phase.FAILED, Reason.PROTOCOL, "left no result"),
    (1, Phase.FAILED, Reason.CRASHED, "exit code 1"),
    (21, Phase.FAILED, Reason.INPUT_MISSING, "missing or damaged"),
    (22, Phase.FAILED, Reason.CONFIGURATION, "could not read its task"),
    (23, Phase.FAILED, Reason.CONFIGURATION, "image lacks"),
    (25, Phase.CANCELLED, Reason.CANCELLED, "stopped"),
    (127, Phase.FAILED, Reason.CONFIGURATION, "no Python"),
    (137, Phase.FAILED, Reason.CRASHED, "SIGKILL: somebody killed it, or it used more memory"),
    (139, Phase.FAILED, Reason.CRASHED, "SIGSEGV"),
    (255, Phase.FAILED, Reason.CRASHED, "exit code 255"),
]


@pytest.mark.parametrize(("exit_code", "phase", "reason", "words"), ENDED)
def test_an_exit_code_without_a_report(
    exit_code: int, phase: Phase, reason: Reason, words: str
) -> None:
    """No container has succeeded that left nothing."""
    seen = JobState(Phase.FAILED if exit_code else Phase.SUCCEEDED, exit_code=exit_code)
    verdict = without_report(seen, None)
    assert (verdict.phase, verdict.reason) == (phase, reason)
    assert words in verdict.detail


def test_memory_is_named_with_what_was_last_seen() -> None:
    """The limit from the platform, the peak from the worker."""
    state = JobState(Phase.FAILED, Reason.OUT_OF_MEMORY, "more than its 512 MiB", 137)
    verdict = without_report(state, {"peak_rss_mib": 498.2})
    assert verdict.detail == "more than its 512 MiB (it held 498.2 MiB when it was last heard of)"


def test_the_platforms_reason_goes_before_the_exit_code() -> None:
    """A machine that was taken away kills its containers too."""
    state = JobState(Phase.LOST, Reason.INFRASTRUCTURE, "the spot machine is gone", 137)
    assert without_report(state, None) == Verdict(
        Phase.LOST, Reason.INFRASTRUCTURE, "the spot machine is gone"
    )


REPORTS = [
    ("succeeded", "", Phase.SUCCEEDED, Reason.NONE),
    ("condition_false", "condition_false", Phase.SUCCEEDED, Reason.CONDITION_FALSE),
    ("waiting", "sensor_waiting", Phase.SUCCEEDED, Reason.SENSOR_WAITING),
    ("failed", "user_error", Phase.FAILED, Reason.USER_ERROR),
    ("cancelled", "cancelled", Phase.CANCELLED, Reason.CANCELLED),
    ("splendid", "", Phase.FAILED, Reason.PROTOCOL),
]


@pytest.mark.parametrize(("status", "reason", "phase", "means"), REPORTS)
def test_a_report_is_taken_at_its_word(
    status: str, reason: str, phase: Phase, means: Reason
) -> None:
    """But its manifest is read from the store, and verified there."""
    report = {"status": status, "reason": reason, "error": None, "manifest": {"a": 1}}
    seen = of_report("a", report, "pod")
    assert (seen.phase, seen.reason, seen.node) == (phase, means, "pod")
    assert "manifest" not in (seen.result or {})


def test_the_last_words_of_a_container() -> None:
    """Why Python did not start is in its output."""
    verdict = Verdict(Phase.FAILED, detail="exit code 1").with_lines(["a", "No module named x"])
    assert verdict.detail == "exit code 1; its last lines: a | No module named x"
