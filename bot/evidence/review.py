"""The post-incident review as the record can draft it: what is known is filled in, what only people know is asked."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from bot.domain.events import Happened
from bot.domain.incident import Incident
from bot.domain.items import Item
from bot.domain.runbook import Severity
from bot.domain.timeline import timeline
from bot.evidence.case import Case, IncidentCase
from bot.evidence.words import plain, said, titles, who
from bot.slack.views import spell
from bot.slack.views.plain import spoken
from bot.slack.views.telling import before
from bot.slack.views.text import one_line

REVIEWED = frozenset({Severity.P0, Severity.P1})
_PERSON = re.compile(r"@([UW][A-Z0-9]{2,20})\b")
_ASKED = "*to be filled in*"


def wanted(case: IncidentCase) -> bool:
    """Whether an incident gets a review: a severe one, and one in which somebody went ahead without the approvers."""
    return case.incident.severity in REVIEWED or bool(_broken(case))


def people_in(case: IncidentCase) -> set[str]:
    """Slack's ids of everybody the review names."""
    acted = {line.actor for line in (*case.lines, *(line for each in case.cases for line in each.lines))}
    owners = (item.owner for item in case.items)
    return {id for id in (*acted, *owners, case.incident.commander) if _PERSON.fullmatch(f"@{id}")}


def review(case: IncidentCase, archives: Mapping[str, str], names: Mapping[str, str]) -> str:
    """The draft as Markdown; `archives` are the SHA-256 of the runs' archives by file name, `names` people's names."""
    sections = [
        _head(case.incident),
        _summary(case),
        _section("Timeline", _timeline(case)),
        _section("Root cause", _questions(_causes(case), "The runbooks found", _ROOT_CAUSE)),
        _section("Impact", [f"- {asked}: {_ASKED}" for asked in _IMPACT]),
        _section("Action items", _action_items(case)),
        _section("Lessons", [f"- {asked}: {_ASKED}" for asked in _LESSONS]),
    ]
    if broken := _broken(case):
        sections.append(_section("Changes without the usual approval", broken))
    sections.append(_section("Evidence", _evidence(case, archives)))
    text = "\n".join(line for section in sections for line in [*section, ""])
    return _PERSON.sub(lambda found: plain(names.get(found[1], found[0])), text)


_SUMMARY = ("What happened", "Who was affected")
_ROOT_CAUSE = ("Technical cause", "What contributed to it", "Why it was not noticed earlier")
_IMPACT = ("Customers affected", "Messages or data lost or delayed", "Revenue", "Reputation")
_LESSONS = ("What went well", "What could have gone better", "What we do differently from now on")


def _head(incident: Incident) -> list[str]:
    ended = incident.resolved_at or incident.opened_at
    spent = ended - incident.opened_at
    met = "within the target" if spent <= incident.target else "over the target"
    lead = f"- Led by {who(incident.commander)}" if incident.commander else f"- Led by: {_ASKED}"
    return [
        f"# Post-incident review: {incident.label} {plain(incident.title)}",
        "",
        "A draft made from the record. It is blameless: it asks what made this possible, not whose fault it was.",
        "",
        f"- Severity: {incident.severity}",
        f"- Began {spell.day_and_time(incident.opened_at)}, opened by {who(incident.opened_by)}",
        f"- Ended {spell.day_and_time(ended)}: {spell.against(spent, incident.target)}, {met}",
        lead,
    ]


def _summary(case: IncidentCase) -> list[str]:
    runs = [
        f"- {each.run.runbook} {plain(each.run.title)}, run {each.run.number}, {each.run.state}, "
        f"started by {who(each.run.requested_by)}"
        for each in case.cases
    ]
    asked = [f"- {question}: {_ASKED}" for question in _SUMMARY]
    return _section("Summary", [*asked, *(["", "Runbooks that ran:", "", *runs] if runs else [])])


def _causes(case: IncidentCase) -> list[str]:
    """What the runbooks found, each sentence once."""
    return list(dict.fromkeys(one_line(found.say) for each in case.cases for found in each.run.conclusions))


def _questions(found: Sequence[str], known: str, asked: Sequence[str]) -> list[str]:
    lines = [f"- {known}: {plain(sentence)}" for sentence in found]
    return [*lines, *(f"- {question}: {_ASKED}" for question in asked)]


def _timeline(case: IncidentCase) -> list[str]:
    named = {key: title for each in case.cases for key, title in titles(each).items()}
    rows = []
    for line in timeline(case.lines):
        told = "".join([said(line, named), *(f" Before: {each}" for each in map(spoken, before(line, named)))])
        rows.append(f"| {spell.day_and_time(line.at)} | {who(line.actor)} | {plain(told)} |")
    return ["| time | by | what happened |", "|---|---|---|", *rows]


def _action_items(case: IncidentCase) -> list[str]:
    """What is to be done against the next time, by whom and until when, as far as that is known; what the runbooks'
    authors recommend where nothing was put on the list."""
    head = ["| what | owner | due | state |", "|---|---|---|---|"]
    if case.items:
        return [*head, *map(_action_item, case.items)]
    known = (each.runbook.follow_ups for each in case.cases if each.runbook is not None)
    found = list(dict.fromkeys(one_line(item) for each in known for item in each)) or [_ASKED]
    return [*head, *(f"| {what if what == _ASKED else plain(what)} | {_ASKED} | {_ASKED} | open |" for what in found)]


def _action_item(item: Item) -> str:
    owner, due = who(item.owner) if item.owner else _ASKED, item.due.isoformat() if item.due else _ASKED
    return f"| {plain(item.what)} | {owner} | {due} | {item.state} |"


def _broken(case: IncidentCase) -> list[str]:
    """Each time somebody broke the glass, with the questions that this raises."""
    lines = []
    for each in case.cases:
        named = titles(each)
        for line in each.lines:
            if line.kind == Happened.GLASS_BROKEN:
                lines.append(f"- {spell.day_and_time(line.at)}: {plain(said(line, named))}")
                lines += [f"  - Could it not have waited for an approver? {_ASKED}", f"  - Was it right? {_ASKED}"]
    return lines


def _evidence(case: IncidentCase, archives: Mapping[str, str]) -> list[str]:
    chain = case.chain
    trail = (
        f"- The audit trail holds: {spell.count(chain.lines, 'line')}, the newest {chain.head.hash}"
        if chain.broken_at is None
        else f"- **The audit trail is broken: {plain(chain.problem)}**"
    )
    support = [
        f"- Run {each.run.number} was for support: `runbook evidence {each.run.number}` makes its archive, unmasked"
        for each in case.cases
        if each.run.support
    ]
    return [trail, *(f"- {name}, SHA-256 {digest}" for name, digest in archives.items()), *support]


def _section(title: str, lines: Sequence[str]) -> list[str]:
    return [f"## {title}", "", *lines]


def archive_name(case: Case) -> str:
    """What a run's archive is called beside the review."""
    return f"evidence-run-{case.run.number}.zip"
