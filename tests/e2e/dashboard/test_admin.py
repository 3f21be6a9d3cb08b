"""What administrators see and change on the dashboard, by keyboard."""

from tests.e2e.dashboard.driver import NARROW


async def test_an_administrator_makes_changes_disables_and_deletes_a_user_by_keyboard(stack, make_key, use):
    given = {"key": await make_key(), "adminKey": stack.api_key, "name": "<img src=x onerror=alert(4)>"}
    facts = (await use("admin", given, NARROW)).facts
    assert "Admin" not in facts["menu"]
    assert facts["callsOfOthers"] == 0
    assert set(facts["health"]) == {"Works"}
    assert facts["parts"][:5] == ["Blob container", "Tables", "Queues", "Application insights", "Timers"]
    assert (facts["picturesOfStrangers"], facts["disabledByEscape"]) == (0, False)
    assert facts["newKey"].startswith("pxc_")
    assert "No dataset is due" in facts["plan"]
    assert "admin deleted the user" in facts["audit"]
