"""Trials at their limits (WA-17)."""

from __future__ import annotations

from bot.sandbox.sample import Fault, Ground, Planted
from bot.sandbox.waooaw.desk import IDS, MEERA, execute
from bot.sandbox.waooaw.state import settled

TRIAL = """
INSERT INTO trials (customer_id, tasks_used_today, tasks_per_day, tokens_used, tokens_limit, resets_at, override_until)
VALUES ($1, $2, $3, $4, $5,
        (date_trunc('day', now() AT TIME ZONE 'Asia/Kolkata') + interval '1 day') AT TIME ZONE 'Asia/Kolkata',
        CASE WHEN $6 THEN now() + interval '1 day' END)
"""
ON_TRIAL = "UPDATE subscriptions SET plan = 'trial', trial_status = 'running' WHERE customer_id = $1"


def _trial(
    name: str, about: str, tasks: tuple[int, int], tokens: tuple[int, int], *, paid: bool = False, over: bool = False
) -> tuple[str, Fault]:
    async def planted(ground: Ground) -> Planted:
        await settled(ground)
        await execute(ground, TRIAL, MEERA, *tasks, *tokens, over)
        if not paid:
            await execute(ground, ON_TRIAL, MEERA)
        return Planted(IDS)

    planted.__doc__ = about
    return name, planted


FAULTS: dict[str, Fault] = dict(
    (
        _trial("trial_tasks_used", "WA-17: five of five tasks today.", (5, 5), (4200, 10000)),
        _trial("trial_tokens_used", "WA-17: all tokens of the trial.", (2, 5), (10000, 10000)),
        _trial("trial_overridden", "WA-17: an override holds.", (6, 10), (12000, 20000), over=True),
        _trial("trial_paid", "WA-17: paid, and still counted.", (5, 5), (4200, 10000), paid=True),
        _trial("trial_unlimited", "WA-17: a trial without limits.", (50, -1), (90000, -1)),
    )
)
