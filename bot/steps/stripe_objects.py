"""Stripe's objects as facts: plain data with times that are times, amounts that say their currency, and no secrets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from bot.domain.facts import bounded

SECRETS = frozenset({"client_secret", "secret", "ephemeral_key"})
TIMES = frozenset(
    """
    arrival_date available_on billing_cycle_anchor cancel_at created current_period_end current_period_start
    due_by due_date effective_at next_payment_attempt period_end period_start start_date trial_end trial_start
    updated
    """.split()  # noqa: SIM905 - a word list reads better as words
)
AMOUNTS = frozenset(
    """
    amount balance ending_balance fee net starting_balance subtotal tax total unit_amount
    """.split()  # noqa: SIM905 - a word list reads better as words
)
NO_DECIMALS = frozenset(
    """
    bif clp djf gnf jpy kmf krw mga pyg rwf ugx vnd vuv xaf xof xpf
    """.split()  # noqa: SIM905 - a word list reads better as words
)
THREE_DECIMALS = frozenset(["bhd", "jod", "kwd", "omr", "tnd"])
LIVE_STATUSES = ("active", "trialing", "past_due", "unpaid", "paused")
DEEPEST = 6


def money(amount: int, currency: str) -> str:
    """An amount in minor units as people read it: 1250, "eur" → "12.50 EUR"."""
    places = 0 if currency.lower() in NO_DECIMALS else 3 if currency.lower() in THREE_DECIMALS else 2
    return f"{Decimal(amount).scaleb(-places):,.{places}f} {currency.upper()}"


def plain(value: Any, currency: str = "", depth: int = 0) -> Any:
    """The object as a fact keeps it. A list object becomes its list; `items`, which templates cannot reach, `lines`."""
    if isinstance(value, Mapping):
        if value.get("object") == "list" and isinstance(value.get("data"), list):
            return plain(value["data"], currency, depth)
        return {} if depth > DEEPEST else _record(value, currency, depth)
    if isinstance(value, list):
        return [plain(item, currency, depth + 1) for item in value[:100]]
    return bounded(value)


def _record(value: Mapping[str, Any], currency: str, depth: int) -> dict[str, Any]:
    currency = str(value.get("currency") or currency)
    made: dict[str, Any] = {}
    for name, item in value.items():
        if name in SECRETS:
            continue
        shown = "lines" if name == "items" else name
        if _is_time(name, item):
            made[shown] = datetime.fromtimestamp(item, UTC)
            continue
        made[shown] = plain(item, currency, depth + 1)
        if currency and _is_amount(name, item):
            made[f"{shown}_text"] = money(item, currency)
    return made


def _is_time(name: str, value: Any) -> bool:
    return (
        isinstance(value, int) and not isinstance(value, bool) and (name in TIMES or name.endswith("_at")) and value > 0
    )


def _is_amount(name: str, value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and (name in AMOUNTS or name.startswith("amount_"))


def described(family: str, record: Mapping[str, Any]) -> dict[str, Any]:
    """The object with what its family's findings ask for: a subscription its plan and the end of its period."""
    made: dict[str, Any] = plain(record)
    if family == "subscriptions":
        line: dict[str, Any] = next(iter(made.get("lines") or []), {})
        price = line.get("price") or {}
        tier = (price.get("metadata") or {}).get("tier")
        made["plan"] = tier or price.get("lookup_key") or price.get("nickname") or price.get("id")
        made["price_id"] = price.get("id")
        made["price_text"] = price.get("unit_amount_text")
        made["period_end"] = made.get("current_period_end") or line.get("current_period_end")
        made["period_start"] = made.get("current_period_start") or line.get("current_period_start")
    if family == "invoices":
        parent = (made.get("parent") or {}).get("subscription_details") or {}
        made["subscription_id"] = made.get("subscription") or parent.get("subscription")
    if family == "charges":
        made["refundable"] = max(0, (made.get("amount_captured") or 0) - (made.get("amount_refunded") or 0))
        made["refundable_text"] = money(made["refundable"], str(made.get("currency") or ""))
    return made


def picks(family: str, objects: list[dict[str, Any]]) -> dict[str, Any]:
    """Handy names for what a runbook asks most: the newest of all and of each interesting status; null when none is."""
    made: dict[str, Any] = {"latest": _first(objects)}
    match family:
        case "subscriptions":
            live = [each for status in LIVE_STATUSES for each in objects if each.get("status") == status]
            made |= {"active": _first(live), "canceled": _with_status(objects, "canceled")}
        case "invoices":
            made |= {status: _with_status(objects, status) for status in ("paid", "open", "uncollectible")}
        case "payment_intents" | "charges":
            made |= {"succeeded": _with_status(objects, "succeeded")}
            made["failed_one"] = _first(
                each for each in objects if each.get("status") not in ("succeeded", "processing")
            )
        case "events":
            made["pending"] = _first(each for each in objects if each.get("pending_webhooks"))
        case "webhook_endpoints":
            made["disabled"] = _with_status(objects, "disabled")
        case _:
            pass
    return made


def _first(objects: Iterable[dict[str, Any]]) -> dict[str, Any] | None:
    return next(iter(objects), None)


def _with_status(objects: list[dict[str, Any]], status: str) -> dict[str, Any] | None:
    return _first(each for each in objects if each.get("status") == status)
