"""A month of a calendar as people read it: how it stands with every occurrence, and who did what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.domain.appointments import Occurrence, Taken
from bot.domain.checklist import checklist_of
from bot.domain.facts import Fact
from bot.domain.operations import Appointment
from bot.domain.run import CheckStatus, Run, RunState
from bot.domain.runbook import ASKING, Runbook


class Stands(StrEnum):
    """How it stands with an occurrence."""

    PLANNED = "planned"
    OPEN = "open"
    DONE = "done"
    CLOSED = "closed with something left"
    UNFINISHED = "not finished"
    NOT_STARTED = "not started"


@dataclass(frozen=True, slots=True)
class Ticked:
    """An item of a list or a question, and who did it, nobody where the bot saw it."""

    title: str
    done: bool
    by: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """One occurrence: when it was planned, what was started for it, who did what, and `why` something is left."""

    system: str
    key: str
    title: str
    at: datetime
    stands: Stands
    run: int | None = None
    run_id: str = ""
    started_at: datetime | None = None
    ended_at: datetime | None = None
    items: tuple[Ticked, ...] = ()
    why: str = ""


@dataclass(frozen=True, slots=True)
class Coming:
    """An appointment: when it comes round next, and what is left of the time before."""

    system: str
    appointment: Appointment
    at: datetime
    zone: str
    run: Run | None = None
    left: tuple[str, ...] = ()


def ticked(run: Run, runbook: Runbook, facts: Mapping[str, Fact], at: Mapping[str, datetime]) -> tuple[Ticked, ...]:
    """The items of a run's lists and its questions, with who did them and when."""
    found: list[Ticked] = []
    for key in runbook.checks:
        check, fact = run.checks.get(key), facts.get(key)
        if check is None or fact is None or runbook.checks[key].kind not in ASKING:
            continue
        listed = checklist_of(fact.value)
        if listed is not None:
            # What is stored of a closed list has lost its order; the runbook knows it.
            order = list(runbook.checks[key].spec.get("items", ()))
            items = sorted(listed.items, key=lambda item: order.index(item.key) if item.key in order else len(order))
            found += [Ticked(each.title, each.done, each.by, each.at) for each in items]
        elif check.status is not CheckStatus.SKIPPED:
            done = check.status is CheckStatus.DONE
            found.append(Ticked(runbook.checks[key].title, done, check.answered_by, at.get(key) if done else None))
    return tuple(found)


def because(facts: Mapping[str, Fact]) -> str:
    """Why somebody closed a list with something left."""
    said = (fact.value.get("because") for fact in facts.values() if checklist_of(fact.value) is not None)
    return next((str(each) for each in said if each), "")


def stands_with(occurrence: Occurrence, run: Run, items: Sequence[Ticked]) -> Stands:
    """How it stands with an occurrence whose run has these items."""
    if occurrence.state is Taken.FAILED:
        return Stands.NOT_STARTED
    if not run.state.final:
        return Stands.OPEN
    if run.state is not RunState.DONE:
        return Stands.UNFINISHED
    return Stands.DONE if all(each.done for each in items) else Stands.CLOSED
