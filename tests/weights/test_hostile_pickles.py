"""Pickles of `.pth` files that ask for more than tensors, or for tensors that can't be."""

import io
import pickle
import zipfile
from pathlib import Path

import pytest

FORMS = pytest.mark.parametrize("form", [".pth", ".legacy.pth"])
NUMBERS = bytes(16)  # of the one storage that there is: four of float32
MAGIC = 0x1950A86A20F9469CFC6C


def steps(value) -> bytes:
    """The steps of a pickle that make a plain value."""
    return pickle.dumps(value, 2)[2:-1]


def program(body: bytes) -> bytes:
    return b"\x80\x02" + body + b"."


def storage(kind="FloatStorage", key="0", count=4, start=b"", end=b"") -> bytes:
    """The steps that refer to a storage."""
    reference = steps("storage") + b"ctorch\n%s\n" % kind.encode() + steps(key) + steps("cpu")
    return b"(" + start + reference + steps(count) + end + b"tQ"


def tensor(where=None, offset=0, shape=(4,), strides=(1,)) -> bytes:
    """The steps that make a tensor."""
    fields = b"".join(map(steps, (offset, shape, strides, False)))
    where = storage() if where is None else where
    return b"ctorch._utils\n_rebuild_tensor_v2\n(" + where + fields + b"NtR"


def state(tensor: bytes) -> bytes:
    """A state dict of one tensor."""
    return program(b"}" + steps("conv1.weight") + tensor + b"s")


def call(module, name, *arguments) -> bytes:
    return b"c%s\n%s\n" % (module.encode(), name.encode()) + steps(arguments) + b"R"


@pytest.fixture
def write(tmp_path):
    """A function that writes a file of a form with a pickle, and returns its path."""

    def apply(form: str, pickled: bytes, keys=None, count=4, system=None) -> Path:
        path = tmp_path / f"tiny{form}"
        if form == ".pth":
            with zipfile.ZipFile(path, "w") as archive:
                archive.writestr("tiny/data.pkl", pickled)
                archive.writestr("tiny/data/0", NUMBERS)
            return path
        file = io.BytesIO()
        for head in (MAGIC, 1001, {"little_endian": True} if system is None else system):
            file.write(pickle.dumps(head, 2))
        keys = ["0"] * (b"storage" in pickled) if keys is None else keys
        file.write(pickled + pickle.dumps(keys, 2))
        file.write(count.to_bytes(8, "little") + NUMBERS)
        path.write_bytes(file.getvalue())
        return path

    return apply


@FORMS
def test_a_plain_tensor_is_read(form, write, refuses):
    """Or all that follows would show nothing."""
    refuses(write(form, state(tensor())), "names that no net of this package has .*: conv1.weight")


CODE = "open('marker', 'w')"
MARK = {
    "os.system": call("os", "system", "touch marker"),
    "posix.system": call("posix", "system", "touch marker"),
    "builtins.eval": call("builtins", "eval", CODE),
    "builtins.exec": call("builtins", "exec", CODE),
    "__builtin__.eval": call("__builtin__", "eval", CODE),
    "subprocess.call": call("subprocess", "call", ["touch", "marker"]),
    "builtins.getattr": call("builtins", "getattr", "a", "upper"),
    "torch.hub.load": call("torch.hub", "load", "a", "b"),
    "torch._utils._rebuild_sparse_tensor": call("torch._utils", "_rebuild_sparse_tensor", 1),
    "torch._utils._rebuild_qtensor": call("torch._utils", "_rebuild_qtensor", 1),
    "torch.storage._load_from_bytes": call("torch.storage", "_load_from_bytes", b"x"),
    "torchvision.models.resnet.ResNet": b"ctorchvision.models.resnet\nResNet\n)R}b",
    "'a\\x1b.b'": call("a\x1b", "b"),
    "a step INST": b"(" + steps("touch marker") + b"ios\nsystem\n",
    "a step OBJ": b"(ccollections\nOrderedDict\no",
    "a step NEWOBJ": b"ccollections\nOrderedDict\n)\x81",
    "a step NEWOBJ_EX": b"ccollections\nOrderedDict\n)}\x92",
    "a step PERSID": b"P0\n",
    "a step EXT1": b"\x82\1",
    "a step POP": b"N0",
    "a step DUP": b"N2",
    "a step EMPTY_SET": b"\x8f",
    "a step NEXT_BUFFER": b"\x97",
    "a step INT": b"I1\n",
    "a step STRING": b"S'a'\n",
    "a step LONG4": b"\x8b\4\0\0\0\1\2\3\4",
}


