"""The parts of an archive that people read: what is in it, and what happened, in order and in words."""

from __future__ import annotations

import re
from collections.abc import Mapping

from bot.domain.events import Happened
from bot.evidence.case import Case, Request
from bot.evidence.judged import approvers
from bot.slack.views import spell
from bot.slack.views.text import neutral, one_line
from bot.slack.views.titles import title_of
from bot.slack.views.words import plain_sentence
from bot.store.audit import AuditLine

_KNOWN = frozenset(map(str, Happened))
_MARKS = re.compile(r"([\\`*_{}\[\]<>#|~!])")

_README = """\
Run {number} of {runbook}: {title}
{rule}

This archive holds all that the bot has on record about this run. It answers what exactly was approved,
by whom, and having seen what.

  transcript.md    everything that happened, in order and in words; times are UTC
  previews/        each request for approval exactly as it was shown, one file a request
  votes.csv        each vote: on which request, by whom, when, and whether it counted; clicks that were refused, and why
  requests.json    each request: its policy, what would be carried out, its digest, its state, who asked, and when
  effects.json     each change that was begun, how it ended, and its receipt
  facts.json       what the checks saw last, secrets masked before it was stored; earlier looks are in the transcript
  runbook.yaml     the runbook as this run has it, whatever it says today
  system.yaml      the description of the system, likewise
  audit.jsonl      the run's lines of the audit trail
  chain.json       whether the whole audit trail held when this archive was made, and its newest line
  manifest.json    the SHA-256 of every other file

What stands here
  {asked}, {votes}, {effects}, {lines} of the audit trail.
  {digests}
  {chain}

How to check it
  A vote is bound to a digest. In requests.json, "digest" is the SHA-256 of the canonical JSON of
  "material" (keys sorted, no blanks between, nothing escaped that need not be, in UTF-8); the votes in
  audit.jsonl name the same digest.
  A line of audit.jsonl holds when its "hash" is the SHA-256 of its "previous", a line break and the JSON
  of its actor, at, data, incident, kind and run (keys sorted, ", " and ": " between).
  That no line is missing takes the whole trail: runbook audit verify.
"""


def titles(case: Case) -> Mapping[str, str]:
    """What actions and checks are called, by key."""
    if case.runbook is None:
        return {}
    keys = {*case.run.actions, *case.runbook.actions, *(part.action for each in case.requests for part in each.parts)}
    named = {key: check.title for key, check in case.runbook.checks.items()}
    return named | {key: title_of(case.run, case.runbook, key) for key in keys}


def readme(case: Case) -> str:
    """What is in the archive and how to check it."""
    votes = sum(len(each.filed.votes) for each in case.requests)
    title = f"Run {case.run.number} of {case.run.runbook}: {one_line(case.run.title)}"
    return _README.format(
        number=case.run.number,
        runbook=case.run.runbook,
        title=one_line(case.run.title),
        rule="=" * len(title),
        asked=spell.count(len(case.requests), "request for approval", "requests for approval"),
        votes=spell.count(votes, "vote"),
        effects=spell.count(len(case.effects), "change"),
        lines=spell.count(len(case.lines), "line"),
        digests=_digests(case),
        chain=_chain(case),
    )


def _digests(case: Case) -> str:
    wrong = [each.filed.request.digest[:12] for each in case.requests if each.holds is False]
    unknown = [each.filed.request.digest[:12] for each in case.requests if each.holds is None]
    said = []
    if wrong:
        said.append(f"ATTENTION: what is stored does not give the digest that was voted on: {', '.join(wrong)}.")
    if unknown:
        said.append(f"An earlier release did not keep what the digest was made of: {', '.join(unknown)}.")
    if case.requests and not said:
        said.append("What is stored gives, for every request, the digest that was voted on.")
    return "\n  ".join(said or ["Nothing was asked for."])


def _chain(case: Case) -> str:
    lines = spell.count(case.chain.lines, "line")
    if case.chain.broken_at is None:
        return f"The audit trail held when this was made: {lines}."
    return f"ATTENTION: the audit trail is broken: {case.chain.problem}; {lines} before it fit."


def transcript(case: Case) -> str:
    """Everything that happened to the run, in order."""
    run, named = case.run, titles(case)
    head = [
        f"# Run {run.number}: {run.runbook} {plain(run.title)}",
        "",
        f"- System: {plain(run.system)}",
        f"- Severity: {run.severity}",
        f"- Incident: {plain(f'{case.incident.label} {case.incident.title}') if case.incident else 'none'}",
        f"- Asked by {who(run.requested_by)} at {spell.day_and_time(run.requested_at)}",
        f"- Inputs: {plain(', '.join(f'{key} = {spell.value(item)}' for key, item in run.inputs.items())) or 'none'}",
        f"- Runbook version: {run.version}",
        f"- State: {run.state}{plain(f' ({run.reason})' if run.reason else '')}",
        "",
    ]
    people = {
        vote.person.id: vote.person.name for each in case.requests for vote in each.filed.votes if vote.person.name
    }
    if people:
        head += [f"People: {', '.join(f'{who(id)} is {plain(name)}' for id, name in sorted(people.items()))}.", ""]
    head += ["## What was asked", "", *(_asked(each, named) for each in case.requests), ""] if case.requests else []
    head += ["## What happened", ""]
    return "\n".join([*head, "| line | time | by | what happened |", "|---|---|---|---|", *_rows(case, named)]) + "\n"


def _asked(each: Request, named: Mapping[str, str]) -> str:
    filed, request = each.filed, each.filed.request
    what = ", ".join(plain(named.get(part.action, part.action)) for part in each.parts)
    yes = ", ".join(who(person.id) for person in approvers(request, filed.votes)) or "nobody"
    asked = f"asked by {who(request.requested_by)} at {spell.day_and_time(request.requested_at)}"
    reason = f", {plain(filed.reason)}" if filed.reason else ""
    return f"- {what}: {asked}; approved by {yes}; {request.state}{reason} Digest {request.digest}"


def _rows(case: Case, named: Mapping[str, str]) -> list[str]:
    rows = []
    for line in case.lines:
        told = said(line, named)
        rows.append(f"| {line.seq} | {spell.day_and_time(line.at)} | {who(line.actor)} | {plain(told)} |")
    return rows


def said(line: AuditLine, named: Mapping[str, str]) -> str:
    """A line of the trail in a sentence; actions and checks are called by their titles."""
    if line.kind not in _KNOWN:
        return f"Something this release has no words for: {line.kind}"
    return plain_sentence({"kind": line.kind, "actor": line.actor, "data": line.data}, named)


def who(id: str) -> str:
    """Somebody, as the record names them."""
    return "the bot" if id == "bot" else f"@{plain(id)}"


def plain(text: str) -> str:
    """Text in which nothing is mark-up."""
    return _MARKS.sub(r"\\\1", one_line(neutral(text)))
