"""What happened, in one sentence each: the timeline, the audit view and the review read these."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from typing import Any

from bot.domain.events import BOT, Happened
from bot.slack.views import kit
from bot.slack.views.plain import spoken
from bot.slack.views.spell import coarse
from bot.slack.views.text import clip, escape, one_line

_LONG = 300


def sentence(event: Mapping[str, Any], titles: Mapping[str, str] | None = None) -> str:
    """One recorded event (`kind`, `actor`, `data`) as a mrkdwn sentence; data in it is escaped.

    `titles` names actions and checks by key; without it the keys are said.
    """
    data = event.get("data")
    teller = _Teller(str(event.get("actor") or BOT), data if isinstance(data, Mapping) else {}, titles or {})
    return _SENTENCES[Happened(event["kind"])](teller)


def plain_sentence(event: Mapping[str, Any], titles: Mapping[str, str] | None = None) -> str:
    """The same without mark-up, for the terminal and for files."""
    return spoken(sentence(event, titles))


_NOTHING = "No known cause fits what was found."


class _Teller:
    """One event on its way into a sentence."""

    def __init__(self, actor: str, data: Mapping[str, Any], titles: Mapping[str, str]) -> None:
        self.who = "The bot" if actor == BOT else kit.mention(actor)
        self.data = data
        self.titles = titles

    def text(self, name: str, form: str = "{}") -> str:
        """A value of the event, escaped and put into `form`; "" when there is none."""
        data = self.data.get(name)
        said = " ".join(map(str, data)) if isinstance(data, list | tuple) else "" if data is None else str(data)
        said = escape(clip(one_line(said), _LONG))
        return form.replace("{}", said) if said else ""

    def named(self, name: str) -> str:
        """An action or check by its title."""
        key = str(self.data.get(name) or "")
        return f"«{escape(clip(one_line(self.titles.get(key, key)), 120))}»"

    def after(self, name: str) -> str:
        """ " after so long", from a number of minutes."""
        minutes = self.data.get(name)
        return f" after {coarse(timedelta(minutes=minutes))}" if isinstance(minutes, int | float) else ""

    @property
    def action(self) -> str:
        """The action the event is about."""
        return self.named("action")

    def because(self, name: str) -> str:
        """ ": why", or a full stop."""
        return self.text(name, ": {}") or "."

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
        said = " ".join(escape(clip(one, _LONG)) for one in says[:5])
        nothing = "Nothing is known yet; people were asked." if self.data.get("asking") else _NOTHING
        return f"Found: {said}" if said else nothing

    def check(self) -> str:
        """What a check saw."""
        if self.data.get("status") in ("failed", "timed_out"):
            return f"{self.named('check')} could not be read{self.because('error')}"
        if self.data.get("status") == "skipped":
            return f"{self.named('check')} was not needed."
        return f"{self.named('check')} was read{self.because('summary')}"

    def chosen(self) -> str:
        """Somebody asked for an action or for its undoing."""
        undone = self.data.get("undo_of")
        return (
            f"{self.who} asked to take back {self.named('undo_of')}." if undone else f"{self.who} chose {self.action}."
        )

    def done(self) -> str:
        """An effect, by the bot or by hand."""
        by = "" if self.who == "The bot" else f" by {self.who}"
        return f"{self.action} was done{by}{self.text('headline', ': {}') or self.because('note')}"

    def ticked(self) -> str:
        """Ticks given and taken back on a checklist."""
        heads = (("ticked", "ticked"), ("taken_back", "took back the tick of"))
        said = [f"{head} {_quoted(self.data[name])}" for name, head in heads if self.data.get(name)]
        return f"{self.who} {' and '.join(said) or 'changed nothing'} of {self.named('check')}{self.because('summary')}"

    def listed(self, name: str) -> str:
        """ ": «this», «that»", or a full stop."""
        data = self.data.get(name)
        return f": {_quoted(data)}." if isinstance(data, list | tuple) and data else "."

    def settled(self) -> str:
        """A person's word on an action in doubt."""
        return f"{self.who} found that {self.action} {'had' if self.data.get('happened') else 'had not'} happened."

    def nudged(self) -> str:
        """Nobody had decided, and somebody was reminded."""
        return (
            f"{'The backup was' if self.data.get('backup') else 'The approvers were'} asked again about {self.action}."
        )

    def scheduled(self) -> str:
        """An action that is planned for a window."""
        return f"{self.who} planned {self.action} for {self.text('opens')} to {self.text('closes')}."

    def proved(self) -> str:
        """How drills or live checks ended."""
        what = "live checks" if self.data.get("kind") == "live" else "drills"
        failed = self.text("failed") or "none"
        return f"{self.who} recorded {what} of {self.text('system')}: {self.text('passed')} passed; failed: {failed}."

    def merged(self) -> str:
        """An incident that became part of another, told from either side."""
        took = self.data.get("took_in")
        return (
            f"{self.who} merged {self.text('took_in')} into this one."
            if took
            else (f"{self.who} merged this one into {self.text('into')}.")
        )

    def taken(self) -> str:
        """Somebody is on it, perhaps in place of somebody else."""
        instead = f", instead of {self.people('instead_of')}" if self.data.get("instead_of") else ""
        return f"{self.who} is on it{instead}."

    def escalated(self) -> str:
        """Somebody called the next people, or the clock did."""
        called = self.people("to").replace("_", " ")
        if self.who != "The bot":
            return f"{self.who} escalated to {called}{self.because('reason')}"
        waited = self.data.get("waited_seconds")
        after = f" after {coarse(timedelta(seconds=waited))}" if isinstance(waited, int) and waited >= 60 else ""
        return f"Nobody was on it{after}; {called} {'was' if len(self.data.get('to') or ()) == 1 else 'were'} called."

    def monitor(self) -> str:
        """A monitor that shows something else than before."""
        title = self.text("title") or "A monitor"
        said = self.text("text")
        muted = self.text("muted", " Nobody was told: {} is held.")
        match self.data.get("change"):
            case "pages":
                return f"{title} pages{': ' if said else '.'}{said}{muted}"
            case "over":
                return f"{title} is back{self.text('value', ' at {}')}.{' ' if said else ''}{said}"
            case "warns":
                return f"{title} warns{': ' if said else '.'}{said}"
            case "broke":
                return f"{title} cannot be read{self.because('failed')}{muted}"
            case "reads":
                return f"{title} can be read again."
            case _:
                return f"{title} is calm again{self.text('value', ' at {}')}."

    def window(self, what: str) -> str:
        """A maintenance window of a system, and until when."""
        title = f"«{self.text('title') or 'Maintenance'}» of {self.text('system') or 'a system'}"
        return f"{title} {what}{self.text('until', ', until {}')}."

    def ended(self) -> str:
        """Alerts that have ended, and whether any is left."""
        said = f"{self.text('names') or 'An alert'} ended."
        return f"{said} No alert of this incident fires any more." if self.data.get("all") else said

    def vote(self) -> str:
        """A vote that counts."""
        said = "denied" if self.data.get("choice") == "deny" else "approved"
        return f"{self.who} {said} {self.action}{self.because('reason')}"


