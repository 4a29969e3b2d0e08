"""What happened, in one sentence each: the timeline, the audit view and the review read these."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, assert_never

from bot.domain.events import BOT, Happened
from bot.slack.views import kit
from bot.slack.views.plain import spoken
from bot.slack.views.text import clip, escape, one_line

_LONG = 300


def sentence(event: Mapping[str, Any], titles: Mapping[str, str] | None = None) -> str:
    """One recorded event (`kind`, `actor`, `data`) as a mrkdwn sentence; data in it is escaped.

    `titles` names actions and checks by key; without it the keys are said.
    """
    data = event.get("data")
    teller = _Teller(str(event.get("actor") or BOT), data if isinstance(data, Mapping) else {}, titles or {})
    kind = Happened(event["kind"])
    return teller.run(kind) if kind.startswith(("incident.", "run.")) else teller.step(kind)


def plain_sentence(event: Mapping[str, Any], titles: Mapping[str, str] | None = None) -> str:
    """The same without mark-up, for the terminal and for files."""
    return spoken(sentence(event, titles))


class _Teller:
    """One event on its way into a sentence."""

    def __init__(self, actor: str, data: Mapping[str, Any], titles: Mapping[str, str]) -> None:
        self.who = "The bot" if actor == BOT else kit.mention(actor)
        self.data = data
        self.titles = titles

    def text(self, name: str) -> str:
        """A value of the event, escaped."""
        data = self.data.get(name)
        return escape(clip(one_line("" if data is None else str(data)), _LONG))

    def named(self, name: str) -> str:
        """An action or check by its title."""
        key = str(self.data.get(name) or "")
        return f"«{escape(clip(one_line(self.titles.get(key, key)), 120))}»"

    def because(self, name: str) -> str:
        """": why", or nothing."""
        said = self.text(name)
        return f": {said}" if said else "."

    def people(self, name: str) -> str:
        """People by id or name, listed."""
        listed = self.data.get(name)
        names = listed if isinstance(listed, list | tuple) else [listed] if listed else []
        said = [kit.mention(str(one)) if str(one)[:1] in "UW" else escape(one_line(str(one))) for one in names[:10]]
        return ", ".join(said) or "nobody"

    def findings(self) -> str:
        """The sentences of the findings that hold."""
        listed = self.data.get("findings")
        says = [one_line(str(each.get("say", ""))) for each in listed or () if isinstance(each, Mapping)]
        return " ".join(escape(clip(said, _LONG)) for said in says[:5])

    def run(self, kind: Happened) -> str:  # noqa: C901, PLR0911 - one arm a kind
        """Incidents and runs as a whole."""
        match kind:
            case Happened.INCIDENT_OPENED:
                return f"{self.who} opened the incident{self.because('title')}"
            case Happened.INCIDENT_NOTED:
                return f"{self.who} noted{self.because('text')}"
            case Happened.INCIDENT_RESOLVED:
                minutes = self.text("minutes")
                return f"{self.who} resolved the incident{f' after {minutes} min' if minutes else ''}."
            case Happened.INCIDENT_ESCALATED:
                return f"{self.who} escalated to {self.people('to')}{self.because('reason')}"
            case Happened.RUN_REQUESTED:
                named = self.text("runbook") or self.text("title") or "a runbook"
                return f"{self.who} started {named}."
            case Happened.RUN_RECHECKED:
                return f"{self.who} had everything looked at again."
            case Happened.RUN_DONE:
                note = self.text("note")
                return f"{self.who} closed the run: {note}" if note else "The run is done."
            case Happened.RUN_FAILED:
                return f"The run failed{self.because('reason')}"
            case Happened.RUN_CANCELLED:
                return f"{self.who} cancelled the run{self.because('reason')}"
            case Happened.RUN_PARKED:
                reference = self.text("reference")
                return f"The bot itself failed{f' (reference {reference})' if reference else ''}; the run waits."
            case _:
                raise ValueError(f"{kind} is not about an incident or a run")

    def step(self, kind: Happened) -> str:
        """Checks, questions, findings and actions."""
        if kind.startswith("action."):
            return self.action(kind)
        if kind.startswith(("approval.", "vote.")):
            return self.vote(kind)
        match kind:
            case Happened.CHECK_ENDED:
                failed = self.data.get("status") in ("failed", "timed_out")
                said = self.text("error") if failed else self.text("summary")
                return f"{self.named('check')} {'could not be read' if failed else 'was read'}{f': {said}' if said else '.'}"
            case Happened.QUESTION_ASKED:
                return f"The bot asked{self.because('text')}"
            case Happened.QUESTION_ANSWERED:
                return f"{self.who} answered {self.named('check')}{self.because('summary')}"
            case Happened.FINDINGS_CONCLUDED:
                return f"Found: {self.findings()}" if self.findings() else "No known cause fits what was found."
            case _:
                raise ValueError(f"{kind} is not about a step")

    def action(self, kind: Happened) -> str:  # noqa: C901, PLR0911 - one arm a kind
        """What was done, or not."""
        what = self.named("action")
        match kind:
            case Happened.ACTION_CHOSEN:
                undone = self.data.get("undo_of")
                return f"{self.who} asked to take back {self.named('undo_of')}." if undone else f"{self.who} chose {what}."
            case Happened.ACTION_SKIPPED:
                return f"{self.who} left out {what}."
            case Happened.ACTION_INTENDED:
                return f"{what} is about to be done."
            case Happened.ACTION_DONE:
                said = self.text("headline") or self.text("note")
                by = "" if self.who == "The bot" else f" by {self.who}"
                return f"{what} was done{by}{f': {said}' if said else '.'}"
            case Happened.ACTION_FAILED:
                return f"{what} was not done{self.because('reason')}"
            case Happened.ACTION_IN_DOUBT:
                return f"It is not known whether {what} happened{self.because('why')}"
            case Happened.ACTION_SETTLED:
                return f"{self.who} found that {what} {'had' if self.data.get('happened') else 'had not'} happened."
            case Happened.ACTION_WAITING:
                return f"{what} waits{self.because('what')}"
            case Happened.ACTION_VERIFIED:
                return f"{what} was verified."
            case Happened.ACTION_UNVERIFIED:
                return f"{what} was done but is not verified{self.because('reason')}"
            case _:
                raise ValueError(f"{kind} is not about an action")

    def vote(self, kind: Happened) -> str:
        """Who was asked and what they said."""
        what = self.named("action")
        match kind:
            case Happened.APPROVAL_REQUESTED:
                return f"Approval was asked for {what}{self.because('headline')}"
            case Happened.APPROVAL_GRANTED:
                return f"{what} was approved by {self.people('by')}."
            case Happened.APPROVAL_DENIED:
                return f"{what} was denied{self.because('reason')}"
            case Happened.APPROVAL_EXPIRED:
                return f"Nobody decided on {what} in time; nothing was changed."
            case Happened.APPROVAL_VOIDED:
                return f"The approval of {what} no longer holds{self.because('reason')}"
            case Happened.VOTE_CAST:
                denied = self.data.get("choice") == "deny"
                return f"{self.who} {'denied' if denied else 'approved'} {what}{self.because('reason')}"
            case Happened.VOTE_REFUSED:
                return f"A vote of {self.who} on {what} does not count{self.because('reason')}"
            case _:
                raise ValueError(f"{kind} is not about a vote")
