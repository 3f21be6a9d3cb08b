"""All modules of endpoints, by the names under which the description of the API groups them."""

from collections.abc import Mapping
from typing import Final

from functions.http.endpoint import Endpoints
from functions.http.endpoints import (
    datasets,
    deliveries,
    description,
    downloads,
    jobs,
    keys,
    lists,
    pages,
    records,
    specs,
    tiers,
    users,
)
from functions.http.endpoints.images import dataset_contents, dataset_images, job_images
from functions.http.endpoints.job_details import log, timeline
from functions.http.endpoints.operators import audit, health, insights, lifecycle, optouts

MODULES: Final[Mapping[str, Endpoints]] = {
    "jobs": jobs.endpoints,
    "webhooks": deliveries.endpoints,
    "records": records.endpoints,
    "timelines": timeline.endpoints,
    "logs": log.endpoints,
    "specs": specs.endpoints,
    "lists": lists.endpoints,
    "datasets": datasets.endpoints,
    "downloads": downloads.endpoints,
    "images": dataset_images.endpoints,
    "contents": dataset_contents.endpoints,
    "job images": job_images.endpoints,
    "tiers": tiers.endpoints,
    "users": users.endpoints,
    "keys": keys.endpoints,
    "optouts": optouts.endpoints,
    "audit": audit.endpoints,
    "insights": insights.endpoints,
    "lifecycle": lifecycle.endpoints,
    "health": health.endpoints,
    "description": description.endpoints,
    "pages": pages.endpoints,
}
"""The function app registers them, and the description of the API has them in this order."""
