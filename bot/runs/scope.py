"""What expressions and templates of a runbook see: inputs, facts, who asks and the time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bot.domain.facts import Fact, FactStatus
from bot.domain.run import Run
from bot.domain.runbook import Runbook


def scope_of(run: Run, facts: Mapping[str, Fact], now: datetime, *, actor: str = "") -> dict[str, Any]:
    """Inputs by name, facts by check, `run`, `inputs`, `actor` and `now`. Unanswered questions are not there."""
    known = {key: fact.scope() for key, fact in facts.items() if fact.status is not FactStatus.ASKING}
    about = {
        "id": run.id,
        "number": run.number,
        "runbook": run.runbook,
        "severity": run.severity.value,
        "started": run.requested_at,
    }
    return {
        **run.inputs,
        **known,
        "inputs": dict(run.inputs),
        "run": about,
        "actor": actor or run.requested_by,
        "now": now,
    }


def needs_of(runbook: Runbook) -> dict[str, frozenset[str]]:
    """The edges of the runbook's checks."""
    return {key: check.needs for key, check in runbook.checks.items()}
