"""Approve, Deny, Break the glass, Plan for later, Edit and Show everything."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from bot.domain.approval import Choice, Members, Person, RequestState
from bot.domain.policy import StepUp
from bot.domain.turns import OutOfTurn
from bot.errors import Refusal
from bot.runs.actions import Ballot
from bot.runs.proof import MISCOUNTED, Proof, to_type
from bot.slack import forms
from bot.slack.desk import Answer, Desk, Form, Open, Press, Quiet, Say, Wrong
from bot.slack.verbs import Ref
from bot.slack.views.approval import approval_modal
from bot.slack.views.checks import checks_modal
from bot.slack.views.titles import action_title
from bot.slack.views.votes import (
    CODE,
    NAME,
    ROWS,
    approve_modal,
    break_glass_modal,
    deny_modal,
    edit_modal,
    schedule_modal,
)
from commands.standing import insist_on_standing
from commands.support import MEMBERSHIP, insist_on_hands, may_see_all


async def approve(press: Press, desk: Desk) -> Answer:
    """A vote for exactly what the button was shown with; where the policy or the size of the change asks for a second
    proof, the form for it."""
    stored = await desk.reads.request(press.ref.request)
    request, rows = stored.request, stored.rows_to_say
    asks = rows is not None or request.policy.step_up is not StepUp.NONE
    if asks and request.state is RequestState.PENDING:
        return await _asking(
            press,
            desk,
            Choice.APPROVE,
            lambda title: approve_modal(press.ref, title, request, to_type(request), rows),
        )
    return _told(await _vote(press.ref, press.user, desk, Choice.APPROVE))


async def approve_with_proof(form: Form, desk: Desk) -> Answer:
    """A vote for, with its second proof; a wrong one can be corrected in the form."""
    given = forms.values_of(form.state)
    ballot = await _vote(form.ref, form.user, desk, Choice.APPROVE, proof=_proof(given))
    return _submitted(form, ballot)


async def deny(press: Press, desk: Desk) -> Answer:
    """Ask for the reason; nothing is decided until it is given."""
    return await _asking(press, desk, Choice.DENY, lambda title: deny_modal(press.ref, title))


async def deny_with_reason(form: Form, desk: Desk) -> Answer:
    """A vote against, with its reason."""
    reason = forms.values_of(form.state).get("reason", "")
    return _submitted(form, await _vote(form.ref, form.user, desk, Choice.DENY, reason))


async def ask_break_glass(press: Press, desk: Desk) -> Answer:
    """Ask why it cannot wait; nothing is done until that is said."""
    stored = await desk.reads.request(press.ref.request)
    request, rows = stored.request, stored.rows_to_say
    return await _asking(
        press,
        desk,
        Choice.BREAK_GLASS,
        lambda title: break_glass_modal(press.ref, title, request, to_type(request), rows),
    )


async def break_glass(form: Form, desk: Desk) -> Answer:
    """Go ahead alone, with a reason; the leads are called."""
    given = forms.values_of(form.state)
    reason = given.get("reason", "")
    ballot = await _vote(form.ref, form.user, desk, Choice.BREAK_GLASS, reason, _proof(given))
    return _submitted(form, ballot)


async def ask_schedule(press: Press, desk: Desk) -> Answer:
    """Ask for the window."""
    await insist_on_hands(press.ref.run, press.user, desk)
    return Open(schedule_modal(press.ref, await _title(press.ref, desk), desk.clock.now()))


async def schedule(form: Form, desk: Desk) -> Answer:
    """Plan the action for a window; it is previewed and asked for anew."""
    given = forms.values_of(form.state)
    await insist_on_standing(form.ref.run, form.user, desk)
    await insist_on_hands(form.ref.run, form.user, desk)
    try:
        opens, closes = (datetime.fromisoformat(given.get(name, "")) for name in ("opens", "closes"))
        await desk.people.schedule(form.ref.run, form.ref.action, form.user, opens, closes, press=form.key)
    except ValueError:
        return Wrong({"opens": "Pick both moments."})
    except OutOfTurn:
        raise
    except Refusal as error:
        return Wrong({"closes": " ".join(error.reasons)})
    return Quiet()


async def details(press: Press, desk: Desk) -> Answer:
    """Everything about a request (differences, exact statement, policy, votes), or about what the checks saw. Of a
    support run only who may decide on a request sees it whole."""
    shown = await desk.reads.shown(press.ref.run)
    if press.ref.action not in shown.approvals:
        return Open(checks_modal(shown))
    if shown.approvals[press.ref.action].masked and await may_see_all(shown, press.ref.action, press.user, desk):
        shown = await desk.reads.shown(press.ref.run, whole=True)
    return Open(approval_modal(shown, press.ref.action))


async def edit(press: Press, desk: Desk) -> Answer:
    """The words of a message, to be changed before it goes out."""
    stored = await desk.reads.request(press.ref.request)
    await insist_on_hands(stored.request.run, press.user, desk)
    spec = stored.first.spec
    return Open(edit_modal(press.ref, str(spec.get("subject") or ""), str(spec.get("body") or "")))


async def form_edit(form: Form, desk: Desk) -> Answer:
    """The changed words; the message is previewed and asked for anew."""
    given = forms.values_of(form.state)
    await insist_on_standing(form.ref.run, form.user, desk)
    await insist_on_hands(form.ref.run, form.user, desk)
    edits = {key: given.get(key, "") for key in ("subject", "body")}
    await desk.people.edit(form.ref.run, form.ref.action, form.user, edits, press=form.key)
    return Quiet()


async def _asking(press: Press, desk: Desk, choice: Choice, form: Callable[[str], Mapping[str, Any]]) -> Answer:
    """The form that a vote needs, unless the person could not vote so anyway: then why, at once."""
    digest, person, members = await _voter(press.ref, press.user, desk)
    reasons = await desk.people.held_against(press.ref.request, digest, person, choice, members)
    return Say(" ".join(reasons)) if reasons else Open(form(await _title(press.ref, desk)))


async def _vote(
    ref: Ref, user: str, desk: Desk, choice: Choice, reason: str = "", proof: Proof | None = None
) -> Ballot:
    digest, person, members = await _voter(ref, user, desk)
    return await desk.people.vote(ref.request, digest, person, choice, members, reason, proof)


async def _voter(ref: Ref, user: str, desk: Desk) -> tuple[str, Person, Members]:
    """What a vote is judged by: the digest it is for, who casts it, and who belongs to the groups that count."""
    stored = await desk.reads.request(ref.request)
    run = await desk.reads.run(stored.request.run)
    _, system = await desk.library.of_run(run)
    groups = {name: group for name, group in system.groups.items() if name in stored.request.policy.everybody}
    members = await desk.directory.members(groups, within=MEMBERSHIP)
    person = await desk.directory.person(user)
    # A button that names another run or action than its request was not made here: its digest counts for nothing.
    fits = ref.run == stored.request.run and ref.action in stored.request.actions
    return ref.digest if fits else "", person, members


async def _title(ref: Ref, desk: Desk) -> str:
    return action_title(await desk.reads.shown(ref.run), ref.action)


def _proof(given: Mapping[str, str]) -> Proof:
    return Proof(given.get(CODE, ""), given.get(NAME, ""), given.get(ROWS, ""))


def _submitted(form: Form, ballot: Ballot) -> Answer:
    """An accepted vote is seen in the card; a refusal stands in the form, where it can be put right."""
    if ballot.accepted:
        return Quiet()
    places = (ROWS,) if MISCOUNTED in ballot.reasons else (CODE, NAME, ROWS)
    place = next((name for name in places if name in form.state), "")
    return Wrong({place: ballot.sentence}) if place else Say(ballot.sentence)


def _told(ballot: Ballot) -> Answer:
    """A refusal is told to the person; an accepted vote is seen in the card."""
    return Quiet() if ballot.accepted else Say(ballot.sentence)
