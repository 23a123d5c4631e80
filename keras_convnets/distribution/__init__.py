"""Several processes that train one net: their roles, what they serve, and who starts them."""

from keras_convnets.distribution.roles import Role, current_role
from keras_convnets.distribution.serving import serve

__all__ = ["Role", "current_role", "serve"]
