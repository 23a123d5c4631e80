"""Batch normalization that runs in one fused kernel where TensorFlow has one."""

import keras

_FUSED_DTYPES = ("float32", "bfloat16", "float16")


@keras.saving.register_keras_serializable(package="keras_convnets")
class BatchNormalization(keras.layers.BatchNormalization):
    """`keras.layers.BatchNormalization`, computed by TensorFlow's fused kernel where it can be.

    The weights, the config and the results are those of the parent: the moving variance is the
    biased one that Keras keeps. The fused kernel serves 4-D float32, bfloat16 and float16 input on
    the TensorFlow backend. Everything else takes the parent's path: float64, masks, renorm,
    synchronized statistics, other ranks, other backends, and `axis=1` on a machine without a GPU.

    Args:
        *args: as in `keras.layers.BatchNormalization`.
        **kwargs: as in `keras.layers.BatchNormalization`.

    Example:

    >>> x = keras.random.normal((8, 28, 28, 16))
    >>> keras_convnets.layers.BatchNormalization()(x, training=True).shape
    TensorShape([8, 28, 28, 16])

    Source: Ioffe and Szegedy 2015, arXiv 1502.03167, algorithms 1 and 2.
    """

    def call(self, inputs, training=None, mask=None):
        if mask is not None or not self._is_fusible(inputs):
            return super().call(inputs, training=training, mask=mask)
        return self._fused_call(inputs, bool(training) and self.trainable)

    def _is_fusible(self, inputs) -> bool:
        return (
            keras.backend.backend() == "tensorflow"
            and len(inputs.shape) == 4
            and keras.backend.standardize_dtype(inputs.dtype) in _FUSED_DTYPES
            and keras.backend.standardize_dtype(self.moving_mean.dtype) == "float32"
            and not (self.renorm or self.synchronized)
            and (self.axis in (-1, 3) or (self.axis == 1 and _gpu_is_visible()))
        )

    def _fused_call(self, inputs, use_batch_statistics: bool):
        import tensorflow as tf

        moving_mean = tf.convert_to_tensor(self.moving_mean)
        moving_variance = tf.convert_to_tensor(self.moving_variance)
        gamma = self.gamma if self.scale else tf.ones_like(moving_mean)
        beta = self.beta if self.center else tf.zeros_like(moving_mean)
        fused = tf.raw_ops.FusedBatchNormV3(
            x=inputs,
            scale=tf.convert_to_tensor(gamma),
            offset=tf.convert_to_tensor(beta),
            # The kernel wants empty statistics when it computes its own.
            mean=tf.zeros([0]) if use_batch_statistics else moving_mean,
            variance=tf.zeros([0]) if use_batch_statistics else moving_variance,
            epsilon=self.epsilon,
            exponential_avg_factor=1.0,
            data_format="NCHW" if self.axis == 1 else "NHWC",
            is_training=use_batch_statistics,
        )
        if use_batch_statistics:
            keep = self.momentum
            # The kernel reports the unbiased variance n / (n - 1) * var; Keras keeps the biased.
            count = tf.cast(tf.size(inputs) // tf.shape(inputs)[self.axis], tf.float32)
            variance = fused.batch_variance * ((count - 1.0) / count)
            self.moving_mean.assign(moving_mean * keep + fused.batch_mean * (1.0 - keep))
            self.moving_variance.assign(moving_variance * keep + variance * (1.0 - keep))
        return keras.ops.cast(fused.y, self.compute_dtype)


def _gpu_is_visible() -> bool:
    import tensorflow as tf

    return bool(tf.config.list_physical_devices("GPU"))
