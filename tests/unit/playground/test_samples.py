"""`make start SAMPLES=1` serves photos in place of Openverse."""

import json
import urllib.request

import pytest

from playground.azurite import free_port
from playground.samples import serving_samples


def fetch(url):
    with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - a server of the test
        return answer.read()


def test_the_settings_lead_to_a_search_whose_photos_can_be_fetched():
    with serving_samples(free_port()) as settings:
        found = json.loads(fetch(f"{settings['OPENVERSE_BASE_URL']}/v1/images/?q=cat"))
        photo = fetch(found["results"][0]["url"])
    assert settings["CRAWL_ALLOW_PRIVATE_NETWORKS"] == "true"
    assert photo.startswith(b"\xff\xd8")


def test_the_server_ends_with_the_block():
    port = free_port()
    with pytest.raises(KeyboardInterrupt), serving_samples(port) as settings:
        raise KeyboardInterrupt
    with pytest.raises(OSError, match="refused"):
        fetch(settings["OPENVERSE_BASE_URL"])
