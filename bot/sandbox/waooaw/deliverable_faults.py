"""Why a deliverable does not appear (WA-02): it is somebody else's, hidden, was never written, or not listed."""

from __future__ import annotations

from bot.sandbox.sample import Ground, Planted
from bot.sandbox.services import Reply
from bot.sandbox.waooaw import engine
from bot.sandbox.waooaw.desk import IDS, MEERA, execute, key
from bot.sandbox.waooaw.engine import BACKEND
from bot.sandbox.waooaw.state import settled

LATEST = key("deliverable meera instagram 1")
RUN = key("run meera instagram 1")
STRANGER, STRANGERS_AGENT = key("customer 7"), key("agent 7")
SAMPLE = {**IDS, "deliverable_id": str(LATEST), "run_id": str(RUN), "stranger_id": str(STRANGER)}


async def deliverable_of_a_stranger(ground: Ground) -> Planted:
    """WA-02: the deliverable was written under another customer, who can see it."""
    await settled(ground)
    change = "UPDATE deliverables SET customer_id = $2, agent_id = $3 WHERE id = $1"
    await execute(ground, change, LATEST, STRANGER, STRANGERS_AGENT)
    return Planted(SAMPLE)


async def deliverable_of_other_agent(ground: Ground) -> Planted:
    """WA-02: the right customer, and the wrong agent."""
    await settled(ground)
    await execute(ground, "UPDATE deliverables SET agent_id = $2 WHERE id = $1", LATEST, STRANGERS_AGENT)
    return Planted(SAMPLE)


async def deliverable_hidden(ground: Ground) -> Planted:
    """WA-02: it is there, and its status hides it from the portal."""
    await settled(ground)
    await execute(ground, "UPDATE deliverables SET status = 'hidden' WHERE id = $1", LATEST)
    return Planted(SAMPLE)


async def deliverable_deleted(ground: Ground) -> Planted:
    """WA-02: somebody deleted it; the row is kept."""
    await settled(ground)
    await execute(ground, "UPDATE deliverables SET status = 'deleted' WHERE id = $1", LATEST)
    return Planted(SAMPLE)


async def deliverable_lost(ground: Ground) -> Planted:
    """WA-02: the run says completed, and the deliverable was rolled back."""
    await settled(ground)
    await execute(ground, "DELETE FROM deliverables WHERE id = $1", LATEST)
    _rolled_back(ground, IDS["goal_id"])
    return Planted(SAMPLE)


async def deliverable_lost_after_posting(ground: Ground) -> Planted:
    """WA-02: the same, and the run had posted already: running it again would post twice."""
    planted = await deliverable_lost(ground)
    post = """
        INSERT INTO api_logs (customer_id, goal_id, endpoint, direction, platform, status, created_at)
        SELECT g.customer_id, g.id, '/graph/me/media_publish', 'out', 'instagram', 200, r.finished_at
        FROM goal_runs r JOIN goals g ON g.id = r.goal_id WHERE r.id = $1"""
    await execute(ground, post, RUN)
    return planted


async def deliverable_not_listed(ground: Ground) -> Planted:
    """WA-02: the database has it right, and the API leaves it out."""
    await settled(ground)
    ground.services.answer("GET", "/api/pp/deliverables", Reply(json={"deliverables": []}, token=True))
    return Planted(SAMPLE)


async def trade_lost(ground: Ground) -> Planted:
    """WA-02: a trading goal ran without an order, and its report was never stored."""
    await settled(ground)
    await execute(ground, "DELETE FROM deliverables WHERE id = $1", key("deliverable ravi 1"))
    return Planted(SAMPLE)


async def deliverable_made_again(ground: Ground) -> Planted:
    """WA-02: yesterday's deliverable was lost, and today's is there."""
    await settled(ground)
    await execute(ground, "DELETE FROM deliverables WHERE id = $1", key("deliverable meera instagram 2"))
    return Planted(SAMPLE)


async def goals_never_ran(ground: Ground) -> Planted:
    """WA-02: one goal has not run for three days, the others are new."""
    await settled(ground)
    await execute(ground, "DELETE FROM deliverables WHERE customer_id = $1", MEERA)
    await execute(ground, "DELETE FROM goal_runs WHERE goal_id IN (SELECT id FROM goals WHERE customer_id = $1)", MEERA)
    late = "UPDATE goals SET next_run_at = now() - interval '3 days' WHERE id = $1"
    await execute(ground, late, key("goal meera instagram"))
    return Planted(SAMPLE)


def _rolled_back(ground: Ground, goal: str) -> None:
    ground.programs.answer(
        engine.log(
            BACKEND,
            (181, f"INFO Goal execution completed goal_id={goal} deliverable_id={LATEST}"),
            (181, f"ERROR IntegrityError while storing the deliverable, transaction rolled back goal_id={goal}"),
        )
    )


FAULTS = {
    "deliverable_of_a_stranger": deliverable_of_a_stranger,
    "deliverable_of_other_agent": deliverable_of_other_agent,
    "deliverable_hidden": deliverable_hidden,
    "deliverable_deleted": deliverable_deleted,
    "deliverable_lost": deliverable_lost,
    "deliverable_lost_after_posting": deliverable_lost_after_posting,
    "deliverable_not_listed": deliverable_not_listed,
    "trade_lost": trade_lost,
    "deliverable_made_again": deliverable_made_again,
    "goals_never_ran": goals_never_ran,
}
