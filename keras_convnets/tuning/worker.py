"""What a worker does: `python -m keras_convnets.tuning.worker FOLDER [MINUTES]`.

Keras Tuner's environment variables say where the oracle is served, and which worker this is.
"""

import os
import sys
from pathlib import Path

from keras_tuner.src.distribute.oracle_client import OracleClient

from keras_convnets.errors import StoppedError
from keras_convnets.exit_codes import RESTART
from keras_convnets.stopping import stop_requests
from keras_convnets.tuning.plan import Plan
from keras_convnets.tuning.runner import Runner
from keras_convnets.tuning.search import run_trials


def main(folder: Path, minutes: float | None) -> None:
    """Does the work of the process, and exits."""
    # The client asks it for the objective alone, all else comes from where the oracle is served.
    client = OracleClient(Plan.read(folder).oracle(trials=1))
    with stop_requests() as stop:
        runner = Runner(folder, stop, minutes=minutes)
        try:
            run_trials(client, os.environ["KERASTUNER_TUNER_ID"], runner, stop)
        except StoppedError as error:
            print(error)
            sys.exit(RESTART)


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else None)
