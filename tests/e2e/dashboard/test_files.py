"""How the page loads: soon, each file once, and without surprises when a new version of the app is deployed."""


async def test_the_page_appears_within_a_second_and_a_browser_loads_each_file_once(make_key, use):
    first, *others = (await use("files", {"key": await make_key()})).facts["visits"]
    assert first["fetched"] == first["files"] > 5
    assert [visit["fetched"] for visit in others] == [0, 0]
    # the others may have to wait for the processor
    assert min(visit["paintedMs"] for visit in (first, *others)) < 1000
