"""The layers of LeNet-5 as the paper has them (LeCun, Bottou, Bengio, Haffner 1998, section II)."""

import keras
import numpy as np
from keras import ops

# Table I: for each of the 16 maps of C3, the maps of S2 that it sees.
C3_CONNECTIONS = (
    (0, 1, 2), (1, 2, 3), (2, 3, 4), (3, 4, 5), (0, 4, 5), (0, 1, 5),
    (0, 1, 2, 3), (1, 2, 3, 4), (2, 3, 4, 5), (0, 3, 4, 5), (0, 1, 4, 5), (0, 1, 2, 5),
    (0, 1, 3, 4), (1, 2, 4, 5), (0, 2, 3, 5),
    (0, 1, 2, 3, 4, 5),
)  # fmt: skip

# The paper sets each output unit's weights to a 7 x 12 picture of its character. These pictures
# are drawn for this package: `choice`, for the paper shows its own only as a figure.
_DIGITS = """
 ###   |   #   | ##### |#####  |    #  |#######| ##### |#######| ##### | #####
#   #  |  ##   |#     #|     # |   ##  |#      |#     #|      #|#     #|#     #
#    # | # #   |      #|      #|  # #  |#      |#      |      #|#     #|#     #
#    # |   #   |      #|      #| #  #  |#      |#      |     # |#     #|#     #
#    # |   #   |     # |     # |#   #  |###### |# #### |     # |#     #|#    ##
#    # |   #   |    #  |  ###  |#   #  |      #|##    #|    #  | ##### | #### #
#    # |   #   |   #   |     # |#######|      #|#     #|    #  |#     #|      #
#    # |   #   |  #    |      #|    #  |      #|#     #|   #   |#     #|      #
#    # |   #   | #     |      #|    #  |      #|#     #|   #   |#     #|      #
#    # |   #   |#      |      #|    #  |#     #|#     #|  #    |#     #|#     #
#   #  |   #   |#      |     # |    #  |#     #|#     #|  #    |#     #|      #
 ###   | ##### |#######|#####  |    #  | ##### | ##### |  #    | ##### | #####
"""


def digit_prototypes() -> np.ndarray:
    """Returns the ten prototypes, (10, 84) float32 of -1 and +1: 7 x 12 bitmaps, row by row."""
    rows = [line.split("|") for line in _DIGITS.strip("\n").splitlines()]
    bitmaps = [[list(row[digit].ljust(7)) for row in rows] for digit in range(10)]
    return np.where(np.array(bitmaps) == "#", 1.0, -1.0).reshape(10, 84).astype("float32")


@keras.saving.register_keras_serializable(package="keras_convnets")
def scaled_tanh(x):
    """The paper's squashing function, 1.7159 tanh(2 x / 3) (appendix A)."""
    return 1.7159 * ops.tanh(x * (2.0 / 3.0))


@keras.saving.register_keras_serializable(package="keras_convnets")
class LeNetUniform(keras.initializers.Initializer):
    """Uniform in [-2.4 / fan_in, 2.4 / fan_in] (appendix A).

    Args:
        fan_in: number of inputs of a unit; taken from the shape of a dense or convolution kernel
            if `None`.
        seed: int or `None`.
    """

    def __init__(self, fan_in: int | None = None, seed: int | None = None):
        self.fan_in = fan_in
        self.seed = seed
        self._generator = keras.random.SeedGenerator(seed)

    def __call__(self, shape, dtype=None):
        limit = 2.4 / (self.fan_in or int(np.prod(shape[:-1])))
        dtype = dtype or keras.config.floatx()
        return keras.random.uniform(shape, -limit, limit, dtype=dtype, seed=self._generator)

    def get_config(self):
        return {"fan_in": self.fan_in, "seed": self.seed}


@keras.saving.register_keras_serializable(package="keras_convnets")
class TrainableSubsampling(keras.layers.Layer):
    """Halves each map: coefficient * (sum of the 2 x 2 block) + bias, one of each a map.

    Input (n, h, w, c) float; output (n, h // 2, w // 2, c); channels first if Keras is set so.
    """

    def build(self, input_shape):
        axis = _channel_axis()
        shape = [1] * len(input_shape)
        shape[axis] = input_shape[axis]
        # The paper draws the coefficient like any weight of a unit with four inputs.
        self.coefficient = self.add_weight(
            name="coefficient", shape=shape, initializer=LeNetUniform(fan_in=4)
        )
        self.bias = self.add_weight(name="bias", shape=shape, initializer="zeros")

    def call(self, inputs):
        total = 4.0 * ops.average_pool(inputs, 2, strides=2, padding="valid")
        return total * self.coefficient + self.bias

    def compute_output_shape(self, input_shape):
        spatial = (1, 2) if _channel_axis() == -1 else (2, 3)
        return tuple(
            length // 2 if axis in spatial and length is not None else length
            for axis, length in enumerate(input_shape)
        )


