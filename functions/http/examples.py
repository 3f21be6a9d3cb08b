"""Examples of bodies and answers in the description of the API."""

from collections.abc import Mapping
from typing import Any, Final

SPEC: Final = {
    "keywords": ["lighthouse"],
    "max_images_per_label": 50,
    "sources": [{"type": "openverse"}, {"type": "wikimedia"}],
    "filters": {"min_width": 256, "min_height": 256},
}
"""A spec."""

JOB: Final[Mapping[str, Any]] = {
    "id": "d4f64fa2a4556629f9d99c1c",
    "name": "pets",
    "state": "completed",
    "revision": 1,
    "notice": None,
    "created_at": "2026-01-01T00:00:00.735261Z",
    "updated_at": "2026-01-01T00:01:00.552434Z",
    "progress": {"chunks": {"total": 1, "done": 1}, "found": 57, "kept": 25, "rejected": 32},
    "labels": {"dog": {"found": 57, "kept": 25, "rejected": {"license_filtered": 24, "near_duplicate": 8}}},
    "rejections": {"license_filtered": 24, "near_duplicate": 8},
    "problems": [],
    "problem_count": 0,
    "error": None,
    "webhook": {
        "state": "delivered",
        "attempts": 1,
        "status": 204,
        "error": None,
        "at": "2026-01-01T00:01:01.598300Z",
        "next_attempt_at": None,
    },
    "message_id": None,
    "requested_id": None,
    "links": {
        "self": "/api/v1/jobs/d4f64fa2a4556629f9d99c1c",
        "dataset": "/api/v1/datasets/d4f64fa2a4556629f9d99c1c",
        "download": "/api/v1/datasets/d4f64fa2a4556629f9d99c1c/download",
        "deliveries": "/api/v1/jobs/d4f64fa2a4556629f9d99c1c/deliveries",
        "records": "/api/v1/jobs/d4f64fa2a4556629f9d99c1c/records/download",
    },
}
"""A job that has completed."""

DELIVERY: Final[Mapping[str, Any]] = {
    "id": "msg_5f0d8a3e1c7b4296a8d3e0f1b2c4d596",
    "event": "job.completed",
    "state": "pending",
    "created_at": "2026-01-01T00:01:01.112430Z",
    "attempt_count": 1,
    "attempts": [
        {
            "at": "2026-01-01T00:01:01.598300Z",
            "status": 503,
            "error": "It answered with status 503.",
        }
    ],
    "error": "It answered with status 503.",
    "next_attempt_at": "2026-01-01T00:03:00.000000Z",
    "links": {
        "job": "/api/v1/jobs/d4f64fa2a4556629f9d99c1c",
        "redeliver": "/api/v1/jobs/d4f64fa2a4556629f9d99c1c/deliveries/msg_5f0d8a3e1c7b4296a8d3e0f1b2c4d596/redeliver",
    },
}
"""A delivery whose first attempt has failed, and which is to be sent again."""

NEW_JOB: Final[Mapping[str, Any]] = {
    **JOB,
    "name": "dataset",
    "updated_at": JOB["created_at"],
    "state": "queued",
    "progress": {"chunks": {"total": 0, "done": 0}, "found": 0, "kept": 0, "rejected": 0},
    "labels": {},
    "rejections": {},
    "webhook": None,
    "links": {"self": JOB["links"]["self"], "cancel": f"{JOB['links']['self']}/cancel"},
}
"""The job of a call that has just submitted it."""
