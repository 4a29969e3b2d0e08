"""A system's files beside runbooks: what is watched, what comes round, who is next, which alerts are taken in."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from datetime import time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel

from bot.authoring.alerts import ALERT_NAMES, AlertsDoc, intake_of
from bot.authoring.ledger import Ledger
from bot.authoring.operations_document import (
    AppointmentDoc,
    CalendarDoc,
    EscalationDoc,
    MonitorDoc,
    MonitorsDoc,
    TurnDoc,
    WindowDoc,
)
from bot.authoring.problems import did_you_mean
from bot.authoring.reading import Path
from bot.authoring.references import Names, References
from bot.authoring.runbooks import outside
from bot.domain.operations import Appointment, Calendar, Every, Ladder, Monitor, Operations, Rung, Turn, Window
from bot.domain.runbook import ASKING, Runbook
from bot.domain.system import System

VALUE = "value"
_WEEKDAYS = "monday|tuesday|wednesday|thursday|friday|saturday|sunday"
_DAYS: Mapping[Every, tuple[str, str]] = {
    Every.DAY: ("", "Leave it out: it is every day."),
    Every.WEEKDAY: ("", "Leave it out: it is Monday to Friday."),
    Every.WEEK: (_WEEKDAYS, "Write a weekday: monday."),
    Every.MONTH: (rf"(first|second|third|fourth|last) ({_WEEKDAYS})|[1-9]|1\d|2[0-8]", "Write «first sunday» or 1–28."),
    Every.QUARTER: (rf"(first|second|third|fourth|last) ({_WEEKDAYS})|[1-9]|1\d|2[0-8]", "Write «first monday» or 1."),
    Every.YEAR: (r"(0[1-9]|1[0-2])-(0[1-9]|1\d|2[0-8])", "Write month and day: 03-01."),
}


class _Reader:
    """Reads one of the files of a system whose runbooks are known."""

    def __init__(self, ledger: Ledger, system: System, runbooks: Mapping[str, Runbook], made: Operations) -> None:
        self.ledger = ledger
        self.system = system
        self.runbooks = runbooks
        self.made = made

    def monitors(self, said: MonitorsDoc) -> Operations:
        """The checks and what is watched over them."""
        checks = outside(self.ledger, self.system, said.checks).checks
        for key, check in checks.items():
            if check.kind in ASKING:
                self.ledger.error(("checks", key), "A monitor asks nobody.")
        references = References(self.ledger, Names(frozenset({VALUE}), frozenset(said.checks)))
        of_alerts = References(self.ledger, Names(ALERT_NAMES, frozenset()))
        unread = set(said.checks)
        for key, each in said.monitors.items():
            unread -= self._monitor(("monitors", key), each, references if each.alert is None else of_alerts)
        for key in sorted(unread - {name for check in checks.values() for name in check.needs}):
            self.ledger.warning(("checks", key), f"No monitor reads «{key}».")
        monitors = {key: _monitor(key, each) for key, each in said.monitors.items()}
        return replace(self.made, checks=checks, monitors=monitors, notes=self._noted(said.notes))

    def _monitor(self, at: Path, said: MonitorDoc, references: References) -> frozenset[str]:
        """What is wrong with a monitor; the checks that it reads."""
        if said.alert is None and said.page is None:
            hint = "Write page: with a condition, or alert: with the name under which another system's alert arrives."
            self.ledger.error(at, "Nothing says when this monitor alerts.", hint)
        if said.alert is not None and (said.page or said.warn or said.value):
            self.ledger.error((*at, "alert"), "What another system watches has no value and no threshold here.")
        needs: frozenset[str] = frozenset()
        for part, text in (("value", said.value), ("warn", said.warn), ("page", said.page)):
            if text is not None:
                needs |= references.expression(text, (*at, part))
        for name, text in said.inputs.items():
            needs |= references.expression(text, (*at, "inputs", name))
        if said.say is not None:
            needs |= references.template(said.say, (*at, "say"))
        self._leads((*at, "runbook"), said.runbook, said.inputs, (*at, "inputs"))
        return needs

    def calendar(self, said: CalendarDoc) -> Operations:
        """What comes round."""
        try:
            ZoneInfo(said.zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            self.ledger.error(("zone",), f"There is no time zone «{said.zone}».", "Write it like America/Toronto.")
        appointments = {}
        for key, each in said.appointments.items():
            at: Path = ("appointments", key)
            self._leads((*at, "runbook"), each.runbook, each.inputs, (*at, "inputs"), whole=True)
            appointments[key] = self._appointment(at, key, each)
        windows = {key: self._window(("windows", key), key, each) for key, each in said.windows.items()}
        return replace(self.made, calendar=Calendar(said.zone, appointments, windows), notes=self._noted(said.notes))

    def _appointment(self, at: Path, key: str, said: AppointmentDoc) -> Appointment:
        turn = self._turn(at, said)
        return Appointment(key, said.title, turn, said.runbook, dict(said.inputs), said.remind_after, said.drill)

    def _window(self, at: Path, key: str, said: WindowDoc) -> Window:
        turn = None
        if said.every is not None and said.at is not None:
            turn = self._turn(at, TurnDoc(every=said.every, day=said.day, at=said.at))
        elif said.every is not None or said.at is not None or said.day:
            self.ledger.error(at, "A window that comes round has both every: and at:.")
        if said.announce is not None and said.announce not in self.system.templates:
            hint = did_you_mean(said.announce, self.system.templates)
            self.ledger.error((*at, "announce"), f"There is no template «{said.announce}».", hint)
        for place, name in enumerate(said.mutes):
            if name not in self.made.monitors:
                hint = did_you_mean(name, self.made.monitors)
                self.ledger.error((*at, "mutes", place), f"There is no monitor «{name}».", hint)
        before, mutes = said.announce_before, tuple(said.mutes)
        return Window(key, said.title, said.lasts, turn, before, said.announce, mutes)

    def _turn(self, at: Path, said: TurnDoc) -> Turn:
        pattern, hint = _DAYS[said.every]
        if not re.fullmatch(pattern, said.day):
            self.ledger.error((*at, "day"), f"«{said.day}» is no day of what comes round every {said.every}.", hint)
        return Turn(said.every, time.fromisoformat(said.at), said.day)

    def escalation(self, said: EscalationDoc) -> Operations:
        """Who is asked next."""
        known: Collection[str] = {*self.system.contacts, *self.system.groups}
        ladders = {}
        for key, each in said.ladders.items():
            at: Path = ("ladders", key)
            if not each.severities and not each.runbooks:
                self.ledger.error(at, "The ladder is for nothing: give it severities: or runbooks:.")
            for place, id in enumerate(each.runbooks):
                self._leads((*at, "runbooks", place), id, {}, at)
            after = timedelta(0)
            for place, rung in enumerate(each.rungs):
                for name in rung.to:
                    if name not in known:
                        hint = did_you_mean(name, known)
                        message = f"There is no contact or group «{name}»."
                        self.ledger.error((*at, "rungs", place, "to"), message, hint)
                if rung.after < after:
                    self.ledger.error((*at, "rungs", place, "after"), "The rung below is asked later than this one.")
                after = rung.after
            rungs = tuple(Rung(tuple(rung.to), rung.after) for rung in each.rungs)
            ladders[key] = Ladder(key, each.title, rungs, tuple(each.severities), tuple(each.runbooks))
        return replace(self.made, ladders=ladders, notes=self._noted(said.notes))

    def alerts(self, said: AlertsDoc) -> Operations:
        """Which alerts are taken in."""
        intake = intake_of(self.ledger, said, self.system, self.runbooks)
        return replace(self.made, intake=intake, notes=self._noted(said.notes))

    def _noted(self, notes: Iterable[str]) -> tuple[str, ...]:
        return (*self.made.notes, *(" ".join(note.split()) for note in notes))

    def _leads(self, at: Path, id: str | None, inputs: Mapping[str, str], within: Path, *, whole: bool = False) -> None:
        """The runbook is one of this system and takes the inputs; `whole`: it gets all that it needs."""
        if id is None:
            return
        runbook = self.runbooks.get(id)
        if runbook is None or runbook.system != self.system.id:
            mine = [each.id for each in self.runbooks.values() if each.system == self.system.id]
            self.ledger.error(at, f"The system «{self.system.id}» has no runbook «{id}».", did_you_mean(id, mine))
            return
        known = [each.name for each in runbook.inputs]
        for name in inputs:
            if name not in known:
                hint = did_you_mean(name, known)
                self.ledger.error((*within, name), f"{id} has no input «{name}».", hint)
        for each in runbook.inputs if whole else ():
            if each.required and each.default is None and each.name not in inputs:
                self.ledger.error(at, f"{id} needs «{each.name}».", "Give it under inputs.")


# In the order in which they are read: windows name monitors.
FILES: Mapping[str, tuple[type[BaseModel], Callable[..., Operations]]] = {
    "monitors.yaml": (MonitorsDoc, _Reader.monitors),
    "calendar.yaml": (CalendarDoc, _Reader.calendar),
    "escalation.yaml": (EscalationDoc, _Reader.escalation),
    "alerts.yaml": (AlertsDoc, _Reader.alerts),
}


def operations_of(
    ledger: Ledger, file: str, system: System, runbooks: Mapping[str, Runbook], made: Operations
) -> Operations:
    """What was made of the system's other files, with what one of `FILES` says; what does not hold together is noted in
    the ledger."""
    model, read = FILES[file]
    said = ledger.read(model, ledger.document.data)
    return made if said is None else read(_Reader(ledger, system, runbooks, made), said)


def _monitor(key: str, said: MonitorDoc) -> Monitor:
    return Monitor(
        key=key,
        title=said.title,
        severity=said.severity,
        every=said.every,
        value=said.value or "",
        unit=said.unit,
        warn=said.warn,
        page=said.page,
        hold=said.hold,
        say=said.say or "",
        runbook=said.runbook,
        inputs=dict(said.inputs),
        alert=said.alert,
    )
