"""Previewing an action and asking for approval: what is shown is what the votes are bound to."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bot.authoring.rendering import render_spec
from bot.authoring.templates import TemplateError, UndefinedFact, compile_expression, compile_template
from bot.domain import outcomes as o
from bot.domain.approval import ApprovalRequest
from bot.domain.change import Preview, digest_of, projected, sha256_of, shown
from bot.domain.facts import Fact, to_json
from bot.domain.policy import ApprovalPolicy, joined
from bot.domain.run import ActionRun, ActionStatus, Run
from bot.domain.runbook import Action, Effect, Section
from bot.errors import BotError, Refusal
from bot.runs.justifying import CURED, cured
from bot.runs.scope import scope_of
from bot.runs.work import Work
from bot.steps.base import Spec, StepKind
from bot.steps.registry import KINDS
from bot.store import approvals
from bot.store.approvals import Asked, StoredRequest
from bot.store.codec import pack
from bot.store.session import Transaction


class DoesNotApply(Refusal):
    """An action's own condition does not hold."""


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
        raise DoesNotApply(f"«{action.title}» does not apply here: {action.when} does not hold.")


async def propose(work: Work, run: Run, key: str) -> None:
    """Preview the action and ask for approval; what changes nothing outside the bot goes ahead without."""
    run, needless = await cured(work, run, key)
    if needless:
        await work.record(o.NotNeeded(key, CURED))
        return
    facts = await work.facts()
    try:
        first = await _previewed(work, run, run.actions[key], facts)
    except DoesNotApply as error:
        planned = key in run.plan and not run.actions[key].by
        await work.record(o.NotNeeded(key, str(error)) if planned else o.NotPreviewed(key, str(error)))
        return
    except BotError as error:
        await work.record(o.NotPreviewed(key, str(error)))
        return
    await work.milestone("previewed")
    if first.ready.kind.effect(first.ready.spec, Section.ACTIONS) is Effect.NONE:
        await work.record(o.Ungated(key, first.preview.headline))
        return
    block = [first, *await _rest_of_plan(work, run, first, facts)]
    stored = _request(work, run, block, target_of(work, run, first.ready, facts))

    async def keep(tx: Transaction) -> None:
        await approvals.insert(tx, stored)

    request = stored.request
    asked = o.Previewed(
        key,
        request.id,
        first.preview.headline,
        first.preview.reversible,
        request.expires_at,
        request.next_nudge(request.requested_at),
        request.also,
    )
    await work.record(asked, also=keep)


@dataclass(frozen=True, slots=True)
class _Shown:
    """An action with its preview and what both are bound to."""

    key: str
    ready: Proposal
    preview: Preview
    policy: ApprovalPolicy
    bound: Any

    @property
    def digest(self) -> str:
        """What a vote on this action alone is bound to."""
        return sha256_of(self.bound)

    def asked(self) -> Asked:
        """What is stored of it."""
        return Asked(self.digest, self.ready.plain(), self.preview, self.bound)


async def _previewed(
    work: Work, run: Run, going: ActionRun, facts: Mapping[str, Fact], earlier: Sequence[_Shown] = ()
) -> _Shown:
    ready = await proposal(work, run, going, facts)
    preview = projected(await previewed(work, ready, going), [each.preview for each in earlier])
    policy = policy_of(ready.action, preview)
    return _Shown(going.key, ready, preview, policy, bound(run, going, ready, preview, policy))


async def _rest_of_plan(work: Work, run: Run, first: _Shown, facts: Mapping[str, Fact]) -> list[_Shown]:
    """The next actions of a plan that one vote decides: as far as they can be shown now and the same people decide."""
    going = run.actions[first.key]
    if not run.together or first.key not in run.plan or going.opens is not None:
        return []
    rest: list[_Shown] = []
    for key in run.plan[run.plan.index(first.key) + 1 :]:
        if run.actions[key].status is not ActionStatus.QUEUED:
            break
        try:
            shown = await _previewed(work, run, run.actions[key], facts, [first, *rest])
        except DoesNotApply:
            # Left out when its turn comes; should it apply by then, it is asked for by itself.
            continue
        except BotError:
            break
        gated = shown.ready.kind.effect(shown.ready.spec, Section.ACTIONS) is not Effect.NONE
        if not gated or joined([first.policy, *(each.policy for each in rest), shown.policy]) is None:
            break
        rest.append(shown)
    return rest


def _request(work: Work, run: Run, block: Sequence[_Shown], target: str) -> StoredRequest:
    """One request over everything shown; its digest is the action's own, or that of all of them in order."""
    first, now = block[0], work.clock.now()
    going = run.actions[first.key]
    policy = joined([each.policy for each in block])
    assert policy is not None
    expires_at = now + policy.request_lifetime
    if going.opens is not None and going.closes is not None:
        # Planned work is decided ahead: until its window closes, and votes must live as long.
        expires_at = going.closes
        policy = replace(policy, vote_lifetime=max(policy.vote_lifetime, expires_at - now))
    digest = first.digest
    if len(block) > 1:
        digest = digest_of({"plan": [each.digest for each in block], "policy": pack(policy)})
    request = ApprovalRequest(
        id=str(uuid.uuid4()),
        run=run.id,
        action=first.key,
        digest=digest,
        policy=policy,
        requested_by=going.by or run.requested_by,
        requested_at=now,
        expires_at=expires_at,
        target=target,
        opens_at=going.opens,
        closes_at=going.closes,
        also=tuple(each.key for each in block[1:]),
        askers=tuple(dict.fromkeys([run.requested_by, *run.askers, *going.askers])),
    )
    return StoredRequest(request, {each.key: each.asked() for each in block})


def target_of(work: Work, run: Run, ready: Proposal, facts: Mapping[str, Fact]) -> str:
    """The target that the action takes for itself, as its system names it; "" when its author names none."""
    if ready.action.lock is None:
        return ""
    try:
        named = compile_template(ready.action.lock).render(scope_of(run, facts, work.clock.now()))
    except TemplateError:
        return ""
    return f"{work.system.id}:{named}"


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


def request_digest(run: Run, going: ActionRun, ready: Proposal, preview: Preview, policy: ApprovalPolicy) -> str:
    """What a vote is bound to."""
    return sha256_of(bound(run, going, ready, preview, policy))


def bound(run: Run, going: ActionRun, ready: Proposal, preview: Preview, policy: ApprovalPolicy) -> Any:
    """What the digest of an action is made of, as JSON data: the runbook version, the inputs, the rendered action, its
    preview, the policy and the window."""
    material = {
        "run": run.id,
        "version": run.version,
        "inputs": dict(run.inputs),
        "action": going.key,
        "kind": ready.kind.name,
        "spec": ready.plain(),
        "shown": shown(preview),
        "policy": pack(policy),
        "window": [going.opens, going.closes],
    }
    return to_json(material)


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
