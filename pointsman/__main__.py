"""`python -m pointsman`: the command line."""

import sys

from pointsman.cli import main

sys.exit(main())
