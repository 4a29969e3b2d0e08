"""The calendar on a screen: what comes next, what is left, and a month as a table for a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from bot.domain.events import BOT
from bot.domain.months import Coming, Kept, Stands
from bot.domain.proof import Stands as Drilled
from bot.domain.runbook import Runbook
from bot.domain.system import System
from bot.runs.shown import RunShown
from bot.slack.views import kit, spell
from bot.slack.views.kit import CsvFile, Element, Message, Part
from bot.slack.views.plain import notice
from bot.slack.views.tables import harmless
from bot.slack.views.text import clip_cost, escape, one_line

COLUMNS = ("system", "appointment", "planned", "started", "ended", "state", "run", "item", "done", "by", "at", "why")
_LISTED, _LEFT = 40, 10


def coming_message(found: Sequence[Coming], systems: Mapping[str, System]) -> Message:
    """What comes round next in each system, and what is open of the time before."""
    if not found:
        said = "Nothing comes round: no calendar has an appointment."
        return Message([kit.rich(kit.line(kit.t(said)))], said)
    parts = []
    for system in dict.fromkeys(each.system for each in found):
        own = [each for each in found if each.system == system]
        title = systems[system].title if system in systems else system
        rows = [_coming(each) for each in own[:_LISTED]]
        head = kit.line(kit.t(one_line(title), bold=True), kit.t(f"  in the time of {own[0].zone}"))
        parts.append(Part([kit.rich(head, kit.bullets(rows))], 50))
    waiting = sum(each.run is not None for each in found)
    said = f"{spell.count(len(found), 'appointment')}, {waiting} open"
    return Message(kit.fitted([Part([kit.header("Calendar")], 100), *parts]), notice(said))


def _coming(each: Coming) -> list[Element]:
    said = f": {local(each.at, each.zone)} ({each.appointment.runbook})"
    row = [kit.t(clip_cost(one_line(each.appointment.title), 150), bold=True), kit.t(said)]
    if each.run is not None:
        left = spell.listed([one_line(one) for one in each.left], 4) or "being looked at"
        row.append(kit.t(f"  open, run {each.run.number}: {clip_cost(left, 300)}"))
    return row


def local(moment: datetime, zone: str) -> str:
    """A moment by the clocks of a zone: "Mon 2026-11-23 09:00"."""
    return f"{moment.astimezone(ZoneInfo(zone)):%a %Y-%m-%d %H:%M}"


# -- beside a run ------------------------------------------------------------------------------------------------------


def reminder_message(shown: RunShown, left: Sequence[str], called: Sequence[Element]) -> Message:
    """What is left of a list, for those on call."""
    spaced = [element for each in called for element in (each, kit.t(" "))]
    waited = spell.coarse(shown.now - shown.run.requested_at)
    head = [kit.t("⏰ "), *spaced, kit.t(f"{shown.run.title} is not finished after {waited}. Still open:", bold=True)]
    words = f"{shown.run.title}: {spell.count(len(left), 'item')} still open"
    return Message([kit.rich(kit.line(*head), _bulleted(left))], notice(words))


def left_message(shown: RunShown, number: int, left: Sequence[str]) -> Message:
    """What nobody had done when the same came round again."""
    said = f"Last time (run {number}) was not finished. Left open then:"
    items = list(left) or ["it was still being looked at"]
    return Message([kit.rich(kit.line(kit.t(said, bold=True)), _bulleted(items))], notice(f"{shown.run.title}: {said}"))


def ended_message(shown: RunShown, items: Sequence[tuple[str, str]], left: Sequence[str]) -> Message:
    """How a run of the calendar ended: how long it took, who did what, what was found and what is left."""
    run = shown.run
    took = spell.coarse((run.finished_at or shown.now) - run.requested_at)
    why = f": {one_line(run.reason)}" if run.reason else ""
    lines = [kit.line(kit.t(clip_cost(f"{run.title}: {run.state} after {took}{why}", 400), bold=True))]
    done = dict.fromkeys(by for _, by in items if by)
    if items:
        people = [element for by in done for element in (kit.t(", "), kit.person(by))][1:]
        counted = kit.t(f"{len(items)} of {spell.count(len(items) + len(left), 'item')} done")
        lines.append(kit.line(counted, *([kit.t(" by "), *people] if people else [])))
    lines += [kit.line(kit.t(clip_cost(one_line(each.say), 300))) for each in run.conclusions[:3]]
    did = [f"{key.replace('_', ' ')}: {one_line(each.headline)}" for key, each in shown.receipts.items()]
    lines += [kit.line(kit.t("Changed  ", bold=True), kit.t(clip_cost(spell.listed(did), 600)))] if did else []
    lines += [kit.line(kit.t("Left  ", bold=True), kit.t(clip_cost(spell.listed(list(left)), 600)))] if left else []
    return Message([kit.rich(*lines)], notice(f"{run.title}: {run.state} after {took}"))


def drill_message(runbook: Runbook, drill: Drilled, now: datetime) -> Message:
    """Which runbook the fire drill plays: the one that was drilled longest ago, and how it is played."""
    before = f"last drilled {spell.lately(drill.last_passed, now)}" if drill.last_passed else "never drilled so far"
    said = f"Fire drill: {runbook.id} {one_line(runbook.title)}, {before}."
    how = (
        "Play it in the sandbox by yourself against a planted fault (runbook sandbox, then runbook fault), or have "
        f"every branch of it played and recorded: runbook drill {runbook.id} --record. Its score comes here. "
        f"The target is {spell.coarse(runbook.resolve_within)}."
    )
    lines = [kit.line(kit.t(clip_cost(said, 300), bold=True)), kit.line(kit.t(how))]
    return Message([kit.rich(*lines)], notice(said))


def drilled_message(runbook: str, detail: str, *, passed: bool) -> Message:
    """How the fire drill went."""
    said = f"Fire drill of {runbook}: {'passed' if passed else 'failed'}, {one_line(detail)}."
    return Message([kit.rich(kit.line(kit.t("✓ " if passed else "✗ "), kit.t(clip_cost(said, 600))))], notice(said))


def failed_message(title: str, runbook_problem: str, planned: str) -> Message:
    """Something came round and could not be started."""
    said = f"{title} came round at {planned} and could not be started: {runbook_problem}"
    return Message([kit.rich(kit.line(kit.t("⚠ "), kit.t(clip_cost(one_line(said), 600))))], notice(said))


def elsewhere_message(system: System, about: str, wanted: str, why: str, holder: str = "") -> Message:
    """Why something is said where it does not belong, and who has it (`holder`) where it stands in one place only."""
    belongs = f"{about} belongs in #{wanted.removeprefix('#')}, which {why}." if wanted else f"{about}: {why}."
    cure = f"Please mend that, or name another channel under channels: in the system file of {system.title}."
    line = [kit.t("⚠ "), kit.t(clip_cost(one_line(belongs), 400)), kit.t(" ")]
    line += [kit.t("It goes on in a direct message with "), kit.person(holder), kit.t(". ")] if holder else []
    return Message([kit.rich(kit.line(*line, kit.t(clip_cost(one_line(cure), 300))))], notice(f"{belongs} {cure}"))


def _bulleted(items: Sequence[str]) -> Element:
    rows = [[kit.t(clip_cost(one_line(each), 200))] for each in items[:_LEFT]]
    more = [[kit.t(f"… and {len(items) - _LEFT} more")]] if len(items) > _LEFT else []
    return kit.bullets([*rows, *more])


# -- the month ---------------------------------------------------------------------------------------------------------


def month_message(title: str, month: str, kept: Sequence[Kept], file: CsvFile) -> Message:
    """The month in one line, with its table."""
    said = f"{title}, {month}: {_counted(kept)}. The table says who did what."
    return Message([], escape(one_line(said)), (file,))


def _counted(kept: Sequence[Kept]) -> str:
    counts = {each: sum(one.stands is each for one in kept) for each in Stands}
    return ", ".join(f"{number} {stands}" for stands, number in counts.items() if number) or "nothing came round"


def month_csv(kept: Sequence[Kept], zone: str, names: Mapping[str, str]) -> str:
    """Every item of every occurrence as a row; times are those of the zone, people are named where that is known."""
    return csv_text([COLUMNS, *csv_rows(kept, zone, names)])


def csv_rows(kept: Sequence[Kept], zone: str, names: Mapping[str, str]) -> list[tuple[str, ...]]:
    """The rows of occurrences, in the order of the columns."""
    return [tuple(row[name] for name in COLUMNS) for each in kept for row in month_rows(each, zone, names)]


def csv_text(rows: Iterable[Sequence[str]]) -> str:
    """Rows as CSV that no spreadsheet runs as a formula."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows([harmless(cell or None) for cell in row] for row in rows)
    return out.getvalue()


