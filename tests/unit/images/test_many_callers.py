"""What one user asks for does not keep others waiting, and work that is done is not lost when a call's time ends."""

import asyncio
import threading

import pytest

from shared.images import files
from shared.images.image import ImageFilter
from shared.images.index import copies, duplicates, indexes
from shared.images.index.rows import Index
from tests.unit.functions.http.http_calls import memory_app
from tests.unit.images.stored_images import FILES, Image, add_dataset

ALL = ImageFilter()
OF_ALL_FORMS = [Image(form=form) for form in FILES]


@pytest.fixture
def app():
    return memory_app()


class Maker:
    """Makes images small when it is told so, and counts."""

    def __init__(self, monkeypatch):
        self.made, self.began, self._go_on = 0, threading.Event(), threading.Event()
        monkeypatch.setattr(files, "make_small", self._make)

    def _make(self, *_):
        self.began.set()
        assert self._go_on.wait(10)
        self.made += 1
        return b"small"

    def go_on(self):
        self._go_on.set()


async def images_of(app, user_id, dataset_id):
    await add_dataset(app, OF_ALL_FORMS, dataset_id=dataset_id, user_id=user_id)
    return (await app.dataset_images.page(user_id, dataset_id, ALL, None, 100)).images


async def test_a_user_does_not_wait_until_all_images_of_another_user_are_made(app, monkeypatch):
    maker, order = Maker(monkeypatch), list[str]()
    ann, bob = await images_of(app, "ann", "a"), await images_of(app, "bob", "b")

    async def small(image, width, who):
        assert await app.image_files.small(image, width) == b"small"
        order.append(who)

    calls = [asyncio.create_task(small(image, width, "ann")) for image in ann for width in (64, 128, 256)]
    await asyncio.to_thread(maker.began.wait, 10)
    calls.append(asyncio.create_task(small(bob[0], 64, "bob")))
    await asyncio.sleep(0)
    maker.go_on()
    await asyncio.gather(*calls)
    # two images of ann are made already, and one has the next turn
    assert order.index("bob") <= 4


async def test_an_image_that_takes_longer_than_its_call_is_there_for_the_next_call(app, monkeypatch):
    maker = Maker(monkeypatch)
    [image, *_] = await images_of(app, "ann", "a")
    call = asyncio.create_task(app.image_files.small(image, 64))
    await asyncio.to_thread(maker.began.wait, 10)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    again = asyncio.create_task(app.image_files.small(image, 64))
    await asyncio.sleep(0)
    maker.go_on()
    assert await again == await app.image_files.small(image, 64) == b"small"
    assert maker.made == 1


async def test_an_image_is_made_once_for_all_calls_that_ask_for_it_at_the_same_time(app, monkeypatch):
    maker = Maker(monkeypatch)
    [image, *_] = await images_of(app, "ann", "a")
    calls = [asyncio.create_task(app.image_files.small(image, 64)) for _ in range(10)]
    await asyncio.to_thread(maker.began.wait, 10)
    maker.go_on()
    assert set(await asyncio.gather(*calls)) == {b"small"}
    assert maker.made == 1


async def test_a_user_does_not_wait_until_all_indexes_of_another_user_are_made(app):
    order = list[str]()
    owners = {f"a{number}": "ann" for number in range(6)} | {"b": "bob"}
    datasets = [
        await add_dataset(app, OF_ALL_FORMS, dataset_id=name, user_id=user) for name, user in owners.items()
    ]

    async def get(dataset):
        assert (await app.indexes.get(dataset)).index is not None
        order.append(dataset.id)

    await asyncio.gather(*map(get, datasets))
    assert order.index("b") <= 2


async def test_a_call_whose_turn_does_not_come_in_time_says_how_far_the_index_is(app, monkeypatch):
    dataset = await add_dataset(app, OF_ALL_FORMS, dataset_id="a", user_id="ann")
    other = await add_dataset(app, OF_ALL_FORMS, dataset_id="b", user_id="bob")
    monkeypatch.setattr(indexes, "_WAIT_SECONDS", 0.0)
    go_on, began, of = threading.Event(), threading.Event(), Index.of

    def slowly(piece):
        began.set()
        assert go_on.wait(10)
        return of(piece)

    monkeypatch.setattr(Index, "of", slowly)
    first = asyncio.create_task(app.indexes.get(dataset))
    await asyncio.to_thread(began.wait, 10)
    for late in (dataset, other):
        answer = await app.indexes.get(late)
        assert (answer.index, answer.progress) == (None, 0)
    go_on.set()
    assert (await first).index is not None
    assert (await app.indexes.get(other)).index is not None


async def test_one_page_of_an_index_is_computed_at_a_time_and_users_have_their_turns(app, monkeypatch):
    """Each takes much memory if the dataset is large."""
    now, most, order = 0, 0, list[str]()
    lock, another, compute = threading.Lock(), threading.Event(), copies.copies_of
    owners = {"a": "ann", "b": "bob"}
    for name, user in owners.items():
        await add_dataset(app, OF_ALL_FORMS, dataset_id=name, user_id=user)
        assert (await app.dataset_statistics.read(user, name)).images == len(OF_ALL_FORMS)

    def counted(*args):
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
            if now > 1:
                another.set()
        try:
            # leaves time for another one to begin
            another.wait(0.05)
            return compute(*args)
        finally:
            with lock:
                now -= 1

    async def page(name):
        await app.duplicates.page(owners[name], name, "", None, 20)
        order.append(name)

    monkeypatch.setattr(duplicates, "copies_of", counted)
    await asyncio.gather(*map(page, "aaaaaaaab"))
    assert most == 1
    assert order.index("b") <= 4
