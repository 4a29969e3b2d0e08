"""Killing workers, scenario after scenario: which await points, what the next worker makes of it, and the judgement."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from bot.domain.run import ActionStatus
from bot.sandbox.postgres import Postgres
from tests.proof.judging import Trial, judged
from tests.proof.mortals import Ending, Kill, Mortals
from tests.proof.points import AFTER, BEFORE
from tests.proof.scenarios import Scenario, played

UNSETTLED = frozenset({ActionStatus.APPROVED, ActionStatus.ACTING, ActionStatus.PREVIEWING, ActionStatus.VERIFYING})
SUCCESSORS = 4
FIRST, LAST = "take_target", "end_effect"
"""From taking the target to recording how the effect ended: the part of the path in which a change can be doubled."""


class Reach(Enum):
    """How much of a path is tried. The heart always is, at both moments of every await point."""

    HEART = "the heart of the path"
    EACH_ONCE = "every await point, outside the heart at one of its moments in turn"
    WHOLE = "both moments of every await point"


@dataclass(frozen=True, slots=True)
class Shift:
    """One scenario, or its `part` of `parts`, with as many kills as `reach` says."""

    scenario: type[Scenario]
    reach: Reach
    part: int = 0
    parts: int = 1

    async def work(
        self, mortals: Mortals, postgres: Postgres, runbooks: Path, opening: asyncio.Lock
    ) -> tuple[int, list[Trial]]:
        """How many await points there are, and what became of a worker killed at each of those taken."""
        async with AsyncExitStack() as stack:
            async with opening:  # migrations are made one at a time in a process
                scenario = await stack.enter_async_context(played(self.scenario, postgres, runbooks))
            await mortals.warm(scenario.stage.environment, await scenario.fresh())
            first, ending = await trial(scenario, mortals, None)
            kills = chosen(ending.places, self.reach)[self.part :: self.parts]
            done = [(await trial(scenario, mortals, kill))[0] for kill in kills]
        return len(ending.places), [first, *done]


def chosen(places: Sequence[str], reach: Reach) -> list[Kill]:
    """The kills of a path with these await points."""
    first = next(number for number, place in enumerate(places, 1) if place.endswith(FIRST))
    last = max(number for number, place in enumerate(places, 1) if place.endswith(LAST))
    commit = last + 10  # the audit's line, the job, the commit
    kills: list[Kill] = []
    for point in range(1, len(places) + 1):
        if reach is Reach.WHOLE or first <= point <= commit:
            kills += [Kill(point, BEFORE), Kill(point, AFTER)]
        elif reach is Reach.EACH_ONCE:
            kills.append(Kill(point, BEFORE if point % 2 else AFTER))
    return kills


async def trial(scenario: Scenario, mortals: Mortals, *kills: Kill | None) -> tuple[Trial, Ending]:
    """Workers killed one after the other, then one that lives: what the target and the run say in the end."""
    run = await scenario.fresh()
    endings: list[Ending] = []
    for kill in kills:
        endings.append(await mortals.work(scenario.stage.environment, run, kill))
        await scenario.taken_over(run)
    status = (await scenario.stage.run(run)).actions[scenario.action].status
    for _ in range(SUCCESSORS):
        if not endings[-1].killed and status not in UNSETTLED:
            break
        endings.append(await mortals.work(scenario.stage.environment, run))
        status = (await scenario.stage.run(run)).actions[scenario.action].status
    await scenario.still()
    effects = await scenario.effects()
    ending = endings[len(kills) - 1]
    last = kills[-1]
    moment = last.moment if last is not None else ""
    made = Trial(scenario.title, ending.killed, ending.place, moment, effects, status, judged(effects, status))
    return made, ending
