"""What the exit code of `keras-convnets` says; 0 is done."""

FAILED = 1
BAD_INPUT = 2
PARTIAL = 3  # some files were skipped
RESTART = 75  # stopped on request: `train --resume` goes on
