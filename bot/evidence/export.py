"""One incident for other tools: everything that is said about it, as data; its Markdown is that of the review."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.domain.facts import to_json
from bot.domain.timeline import timeline
from bot.evidence.case import Case, IncidentCase
from bot.evidence.judged import approvers
from bot.evidence.words import said, titles
from bot.store.audit import AuditLine

FORMAT = 1


def exported(case: IncidentCase) -> dict[str, Any]:
    """The incident with its runs and its timeline as people have corrected it. Times are ISO 8601 in UTC, spans are
    seconds; `format` counts up when something is taken away or means something else."""
    incident = case.incident
    named = {key: title for each in case.cases for key, title in titles(each).items()}
    resolved = incident.resolved_at
    spent = None if resolved is None else (resolved - incident.opened_at).total_seconds()
    return {
        "format": FORMAT,
        "incident": incident.label,
        "number": incident.number,
        "title": incident.title,
        "system": incident.system,
        "severity": str(incident.severity),
        "state": str(incident.state),
        "opened_at": incident.opened_at.isoformat(),
        "opened_by": incident.opened_by,
        "acknowledged_at": None if incident.acknowledged_at is None else incident.acknowledged_at.isoformat(),
        "commander": incident.commander,
        "resolved_at": None if resolved is None else resolved.isoformat(),
        "target_seconds": incident.target.total_seconds(),
        "seconds": spent,
        "within_target": None if spent is None else spent <= incident.target.total_seconds(),
        "channel": incident.channel_name,
        "runs": [_run(each) for each in case.cases],
        "action_items": [
            {
                "item": each.id,
                "what": each.what,
                "owner": each.owner,
                "due": None if each.due is None else each.due.isoformat(),
                "state": str(each.state),
                "ended_by": each.ended_by,
            }
            for each in case.items
        ],
        "timeline": [_entry(line, named) for line in timeline(case.lines)],
        "audit": {"holds": case.chain.broken_at is None, "head": case.chain.head.hash, "lines": case.chain.lines},
    }


def _run(case: Case) -> dict[str, Any]:
    run = case.run
    named = titles(case)
    return {
        "run": run.number,
        "runbook": run.runbook,
        "version": run.version,
        "state": str(run.state),
        "started_by": run.requested_by,
        "started_at": run.requested_at.isoformat(),
        "support": run.support,
        "findings": [{"finding": each.key, "said": each.say} for each in run.conclusions],
        "actions": [
            {
                "action": each.key,
                "title": named.get(each.key, each.key),
                "status": str(each.status),
                "did": each.headline,
                "asked_by": each.by,
            }
            for each in run.actions.values()
        ],
        "approvals": [
            {
                "action": each.filed.request.action,
                "state": str(each.filed.request.state),
                "digest": each.filed.request.digest,
                "asked_by": each.filed.request.requested_by,
                "approved_by": [person.id for person in approvers(each.filed.request, each.filed.votes)],
            }
            for each in case.requests
        ],
    }


def _entry(line: AuditLine, named: Mapping[str, str]) -> dict[str, Any]:
    entry = {
        "line": line.seq,
        "at": line.at.isoformat(),
        "kind": str(line.kind),
        "by": line.actor,
        "run": line.run_id,
        "said": said(line, named),
    }
    before = line.data.get("before")
    return entry | ({"before": to_json(before)} if before else {})
