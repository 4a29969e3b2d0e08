"""What happened, as small facts in the past tense: the audit trail, the timeline and the announcer all read these."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Happened(StrEnum):
    """Every kind of event there is; the part before the dot is what it is about."""

    INCIDENT_OPENED = "incident.opened"
    INCIDENT_ACKNOWLEDGED = "incident.acknowledged"
    INCIDENT_NOTED = "incident.noted"
    INCIDENT_RESOLVED = "incident.resolved"
    INCIDENT_ESCALATED = "incident.escalated"
    PAGE_SENT = "page.sent"
    PAGE_FAILED = "page.failed"
    INCIDENT_REPORTED = "incident.reported"
    INCIDENT_RAISED = "incident.raised"
    INCIDENT_REOPENED = "incident.reopened"
    INCIDENT_ASSIGNED = "incident.assigned"
    INCIDENT_MERGED = "incident.merged"
    INCIDENT_LINKED = "incident.linked"
    INCIDENT_MARKED = "incident.marked"
    INCIDENT_UNMARKED = "incident.unmarked"
    ENTRY_CORRECTED = "incident.entry_corrected"
    ITEM_ADDED = "item.added"
    ITEM_ASSIGNED = "item.assigned"
    ITEM_ENDED = "item.ended"
    ITEM_REMINDED = "item.reminded"
    DIGEST_POSTED = "incident.digest_posted"
    UPDATE_SENT = "incident.update_sent"
    CHANNEL_LOST = "incident.channel_lost"
    RUN_REQUESTED = "run.requested"
    RUN_RECHECKED = "run.rechecked"
    RUN_DONE = "run.done"
    RUN_FAILED = "run.failed"
    RUN_CANCELLED = "run.cancelled"
    RUN_PARKED = "run.parked"
    CHECK_ENDED = "check.ended"
    QUESTION_ASKED = "question.asked"
    QUESTION_ANSWERED = "question.answered"
    ROWS_ASKED = "check.rows_asked"
    FINDINGS_CONCLUDED = "findings.concluded"
    ACTION_CHOSEN = "action.chosen"
    ACTION_EDITED = "action.edited"
    ACTION_SCHEDULED = "action.scheduled"
    CHECKLIST_TICKED = "checklist.ticked"
    ACTION_SKIPPED = "action.skipped"
    ACTION_INTENDED = "action.intended"
    ACTION_DONE = "action.done"
    ACTION_FAILED = "action.failed"
    ACTION_IN_DOUBT = "action.in_doubt"
    ACTION_SETTLED = "action.settled"
    ACTION_WAITING = "action.waiting"
    ACTION_VERIFIED = "action.verified"
    ACTION_UNVERIFIED = "action.unverified"
    APPROVAL_REQUESTED = "approval.requested"
    APPROVAL_GRANTED = "approval.granted"
    APPROVAL_DENIED = "approval.denied"
    APPROVAL_EXPIRED = "approval.expired"
    APPROVAL_VOIDED = "approval.voided"
    APPROVAL_NUDGED = "approval.nudged"
    GLASS_BROKEN = "approval.glass_broken"
    VOTE_CAST = "vote.cast"
    VOTE_REFUSED = "vote.refused"
    SUPPORT_REFUSED = "support.refused"
    TRIAGED = "triage.done"
    PRESS_REPEATED = "press.repeated"
    RUNBOOKS_PROVEN = "runbooks.proven"
    MONITOR_CHANGED = "monitor.changed"
    WINDOW_ANNOUNCED = "window.announced"
    WINDOW_STARTED = "window.started"
    WINDOW_ENDED = "window.ended"
    CALENDAR_STARTED = "calendar.started"
    CALENDAR_FAILED = "calendar.failed"
    CALENDAR_REMINDED = "calendar.reminded"
    CALENDAR_UNFINISHED = "calendar.unfinished"
    CALENDAR_POSTED = "calendar.posted"
    CALENDAR_DRILLED = "calendar.drilled"
    ALERT_FLAPPING = "alert.flapping"
    ALERT_CALM = "alert.calm"
    ALERTS_CONTINUE = "alert.continues"
    ALERTS_ENDED = "alert.ended"


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened. `actor` is a Slack user id, or "bot"; `data` is JSON data without secrets."""

    kind: Happened
    actor: str
    data: Mapping[str, Any] = field(default_factory=dict)


BOT = "bot"
