"""`python -m benchmarks`: all of them, and the report."""

import sys

from benchmarks.run_all import main

sys.exit(main())
