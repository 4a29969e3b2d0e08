"""The order in which triage names what it suspects."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.domain.policy import ApprovalPolicy
from bot.domain.run import Conclusion
from bot.domain.runbook import Action, Severity
from bot.domain.triage import Suspect, ranked
from tests.builders import CONCLUSION, runbook

pytestmark = pytest.mark.main_job

LEADS = Action("next", "Look at the payment", "runbook", {"start": "RB-001", "inputs": {}}, ApprovalPolicy())
ACTS = Suspect(runbook(), {}, (CONCLUSION,), specific=False)
SEVERE = runbook(id="RB-002", severity=Severity.P0, actions={**runbook().actions, "next": LEADS})
LEADING = Suspect(SEVERE, {}, (Conclusion("found", "It is another's.", ("next",)),), specific=False)


def test_what_only_leads_on_comes_after_what_can_be_done() -> None:
    """A runbook whose findings only start another one stands behind one that mends something, however severe; not when
    it mends something too, and not behind what concerns everybody."""
    assert LEADING.leads
    assert ranked([LEADING, ACTS]) == (ACTS, LEADING)
    both = replace(LEADING, conclusions=(CONCLUSION, *LEADING.conclusions))
    assert ranked([ACTS, both]) == (both, ACTS)
    mine = replace(LEADING, specific=True)
    assert ranked([ACTS, mine]) == (mine, ACTS)
