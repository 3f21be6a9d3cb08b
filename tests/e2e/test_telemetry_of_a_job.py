"""What a real job tells Application Insights."""

import asyncio

from aiohttp import web

from playground.client import ApiClient


async def test_a_job_emits_its_signals_from_the_real_code(make_stack, gallery, session):
    items = []

    async def track(request):
        received = await request.json()
        items.extend(received)
        return web.json_response(
            {"itemsReceived": len(received), "itemsAccepted": len(received), "errors": []}
        )

    app = web.Application()
    app.router.add_post("/v2.1/track", track)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    endpoint = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    key = "00000000-0000-0000-0000-000000000001"
    stack = make_stack(
        OPENVERSE_BASE_URL=gallery,
        APPLICATIONINSIGHTS_CONNECTION_STRING=f"InstrumentationKey={key};IngestionEndpoint={endpoint}",
        AZURE_MONITOR_SAMPLING_RATE="1",
    )
    api = ApiClient(session, stack.url, stack.api_key)
    job = await api.submit({"keywords": ["cat"], "max_images_per_label": 5})
    async for seen in api.follow(job["id"]):
        job = seen
    assert job["state"] == "completed", stack.tail()
    await api.get(f"/api/v1/datasets/{job['id']}/download")

    wanted = {
        "application_started", "application_startup_time", "user_action", "operation_completed", "images_processed",
        "dataset_upload_started", "dataset_upload_completed", "azure_blob_upload", "storage_upload_size_mb",
        "dataset_size_mb", "job_completed",
    }  # fmt: skip
    for _ in range(150):
        if wanted <= {_name(item) for item in items}:
            break
        await asyncio.sleep(0.1)
    assert wanted <= {_name(item) for item in items}, wanted - {_name(item) for item in items}
    [completed] = [item["data"]["baseData"] for item in items if _name(item) == "job_completed"]
    assert completed["properties"]["job_id"] == job["id"]
    assert completed["measurements"]["images_processed"] == 5
    # one trace from the call over the queues to the dataset
    traces = {
        item["tags"]["ai.operation.id"] for item in items if _name(item) in {"job_completed", "user_action"}
    }
    submitted = [
        item for item in items if item["data"]["baseData"].get("properties", {}).get("action") == "submit_job"
    ]
    assert submitted[0]["tags"]["ai.operation.id"] in traces
    done = [item for item in items if _name(item) == "job_completed"]
    assert done[0]["tags"]["ai.operation.id"] == submitted[0]["tags"]["ai.operation.id"]
    await runner.cleanup()


def _name(item):
    base = item["data"]["baseData"]
    return base.get("name") or (
        base["metrics"][0]["name"] if "metrics" in base else base["exceptions"][0]["typeName"]
    )
