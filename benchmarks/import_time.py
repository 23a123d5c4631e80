"""What `import keras_convnets` and a builder cost over `import keras`: at most 0.3 s.

python benchmarks/import_time.py
"""

import subprocess
import sys

from compare import compare


def run(code: str) -> None:
    """Runs code in a new interpreter."""
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)  # noqa: S603


if __name__ == "__main__":
    compare(
        "import_time",
        lambda: run("import keras_convnets; keras_convnets.Xception; keras_convnets.LeNet5"),
        lambda: run("import keras"),
        rival_name="import keras",
        rounds=9,
        wanted="difference_seconds at most 0.3",
    )
