"""The screenshots that documents show are there, have the size and colours of the views, and are small."""

import pytest

from tests.e2e.dashboard.screenshots import FOLDER, SHOTS, Shot, check
from tests.unit.documents.markdown import documents, text_of

PREVIEW = "preview.webp"


@pytest.mark.parametrize("shot", SHOTS, ids=lambda shot: shot.name)
def test_a_screenshot_has_the_size_and_colours_of_its_view(shot: Shot) -> None:
    check(shot, FOLDER / shot.name)


def test_there_are_no_other_images_and_all_are_shown() -> None:
    stored = {path.name for path in FOLDER.iterdir()}
    assert stored == {PREVIEW, *(shot.name for shot in SHOTS)}
    text = "".join(text_of(document) for document in documents())
    assert [name for name in stored if name not in text] == []


def test_all_images_together_are_small() -> None:
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 700_000


def test_the_readme_opens_with_the_dashboard_and_three_commands() -> None:
    first = text_of("README.md").partition("\n## ")[0]
    assert "docs/images/dataset-light.webp" in first
    assert "docs/images/dataset-dark.webp" in first
    commands = [line for line in first.splitlines() if line.startswith("$ ")]
    assert [command.split()[1] for command in commands] == ["git", "make", "make"]
