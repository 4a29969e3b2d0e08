"""The sample system's faults by name: planted at both sides at once, for the sandbox, for drills and for tests."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from bot.errors import Mistake
from bot.sandbox.alacarte import sessions
from bot.sandbox.alacarte.billing_faults import BILLING_FAULTS
from bot.sandbox.alacarte.customers import CUSTOMERS, Customer
from bot.sandbox.alacarte.desk import Desk
from bot.sandbox.alacarte.sessions import PlantedSession
from bot.sandbox.database import SampleDatabase
from bot.sandbox.stripe import LocalStripe

SCANNED = {
    "missing_index": sessions.missing_index,
    "index_invalid": sessions.index_invalid,
    "index_built": sessions.index_built,
    "other_scans": sessions.other_scans,
}
LOAD_FAULTS = ("long_query", "idle_in_transaction", "quiet", *SCANNED)
FAULTS = (*BILLING_FAULTS, *LOAD_FAULTS)


@dataclass(frozen=True)
class Planted:
    """A planted fault: where it is, what belongs to it, and the session it holds. Close it when it is over."""

    fault: str
    runbook: str
    customer: Customer | None = None
    ids: dict[str, str] = field(default_factory=dict)
    session: PlantedSession | None = None

    @property
    def business_id(self) -> UUID | None:
        """The business concerned; None for faults of the whole database."""
        return None if self.customer is None else self.customer.business_id

    @property
    def customer_id(self) -> str | None:
        """The same business at Stripe."""
        return None if self.customer is None else self.customer.customer_id

    @property
    def pid(self) -> int | None:
        """The planted session's backend, for the faults that hold one."""
        return None if self.session is None else self.session.pid

    async def close(self) -> None:
        """End the planted session; rows and Stripe's objects stay as they are."""
        if self.session is not None:
            await self.session.close()


async def plant(name: str, alacarte: SampleDatabase, stripe: LocalStripe) -> Planted:
    """Plant a fault by name, from `FAULTS`; planting it again starts it anew. Raises Mistake for an unknown name."""
    if name in BILLING_FAULTS:
        return await _plant_billing(name, alacarte, stripe)
    if name in SCANNED:
        await SCANNED[name](alacarte)
        return Planted(name, "RB-004", ids={"table": "messages", "index": sessions.INDEX})
    match name:
        case "long_query":
            session = await sessions.long_query(alacarte)
        case "idle_in_transaction":
            session = await sessions.idle_in_transaction(alacarte)
        case "quiet":
            return Planted(name, "RB-004")
        case _:
            raise Mistake(f"There is no fault called {name}.", hint=f"Known ones: {', '.join(FAULTS)}.")
    return Planted(name, "RB-004", ids={"pid": str(session.pid)}, session=session)


async def _plant_billing(name: str, alacarte: SampleDatabase, stripe: LocalStripe) -> Planted:
    customer = CUSTOMERS[name]
    connection = await alacarte.connect()
    try:
        async with connection.transaction():
            ids = await BILLING_FAULTS[name](Desk(connection, stripe, customer))
    finally:
        await connection.close()
    return Planted(name, f"RB-{customer.runbook:03d}", customer, ids)


async def settle(alacarte: SampleDatabase, stripe: LocalStripe) -> None:
    """Every sample customer healthy at both sides: the start of a sandbox, and the end of its faults."""
    connection = await alacarte.connect()
    try:
        async with connection.transaction():
            for customer in CUSTOMERS.values():
                await Desk(connection, stripe, customer).reset()
    finally:
        await connection.close()
