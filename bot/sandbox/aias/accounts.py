"""The sample accounts: made-up people with ids that never change, each with a tenant and a workflow of their own."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True)
class Account:
    """A made-up user; the ids at both sides follow from the number and the name."""

    name: str
    number: int
    tenant: str
    tier: str = "starter"

    def _uuid(self, kind: int) -> UUID:
        return UUID(f"a1a50000-{kind:04d}-4000-8000-{self.number:012d}")

    @property
    def slug(self) -> str:
        """The name without blanks, as used in addresses and in the ids at Stripe's side."""
        return self.name.replace(" ", "")

    @property
    def user_id(self) -> UUID:
        """profiles.id."""
        return self._uuid(1)

    @property
    def tenant_id(self) -> UUID:
        """tenants.id."""
        return self._uuid(2)

    @property
    def workflow_id(self) -> UUID:
        """workflows.id."""
        return self._uuid(3)

    @property
    def api_key_id(self) -> UUID:
        """api_keys.id."""
        return self._uuid(4)

    @property
    def email(self) -> str:
        """Where notices go; the domain is reserved and reaches nobody."""
        return f"{self.slug.lower()}@{self.tenant.replace(' ', '').lower()}.test"

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

    def ids(self) -> dict[str, str]:
        """What a drill calls by name."""
        return {
            "user_id": str(self.user_id),
            "tenant_id": str(self.tenant_id),
            "workflow_id": str(self.workflow_id),
            "api_key_id": str(self.api_key_id),
            "email": self.email,
            "customer": self.customer_id,
            "subscription": self.subscription_id,
        }


IRIS = Account("Iris Novak", 1, "Fern Analytics")
OMAR = Account("Omar Haddad", 2, "Quarry Logistics", "pro")
LENA = Account("Lena Fischer", 3, "Juniper Legal")
ACCOUNTS = (IRIS, OMAR, LENA)
