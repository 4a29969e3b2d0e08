"""Approve, Deny, Edit and Show everything."""

from __future__ import annotations

from bot.domain.approval import Choice
from bot.runs.actions import Ballot
from bot.slack import forms
from bot.slack.desk import Answer, Desk, Form, Open, Press, Quiet, Say
from bot.slack.verbs import Ref
from bot.slack.views.approval import approval_modal, deny_modal, edit_modal
from bot.slack.views.checks import checks_modal
from bot.slack.views.titles import action_title


async def approve(press: Press, desk: Desk) -> Answer:
    """A vote for exactly what the button was shown with."""
    ballot = await _vote(press.ref, press.user, desk, Choice.APPROVE)
    return _told(ballot)


async def deny(press: Press, desk: Desk) -> Answer:
    """Ask for the reason; nothing is decided until it is given."""
    shown = await desk.reads.shown(press.ref.run)
    return Open(deny_modal(press.ref, action_title(shown, press.ref.action)))


async def deny_with_reason(form: Form, desk: Desk) -> Answer:
    """A vote against, with its reason."""
    reason = forms.values_of(form.state).get("reason", "")
    ballot = await _vote(form.ref, form.user, desk, Choice.DENY, reason)
    return Quiet() if ballot.accepted else Say(ballot.sentence)


async def details(press: Press, desk: Desk) -> Answer:
    """Everything about a request (differences, exact statement, policy, votes), or about what the checks saw."""
    shown = await desk.reads.shown(press.ref.run)
    if press.ref.action not in shown.approvals:
        return Open(checks_modal(shown))
    return Open(approval_modal(shown, press.ref.action))


async def edit(press: Press, desk: Desk) -> Answer:
    """The words of a message, to be changed before it goes out."""
    stored = await desk.reads.request(press.ref.request)
    return Open(edit_modal(press.ref, str(stored.spec.get("subject") or ""), str(stored.spec.get("body") or "")))


async def form_edit(form: Form, desk: Desk) -> Answer:
    """The changed words; the message is previewed and asked for anew."""
    given = forms.values_of(form.state)
    await desk.people.edit(
        form.ref.run, form.ref.action, form.user, {key: given.get(key, "") for key in ("subject", "body")}
    )
    return Quiet()


async def _vote(ref: Ref, user: str, desk: Desk, choice: Choice, reason: str = "") -> Ballot:
    stored = await desk.reads.request(ref.request)
    run = await desk.reads.run(stored.request.run)
    _, system = await desk.library.of_run(run)
    groups = {name: group for name, group in system.groups.items() if name in stored.request.policy.groups}
    members = await desk.directory.members(groups)
    person = await desk.directory.person(user)
    # A button that names another run or action than its request was not made here: its digest counts for nothing.
    fits = ref.run == stored.request.run and ref.action in stored.request.actions
    return await desk.people.vote(ref.request, ref.digest if fits else "", person, choice, members, reason)


def _told(ballot: Ballot) -> Answer:
    """A refusal is told to the person; an accepted vote is seen in the card."""
    return Quiet() if ballot.accepted else Say(ballot.sentence)
