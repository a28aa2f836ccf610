"""What every test may rely on, wherever the tests are started from."""

from __future__ import annotations

import signal

# Under `nohup` the hang-up signal is ignored, here and in every process that is started from here;
# the tests of closed terminals want it as a terminal leaves it.
signal.signal(signal.SIGHUP, signal.SIG_DFL)
