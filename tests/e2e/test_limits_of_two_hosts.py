"""Two hosts with the same storage hold a limit together."""

import asyncio
import time
from collections import Counter

from playground.client import ApiClient

CALLS = 500
LIMIT = 60


async def test_two_hosts_under_500_calls_at_once_allow_two_percent_more_at_most(make_stack, session):
    stack = make_stack(ADDRESS_REQUESTS_PER_MINUTE=str(LIMIT), TRUSTED_FORWARDERS="1")
    urls = [stack.url, stack.start_further_host().url]
    admin = ApiClient(session, stack.url, stack.api_key)
    user = await admin._call("POST", "/api/v1/users", {"name": "Ann", "tier": "free"})
    assert (await admin.get(user["links"]["self"]))["tier"] == "free"
    key = await admin._call("POST", f"{user['links']['self']}/keys", {"name": "x", "scopes": ["read"]})

    async def call(number, headers):
        async with session.get(f"{urls[number % 2]}/api/v1/jobs", headers=headers) as answered:
            assert answered.headers["RateLimit-Policy"].partition(";")[2] == f"q={LIMIT};w=60"
            assert answered.status != 429 or 1 <= int(answered.headers["Retry-After"]) <= 120
            return answered.status

    for headers, status in (({"X-API-Key": key["key"]}, 200), ({"X-Forwarded-For": "203.0.113.7"}, 401)):
        began = time.monotonic()
        found = Counter(await asyncio.gather(*(call(number, headers) for number in range(CALLS))))
        # when a minute ends meanwhile, calls of the minute before fade by one a second
        most = LIMIT * (1.02 + (time.monotonic() - began) / 60)
        assert set(found) == {status, 429}
        assert LIMIT <= found[status] <= most
