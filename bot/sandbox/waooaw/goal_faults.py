"""Why an agent does not execute its goals (WA-01): scheduler, approval, credentials, time zone, database."""

from __future__ import annotations

from collections.abc import Sequence

from bot.sandbox.programs import Answer
from bot.sandbox.sample import Ground, Planted
from bot.sandbox.waooaw import engine
from bot.sandbox.waooaw.desk import IDS, MEERA, execute, key
from bot.sandbox.waooaw.engine import SCHEDULER
from bot.sandbox.waooaw.state import settled

GOAL = key("goal meera instagram")
FAILED_RUN = """
INSERT INTO goal_runs (goal_id, attempted_at, finished_at, outcome, error)
VALUES ($1, now() - interval '30 minutes', now() - interval '29 minutes', 'failed', $2)
"""
NEWCOMER = """
INSERT INTO customers (id, name, email, rate_limit_tier) VALUES ($1, 'Newcomer', 'first@newcomer.test', 'trial')
"""
CREDENTIAL = {**IDS, "credential_id": str(key("credential meera instagram"))}


def hung() -> Sequence[Answer]:
    """A scheduler whose container is up and whose heart stopped fourteen minutes ago."""
    return (
        engine.scheduler_report(heartbeat="14 minutes", late=True),
        engine.log(SCHEDULER, (55, "INFO heartbeat"), (15, "INFO heartbeat")),
    )


async def scheduler_hung(ground: Ground) -> Planted:
    """WA-01: goals are approved and nothing runs them."""
    await settled(ground)
    ground.programs.answer(*hung())
    overdue = "UPDATE goals SET next_run_at = now() - interval '12 minutes' WHERE customer_id = $1"
    await execute(ground, overdue, MEERA)
    return Planted(IDS)


async def goal_not_approved(ground: Ground) -> Planted:
    """WA-01: nobody of operations has approved the goal; the word is written as the portal shows it."""
    return await _goal(ground, "status = 'Pending', approved_at = NULL, approved_by = NULL, next_run_at = NULL")


async def goal_paused(ground: Ground) -> Planted:
    """WA-01: somebody paused the goal yesterday."""
    return await _goal(ground, "status = 'paused', paused_at = now() - interval '1 day'")


async def goal_credential_expired(ground: Ground) -> Planted:
    """WA-01: Instagram's token ran out two days ago, and the goal has failed since."""
    await settled(ground)
    await execute(
        ground,
        "UPDATE credentials SET status = 'expired', token_expires_at = now() - interval '2 days',"
        " last_error = 'access token expired' WHERE customer_id = $1 AND platform = 'instagram'",
        MEERA,
    )
    await execute(ground, FAILED_RUN, GOAL, "401 Unauthorized: access token expired")
    return Planted(CREDENTIAL)


async def goal_refresh_refused(ground: Ground) -> Planted:
    """WA-01: the same, and the automatic refresh was refused: only the customer can connect again."""
    await goal_credential_expired(ground)
    refused = "UPDATE credentials SET last_error = 'invalid_grant: the refresh token has expired' WHERE id = $1"
    await execute(ground, refused, key("credential meera instagram"))
    return Planted(CREDENTIAL)


async def goal_credential_invalid(ground: Ground) -> Planted:
    """WA-01: Instagram does not know the credential."""
    await settled(ground)
    invalid = "UPDATE credentials SET status = 'invalid' WHERE id = $1"
    await execute(ground, invalid, key("credential meera instagram"))
    return Planted(CREDENTIAL)


async def goal_overdue(ground: Ground) -> Planted:
    """WA-01: the scheduler lives, and one goal is half an hour late."""
    return await _goal(ground, "next_run_at = now() - interval '30 minutes'")


async def scheduler_without_report(ground: Ground) -> Planted:
    """WA-01: the backend cannot say how the scheduler is."""
    await settled(ground)
    report = (*engine.PYTHON, f"{engine.HEALTH}.scheduler_health")
    ground.programs.answer(engine.docker(*report, err="ModuleNotFoundError: scheduler_health\n", code=1))
    return Planted(IDS)


async def newcomer(ground: Ground) -> Planted:
    """A customer who signed up today and has nothing yet: no goal, no connection, no payment."""
    await settled(ground)
    await execute(ground, NEWCOMER, key("customer newcomer"))
    return Planted({**IDS, "customer_id": str(key("customer newcomer"))})


async def goal_in_other_zone(ground: Ground) -> Planted:
    """WA-01: the goal's clock is New York's, its customer's is India's."""
    change = """timezone = 'America/New_York', next_run_at =
        (date_trunc('day', now() AT TIME ZONE 'America/New_York') + interval '1 day 10 hours')
        AT TIME ZONE 'America/New_York'"""
    return await _goal(ground, change)


async def goal_not_planned(ground: Ground) -> Planted:
    """WA-01: approved, and the scheduler has no next run for it."""
    return await _goal(ground, "next_run_at = NULL")


async def goal_failed(ground: Ground) -> Planted:
    """WA-01: everything is in order, and the last run failed at the platform."""
    await settled(ground)
    await execute(ground, FAILED_RUN, GOAL, "400: the media could not be fetched")
    return Planted(IDS)


async def scheduler_without_database(ground: Ground) -> Planted:
    """WA-01: the scheduler lives and cannot ask the database for goals."""
    await settled(ground)
    trouble = "ERROR sqlalchemy.exc.OperationalError: connection pool exhausted"
    ground.programs.answer(engine.log(SCHEDULER, (8, trouble), (5, trouble), (1, "INFO heartbeat")))
    return Planted(IDS)


async def _goal(ground: Ground, change: str) -> Planted:
    """Everything in order but for the goal."""
    await settled(ground)
    await execute(ground, f"UPDATE goals SET {change} WHERE id = $1", GOAL)
    return Planted(IDS)


FAULTS = {
    each.__name__: each
    for each in (
        *(scheduler_hung, scheduler_without_database, scheduler_without_report, newcomer),
        *(goal_not_approved, goal_paused, goal_overdue, goal_in_other_zone, goal_not_planned, goal_failed),
        *(goal_credential_expired, goal_refresh_refused, goal_credential_invalid),
    )
}
