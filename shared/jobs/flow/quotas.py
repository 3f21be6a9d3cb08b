"""Reserves what a job needs of its owner's quota when it begins, and settles the reservation when it has ended.

The reservation is made before the job is stored, and the job's row has its token. So nothing runs without a
reservation, wherever a process dies. What is left over after that are reservations whose job was never stored, or has
ended without being settled. The watchdog finds them in the list of all reservations.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from shared.clock import Deadline
from shared.errors import AppError, QuotaExceeded
from shared.jobs.flow.owner_limits import OwnerLimits
from shared.jobs.job.job import Job
from shared.jobs.job.store import JobStore
from shared.jobs.spec.most_images import most_images
from shared.jobs.spec.spec import JobSpec
from shared.runtime import Runtime
from shared.telemetry import signals
from shared.users.caller import ADMIN
from shared.users.quotas.reservation import Reservation, Wish, token_at
from shared.users.quotas.usage import Listed, Usage, UsageStore, images_left, refusals
from shared.users.tiers import Tier

# No function runs that long (`functionTimeout`), so nobody is still about to store a job for an older reservation.
_LOST_AFTER = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Grant:
    """A job that may be stored. `made` is its reservation if this grant has made it."""

    job: Job
    made: Reservation | None = None


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a new job may keep, and what its owner's tier leaves.

    Attributes:
        images: How many images the job may keep.
        tier_limits: Whether the tier allows fewer than the spec asks for, or the spec does not say how many.
        tier: The owner's tier.
        usage: What the owner uses of it now.
        refusals: Why the job would be refused now; nothing if it would be taken.
    """

    images: int
    tier_limits: bool
    tier: Tier
    usage: Usage
    refusals: Sequence[QuotaExceeded]


class Quotas:
    """The reservations of all jobs. Every method may be repeated, and run at the same time."""

    def __init__(self, usage: UsageStore, limits: OwnerLimits, jobs: JobStore, runtime: Runtime) -> None:
        self._usage = usage
        self._limits = limits
        self._jobs = jobs
        self._runtime = runtime

    def apply_to(self, job: Job) -> bool:
        """Returns whether the job's owner has a quota."""
        return job.user_id != ADMIN

    async def reserve(self, job: Job, spec: JobSpec) -> Grant:
        """Reserves for a revision that is about to be stored; returns the job as it may be stored.

        It reserves one job, and as many images as the revision may keep beside those that the job has already: what
        the spec asks for at most, or what the owner's tier allows for a job if that is less. If the spec does not
        say how many it asks for, what the month leaves is enough.

        Raises:
            Forbidden: the owner is not an active user.
            QuotaExceeded: the owner's tier leaves no room.
        """
        tier = await self._limits.tier_of(job.user_id)
        if tier is None:
            return Grant(job)
        most, tier_limits = _most_of(spec, tier)
        now = self._runtime.clock.now()
        token = token_at(now, self._runtime.ids.nonce())
        missing = max(0, most - job.images)
        takes_fewer = most_images(spec) is None
        wish = Wish(job.user_id, job.id, token, missing, job.images, takes_fewer=takes_fewer)
        held, made = await self._usage.reserve(wish, tier, now)
        granted = replace(
            job,
            reservation=held.token,
            max_images=held.kept_before + held.images,
            tier_limits=tier_limits,
        )
        return Grant(granted, held if made else None)

    async def preview(self, user_id: str, spec: JobSpec) -> Allowance | None:
        """Returns what `reserve` would do now for a new job of the user; None for the administrator, who has no quota.

        Nothing is reserved, so a job that is submitted later may meet another answer.

        Raises:
            Forbidden: the user is not active.
        """
        tier = await self._limits.tier_of(user_id)
        if tier is None:
            return None
        now = self._runtime.clock.now()
        most, tier_limits = _most_of(spec, tier)
        usage = await self._usage.look_up(user_id, now)
        if most_images(spec) is None:
            most = images_left(usage, most, tier)
        return Allowance(most, tier_limits, tier, usage, refusals(usage, most, tier, now))

    async def give_back(self, grant: Grant) -> None:
        """Takes back the reservation of a job that was not stored, unless another call has got the same one."""
        if grant.made is not None:
            await self._usage.release(grant.made)

    async def settle(self, job: Job) -> None:
        """Counts what a job that has ended keeps, in place of its reservation. Idempotent."""
        if job.state.terminal and job.reservation:
            await self._usage.settle(job.user_id, job.id, job.reservation, job.images)

    async def settle_lost(self, deadline: Deadline) -> None:
        """Settles the reservations of jobs that were never stored, or whose end was not followed up."""
        old = self._runtime.clock.now() - _LOST_AFTER
        async for listed in self._usage.listed(old):
            if deadline.passed:
                return
            try:
                await self._settle_if_lost(listed)
            except AppError as error:
                # The other reservations are looked at all the same.
                signals.failure(self._runtime.telemetry, error, operation="watchdog", job_id=listed.job_id)

    async def _settle_if_lost(self, listed: Listed) -> None:
        # The reservation is read before the job. If the job gets it after that, it has another version.
        held = await self._usage.find(listed.user_id, listed.job_id)
        if held is None or held.token != listed.token:
            await self._usage.unlist(listed.token)
            return
        job = await self._jobs.get(listed.user_id, listed.job_id)
        if job is not None and job.reservation == held.token:
            await self.settle(job)
        elif self._runtime.clock.now() - held.touched_at > _LOST_AFTER:
            await self._usage.release(held)


def _most_of(spec: JobSpec, tier: Tier) -> tuple[int, bool]:
    """Returns how many images a job may keep, and whether the tier limits it rather than the spec."""
    wanted = most_images(spec)
    if wanted is None or wanted > tier.images_per_job:
        return tier.images_per_job, True
    return wanted, False
