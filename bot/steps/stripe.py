"""The `stripe` kind: Stripe's objects through the official SDK; reads in checks, gated changes with their own key."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from time import perf_counter
from typing import Any, ClassVar

from bot.domain.change import EffectKey, Preview, Receipt
from bot.domain.facts import Fact, FactStatus
from bot.domain.runbook import Effect, Section
from bot.domain.system import System
from bot.errors import BotError
from bot.steps import stripe_previews as previews
from bot.steps.base import Complaint, Done, Failed, InDoubt, Look, Outcome, Spec, StepContext
from bot.steps.stripe_calls import Refused, Unclear, call, keyless
from bot.steps.stripe_objects import described, picks
from bot.steps.stripe_spec import METHODS, READS, VERBS, WITH_ID, StripeSpec


class Stripe:
    """Repeatable: one effect has one idempotency key, and Stripe answers a repetition with the first result."""

    name: ClassVar[str] = "stripe"
    spec: ClassVar[type[Spec]] = StripeSpec
    shorthand: ClassVar[str] = "list"
    sections: ClassVar[frozenset[Section]] = frozenset({Section.CHECKS, Section.ACTIONS})
    repeatable: ClassVar[bool] = True

    def effect(self, spec: StripeSpec, section: Section) -> Effect:
        """Lists and retrievals look; everything else changes."""
        return Effect.READ if spec.verb in READS else Effect.WRITE

    def lint(self, spec: StripeSpec, section: Section, system: System) -> Iterable[Complaint]:
        """An account, the right section, an id where one is needed, an amount that is a number."""
        if system.stripe is None:
            yield Complaint(f"{system.title} has no Stripe account.", "", "Add `stripe:` to the system's file.")
        if len([verb for verb in VERBS if getattr(spec, verb, None) is not None]) != 1 or spec.family not in METHODS:
            return
        if section is Section.CHECKS and spec.verb not in READS:
            yield Complaint(f"A check does not {spec.verb}.", spec.verb, "Put it under actions.")
        if section is Section.ACTIONS and spec.verb in READS:
            yield Complaint(f"{spec.verb.capitalize()} changes nothing.", spec.verb, "Put it under checks.")
        if spec.verb in WITH_ID and not spec.id and spec.family != "balance":
            yield Complaint(f"Say the `id` of what to {spec.verb}.", "id")
        if spec.at_period_end and (spec.verb, spec.family) != ("cancel", "subscriptions"):
            yield Complaint("`at_period_end` is for cancelling subscriptions.", "at_period_end")

    async def look(self, spec: StripeSpec, context: StepContext) -> Look:
        """List: objects, count, more, latest and the family's picks. Retrieve: object, and its fields beside it."""
        started = perf_counter()
        try:
            if spec.verb not in READS:
                raise Refused(f"A check does not {spec.verb}.")
            found = await call(spec, context)
        except BotError as refused:
            duration = timedelta(seconds=perf_counter() - started)
            return Fact(FactStatus.FAILED, error=context.targets.redact(refused.sentence), duration=duration)
        duration = timedelta(seconds=perf_counter() - started)
        if spec.verb == "retrieve":
            shown = described(spec.family, found)
            summary = str(shown.get("status") or ("deleted" if shown.get("deleted") else "found"))
            return Fact(FactStatus.DONE, {"object": shown}, summary=summary, duration=duration)
        objects = [described(spec.family, each) for each in found.get("data", [])]
        value = {"objects": objects, "count": len(objects), "more": bool(found.get("has_more"))}
        named = spec.family.replace("_", " ")
        counted = named.removesuffix("s") if len(objects) == 1 and not value["more"] else named
        summary = f"{len(objects)}{'+' if value['more'] else ''} {counted}"
        return Fact(FactStatus.DONE, {**value, **picks(spec.family, objects)}, summary=summary, duration=duration)

    async def preview(self, spec: StripeSpec, context: StepContext) -> Preview:
        """The object and the amount, as they are now. Raises Refusal when Stripe would refuse it."""
        return await previews.preview(spec, context)

    async def act(self, spec: StripeSpec, approved: Preview, key: EffectKey, context: StepContext) -> Outcome:
        """Do it once, if the object still is what was approved."""
        try:
            drift = previews.differs(approved, await previews.preview(spec, context))
        except BotError as refused:
            return Failed(context.targets.redact(refused.sentence), drift=True)
        if drift:
            return Failed(drift, drift=True)
        return await self._do(spec, approved, key, context)

    async def settle(self, spec: StripeSpec, key: EffectKey, context: StepContext) -> Outcome:
        """The same call with the same key: Stripe answers with what it did the first time, or does it now, once. What
        is deleted or canceled tells by itself."""
        if keyless(spec):
            over = await previews.is_over(spec, context)
            if over is not None:
                return Done(previews.receipt(spec, None, over))
        return await self._do(spec, None, key, context)

    def inverse(self, spec: StripeSpec, receipt: Receipt) -> Mapping[str, Any] | None:
        """A rendered spec that sets plain fields back; refunds, cancellations and deletions cannot be taken back."""
        undo = receipt.detail.get("undo")
        return undo if isinstance(undo, Mapping) else None

    async def _do(self, spec: StripeSpec, approved: Preview | None, key: EffectKey, context: StepContext) -> Outcome:
        try:
            found = await call(spec, context, str(key))
        except (Unclear, Refused) as trouble:
            over = await previews.is_over(spec, context) if keyless(spec) else None
            if over is not None:
                return Done(previews.receipt(spec, approved, over))
            if isinstance(trouble, Refused):
                return Failed(context.targets.redact(trouble.sentence))
            return InDoubt(f"{trouble.sentence} Whether it took effect is not known.")
        except BotError as refused:
            return Failed(context.targets.redact(refused.sentence))
        return Done(previews.receipt(spec, approved, described(previews.result_family(spec), found)))
