"""Where the process runs, as Azure's own environment variables tell it, and the versions of what it runs on."""

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
    """Azure Functions, Azure App Service, or local.

    Functions apps have the version of their host among their settings. Flex Consumption names a pod or a container.
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
    """Where the process runs. What Azure does not tell is null."""
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
    """The versions of Python and of the libraries that matter when something is looked into."""
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = "unknown"
    return found
