"""The local Stripe's idempotency keys: the first answer is replayed, other parameters are refused."""

from __future__ import annotations

from dataclasses import dataclass

from bot.sandbox.stripe.wire import Json, StripeError

KEEP_SECONDS = 24 * 3600
MAX_LENGTH = 255


@dataclass(frozen=True)
class Answer:
    """What was answered: the HTTP status and the JSON body."""

    status: int
    body: Json


@dataclass
class _Entry:
    fingerprint: str
    at: int
    answer: Answer | None = None


class IdempotencyKeys:
    """The keys of the last 24 hours: https://docs.stripe.com/api/idempotent_requests."""

    def __init__(self) -> None:
        self._entries: dict[str, _Entry] = {}

    def begin(self, key: str, fingerprint: str, now: int) -> Answer | None:
        """The first answer if this key was answered before; None means: do the work, then `finish` or `forget`.

        Raises StripeError for other parameters than the first time, and while the first request is still under way.
        """
        if len(key) > MAX_LENGTH:
            raise StripeError(400, f"Idempotency keys can be at most {MAX_LENGTH} characters.", before_work=True)
        entry = self._entries.get(key)
        if entry is None or now - entry.at > KEEP_SECONDS:
            self._entries[key] = _Entry(fingerprint, now)
            return None
        if entry.fingerprint != fingerprint:
            message = (
                "Keys for idempotent requests can only be used with the same parameters they were first used with. "
                f"Try using a key other than '{key}' if you meant to execute a different request."
            )
            raise StripeError(400, message, kind="idempotency_error")
        if entry.answer is None:
            message = f"There is currently another in-progress request using this Idempotency Key: {key}."
            raise StripeError(409, message, kind="idempotency_error", code="idempotency_key_in_use")
        return entry.answer

    def finish(self, key: str, answer: Answer) -> None:
        """Keep the answer for later requests with this key, errors included."""
        self._entries[key].answer = answer

    def forget(self, key: str) -> None:
        """The work never began: the key is as good as new."""
        self._entries.pop(key, None)
