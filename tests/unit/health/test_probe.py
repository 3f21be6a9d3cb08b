"""Parts are checked at the same time, within their time limit, and not too often."""

import asyncio
import time

import pytest

from shared.clock import SystemClock
from shared.errors import Permanent, Unavailable
from shared.health.health import Check, Finding, Health, HealthStatus, Part
from shared.health.probe import HealthProbe, ProbeLimits
from tests.unit.manual_clock import ManualClock

SHORT, LONG = ProbeLimits(answer_seconds=0.2), ProbeLimits(answer_seconds=60)


class Asked:
    """A part that answers when a test allows it, and counts its checks."""

    def __init__(self, finding=None, error=None):
        self.count = 0
        self.finding = finding or Finding()
        self.error = error
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.asked = asyncio.Event()

    async def __call__(self):
        self.count += 1
        self.asked.set()
        await self.may_answer.wait()
        if self.error:
            raise self.error
        return self.finding


def probe_of(*parts, clock=None, limits=LONG):
    return HealthProbe(parts, clock or SystemClock(), limits)


@pytest.mark.parametrize(
    ("error", "problem", "needed", "status", "detail"),
    [
        (None, None, True, "healthy", None),
        (None, "3 messages wait", True, "degraded", "3 messages wait"),
        (None, "3 messages wait", False, "degraded", "3 messages wait"),
        (Unavailable("It does not answer."), None, True, "unhealthy", "It does not answer."),
        (Permanent("A role is missing."), None, True, "unhealthy", "A role is missing."),
        (Unavailable("It does not answer."), None, False, "degraded", "It does not answer."),
        (ValueError("with a secret"), None, True, "unhealthy", "failed: ValueError"),
        (ValueError("with a secret"), None, False, "degraded", "failed: ValueError"),
    ],
)
async def test_a_part_is_as_its_answer_says_and_whether_it_is_needed(error, problem, needed, status, detail):
    health = await probe_of(Part("part", Asked(Finding(problem), error), needed)).check()
    [check] = health.checks
    assert (check.status, check.detail, health.status) == (status, detail, status)


@pytest.mark.parametrize(
    ("statuses", "whole"),
    [
        ([], "healthy"),
        (["healthy", "healthy"], "healthy"),
        (["degraded", "healthy"], "degraded"),
        (["degraded", "unhealthy", "healthy"], "unhealthy"),
    ],
)
def test_the_app_is_as_healthy_as_its_worst_part(statuses, whole):
    assert Health(tuple(Check("part", HealthStatus(status), 0.0) for status in statuses)).status == whole


async def test_parts_are_asked_at_the_same_time():
    """Each part answers only after the other one was asked."""
    one, other = Asked(), Asked()
    one.may_answer, other.may_answer = other.asked, one.asked
    health = await probe_of(Part("one", one), Part("other", other)).check()
    assert [check.status for check in health.checks] == ["healthy", "healthy"]


async def test_only_needed_parts_are_asked_whether_the_app_is_ready():
    one, other = Asked(), Asked()
    probe = probe_of(Part("one", one), Part("other", other, needed=False))
    assert [check.name for check in (await probe.check(needed_only=True)).checks] == ["one"]
    assert (one.count, other.count) == (1, 0)


async def test_callers_at_the_same_time_share_one_question():
    part = Asked()
    part.may_answer.clear()
    probe = probe_of(Part("part", part))
    callers = [asyncio.create_task(probe.check(needed_only=bool(turn % 2))) for turn in range(50)]
    await part.asked.wait()
    callers[0].cancel()
    part.may_answer.set()
    answers = await asyncio.gather(*callers, return_exceptions=True)
    assert isinstance(answers[0], asyncio.CancelledError)
    assert {answer.status for answer in answers if isinstance(answer, Health)} == {"healthy"}
    assert all(isinstance(answer, Health) for answer in answers[1:])
    assert part.count == 1


async def test_an_answer_counts_for_five_seconds_and_a_failure_for_one():
    clock, part = ManualClock(), Asked()
    probe = probe_of(Part("part", part), clock=clock)
    for seconds, count in ((0, 1), (4.9, 1), (0.2, 2)):
        clock.seconds += seconds
        assert ((await probe.check()).status, part.count) == ("healthy", count)
    part.error = Unavailable("gone")
    clock.seconds += 5.1
    for seconds, count in ((0, 3), (0.9, 3), (0.2, 4)):
        clock.seconds += seconds
        assert ((await probe.check()).status, part.count) == ("unhealthy", count)


async def test_a_part_that_hangs_costs_its_time_and_no_more():
    hanging, other = Asked(), Asked()
    hanging.may_answer.clear()
    probe = probe_of(Part("hanging", hanging), Part("other", other), limits=SHORT)
    began = time.monotonic()
    health = await probe.check()
    assert 0.15 < time.monotonic() - began < 20
    assert [(check.name, check.status, check.detail) for check in health.checks] == [
        ("hanging", "unhealthy", "no answer within 0.2 seconds"),
        ("other", "healthy", None),
    ]


async def test_a_question_that_cannot_be_ended_is_not_waited_for_nor_asked_twice():
    released = asyncio.Event()
    count = 0

    async def stubborn():
        nonlocal count
        count += 1
        while not released.is_set():
            try:
                await released.wait()
            except asyncio.CancelledError:
                continue
        return Finding()

    probe = probe_of(Part("stubborn", stubborn), limits=SHORT)
    async with asyncio.timeout(20):
        assert (await probe.check()).status == "unhealthy"
    second = asyncio.create_task(probe.check())
    for _ in range(10):
        await asyncio.sleep(0)
    assert second.done()
    assert second.result().status == "unhealthy"
    assert count == 1
    released.set()
    await asyncio.sleep(0)
