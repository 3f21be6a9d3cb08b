"""Defines the error of one picture or text. It stands alone, so that who handles it need not import NumPy."""


class NoEmbedding(ValueError):
    """A model has no vector for one picture or text. It may have one for others."""
