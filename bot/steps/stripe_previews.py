"""What an action at Stripe would do, read from the object it touches; used by the `stripe` kind alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.domain.change import Preview, Receipt, RowChange, comparable
from bot.errors import BotError, Mistake, Refusal
from bot.steps.base import StepContext
from bot.steps.stripe_calls import amount, arguments, guarded, object_id
from bot.steps.stripe_objects import described, money, plain
from bot.steps.stripe_spec import StripeSpec

DIFFERENCES = 3
ENDED = frozenset({"canceled", "incomplete_expired"})


async def preview(spec: StripeSpec, context: StepContext) -> Preview:
    """The object, the amount and what follows. Raises Refusal."""
    try:
        return await _preview(spec, context)
    except Refusal:
        raise
    except BotError as refused:
        raise Refusal(context.targets.redact(refused.sentence)) from refused


async def _preview(spec: StripeSpec, context: StepContext) -> Preview:
    match spec.verb:
        case "refund":
            return await _refund(spec, context)
        case "cancel":
            return await _cancel(spec, context)
        case "update":
            return await _update(spec, context)
        case "delete":
            return await _delete(spec, context)
        case "create":
            return Preview(f"A new one of {_words(spec)} is made", _payload(spec), undo="by hand, in Stripe")
        case _:
            return await _invoice(spec, context)


async def _found(family: str, wanted: str, context: StepContext, *, deleted: bool = False) -> dict[str, Any]:
    client = context.targets.stripe(context.system)

    async def once() -> Mapping[str, Any]:
        service: Any = getattr(client.v1, family)
        return dict((await service.retrieve_async(wanted)).to_dict())

    record = await guarded(once, context)
    if record.get("deleted") and not deleted:
        raise Mistake(f"{wanted} has been deleted.")
    return described(family, record)


def _words(spec: StripeSpec) -> str:
    return spec.family.replace("_", " ")


def _payload(spec: StripeSpec, **more: Any) -> dict[str, Any]:
    return {"action": spec.verb, "family": spec.family, "id": spec.id, "params": arguments(spec), **more}


async def _refund(spec: StripeSpec, context: StepContext) -> Preview:
    wanted = object_id(spec)
    if spec.family == "payment_intents":
        payment = await _found("payment_intents", wanted, context)
        if not payment.get("latest_charge"):
            raise Refusal(f"{wanted} has no charge: nothing was paid, nothing can be refunded.")
        wanted = str(payment["latest_charge"])
    charge = await _found("charges", wanted, context)
    currency, refundable = str(charge["currency"]), int(charge["refundable"])
    asked = amount(spec) or refundable
    if not charge.get("paid") or charge.get("status") != "succeeded":
        raise Refusal(f"The charge {wanted} did not succeed: nothing was paid, nothing can be refunded.")
    if asked > refundable or not refundable:
        raise Refusal(
            f"{money(asked or charge['amount'], currency)} cannot be refunded: {money(refundable, currency)} is left."
        )
    lines = [
        f"Charge {wanted} of {money(charge['amount'], currency)}, made {charge['created']:%Y-%m-%d %H:%M} UTC.",
        f"Refunded before: {money(charge.get('amount_refunded') or 0, currency)}; left: {money(refundable, currency)}.",
    ]
    lines += ["The charge is disputed."] if charge.get("disputed") else []
    return Preview(
        headline=f"{money(asked, currency)} is refunded",
        payload=_payload(spec, charge=wanted, customer=charge.get("customer"), amount=asked, currency=currency),
        lines=tuple(lines),
        undo="a refund cannot be undone",
    )


async def _cancel(spec: StripeSpec, context: StepContext) -> Preview:
    found = await _found(spec.family, object_id(spec), context)
    if found.get("status") in ENDED:
        raise Refusal(f"{spec.id} is {found['status']} already.")
    if spec.family != "subscriptions":
        lines = [f"{spec.id} of {found.get('amount_text', 'no amount')}, {found['status']}."]
        return Preview(f"{spec.id} is canceled", _payload(spec), lines=tuple(lines), undo="cannot be undone")
    if spec.at_period_end and found.get("cancel_at_period_end"):
        raise Refusal(f"{spec.id} ends with its period already.")
    end = found.get("period_end")
    lines = [f"Subscription {spec.id}: {found.get('plan')}, {found['status']}, customer {found.get('customer')}."]
    lines += [f"Paid until {end:%Y-%m-%d}."] if end is not None else []
    when = "at the end of its period" if spec.at_period_end else "now"
    return Preview(
        headline=f"The {found.get('plan')} subscription is canceled {when}",
        payload=_payload(spec),
        lines=tuple(lines),
        reversible=spec.at_period_end,
        undo="the cancellation is taken back" if spec.at_period_end else "a canceled subscription cannot be revived",
    )


async def _update(spec: StripeSpec, context: StepContext) -> Preview:
    found = await _found(spec.family, object_id(spec), context)
    wanted = plain(arguments(spec))
    before = {name: found.get(name) for name in wanted}
    kept = before.get("metadata")
    if isinstance(kept, Mapping):
        before["metadata"] = {name: kept.get(name) for name in wanted["metadata"]}
    if before == wanted:
        raise Refusal(f"Nothing would change: {spec.id} is so already.")
    change = RowChange(f"stripe {_words(spec)}", {"id": spec.id}, before, wanted)
    flat = _is_flat(before) and _is_flat(wanted)
    return Preview(
        headline=f"{len(wanted)} {'field' if len(wanted) == 1 else 'fields'} of {spec.id} {_are(wanted)} changed",
        payload=_payload(spec),
        changes=(change,),
        counts={f"stripe {_words(spec)}": 1},
        reversible=flat,
        undo="the fields are set back" if flat else "by hand, in Stripe",
    )


def _are(wanted: Mapping[str, Any]) -> str:
    return "is" if len(wanted) == 1 else "are"


def _is_flat(values: Mapping[str, Any]) -> bool:
    """Plain values, and metadata of plain values, can be sent back as they were."""
    return all(
        isinstance(value, str | int | float | bool | None)
        or (name == "metadata" and isinstance(value, Mapping) and _is_flat(value))
        for name, value in values.items()
    )


async def _delete(spec: StripeSpec, context: StepContext) -> Preview:
    found = await _found(spec.family, object_id(spec), context)
    lines = [f"{spec.id}: {found.get('name') or found.get('email') or 'no name'}."]
    if spec.family == "customers":
        number = await _subscriptions(object_id(spec), context)
        lines.append(f"Deleting a customer cancels its subscriptions at once: {number} now.")
    return Preview(
        headline=f"{spec.id} is deleted at Stripe, for good",
        payload=_payload(spec),
        lines=tuple(lines),
        undo="a deletion cannot be undone",
    )


async def _subscriptions(customer: str, context: StepContext) -> int:
    client = context.targets.stripe(context.system)

    async def once() -> Mapping[str, Any]:
        return dict((await client.v1.subscriptions.list_async({"customer": customer, "limit": 100})).to_dict())

    return len((await guarded(once, context)).get("data", []))


async def _invoice(spec: StripeSpec, context: StepContext) -> Preview:
    found = await _found(spec.family, object_id(spec), context)
    verbs = {"pay": "is charged", "void": "is voided", "send": "is sent to the customer", "finalize": "is finalized"}
    due = found.get("amount_due_text") or "no amount"
    return Preview(
        headline=f"The invoice {found.get('number') or spec.id} of {due} {verbs[spec.verb]}",
        payload=_payload(spec),
        lines=(f"Invoice {spec.id} is {found.get('status')}, customer {found.get('customer')}.",),
        undo="cannot be undone",
    )


async def is_over(spec: StripeSpec, context: StepContext) -> dict[str, Any] | None:
    """The object if it is deleted or canceled by now; None when it is not, or when Stripe cannot be asked."""
    try:
        found = await _found(spec.family, object_id(spec), context, deleted=True)
    except BotError:
        return None
    return found if found.get("deleted") or found.get("status") in ENDED else None


def differs(approved: Preview, now: Preview) -> str:
    """What is different from what was approved, in words; empty when nothing is."""
    for then, today in zip(approved.changes, now.changes, strict=False):
        if comparable(then) != comparable(today):
            return "The object at Stripe was changed since the approval. Nothing was done."
    if dict(approved.payload) != dict(now.payload):
        names = [name for name, value in now.payload.items() if approved.payload.get(name) != value]
        return f"Not what was approved any more: {', '.join(names[:DIFFERENCES])}. Nothing was done."
    if approved.lines != now.lines:
        news = next((line for line in now.lines if line not in approved.lines), "")
        return f"Changed since the approval: {news} Nothing was done."
    return ""


def result_family(spec: StripeSpec) -> str:
    """The family of what a call answers with."""
    return "refunds" if spec.verb == "refund" else spec.family


def receipt(spec: StripeSpec, approved: Preview | None, result: Mapping[str, Any]) -> Receipt:
    """What happened, with what is needed to take it back."""
    detail: dict[str, Any] = {"object": {name: result.get(name) for name in _KEPT if result.get(name) is not None}}
    if spec.verb == "cancel" and spec.at_period_end:
        detail["undo"] = {"update": "subscriptions", "id": spec.id, "params": {"cancel_at_period_end": False}}
    changes = () if approved is None else approved.changes
    if (
        approved is not None
        and approved.reversible
        and spec.verb == "update"
        and changes
        and changes[0].before is not None
    ):
        before = {name: "" if value is None else value for name, value in changes[0].before.items()}
        metadata = before.pop("metadata", None)
        detail["undo"] = {"update": spec.family, "id": spec.id, "params": before}
        if isinstance(metadata, Mapping):
            detail["undo"]["metadata"] = {name: "" if value is None else value for name, value in metadata.items()}
    said = approved.headline if approved is not None else f"{spec.verb.capitalize()} of {spec.id or _words(spec)}"
    return Receipt(f"{said} ({result.get('id')})", changes, {} if approved is None else dict(approved.counts), detail)


_KEPT = (
    "id",
    "status",
    "amount",
    "amount_text",
    "currency",
    "customer",
    "canceled_at",
    "cancel_at_period_end",
    "deleted",
)