@FORMS
@pytest.mark.parametrize("asked", MARK)
def test_what_a_pickle_asks_to_run_is_not_run(asked, form, write, refuses, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    path = write(form, program(MARK[asked]))
    refuses(path, f"asks to run {asked.replace(chr(92), chr(92) * 2)}.*, and only tensors are read")
    assert list(tmp_path.iterdir()) == [path]


VIEWS = {
    "too long": (tensor(shape=(5,)), "a tensor is larger than its numbers"),
    "huge": (tensor(shape=(2**31, 2**31), strides=(1, 1)), "larger than its numbers"),
    "expanded": (tensor(shape=(10**9, 10**9), strides=(0, 0)), "larger than its numbers"),
    "strides": (tensor(shape=(2, 2), strides=(3, 1)), "larger than its numbers"),
    "offset": (tensor(offset=1), "larger than its numbers"),
    "huge offset": (tensor(offset=2**62, shape=(0,)), "larger than its numbers"),
    "negative offset": (tensor(offset=-1), "no whole number"),
    "negative stride": (tensor(strides=(-1,)), "no whole number"),
    "negative shape": (tensor(shape=(-4,)), "no whole number"),
    "two negatives": (tensor(shape=(-2, -2), strides=(1, 1)), "no whole number"),
    "fraction": (tensor(shape=(4.0,)), "no whole number"),
    "truth": (tensor(offset=True), "no whole number"),
    "axes": (tensor(strides=(1, 1)), "do not belong together"),
    "many axes": (tensor(shape=(1,) * 1000, strides=(1,) * 1000), "no shape or strides"),
    "text": (tensor(shape="ab"), "no shape or strides"),
    "nested": (tensor(shape=((4,),)), "no whole number"),
    "no storage": (tensor(b"N"), "a tensor has no numbers"),
    "storage without size": (tensor(storage(count=-4)), "a storage has no size"),
    "storage with text": (tensor(storage(count="4")), "a storage has no size"),
    "huge storage": (tensor(storage(count=2**62)), "not all there"),
    "wide storage": (tensor(storage("DoubleStorage")), "not all there"),
    "unknown storage": (tensor(storage("ComplexFloatStorage")), "torch.ComplexFloatStorage"),
    "quantized storage": (tensor(storage("QInt8Storage")), "asks to run torch.QInt8Storage"),
    "other storage": (tensor(storage(key="../1")), "no member|have no numbers"),
    "storage of a number": (tensor(storage(key=0)), "kept in an unknown way"),
    "storage view": (tensor(storage(end=steps(("0", 0, 4)))), "kept in an unknown way"),
    "other reference": (tensor(storage(start=steps("module"))), "kept in an unknown way"),
    "few arguments": (b"ctorch._utils\n_rebuild_tensor_v2\n)R", "calls a function in an unknown"),
    "many arguments": (
        b"ctorch._utils\n_rebuild_tensor_v2\n" + steps(tuple(range(1000))) + b"R",
        "calls a function in an unknown way",
    ),
}


@FORMS
@pytest.mark.parametrize("fault", VIEWS)
def test_tensors_that_cannot_be_are_refused(fault, form, write, refuses):
    made, message = VIEWS[fault]
    refuses(write(form, state(made)), message)


DEEP = b")" + b"\x85" * 2**17  # a tuple in a tuple in ...; Python crashes where it is hashed
DOUBLED = b")" + b"q\0h\0\x86" * 2**10  # (t, t) of (t, t) of ...: 2**1024 elements
# A list of 16,384 pairs, of which dictionaries are then made again and again.
PAIRS = b"ccollections\nOrderedDict\nq\1K\0K\0\x86q\2](" + b"h\2" * 2**14 + b"e\x85q\3"
PROGRAMS = {
    "no end": (b"\x80\x02}", "is not a whole file of PyTorch"),
    "empty": (b"", "is not a whole file of PyTorch"),
    "nothing": (program(b""), "takes more than it made"),
    "mark": (program(b"("), "takes more than it made"),
    "no mark": (program(b"t"), "takes more than it made"),
    "no memo": (program(b"h\1"), "takes what it has not made"),
    "no tensors": (program(b"}"), "it has no tensors by name"),
    "number": (program(b"K\1"), "it has no tensors by name"),
    "tensor alone": (program(tensor()), "it has no tensors by name"),
    "same name": (
        program(b"}(" + steps("module.a") + tensor() + steps("a") + tensor() + b"u"),
        "two of its tensors have the same name",
    ),
    "call of a number": (program(b"K\1)R"), "calls what is no function"),
    "function without text": (program(b"K\1K\1\x93"), "names a function without a text"),
    "function of tuples": (program(DEEP + b"q\0h\0\x93"), "names a function without a text"),
    "fill a number": (program(b"K\1Na"), "fills what is no list"),
    "fill a list": (program(b"]NNs"), "fills what is no dict"),
    "build nothing": (program(b"(}b"), "fills what is no object"),
    "key": (program(b"})Ns"), "neither a text nor a number"),
    "deep key": (program(b"}" + DEEP + b"Ns"), "neither a text nor a number"),
    "deep pair": (
        program(b"ccollections\nOrderedDict\n](" + DEEP + b"N\x86e\x85R"),
        "neither a text nor a number",
    ),
    "doubled value": (program(b"}" + steps("state_dict") + DOUBLED + b"s"), "no tensors by name"),
    "doubled key": (program(b"}" + DOUBLED + b"Ns"), "neither a text nor a number"),
    "doubled shape": (state(b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage() + b"K\0" + DOUBLED
                            + b"h\0NtR"), "no whole number|no shape or strides"),
    "doubled storage": (program(b"(" + steps("storage") + b"ctorch\nFloatStorage\n" + DOUBLED
                                + b"NK\1tQ"), "kept in an unknown way"),
    "itself": (program(b"}q\0" + steps("state_dict") + b"h\0s"), "no tensors by name"),
    "memo": (program(b"Nr\xff\xff\xff\xff}"), "no tensors by name"),
    "many lists": (program(b"]" * 600_000), "has too many steps"),
    "many copies": (program(PAIRS + b"h\1h\3R" * 2**14), "has too many steps"),
    "long text": (program(b"X\xff\xff\xff\x7fabc"), "is not a whole file of PyTorch"),
    "longer text": (program(b"\x8d" + b"\xff" * 7 + b"\x7fabc"), "is not a whole file"),
    "longest text": (program(b"\x8d" + b"\xff" * 8 + b"abc"), "is not a whole file"),
    "long bytes": (program(b"B\xff\xff\xff\xffabc"), "is not a whole file of PyTorch"),
    "long number": (program(b"L" + b"9" * 10**6 + b"L\n"), "is not a whole file of PyTorch"),
    "no text": (program(b"X\2\0\0\0\xff\xfe"), "is not a whole file of PyTorch"),
    "half a character": (program(b"X\3\0\0\0\xed\xa0\x80"), "is not a whole file of PyTorch"),
    "unknown step": (program(b"\xff"), "is not a whole file of PyTorch"),
    "frame": (program(b"\x95" + b"\xff" * 8), "takes more than it made"),
}  # fmt: skip


@FORMS
@pytest.mark.parametrize("fault", PROGRAMS)
def test_broken_pickles_and_traps_are_refused(fault, form, write, refuses):
    pickled, message = PROGRAMS[fault]
    refuses(write(form, pickled), message)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"keys": []}, "some of its tensors have no numbers"),
        ({"keys": ["0", "0"]}, "some of its tensors have no numbers"),
        ({"keys": ["1"]}, "some of its tensors have no numbers"),
        ({"keys": [0]}, "it has no list of its storages"),
        ({"keys": 3}, "it has no list of its storages"),
        ({"count": 3}, "its numbers are not all there"),
        ({"count": 5}, "its numbers are not all there"),
        ({"count": 2**63}, "its numbers are not all there"),
        ({"system": {"little_endian": False}}, "its numbers are big-endian"),
        ({"system": 3}, "its numbers are big-endian"),
    ],
)
def test_storages_of_old_files_that_do_not_fit_are_refused(options, message, write, refuses):
    refuses(write(".legacy.pth", state(tensor()), **options), message)


def test_a_storage_of_two_kinds_in_an_old_file_is_refused(write, refuses):
    twice = b"(" + tensor() + tensor(storage("IntStorage")) + b"t"
    refuses(write(".legacy.pth", state(twice)), "a storage has two sizes")
