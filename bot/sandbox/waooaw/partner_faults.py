"""All faults of payments, trading and posting, by name."""

from __future__ import annotations

from bot.sandbox.sample import Fault
from bot.sandbox.waooaw import (
    key_faults,
    payment_faults,
    portal_faults,
    posting_faults,
    subscription_faults,
    trading_faults,
    trial_faults,
)

PARTNER_FAULTS: dict[str, Fault] = {
    **payment_faults.FAULTS,
    **subscription_faults.FAULTS,
    **trading_faults.FAULTS,
    **key_faults.FAULTS,
    **posting_faults.FAULTS,
    **portal_faults.FAULTS,
    **trial_faults.FAULTS,
}
