"""The order with many words and under many hash seeds."""

import os
import subprocess
import sys

CODE = "import words; given = [str(n * 7919 % 1000) for n in range(200)] * 2; assert words.unique(given) == given[:200]"
for seed in range(5):
    subprocess.run([sys.executable, "-c", CODE], env={**os.environ, "PYTHONHASHSEED": str(seed)}, check=True)
