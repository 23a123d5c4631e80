"""Several processes that train one net: their roles, what they serve, and who starts them."""
