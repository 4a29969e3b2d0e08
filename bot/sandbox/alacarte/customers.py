"""The sample customers: one for each billing fault, with ids that never change, so that documents may name them."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True)
class Customer:
    """A made-up business; its ids at both sides follow from its number and its name."""

    name: str
    runbook: int
    number: int

    @property
    def slug(self) -> str:
        """The name without blanks, as used in the ids at Stripe's side."""
        return self.name.replace(" ", "").replace("&", "")

    @property
    def business_id(self) -> UUID:
        """businesses.id."""
        return UUID(f"0a1aca27-{self.runbook:04d}-4000-8000-{self.number:012d}")

    @property
    def contact_email(self) -> str:
        """Where notices go; the domain is reserved and reaches nobody."""
        return f"billing@{self.slug.lower()}.test"

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
        """Stripe's payment intent."""
        return f"pi_{self.slug}"


CUSTOMERS: dict[str, Customer] = {
    "paid_but_frozen": Customer("Corner Bakery", 1, 1),
    "payment_failed": Customer("Blue Door Dental", 1, 2),
    "frozen_for_other_reason": Customer("Harbour Cycles", 1, 3),
    "frozen_after_cancellation": Customer("Maple Street Yoga", 1, 4),
    "not_frozen": Customer("Northside Books", 1, 5),
    "webhook_missed": Customer("Juniper Florist", 11, 1),
    "canceled_in_stripe": Customer("Old Mill Coffee", 11, 2),
    "canceled_period_not_over": Customer("Lantern Pottery", 11, 3),
    "in_step": Customer("Riverside Vets", 11, 4),
    "tier_differs": Customer("Summit Climbing", 11, 5),
    "credit_missed": Customer("Paper Lane Print", 12, 1),
    "overcharged": Customer("Golden Fork Catering", 12, 2),
    "negative_balance": Customer("Tidewater Rentals", 12, 3),
    "credited_already": Customer("Willow Tutors", 12, 4),
    "metadata_missing": Customer("Copper Kettle Tea", 12, 5),
}
