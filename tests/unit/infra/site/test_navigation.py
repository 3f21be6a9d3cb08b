"""Folders in the navigation stand for their pages."""

from infra.site.navigation import Entry, fill_folders

PAGES = ["index.md", "how-to/b.md", "how-to/a.md", "why/1.md", "why/README.md", "why/2.md"]


def test_a_folder_stands_for_its_pages_with_the_index_first():
    assert fill_folders(["index.md", {"Why": "why/"}], PAGES) == [
        "index.md",
        {"Why": ["why/README.md", "why/1.md", "why/2.md"]},
    ]


def test_a_folder_leaves_out_the_pages_that_the_navigation_names():
    assert fill_folders([{"How": ["how-to/", {"More": ["how-to/b.md"]}]}], PAGES) == [
        {"How": ["how-to/a.md", {"More": ["how-to/b.md"]}]}
    ]


def test_entries_that_are_no_folders_stay_as_they_are():
    entries: list[Entry] = ["index.md", {"A": "how-to/a.md"}, {"B": ["how-to/b.md", {"C": "why/1.md"}]}]
    assert fill_folders(entries, PAGES) == entries
