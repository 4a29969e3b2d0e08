"""Why a customer cannot sign in (WA-07): the password, a lock, an attack, no confirmation, a misspelt address."""

from __future__ import annotations

from bot.sandbox.sample import Ground, Planted
from bot.sandbox.waooaw.desk import IDS, MEERA, execute
from bot.sandbox.waooaw.state import settled

EMAIL = "hello@meera.test"
SAMPLE = {**IDS, "email": EMAIL}
FAILURES = """
INSERT INTO login_attempts (email, customer_id, succeeded, reason, ip, created_at)
SELECT 'hello@meera.test', $1, false, 'wrong password', ('203.0.113.' || (7 + n % $3))::inet,
       now() - make_interval(mins => n)
FROM generate_series(1, $2) AS n
"""
LOCK = "locked_until = now() + interval '25 minutes', failed_login_attempts = 5"


async def signed_in(ground: Ground) -> Planted:
    """WA-07: nothing is wrong with the account."""
    await settled(ground)
    return Planted(SAMPLE)


async def password_forgotten(ground: Ground) -> Planted:
    """WA-07: three wrong passwords from the usual address."""
    return await _account(ground, failures=3)


async def account_locked(ground: Ground) -> Planted:
    """WA-07: five wrong passwords from the usual address locked it for half an hour."""
    return await _account(ground, LOCK, failures=5)


async def account_attacked(ground: Ground) -> Planted:
    """WA-07: sixty attempts from ten addresses."""
    return await _account(ground, LOCK, failures=60, addresses=10)


async def never_verified(ground: Ground) -> Planted:
    """WA-07: signed up, and never followed the link."""
    return await _account(ground, "status = 'pending', email_verified = false")


async def verified_and_pending(ground: Ground) -> Planted:
    """WA-07: the address is confirmed, and nobody activated the account."""
    return await _account(ground, "status = 'pending'")


async def active_and_unverified(ground: Ground) -> Planted:
    """WA-07: active without a confirmed address."""
    return await _account(ground, "email_verified = false")


async def account_suspended_by_us(ground: Ground) -> Planted:
    """WA-07: somebody suspended the account."""
    return await _account(ground, "status = 'suspended'")


async def address_misspelt(ground: Ground) -> Planted:
    """WA-07: the account was made with a letter missing in its address."""
    return await _account(ground, "email = 'helo@meera.test'")


async def _account(ground: Ground, change: str = "", *, failures: int = 0, addresses: int = 1) -> Planted:
    await settled(ground)
    if change:
        await execute(ground, f"UPDATE customers SET {change} WHERE id = $1", MEERA)
    if failures:
        await execute(ground, FAILURES, MEERA, failures, addresses)
    return Planted(SAMPLE)


FAULTS = {
    "signed_in": signed_in,
    "password_forgotten": password_forgotten,
    "account_locked": account_locked,
    "account_attacked": account_attacked,
    "never_verified": never_verified,
    "verified_and_pending": verified_and_pending,
    "active_and_unverified": active_and_unverified,
    "account_suspended_by_us": account_suspended_by_us,
    "address_misspelt": address_misspelt,
}
