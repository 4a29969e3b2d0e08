"""The faults by name, and the health that every one of them starts from."""

from __future__ import annotations

from bot.sandbox.phase1.app import install
from bot.sandbox.phase1.desk import desk
from bot.sandbox.phase1.members import MEMBERS, Member
from bot.sandbox.sample import Fault, Ground, Planted


async def settle(ground: Ground) -> None:
    """The application up, and every sample member healthy at both sides."""
    install(ground)
    for member in MEMBERS:
        async with desk(ground, member):
            pass


def ids(member: Member, **more: str) -> dict[str, str]:
    """What drills call a member's ids by."""
    own = {"profile_id": str(member.profile_id), "email": member.email, "customer": member.customer_id}
    return own | {"subscription": member.subscription_id, "payment": member.payment_id} | more


async def healthy(ground: Ground) -> Planted:
    """Nothing is wrong anywhere; the ids are those of a member in good order."""
    await settle(ground)
    return Planted(ids(MEMBERS[0]))


FAULTS: dict[str, Fault] = {"healthy": healthy}
