"""The faults by name, of all runbooks of this system."""

from __future__ import annotations

from bot.sandbox.phase1.billing_faults import BILLING_FAULTS
from bot.sandbox.phase1.checklist_faults import CHECKLIST_FAULTS
from bot.sandbox.phase1.deletion_faults import DELETION_FAULTS
from bot.sandbox.phase1.dispute_faults import DISPUTE_FAULTS
from bot.sandbox.phase1.outage_faults import OUTAGE_FAULTS
from bot.sandbox.phase1.pool_faults import POOL_FAULTS
from bot.sandbox.phase1.quota_faults import QUOTA_FAULTS
from bot.sandbox.phase1.refund_faults import REFUND_FAULTS
from bot.sandbox.phase1.silence import SILENCES
from bot.sandbox.phase1.webhook_faults import WEBHOOK_FAULTS
from bot.sandbox.sample import Fault

FAULTS: dict[str, Fault] = {
    **WEBHOOK_FAULTS,
    **BILLING_FAULTS,
    **QUOTA_FAULTS,
    **REFUND_FAULTS,
    **DISPUTE_FAULTS,
    **DELETION_FAULTS,
    **OUTAGE_FAULTS,
    **POOL_FAULTS,
    **SILENCES,
    **CHECKLIST_FAULTS,
}
