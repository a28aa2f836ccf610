"""What an attempt uses is measured for itself, and memory can be limited."""

from __future__ import annotations

import resource
import sys

import pytest

from jupyter_blocks.usage import Meter, memory_limit

linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux can measure anew and limit")


def test_a_meter_reads_time_and_memory() -> None:
    """Seconds, CPU seconds, MiB."""
    used = Meter().read()
    assert set(used) == {"duration_s", "cpu_s", "peak_rss_mib"}
    assert used["duration_s"] >= 0
    assert used["peak_rss_mib"] > 1


@linux
def test_the_peak_is_that_of_the_attempt() -> None:
    """What was held and freed before does not count."""
    meter = Meter()
    held = bytearray(80 << 20)
    with_block = meter.peak_rss_mib()
    del held
    assert with_block - Meter().peak_rss_mib() > 60


@linux
def test_a_limit_is_what_may_be_added() -> None:
    """The memory the worker has already is not the block's."""
    with memory_limit(100):
        bytearray(20 << 20)
        with pytest.raises(MemoryError):
            bytearray(200 << 20)
    bytearray(200 << 20)


def test_no_limit_sets_none() -> None:
    """0 is the default."""
    before = resource.getrlimit(resource.RLIMIT_DATA)
    with memory_limit(0):
        assert resource.getrlimit(resource.RLIMIT_DATA) == before
