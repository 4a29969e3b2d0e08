"""What a kind answers that never changes anything outside the bot; the base of the kinds that only look or wait."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.domain.change import EffectKey, Preview, Receipt
from bot.domain.facts import Fact, FactStatus
from bot.steps.base import Failed, Look, Outcome, StepContext


class Passive:
    """Nothing to preview, to do or to take back."""

    async def look(self, spec: Any, context: StepContext) -> Look:
        """Not a check."""
        return Fact(FactStatus.FAILED, error="This kind of step is not a check.")

    async def preview(self, spec: Any, context: StepContext) -> Preview:
        """Nothing outside the bot would change."""
        return Preview(headline="Nothing outside the bot changes", payload={}, undo="nothing to undo")

    async def act(self, spec: Any, approved: Preview, key: EffectKey, context: StepContext) -> Outcome:
        """Not an action."""
        return Failed("This kind of step is not an action: nothing was changed.")

    async def settle(self, spec: Any, key: EffectKey, context: StepContext) -> Outcome:
        """Nothing can have happened."""
        return Failed("This kind of step changes nothing: nothing was changed.")

    def inverse(self, spec: Any, receipt: Receipt) -> Mapping[str, Any] | None:
        """Nothing to take back."""
        return None
