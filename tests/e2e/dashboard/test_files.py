"""How the page loads: each file once, and without surprises when a new version of the app is deployed."""


async def test_a_browser_paints_the_page_and_loads_each_file_once(make_key, use):
    first, *others = (await use("files", {"key": await make_key()})).facts["visits"]
    assert first["fetched"] == first["files"] > 5
    assert [visit["fetched"] for visit in others] == [0, 0]
    assert all(visit["paintedMs"] > 0 for visit in (first, *others))
