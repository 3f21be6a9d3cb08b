"""Names the functions of the app, which the host lists only once they are registered for good."""

from collections.abc import Iterable
from types import ModuleType

from azure.functions.decorators.function_app import FunctionBuilder

from functions.http.edge.unmatched import NAME
from functions.http.endpoint import Endpoints


def function_names(endpoints: Iterable[Endpoints], *modules: ModuleType) -> frozenset[str]:
    """Returns the names of all HTTP functions, and of those that are declared in these modules."""
    declared = (name for each in endpoints for name in each.declared)
    triggered = (
        name
        for module in modules
        for name, value in vars(module).items()
        if isinstance(value, FunctionBuilder)
    )
    return frozenset({NAME, *declared, *triggered})
