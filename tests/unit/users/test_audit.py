from shared.storage.memory.entities import MemoryEntities
from shared.users.audit import Actor, AuditTrail
from shared.users.caller import Caller
from tests.unit.in_memory import runtime_of


async def test_actions_are_read_newest_first(clock):
    trail = AuditTrail(MemoryEntities(), runtime_of(clock))
    for number in range(3):
        clock.advance(1)
        await trail.write(
            Actor(Caller("admin"), f"correlation-{number}"), "change_user", f"user{number}", "tier=pro"
        )
    found = await trail.read("2026-03", 2)
    assert [(item.target, item.correlation_id) for item in found] == [
        ("user2", "correlation-2"),
        ("user1", "correlation-1"),
    ]
    assert found[0].at == clock.now()
    assert (found[0].actor, found[0].detail) == ("admin", "tier=pro")


async def test_actions_of_one_moment_are_all_kept(clock):
    trail = AuditTrail(MemoryEntities(), runtime_of(clock))
    for _ in range(5):
        await trail.write(Actor(Caller("admin"), "correlation"), "change_user", "user")
    assert len(await trail.read("2026-03", 10)) == 5
