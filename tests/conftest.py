"""What every test may rely on, wherever the tests are started from."""

from __future__ import annotations

import os
import signal

from hypothesis import settings

pytest_plugins = ["pytest_jupyter.jupyter_server"]

# Under `nohup` the hang-up signal is ignored, here and in every process that is started from here;
# the tests of closed terminals want it as a terminal leaves it.
signal.signal(signal.SIGHUP, signal.SIG_DFL)

# Continuous integration tries the same examples each time, so that it judges the change and not the
# luck of the draw; elsewhere every run tries new ones.
settings.register_profile("ci", derandomize=True, deadline=None)
if os.environ.get("CI"):
    settings.load_profile("ci")
