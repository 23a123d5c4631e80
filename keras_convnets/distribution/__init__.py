"""Several processes that train one net: their roles, what they serve, and who starts them."""

from keras_convnets.distribution.launcher import launch, local_roles
from keras_convnets.distribution.listening import keep_to
from keras_convnets.distribution.roles import Role, current_role
from keras_convnets.distribution.serving import prepare_to_serve, serve
from keras_convnets.distribution.supervisor import Command, Limits

__all__ = [
    "Command",
    "Limits",
    "Role",
    "current_role",
    "keep_to",
    "launch",
    "local_roles",
    "prepare_to_serve",
    "serve",
]
