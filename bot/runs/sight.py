"""Looking without a run: checks whose inputs are known, each distinct question once, and none to a person."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.clock import Clock
from bot.domain.facts import Fact, FactStatus
from bot.domain.runbook import ASKING, Check
from bot.domain.system import System
from bot.runs.looking import look
from bot.steps.base import Look, Spec, StepContext, StepKind
from bot.steps.targets import Targets

AT_ONCE = 16


@dataclass
class Sight:
    """What has been looked at so far: the same question is asked once, whoever asks it."""

    targets: Targets
    system: System
    clock: Clock
    by: str
    once: dict[str, asyncio.Task[Look]] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)
    room: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))

    async def close(self, late: Iterable[asyncio.Task[Any]] = ()) -> None:
        """End what is still being looked at."""
        going: list[asyncio.Task[Any]] = [*late, *self.once.values()]
        for task in going:
            task.cancel()
        await asyncio.gather(*going, return_exceptions=True)

    async def facts(self, checks: Mapping[str, Check], inputs: Mapping[str, Any]) -> dict[str, Fact]:
        """The facts of checks that may need each other; those that would ask a person are left out."""
        facts: dict[str, Fact] = {}
        waiting = {key: check for key, check in checks.items() if check.kind not in ASKING}
        while ready := [key for key, check in waiting.items() if not check.needs & waiting.keys() - {key}]:
            looks = await asyncio.gather(*(self._look(waiting[key], inputs, facts) for key in ready))
            for key, seen in zip(ready, looks, strict=True):
                check = waiting.pop(key)
                if isinstance(seen, Fact):
                    facts[key] = seen
                    if seen.status in (FactStatus.FAILED, FactStatus.TIMED_OUT):
                        self.failed.append(f"{check.title}: {seen.error}")
        return facts

    def scope(self, inputs: Mapping[str, Any], facts: Mapping[str, Fact]) -> dict[str, Any]:
        """What expressions and templates see."""
        known = {key: fact.scope() for key, fact in facts.items() if fact.status is not FactStatus.ASKING}
        about = {"id": "", "number": 0, "runbook": "", "severity": ""}
        return {**inputs, **known, "inputs": dict(inputs), "run": about, "actor": self.by, "now": self.clock.now()}

    async def _look(self, check: Check, inputs: Mapping[str, Any], facts: Mapping[str, Fact]) -> Look:
        context = StepContext(self.clock, self.targets, self.system, check.timeout, self.by)
        return await look(check, self.scope(inputs, facts), context, facts, self._asked_once)

    async def _asked_once(self, kind: StepKind, spec: Spec, context: StepContext) -> Look:
        key = f"{kind.name} {context.timeout} {spec.model_dump_json()}"
        if key not in self.once:
            self.once[key] = asyncio.create_task(self._asked(kind, spec, context))
        return await asyncio.shield(self.once[key])

    async def _asked(self, kind: StepKind, spec: Spec, context: StepContext) -> Look:
        async with self.room:
            return await kind.look(spec, context)
