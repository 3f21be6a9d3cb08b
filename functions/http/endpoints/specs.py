"""HTTP functions that say what a spec would do, before anybody submits it."""

import asyncio
from typing import Final

from functions.http.call import Answer, Call
from functions.http.declared import Declared, Reply
from functions.http.endpoint import Endpoints
from functions.http.examples import SPEC
from functions.http.models.outlook import SpecOutlook

endpoints = Endpoints()

_EXAMPLE: Final = {
    "accepted": True,
    "spec": {"name": "dataset", "labels": {"lighthouse": ["lighthouse"]}, "max_images_per_label": 50},
    "sources": [
        {
            "type": "openverse",
            "asked": True,
            "missing_setting": None,
            "queries": 1,
            "variation_queries": 0,
            "candidates_max": 240,
        }
    ],
    "labels": {
        "lighthouse": {"queries": 1, "variation_queries": 0, "candidates_max": 240, "images_max": 50},
    },
    "candidates_max": 240,
    "images_max": 50,
    "warnings": [],
    "refusals": [],
    "allowance": {
        "images_max": 50,
        "limited_by_tier": False,
        "images_per_job": 5000,
        "images_left_this_month": 10000,
        "resets_at": "2027-01-01T00:00:00Z",
        "jobs_left": 2,
    },
    "estimate": {
        "prices": {"currency": "USD", "region": "East US 2", "date": "2026-11-29"},
        "images": 50,
        "candidates": 120,
        "size_bytes": {
            "amount": 15000000,
            "cost": None,
            "assumption": "300,000 bytes an image, which is a guess for originals from the web",
        },
        "duration_seconds": {
            "amount": 14.8,
            "cost": None,
            "assumption": (
                "one instance looks at 25 candidates a second, as if all came from one host, and at two for each image "
                "if there are so many"
            ),
        },
        "executions": {
            "amount": 5,
            "cost": 0.000002,
            "assumption": "one for each chunk of up to 1,024 candidates, and some for the job; nothing is free",
        },
        "execution_gb_seconds": {
            "amount": 29.6,
            "cost": 0.00077,
            "assumption": "one instance of 2 GB works for the whole duration; nothing is free",
        },
        "storage_transactions": {
            "amount": 149,
            "cost": 0.000112,
            "assumption": "as measured for real jobs, by job, chunk and GB",
        },
        "storage_gb_month": {
            "amount": 0.014,
            "cost": 0.000257,
            "assumption": "in the Hot tier for 30 days",
        },
        "download_gb": {
            "amount": 0.014,
            "cost": 0.001216,
            "assumption": "one download from the Hot tier to the internet; nothing is free",
        },
        "job_cost": 0.000883,
    },
}


@endpoints.serve(
    Declared(
        "POST",
        "api/v1/specs/validate",
        {200: Reply(SpecOutlook, "What the spec would do.", example=_EXAMPLE)},
        body="shared.jobs.spec.spec.JobSpec",
        example=SPEC,
    )
)
async def validate_spec(call: Call) -> Answer:
    """Answers what a spec would do. Nothing is stored, and no service is asked.

    Its queries are counted by source and by label, with upper bounds of the numbers of candidates and images.
    `warnings` name the fields that have no effect, and `refusals` say why the spec would not be taken now. `estimate`
    has bytes, time and costs. A spec that is not valid is refused as it is when it is submitted.
    """
    spec = await call.read(call.app.specs.parse)
    forecast = await call.app.forecasts.of(spec, call.caller.user_id)
    # the fields of a large spec take a part of a second, and other calls must not wait
    return Answer(await asyncio.to_thread(SpecOutlook.of, forecast))
