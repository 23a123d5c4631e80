"""Files of PyTorch: those that it wrote itself, in all forms that public weights have."""

from pathlib import Path

import numpy as np
import pytest

from keras_convnets.errors import InputError
from keras_convnets.weights.formats import torch_pickle

FILES = Path(__file__).parents[1] / "peers" / "files"
REFUSED = {
    "attack.pth": "asks to run posix.system",
    "attack_legacy.pth": "asks to run posix.system",
    "module.pth": "save the weights alone",
}
READ = sorted(path.name for path in FILES.glob("*.p*th") if path.name not in REFUSED)


@pytest.mark.parametrize("name", READ)
def test_every_tensor_is_what_torch_reads(name):
    with np.load(FILES / "expected.npz") as file:
        expected = {
            key.partition("/")[2].removeprefix("module."): file[key]
            for key in file
            if key.startswith(f"{name}/")
        }
    stored = torch_pickle.read(FILES / name)
    assert stored.keys() == expected.keys()
    for key, tensor in stored.items():
        assert tensor.shape == expected[key].shape
        np.testing.assert_array_equal(tensor.read().astype(expected[key].dtype), expected[key])


@pytest.mark.parametrize("name", REFUSED)
def test_nothing_in_a_file_is_run(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # where the attack would leave its mark
    with pytest.raises(InputError, match=REFUSED[name]):
        torch_pickle.read(FILES / name)
    assert not list(tmp_path.iterdir())
