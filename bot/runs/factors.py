"""Second factors: enrolling somebody's authenticator, and whether a code is good. A code is good once."""

from __future__ import annotations

import hmac
from datetime import datetime, timedelta

import pyotp
from cryptography.fernet import Fernet, InvalidToken

from bot.errors import Misconfigured
from bot.store import factors
from bot.store.session import Transaction

ISSUER = "Runbook Bot"
STEP = timedelta(seconds=30)
MOST_FAILURES, LOCKED_FOR = 5, timedelta(minutes=15)
_DRIFT = 1


class Factors:
    """The authenticators of voters. Their secrets are stored encrypted with `key`; without a key nobody has one.

    Raises `Misconfigured` for a key that is none.
    """

    def __init__(self, key: str = "") -> None:
        try:
            self._box = Fernet(key) if key else None
        except ValueError as error:
            raise Misconfigured(
                "SECOND_FACTOR_KEY is not a key.", hint="`runbook enrol --new-key` prints one."
            ) from error

    async def enrol(self, tx: Transaction, user: str, name: str) -> str:
        """Give somebody a new authenticator secret, instead of an earlier one; the otpauth:// address to be scanned."""
        if self._box is None:
            raise Misconfigured("SECOND_FACTOR_KEY is not set.", hint="`runbook enrol --new-key` prints one.")
        secret = pyotp.random_base32()
        await factors.put(tx, user, self._box.encrypt(secret.encode()).decode())
        return pyotp.TOTP(secret).provisioning_uri(name=name or user, issuer_name=ISSUER)

    async def objection(self, tx: Transaction, user: str, code: str) -> str:
        """Why this code does not prove that it is this person; "" when it does, and then it is used up."""
        stored = None if self._box is None else await factors.get(tx, user)
        if stored is None or self._box is None:
            return "You have no authenticator here; ask an operator for `runbook enrol`."
        if stored.failures >= MOST_FAILURES and stored.failed_at is not None and tx.now < stored.failed_at + LOCKED_FOR:
            return "Too many wrong codes; try again in a quarter of an hour."
        try:
            secret = self._box.decrypt(stored.secret.encode()).decode()
        except InvalidToken:
            return "Your authenticator was enrolled under another key; ask an operator for `runbook enrol`."
        step = _step_of(secret, code, tx.now)
        if step is None or step <= stored.last_step:
            await factors.failed(tx, user, failures=stored.failures % MOST_FAILURES + 1)
            return "This code is wrong or was used before."
        await factors.used(tx, user, step)
        return ""


def _step_of(secret: str, code: str, now: datetime) -> int | None:
    """The half minute that the code belongs to, one before and one after included; None for a wrong code."""
    digits = code.replace(" ", "")
    totp = pyotp.TOTP(secret)
    at = int(now.timestamp() // STEP.total_seconds())
    found = None
    for step in range(at - _DRIFT, at + _DRIFT + 1):
        if hmac.compare_digest(totp.generate_otp(step).encode(), digits.encode("utf-8", "replace")):
            found = step
    return found


def new_key() -> str:
    """A key for SECOND_FACTOR_KEY."""
    return Fernet.generate_key().decode()
