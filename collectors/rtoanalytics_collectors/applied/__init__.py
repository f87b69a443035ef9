"""Effects in a downstream, each read once from where the downstream keeps them."""
