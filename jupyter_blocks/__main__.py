"""`python -m jupyter_blocks` is `jupyter blocks`."""

import sys

from jupyter_blocks.cli import main

sys.exit(main())