@keras.saving.register_keras_serializable(package="keras_convnets")
class ConnectionTableConv2D(keras.layers.Layer):
    """A valid convolution whose maps each see a chosen few of the input maps.

    Only the connections of the table have weights. Input (n, h, w, c); output
    (n, h - k + 1, w - k + 1, len(connections)); channels first if Keras is set so.

    Args:
        connections: for each output map, the input maps that it sees.
        kernel_size: height and width of the kernels.
        kernel_initializer: initializer of the weights, called once for each output map.
    """

    def __init__(self, connections, kernel_size, kernel_initializer=None, **kwargs):
        super().__init__(**kwargs)
        self.connections = tuple(tuple(row) for row in connections)
        self.kernel_size = kernel_size
        self.kernel_initializer = keras.initializers.get(kernel_initializer) or LeNetUniform()

    def build(self, input_shape):
        channels = input_shape[_channel_axis()]
        pairs = [(i, o) for o, row in enumerate(self.connections) for i in row]
        if max(i for i, _ in pairs) >= channels:
            raise ValueError(
                f"The connection table names map {max(i for i, _ in pairs)}. "
                f"Received: an input of {channels} maps"
            )
        self._place = np.zeros((len(pairs), channels * len(self.connections)), "float32")
        for row, (i, o) in enumerate(pairs):
            self._place[row, i * len(self.connections) + o] = 1.0
        self._channels = channels
        self.kernel = self.add_weight(
            name="kernel",
            shape=(self.kernel_size, self.kernel_size, len(pairs)),
            initializer=self._initialize,
        )
        self.bias = self.add_weight(
            name="bias", shape=(len(self.connections),), initializer="zeros"
        )

    def _initialize(self, shape, dtype=None):
        size = self.kernel_size
        per_map = [
            self.kernel_initializer((size, size, len(row), 1), dtype=dtype)[..., 0]
            for row in self.connections
        ]
        return ops.concatenate(per_map, axis=-1)

    def call(self, inputs):
        size, maps = self.kernel_size, len(self.connections)
        place = ops.cast(self._place, self.compute_dtype)
        kernel = ops.matmul(ops.cast(self.kernel, self.compute_dtype), place)
        kernel = ops.reshape(kernel, (size, size, self._channels, maps))
        outputs = ops.conv(inputs, kernel, padding="valid")
        shape = (1, -1, 1, 1) if _channel_axis() == 1 else (1, 1, 1, -1)
        return outputs + ops.reshape(self.bias, shape)

    def compute_output_shape(self, input_shape):
        shape = list(input_shape)
        axis = _channel_axis()
        for spatial in (1, 2) if axis == -1 else (2, 3):
            if shape[spatial] is not None:
                shape[spatial] -= self.kernel_size - 1
        shape[axis] = len(self.connections)
        return tuple(shape)

    def count_macs(self, input_shape, output_shape) -> int:
        """Multiply-adds of one image: one for each weight and output position."""
        height, width = output_shape[1:3] if _channel_axis() == -1 else output_shape[2:]
        connections = sum(len(row) for row in self.connections)
        return height * width * self.kernel_size**2 * connections

    def get_config(self):
        return {
            **super().get_config(),
            "connections": self.connections,
            "kernel_size": self.kernel_size,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
        }


@keras.saving.register_keras_serializable(package="keras_convnets")
class RadialBasisOutput(keras.layers.Layer):
    """Minus the squared distance to each class' fixed prototype, so that the largest wins.

    The paper's units give the distance y_i = sum_j (x_j - w_ij)^2 and the smallest wins
    (section II.B); with the sign turned, a softmax over the output is a likelihood of the classes.
    Input (n, 84); output (n, 10). The prototypes are not trained.
    """

    def build(self, input_shape):
        prototypes = digit_prototypes()
        if input_shape[-1] != prototypes.shape[1]:
            raise ValueError(
                f"The prototypes have {prototypes.shape[1]} pixels. "
                f"Received: an input of shape {tuple(input_shape)}"
            )
        self.prototypes = self.add_weight(
            name="prototypes",
            shape=prototypes.shape,
            initializer=lambda shape, dtype=None: ops.convert_to_tensor(prototypes, dtype=dtype),
            trainable=False,
        )

    def call(self, inputs):
        difference = ops.expand_dims(inputs, 1) - self.prototypes
        return -ops.sum(ops.square(difference), axis=-1)

    def compute_output_shape(self, input_shape):
        return (input_shape[0], 10)


def _channel_axis() -> int:
    return -1 if keras.config.image_data_format() == "channels_last" else 1
