"""Writes a report in a process of its own: `python -m keras_convnets.tuning.report.apart FOLDER`.

What figures and forests take of memory shall not stay with the process of a search.
"""

import os
import subprocess
import sys
from pathlib import Path

from keras_convnets.distribution.processes import tied_to

REPORT = "report.html"


def write_apart(folder: Path) -> str | None:
    """Writes the report of a search; returns why that was not possible, or `None`.

    Args:
        folder: of the search.
    """
    process = subprocess.run(  # noqa: S603 - it is this file
        [sys.executable, "-m", "keras_convnets.tuning.report.apart", str(folder)],
        capture_output=True,
        text=True,
        preexec_fn=tied_to(os.getpid()),
    )
    if not process.returncode:
        return None
    lines = process.stderr.strip().splitlines()
    return lines[-1] if lines else f"its process ended with code {process.returncode}"


if __name__ == "__main__":
    from keras_convnets.tuning.report.page import write_report

    write_report(sys.argv[1])
