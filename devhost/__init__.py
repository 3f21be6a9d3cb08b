"""A stand-in for `func start`: the host half of Azure Functions around Microsoft's own Python worker library."""
