"""Damaged files: some hundred mutations of a file of each form."""

import json
import subprocess
import sys
from pathlib import Path

from .tiny_files import WRITERS

ROOT = Path(__file__).parents[2]
COUNT = 120


def test_mutations_load_finite_numbers_or_are_refused_and_change_nothing(tmp_path):
    command = [sys.executable, "-m", "tests.weights.mutations", str(tmp_path), "0", str(COUNT)]
    child = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600)
    at = (tmp_path / "seeds").read_text().splitlines()[-1]
    assert child.returncode == 0, f"At form and seed {at}: {child.stderr[-3000:]}"
    counts = json.loads(child.stdout.splitlines()[-1])
    assert counts.keys() == WRITERS.keys()
    for form, count in counts.items():
        assert count["loaded"] + count["refused"] == COUNT, form
        assert count["loaded"] > 0, form
        assert count["refused"] > 0, form
