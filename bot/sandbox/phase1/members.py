"""The sample members that faults are planted on, with ids that never change, so that documents may name them."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True)
class Member:
    """A made-up member; the ids at both sides follow from the number and the name."""

    name: str
    number: int

    @property
    def slug(self) -> str:
        """The name without blanks, as used in the ids at Stripe's side."""
        return self.name.replace(" ", "")

    @property
    def profile_id(self) -> UUID:
        """profiles.id."""
        return UUID(f"9a5e0001-0000-4000-8000-{self.number:012d}")

    @property
    def email(self) -> str:
        """profiles.email; the domain is reserved and reaches nobody."""
        return f"{self.name.lower().replace(' ', '.')}@example.test"

    @property
    def customer_id(self) -> str:
        """Stripe's customer."""
        return f"cus_{self.slug}"

    @property
    def subscription_id(self) -> str:
        """Stripe's subscription."""
        return f"sub_{self.slug}"

    @property
    def invoice_id(self) -> str:
        """Stripe's latest invoice."""
        return f"in_{self.slug}"

    @property
    def payment_id(self) -> str:
        """Stripe's payment intent for it."""
        return f"pi_{self.slug}"

    def event_id(self, kind: str) -> str:
        """Stripe's event of this kind."""
        return f"evt_{self.slug}_{kind.replace('.', '_')}"


PAYING = Member("Nora Field", 1)
QUOTA = Member("Otis Brand", 2)
REFUND = Member("Priya Nair", 3)
EVENT = Member("Quentin Roy", 4)
DISPUTE = Member("Rosa Lind", 6)
LEAVING = Member("Sam Whitaker", 7)
MEMBERS = (PAYING, QUOTA, REFUND, EVENT, DISPUTE, LEAVING)


def ids(member: Member, **more: str) -> dict[str, str]:
    """What drills call a member's ids by."""
    own = {"profile_id": str(member.profile_id), "email": member.email, "customer": member.customer_id}
    return own | {"subscription": member.subscription_id, "payment": member.payment_id} | more
