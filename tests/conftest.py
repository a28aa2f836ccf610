"""What every test may rely on, wherever the tests are started from."""

from __future__ import annotations

import os
import signal

from hypothesis import HealthCheck, settings

pytest_plugins = ["pytest_jupyter.jupyter_server"]

# Under `nohup` the hang-up signal is ignored, here and in every process that is started from here;
# the tests of closed terminals want it as a terminal leaves it.
signal.signal(signal.SIGHUP, signal.SIG_DFL)
# The same goes for Ctrl-C in what a shell starts in the background.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Every run tries the same examples, so that it judges the change and not the luck of the draw;
# with NEW_EXAMPLES=1 it looks for new ones. How long an example takes says nothing of the code.
patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("new", patient)
settings.register_profile("same", patient, derandomize=True)
settings.load_profile("new" if os.environ.get("NEW_EXAMPLES") else "same")