def month_rows(kept: Kept, zone: str, names: Mapping[str, str]) -> list[dict[str, str]]:
    """One occurrence as rows, one an item."""
    about = {
        "system": kept.system,
        "appointment": kept.title,
        "planned": _exactly(kept.at, zone),
        "started": _exactly(kept.started_at, zone),
        "ended": _exactly(kept.ended_at, zone),
        "state": str(kept.stands),
        "run": "" if kept.run is None else str(kept.run),
        "why": kept.why,
    }
    if not kept.items:
        return [{**about, "item": "", "done": "", "by": "", "at": ""}]
    return [
        {
            **about,
            "item": each.title,
            "done": "yes" if each.done else "no",
            "by": _named(each.by or (BOT if each.done else ""), names),
            "at": _exactly(each.at, zone),
        }
        for each in kept.items
    ]


def people_in(kept: Sequence[Kept]) -> tuple[str, ...]:
    """Everybody who did something, by Slack id."""
    return tuple(sorted({item.by for each in kept for item in each.items if item.by}))


def _named(user: str, names: Mapping[str, str]) -> str:
    name = names.get(user, "")
    return f"{name} ({user})" if name else user


def _exactly(moment: datetime | None, zone: str) -> str:
    """A moment by the clocks of a zone, with how far they are from UTC: in autumn an hour comes twice."""
    return "" if moment is None else moment.astimezone(ZoneInfo(zone)).isoformat(sep=" ", timespec="minutes")
