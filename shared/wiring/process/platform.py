"""Reads from Azure's environment variables where the process runs, and which versions of libraries it uses."""

import platform
from collections.abc import Mapping
from functools import cache
from importlib import metadata

from shared.health.health import Facts
from shared.settings import Settings

_PACKAGES = (
    "aiohttp",
    "azure-data-tables",
    "azure-functions",
    "azure-identity",
    "azure-monitor-query",
    "azure-storage-blob",
    "azure-storage-queue",
    "opencensus-ext-azure",
    "opencv-python-headless",
    "pillow",
    "pydantic",
    "pyvips",
)


def service_of(settings: Settings) -> str:
    """Returns "Azure Functions", "Azure App Service" or "local".

    Functions apps have a setting with the version of their host. Flex Consumption sets the name of a pod or a
    container.
    """
    if not settings.running_in_azure:
        return "local"
    of_functions = (
        settings.functions_extension_version,
        settings.website_pod_name,
        settings.container_name,
    )
    return "Azure Functions" if any(of_functions) else "Azure App Service"


def platform_facts(settings: Settings) -> Facts:
    """Returns facts about the place where the process runs. Facts that Azure does not provide are None."""
    return {
        "service": service_of(settings),
        "app": settings.website_site_name,
        "plan": settings.website_sku,
        "region": settings.region_name,
        "instance": settings.instance,
        "host_version": settings.functions_extension_version,
    }


@cache
def versions() -> Mapping[str, str]:
    """Returns the versions of Python and of the main libraries, by name."""
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = "unknown"
    return found
