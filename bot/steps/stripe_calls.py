"""How the `stripe` kind's words become calls of the official SDK, and Stripe's errors sentences."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from bot.errors import BotError, Mistake
from bot.steps.base import StepContext
from bot.steps.stripe_spec import METHODS, WITH_ID, StripeSpec

if TYPE_CHECKING:
    import stripe


EMPTY = frozenset({"", "none", "null"})
FILTERS = ("customer", "subscription", "price", "payment_intent", "charge", "status", "email", "type")
ATTEMPTS = 2


class Unclear(BotError):
    """Stripe did not answer: whether the call took effect is not known."""


class Refused(BotError):
    """Stripe answered, and did not do it; `again` says that the same call may succeed later."""

    def __init__(self, sentence: str, *, again: bool = False) -> None:
        super().__init__(sentence)
        self.again = again


def arguments(spec: StripeSpec) -> dict[str, Any]:
    """The call's parameters. Raises Mistake when a filter or an id is given and empty: nobody means "all" by that."""
    made: dict[str, Any] = {}
    for name in FILTERS:
        value = getattr(spec, name)
        if value is not None:
            made[name] = _given(name, value)
    if spec.verb == "list":
        made["limit"] = max(1, min(spec.limit, 100))
        if spec.since is not None:
            made["created"] = {"gte": _epoch(spec.since)}
    if spec.verb == "refund":
        made[spec.family.removesuffix("s")] = _given("id", spec.id)
        made |= {"amount": amount(spec)} if spec.amount is not None else {}
        made |= {"reason": spec.reason} if spec.reason else {}
    if spec.verb == "cancel" and spec.at_period_end:
        made["cancel_at_period_end"] = True
    if spec.metadata:
        made["metadata"] = dict(spec.metadata)
    return {**made, **spec.params}


def amount(spec: StripeSpec) -> int | None:
    """The amount in minor units. Raises Mistake when it is not a whole, positive number."""
    value = spec.amount
    if value is None:
        return None
    number = int(value) if isinstance(value, str) and value.strip().isdecimal() else value
    if isinstance(number, bool) or not isinstance(number, int | float | Decimal) or number % 1 != 0 or number <= 0:
        raise Mistake(f"The amount must be a whole number of the smallest unit (cents), and it is {value}.")
    return int(number)


def object_id(spec: StripeSpec) -> str:
    """The object's id. Raises Mistake when it is empty or cannot be one."""
    given = _given("id", spec.id)
    if not all(letter.isascii() and (letter.isalnum() or letter in "_-") for letter in given):
        raise Mistake(f"«{given[:60]}» is not the id of a Stripe object.")
    return given


def _given(name: str, value: Any) -> str:
    text = str(value if value is not None else "").strip()
    if text.lower() in EMPTY:
        raise Mistake(f"There is no {name.replace('_', ' ')} to look for: it is empty.")
    return text


def _epoch(value: Any) -> int:
    if isinstance(value, datetime) and value.tzinfo is not None:
        return int(value.timestamp())
    if isinstance(value, int | float) and not isinstance(value, bool):
        return int(value)
    raise Mistake("`since` must be a time with its zone.")


async def call(spec: StripeSpec, context: StepContext, key: str | None = None, **extra: Any) -> Mapping[str, Any]:
    """One call; with a key it is repeated once when no answer came, which Stripe answers with the first result. Raises
    `Refused` and `Unclear`, both with one sentence, and Misconfigured."""
    client = context.targets.stripe(context.system)
    service, method, positional, params = _wanted(client, spec, extra)
    options: dict[str, Any] = {} if key is None else {"idempotency_key": key}

    async def once() -> Mapping[str, Any]:
        found = await getattr(service, f"{method}_async")(*positional, params=params, options=options)
        return dict(found.to_dict())

    return await guarded(once, context, attempts=1 if key is None or keyless(spec) else ATTEMPTS)


def keyless(spec: StripeSpec) -> bool:
    """Whether the call is a DELETE: Stripe keeps no idempotency keys for those, the object itself tells."""
    cancels = (spec.verb, spec.family) == ("cancel", "subscriptions") and not spec.at_period_end
    return spec.verb == "delete" or cancels


def _wanted(client: stripe.StripeClient, spec: StripeSpec, extra: Mapping[str, Any]) -> tuple[Any, str, list[str], Any]:
    params = {**arguments(spec), **extra}
    method = METHODS[spec.family][spec.verb]
    if spec.verb == "refund":
        return client.v1.refunds, "create", [], params
    if spec.verb == "cancel" and spec.at_period_end:
        return client.v1.subscriptions, "update", [object_id(spec)], params
    positional = [object_id(spec)] if spec.verb in WITH_ID and spec.family != "balance" else []
    return getattr(client.v1, spec.family), method, positional, params


async def guarded(
    once: Callable[[], Awaitable[Mapping[str, Any]]], context: StepContext, *, attempts: int = 1
) -> Mapping[str, Any]:
    """Run one call within the step's time. Raises `Refused` when Stripe said no, `Unclear` when it did not answer."""
    import stripe

    seconds = context.timeout.total_seconds()
    trouble: BotError = Unclear("Stripe was not asked.")
    try:
        async with asyncio.timeout(seconds):
            for _ in range(attempts):
                try:
                    return await once()
                except stripe.APIConnectionError:
                    trouble = Unclear("Stripe cannot be reached: the connection failed.")
                except stripe.StripeError as error:
                    trouble = _answered(error, context)
                    if isinstance(trouble, Refused):
                        break
    except TimeoutError:
        raise Unclear(f"Stripe did not answer within {seconds:g} s.") from None
    raise trouble


def _answered(error: stripe.StripeError, context: StepContext) -> BotError:  # noqa: PLR0911 - one arm an error
    """Stripe's own sentence where it has one for people."""
    import stripe

    account = context.system.stripe
    variable = "its environment variable" if account is None else account.key.env
    said = context.targets.redact((error.user_message or "no reason given").strip().split("\n")[0])
    if isinstance(error, stripe.AuthenticationError):
        return Refused(f"Stripe refused the key in {variable}: put it right there.")
    if isinstance(error, stripe.PermissionError):
        return Refused(f"The Stripe key may not do that: {said}")
    if isinstance(error, stripe.RateLimitError) or error.http_status == 429:
        return Refused("Stripe takes no more requests for the moment (429): try again in a minute.", again=True)
    if isinstance(error, stripe.IdempotencyError):
        return Refused("The same action was sent to Stripe before with other values; nothing was done now.")
    if error.http_status == 409:
        return Unclear("Stripe is still working on this very request.")
    if error.http_status is not None and error.http_status < 500:
        return Refused(said)
    return Unclear(f"Stripe has an error of its own ({error.http_status or 'no status'}).")
