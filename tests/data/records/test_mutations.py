"""Damaged records: some hundred mutations of a shard, its sidecar and its index."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
COUNT = 500


def test_mutations_are_opened_or_refused_in_a_sentence(tmp_path):
    command = [sys.executable, "-m", "tests.data.records.mutations", str(tmp_path), "0", str(COUNT)]
    child = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    at = (tmp_path / "seeds").read_text().splitlines()[-1]
    assert child.returncode == 0, f"At seed {at}: {child.stderr[-3000:]}"
    counts = json.loads(child.stdout.splitlines()[-1])
    assert sum(counts.values()) == COUNT
    for each in ("frame refused", "frame with faults", "content with faults", "content opened"):
        assert counts[each] > 0, each
    assert counts["sidecar opened"] == COUNT / 5  # what does not fit is made again
    assert counts["index refused"] > 0
