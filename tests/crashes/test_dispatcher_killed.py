"""A dispatcher that is killed loses nothing, publishes nothing twice and repeats no living job.

Each test cuts a pipeline off at one point after the other - before and after every effect, every
change of a file, every statement of the journal, every request - each time in a new project and
with SIGKILL, resumes it, and compares the end with that of a run that nobody disturbed.

Every test run takes a third of the points of a local pipeline, and of remote ones those around the
calls that change something for the first block; `BLOCKS_CRASH_POINTS=all` takes all.
"""

from __future__ import annotations

import os
import re

import pytest

from tests.crashes.lab import Lab, Outcome

PARTS = 2
SOME = 3
CHANGES = re.compile(
    r"request (POST|DELETE) (?!.*Describe).* #1|store (publish|point) #1|sqlite COMMIT #4"
)
ALL = os.environ.get("BLOCKS_CRASH_POINTS") == "all"


@pytest.mark.parametrize("part", range(PARTS))
def test_local_runs(local_lab: Lab, part: int) -> None:
    """Workers end with their dispatcher; what they had not committed is done once more."""
    points = local_lab.points()[part::PARTS]
    check(local_lab, points if ALL else points[::SOME])


@pytest.mark.parametrize("part", range(2))
@pytest.mark.parametrize("far_lab", ["k8s", "ecs", "gcp_cloud_run"], indirect=True)
def test_remote_runs(far_lab: Lab, part: int) -> None:
    """Jobs go on without their dispatcher, and the next one adopts them: each runs once."""
    points = far_lab.points()
    if not ALL:
        points = [point for point in points if CHANGES.fullmatch(point.partition(" ")[2])]
    check(far_lab, points[part::2])


def check(lab: Lab, points: list[str]) -> None:
    """Nothing is wrong wherever the run is cut off, and most points are really reached."""
    assert points
    outcome = Outcome()
    for point in points:
        lab.cut_off(point, outcome)
    assert outcome.violations == []
    assert outcome.injections >= 0.5 * len(points), outcome.not_reached
