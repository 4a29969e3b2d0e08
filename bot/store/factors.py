"""Second factors in the database: one secret a person, encrypted by whoever puts it here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from bot.store.session import Transaction
from bot.store.tables import second_factors


@dataclass(frozen=True, slots=True)
class StoredFactor:
    """One person's secret, the last step of time whose code was used, and the wrong codes since then."""

    secret: str
    last_step: int
    failures: int
    failed_at: datetime | None


async def put(tx: Transaction, user: str, secret: str) -> None:
    """Store a secret in place of an earlier one."""
    fresh = {"secret": secret, "enrolled_at": tx.now, "last_step": 0, "failures": 0, "failed_at": None}
    query = upsert(second_factors).values(user_id=user, **fresh)
    await tx.connection.execute(query.on_conflict_do_update(index_elements=["user_id"], set_=fresh))


async def get(tx: Transaction, user: str) -> StoredFactor | None:
    """Somebody's secret, locked until the transaction ends: two votes cannot use one code."""
    query = select(second_factors).where(second_factors.c.user_id == user).with_for_update()
    row = (await tx.connection.execute(query)).one_or_none()
    return None if row is None else StoredFactor(row.secret, row.last_step, row.failures, row.failed_at)


async def used(tx: Transaction, user: str, step: int) -> None:
    """A good code: it and those before it are no good any more."""
    query = update(second_factors).where(second_factors.c.user_id == user)
    await tx.connection.execute(query.values(last_step=step, failures=0, failed_at=None))


async def failed(tx: Transaction, user: str, failures: int) -> None:
    """A wrong code."""
    query = update(second_factors).where(second_factors.c.user_id == user)
    await tx.connection.execute(query.values(failures=failures, failed_at=tx.now))