def _quoted(titles: Iterable[str]) -> str:
    return ", ".join(f"«{escape(clip(one_line(str(each)), 100))}»" for each in list(titles)[:10])


_SENTENCES: Mapping[Happened, Callable[[_Teller], str]] = {
    Happened.INCIDENT_OPENED: lambda t: f"{t.who} opened the incident{t.because('title')}",
    Happened.INCIDENT_NOTED: lambda t: f"{t.who} noted{t.because('text')}",
    Happened.INCIDENT_RESOLVED: lambda t: f"{t.who} resolved the incident{t.after('minutes')}.",
    Happened.INCIDENT_ACKNOWLEDGED: lambda t: t.taken(),
    Happened.INCIDENT_ESCALATED: lambda t: t.escalated(),
    Happened.PAGE_SENT: lambda t: f"{t.text('to')} was told by {t.text('via')}{t.text('event', ' ({})')}.",
    Happened.PAGE_FAILED: lambda t: f"{t.text('to')} could not be reached by {t.text('via')}{t.because('problem')}",
    Happened.INCIDENT_REPORTED: lambda t: t.text("text") or "Something was noticed.",
    Happened.INCIDENT_RAISED: lambda t: (
        f"{t.who} changed the severity from {t.text('instead_of')} to {t.text('severity')}."
    ),
    Happened.INCIDENT_ASSIGNED: lambda t: f"{t.who} asked {t.people('to')} to lead.",
    Happened.INCIDENT_MERGED: lambda t: t.merged(),
    Happened.INCIDENT_LINKED: lambda t: f"{t.who} linked {t.text('with')}.",
    Happened.INCIDENT_MARKED: lambda t: f"{t.people('author')}: {t.text('text')} (marked by {t.who}).",
    Happened.INCIDENT_UNMARKED: lambda t: f"{t.who} took a message off the timeline.",
    Happened.ENTRY_CORRECTED: lambda t: f"{t.text('text')} (corrected by {t.who}).",
    Happened.ITEM_ADDED: lambda t: f"{t.who} put an action item on the list{t.because('what')}",
    Happened.ITEM_ASSIGNED: lambda t: (
        f"{t.people('owner')} will do «{t.text('what')}»{t.text('due', ' by {}')}, as {t.who} said."
    ),
    Happened.ITEM_ENDED: lambda t: f"{t.who} ended the action item «{t.text('what')}»{t.text('state', ': {}')}.",
    Happened.ITEM_REMINDED: lambda t: f"{t.people('to')} was reminded of «{t.text('what')}».",
    Happened.DIGEST_POSTED: lambda t: "A digest was posted.",
    Happened.UPDATE_SENT: lambda t: f"{t.who} told the stakeholders{t.because('text')}",
    Happened.CHANNEL_LOST: lambda t: f"The incident's channel was lost{t.because('reason')}",
    Happened.INCIDENT_REOPENED: lambda t: f"{t.who} opened the incident again{t.because('reason')}",
    Happened.RUN_REQUESTED: lambda t: f"{t.who} started {t.text('runbook') or t.text('title') or 'a runbook'}.",
    Happened.RUN_RECHECKED: lambda t: f"{t.who} had everything looked at again.",
    Happened.RUN_DONE: lambda t: f"{t.who} closed the run: {t.text('note')}" if t.text("note") else "The run is done.",
    Happened.RUN_FAILED: lambda t: f"The run failed{t.because('reason')}",
    Happened.RUN_CANCELLED: lambda t: f"{t.who} cancelled the run{t.because('reason')}",
    Happened.RUN_PARKED: lambda t: f"The bot itself failed{t.text('reference', ' (reference {})')}; the run waits.",
    Happened.CHECK_ENDED: lambda t: t.check(),
    Happened.QUESTION_ASKED: lambda t: f"The bot asked{t.because('text')}",
    Happened.QUESTION_ANSWERED: lambda t: f"{t.who} answered {t.named('check')}{t.because('summary')}",
    Happened.ROWS_ASKED: lambda t: f"{t.who} had the rows of {t.named('check')} put into the thread.",
    Happened.CHECKLIST_TICKED: lambda t: t.ticked(),
    Happened.FINDINGS_CONCLUDED: lambda t: t.findings(),
    Happened.ACTION_CHOSEN: lambda t: t.chosen(),
    Happened.ACTION_SKIPPED: lambda t: f"{t.who} left out {t.action}{t.because('reason')}",
    Happened.ACTION_INTENDED: lambda t: f"{t.action} is about to be done.",
    Happened.ACTION_DONE: lambda t: t.done(),
    Happened.ACTION_EDITED: lambda t: f"{t.who} changed the text of {t.action}.",
    Happened.ACTION_FAILED: lambda t: f"{t.action} was not done{t.because('reason')}",
    Happened.ACTION_IN_DOUBT: lambda t: f"It is not known whether {t.action} happened{t.because('why')}",
    Happened.ACTION_SETTLED: lambda t: t.settled(),
    Happened.ACTION_WAITING: lambda t: f"{t.action} waits{t.because('what')}",
    Happened.ACTION_VERIFIED: lambda t: f"{t.action} was verified.",
    Happened.ACTION_UNVERIFIED: lambda t: f"{t.action} is not verified{t.because('reason')}",
    Happened.APPROVAL_REQUESTED: lambda t: f"Approval was asked for {t.action}{t.because('headline')}",
    Happened.APPROVAL_GRANTED: lambda t: f"{t.action} was approved by {t.people('by')}.",
    Happened.APPROVAL_DENIED: lambda t: f"{t.action} was denied{t.because('reason')}",
    Happened.APPROVAL_EXPIRED: lambda t: f"Nobody decided on {t.action} in time; nothing was changed.",
    Happened.APPROVAL_VOIDED: lambda t: f"The approval of {t.action} no longer holds{t.because('reason')}",
    Happened.APPROVAL_NUDGED: lambda t: (
        f"{'The backup was' if t.data.get('backup') else 'The approvers were'} reminded."
    ),
    Happened.GLASS_BROKEN: lambda t: f"{t.who} broke the glass for {t.action}{t.because('reason')}",
    Happened.ACTION_SCHEDULED: lambda t: (
        f"{t.who} planned {t.action} for{t.text('opens', ' {}')}{t.text('closes', ' to {}')}."
    ),
    Happened.VOTE_CAST: lambda t: t.vote(),
    Happened.RUNBOOKS_PROVEN: lambda t: t.proved(),
    Happened.SUPPORT_REFUSED: lambda t: f"{t.who} was turned away{t.because('reason')}",
    Happened.TRIAGED: lambda t: f"{t.who} had {t.text('system')} looked through{t.text('runbooks', ': {}')}.",
    Happened.PRESS_REPEATED: lambda t: f"A press of {t.who} arrived again and was not taken twice.",
    Happened.ALERT_FLAPPING: lambda t: (
        f"{t.text('name') or 'An alert'} comes and goes; nothing more is said of it until it is calm."
    ),
    Happened.ALERT_CALM: lambda t: (
        f"{t.text('name') or 'An alert'} is calm again: it {t.text('state') or 'has ended'}."
    ),
    Happened.ALERTS_CONTINUE: lambda t: (
        f"{t.text('name') or 'An alert'} still fires{t.text('count', ': {} times by now')}."
    ),
    Happened.ALERTS_ENDED: lambda t: t.ended(),
    Happened.VOTE_REFUSED: lambda t: f"A vote of {t.who} on {t.action} does not count{t.because('reasons')}",
    Happened.MONITOR_CHANGED: lambda t: t.monitor(),
    Happened.WINDOW_ANNOUNCED: lambda t: t.window(f"was announced{t.text('starts', ' for {}')}"),
    Happened.WINDOW_STARTED: lambda t: t.window(f"was begun by {'the bot' if t.who == 'The bot' else t.who}"),
    Happened.WINDOW_ENDED: lambda t: t.window(f"was ended by {'the bot' if t.who == 'The bot' else t.who}"),
    Happened.CALENDAR_STARTED: lambda t: f"{t.text('title') or 'What is on the calendar'} came round and was started.",
    Happened.CALENDAR_FAILED: lambda t: (
        f"{t.text('title') or 'What is on the calendar'} came round and could not be started{t.because('reason')}"
    ),
    Happened.CALENDAR_REMINDED: lambda t: f"People were reminded of what is left{t.listed('open')}",
    Happened.CALENDAR_UNFINISHED: lambda t: f"It was not finished before it came round again{t.listed('open')}",
    Happened.CALENDAR_DRILLED: lambda t: (
        f"The fire drill of {t.text('runbook') or 'a runbook'} {'passed' if t.data.get('passed') else 'failed'}"
        f"{t.because('detail')}"
    ),
    Happened.CALENDAR_POSTED: lambda t: f"The calendar of {t.text('month') or 'a month'} was posted.",
}
