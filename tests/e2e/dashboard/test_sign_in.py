"""People use the dashboard without a key, where the platform has signed them in."""

from tests.e2e.dashboard.driver import NARROW
from tests.e2e.dashboard.platform_proxy import platform_proxy

_ANN, _BOB = "Ann Example", "Bob"


async def test_a_person_whom_the_platform_has_signed_in_needs_no_key(stack, session, use):
    admin = {"X-API-Key": stack.api_key}
    users = f"{stack.url}/api/v1/users"
    identity = {"provider": "aad", "subject": f"id-of-{_BOB}"}
    async with session.post(users, json={"name": _BOB, "identity": identity}, headers=admin) as answer:
        bob = await answer.json()
    async with session.patch(f"{users}/{bob['id']}", json={"status": "disabled"}, headers=admin) as answer:
        assert answer.status == 200
    async with platform_proxy(stack.url, {"aad": _ANN, "stranger": _BOB}) as url:
        seen = await use("sign_in", {"url": url, "name": _ANN}, NARROW)
    facts = seen.facts
    # without a cookie of the platform, the page asks nothing before somebody signs in
    assert facts["callsBefore"] == 0
    assert facts["login"] == ".auth/login/aad?post_login_redirect_uri=/"
    assert (facts["stored"], facts["keys"]) == ([], 0)
    assert facts["menu"] == ["Jobs", "Datasets", "Profile", "Sign out"]
    assert facts["newKey"].startswith("pxc_")
    assert facts["other"] == ".auth/logout?post_logout_redirect_uri=/"
