"""The sample families: one for each runbook, with ids that never change, so that documents may name them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True)
class Family:
    """A made-up family; its ids at both sides follow from its name."""

    name: str

    @property
    def email(self) -> str:
        """What they sign in with; the domain is reserved and reaches nobody."""
        return f"{self.name.lower()}@families.test"

    @property
    def customer_id(self) -> str:
        """Stripe's customer."""
        return f"cus_{self.name}"

    @property
    def subscription_id(self) -> str:
        """Stripe's subscription."""
        return f"sub_{self.name}"

    @property
    def invoice_id(self) -> str:
        """Stripe's latest invoice."""
        return f"in_{self.name}"

    @property
    def payment_id(self) -> str:
        """Stripe's payment of that invoice."""
        return f"pi_{self.name}"

    def id(self, what: str = "user") -> UUID:
        """The id of one of the family's rows: the user, a story, a key, …"""
        return UUID(hashlib.md5(f"{self.name} {what}".encode(), usedforsecurity=False).hexdigest())


ADEYEMI = Family("Adeyemi")  # stories
BRANDT = Family("Brandt")  # voices
CASTILLO = Family("Castillo")  # platforms
DUBOIS = Family("Dubois")  # the API
EKLUND = Family("Eklund")  # passwords
FIORE = Family("Fiore")  # getting in
GRECO = Family("Greco")  # subscriptions
HASSAN = Family("Hassan")  # payments
IVANOV = Family("Ivanov")  # refunds
JANSEN = Family("Jansen")  # invoices
FAMILIES = (ADEYEMI, BRANDT, CASTILLO, DUBOIS, EKLUND, FIORE, GRECO, HASSAN, IVANOV, JANSEN)
