"""Stands in for PyTorch, as it is very large. `webdataset` takes the class of tensors from this package."""


class Tensor:
    """A tensor. No document makes one."""
