"""Previewing an action and asking for approval: what is shown is what the votes are bound to."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from bot.authoring.rendering import render_spec
from bot.authoring.templates import TemplateError, UndefinedFact, compile_expression
from bot.domain import outcomes as o
from bot.domain.approval import ApprovalRequest
from bot.domain.change import Preview, digest_of, shown
from bot.domain.facts import Fact
from bot.domain.policy import ApprovalPolicy
from bot.domain.run import ActionRun, Run
from bot.domain.runbook import Action, Effect, Section
from bot.errors import BotError, Refusal
from bot.runs.scope import scope_of
from bot.runs.work import Work
from bot.steps.base import Spec, StepKind
from bot.steps.registry import KINDS
from bot.store import approvals
from bot.store.approvals import StoredRequest
from bot.store.codec import pack
from bot.store.session import Transaction


@dataclass(frozen=True, slots=True)
class Proposal:
    """An action ready to be carried out: its kind, the rendered spec, and the rule it came from."""

    action: Action
    kind: StepKind
    spec: Spec

    def plain(self) -> dict[str, Any]:
        """The spec as data."""
        return self.spec.model_dump()


async def proposal(work: Work, run: Run, going: ActionRun, facts: Mapping[str, Fact]) -> Proposal:
    """The action with its values filled in. Raises `Refusal` with a sentence when it cannot be."""
    action = work.runbook.actions.get(going.undo_of or going.key)
    if action is None:
        raise Refusal(f"This runbook has no action «{going.key}».")
    kind = KINDS[action.kind]
    if going.undo_of:
        return Proposal(
            replace(action, title=f"Undo: {action.title}", verify=None), kind, await _inverse(work, action, kind)
        )
    _applies(work, run, action, facts)
    try:
        spec = render_spec(kind, action.spec, scope_of(run, facts, work.clock.now(), actor=going.by))
        return Proposal(action, kind, spec.model_copy(update=dict(going.edits)))
    except UndefinedFact as error:
        raise Refusal(f"«{action.title}» needs something that is not known: {error}") from error
    except TemplateError as error:
        raise Refusal(f"«{action.title}» cannot be prepared: {error}") from error


def _applies(work: Work, run: Run, action: Action, facts: Mapping[str, Fact]) -> None:
    """Refuse an action whose own condition does not hold, whoever asked for it."""
    if action.when is None:
        return
    try:
        holds = bool(compile_expression(action.when).evaluate(scope_of(run, facts, work.clock.now())))
    except UndefinedFact as error:
        raise Refusal(f"«{action.title}» needs something that is not known: {error}") from error
    if not holds:
        raise Refusal(f"«{action.title}» does not apply here: {action.when} does not hold.")


async def propose(work: Work, run: Run, key: str) -> None:
    """Preview the action and ask for approval; what changes nothing outside the bot goes ahead without."""
    going = run.actions[key]
    facts = await work.facts()
    try:
        ready = await proposal(work, run, going, facts)
        preview = await previewed(work, ready, going)
    except BotError as error:
        await work.record(o.NotPreviewed(key, str(error)))
        return
    await work.milestone("previewed")
    if ready.kind.effect(ready.spec, Section.ACTIONS) is Effect.NONE:
        await work.record(o.Ungated(key, preview.headline))
        return
    now = work.clock.now()
    policy = policy_of(ready.action, preview)
    request = ApprovalRequest(
        id=str(uuid.uuid4()),
        run=run.id,
        action=key,
        digest=request_digest(run, key, ready, preview, policy),
        policy=policy,
        requested_by=going.by or run.requested_by,
        requested_at=now,
        expires_at=now + policy.request_lifetime,
    )

    async def keep(tx: Transaction) -> None:
        await approvals.insert(tx, StoredRequest(request, ready.plain(), preview))

    asked = o.Previewed(key, request.id, preview.headline, preview.reversible, request.expires_at)
    await work.record(asked, also=keep)


async def previewed(work: Work, ready: Proposal, going: ActionRun) -> Preview:
    """What the action would do, with the author's word on how it is taken back."""
    preview = await ready.kind.preview(ready.spec, work.context(ready.action.timeout, going.by))
    rule = ready.action.undo
    if going.undo_of or rule.automatic:
        return preview
    if rule.action is not None:
        back = work.runbook.actions[rule.action].title
        return replace(preview, reversible=True, undo=f"by «{back}»")
    return replace(preview, reversible=False, undo=rule.reason or preview.undo)


def policy_of(action: Action, preview: Preview) -> ApprovalPolicy:
    """The action's policy; what could not be rehearsed needs one vote more."""
    return action.policy if preview.exact else replace(action.policy, votes=action.policy.votes + 1, confirm=False)


def request_digest(run: Run, key: str, ready: Proposal, preview: Preview, policy: ApprovalPolicy) -> str:
    """What a vote is bound to: the runbook version, the inputs, the rendered action, its preview and the policy."""
    material = {
        "run": run.id,
        "version": run.version,
        "inputs": dict(run.inputs),
        "action": key,
        "kind": ready.kind.name,
        "spec": ready.plain(),
        "shown": shown(preview),
        "policy": pack(policy),
    }
    return digest_of(material)


async def _inverse(work: Work, action: Action, kind: StepKind) -> Spec:
    async with work.store.reading() as connection:
        effect = (await approvals.effects(connection, work.lease.run_id)).get(action.key)
    if effect is None or effect.receipt is None:
        raise Refusal("There is no receipt of what was changed, so it cannot be taken back by itself.")
    back = kind.inverse(revive(kind, effect.spec), effect.receipt)
    if back is None:
        raise Refusal(f"«{action.title}» cannot be undone. {action.undo.reason}".strip())
    return revive(kind, back)


def revive(kind: StepKind, stored: Mapping[str, Any]) -> Spec:
    """A rendered spec read back from the store."""
    return kind.spec.model_validate(dict(stored))
