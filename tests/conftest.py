"""Before anything is imported: numpy's threads would spin on each other's cores, five times the work."""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
