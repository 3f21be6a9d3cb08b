import pytest

from tests.unit.sources.search.services import QUERY, opened


@pytest.fixture
def ask(service, client, clock):
    async def run(name: str, *answers: object):
        service.answer(*answers)
        return await anext(opened(name, service.url, client, clock).pages(QUERY, None))

    return run
