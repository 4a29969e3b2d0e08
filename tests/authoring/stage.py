"""Plays a shipped runbook against the sample system: looks, concludes, previews, acts, without the bot's database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bot.authoring.catalogue import Catalogue
from bot.authoring.inputs import parse_fields
from bot.authoring.loader import load_tree
from bot.authoring.rendering import render_spec
from bot.authoring.templates import TemplateError, UndefinedFact, compile_expression, compile_template
from bot.clock import SystemClock
from bot.domain.change import EffectKey, Preview, digest_of
from bot.domain.facts import Fact, FactStatus
from bot.domain.runbook import Check, Runbook
from bot.domain.system import System
from bot.sandbox.database import SampleDatabase, build
from bot.sandbox.mail import MailSink
from bot.sandbox.postgres import Postgres
from bot.sandbox.services import LocalServices
from bot.sandbox.stripe import LocalStripe
from bot.steps.base import Outcome, Question, StepContext
from bot.steps.registry import KINDS
from bot.steps.targets import Targets

RUNBOOKS = Path(__file__).resolve().parents[2] / "runbooks"


@dataclass
class Stage:
    """One runbook with its inputs on one sample system."""

    runbook: Runbook
    system: System
    targets: Targets
    inputs: Mapping[str, Any]
    answered: dict[str, Fact] = field(default_factory=dict)
    facts: dict[str, Fact] = field(default_factory=dict)
    questions: dict[str, Question] = field(default_factory=dict)

    def scope(self) -> dict[str, Any]:
        """What texts see."""
        known = {key: fact.scope() for key, fact in self.facts.items()}
        about = {"id": "run", "number": 1, "runbook": self.runbook.id, "severity": self.runbook.severity.value}
        return {
            **self.inputs,
            **known,
            "inputs": dict(self.inputs),
            "run": about,
            "actor": "U0TEST",
            "now": datetime.now(UTC),
        }

    def context(self, timeout: timedelta) -> StepContext:
        """What a kind may use."""
        return StepContext(SystemClock(), self.targets, self.system, timeout, "U0TEST", "run")

    async def diagnose(self) -> None:
        """Every check in an order that its needs allow."""
        self.facts = dict(self.answered)
        waiting = {key: check for key, check in self.runbook.checks.items() if key not in self.answered}
        while waiting:
            ready = [check for check in waiting.values() if not check.needs & waiting.keys()]
            assert ready, f"nothing can run: {sorted(waiting)}"
            for check in ready:
                await self._look(check)
                del waiting[check.key]

    def answer(self, key: str, **values: str) -> None:
        """What a person answers; it stands until another answer."""
        self.answered[key] = Fact(FactStatus.DONE, parse_fields(self.questions[key].form, values))

    async def _look(self, check: Check) -> None:
        try:
            if check.when is not None and not compile_expression(check.when).evaluate(self.scope()):
                self.facts[check.key] = Fact(FactStatus.SKIPPED)
                return
            kind = KINDS[check.kind]
            seen = await kind.look(render_spec(kind, check.spec, self.scope()), self.context(check.timeout))
        except UndefinedFact as error:
            seen = Fact(FactStatus.SKIPPED, summary=str(error))
        except TemplateError as error:
            seen = Fact(FactStatus.FAILED, error=str(error))
        if isinstance(seen, Question):
            self.questions[check.key] = seen
        else:
            self.facts[check.key] = seen

    def findings(self) -> dict[str, str]:
        """The findings that hold, with what they say."""
        found = {}
        for finding in self.runbook.findings:
            try:
                if compile_expression(finding.when).evaluate(self.scope()):
                    found[finding.key] = " ".join(compile_template(finding.say).render(self.scope()).split())
            except UndefinedFact:
                continue
        return found

    async def preview(self, key: str) -> Preview:
        """What an action would do."""
        action = self.runbook.actions[key]
        kind = KINDS[action.kind]
        return await kind.preview(render_spec(kind, action.spec, self.scope()), self.context(action.timeout))

    async def act(self, key: str, run: str = "run") -> Outcome:
        """Preview an action and do it."""
        action = self.runbook.actions[key]
        kind = KINDS[action.kind]
        spec = render_spec(kind, action.spec, self.scope())
        preview = await kind.preview(spec, self.context(action.timeout))
        effect = EffectKey(run, key, digest_of(dict(preview.payload)))
        return await kind.act(spec, preview, effect, self.context(action.timeout))

    async def verified(self, key: str) -> bool:
        """Look again until the action's verification holds, as a run does; False when it does not within its time."""
        action = self.runbook.actions[key]
        assert action.verify is not None
        condition = compile_expression(action.verify)
        loop = asyncio.get_running_loop()
        until = loop.time() + action.verify_within.total_seconds()
        while True:
            await self.diagnose()
            if condition.evaluate(self.scope()):
                return True
            if loop.time() > until:
                return False
            await asyncio.sleep(0.02)


@dataclass
class SampleSystem:
    """The sample system, running, and the shipped runbooks."""

    catalogue: Catalogue
    alacarte: SampleDatabase
    stripe: LocalStripe
    services: LocalServices
    mail: MailSink
    targets: Targets

    def stage(self, id: str, inputs: Mapping[str, Any]) -> Stage:
        """A runbook ready to be played."""
        runbook = self.catalogue.get(id)
        assert runbook is not None
        given = {each.name: each.default for each in runbook.inputs} | dict(inputs)
        return Stage(runbook, self.catalogue.systems[runbook.system], self.targets, given)


@asynccontextmanager
async def sample_system(postgres: Postgres, name: str) -> AsyncIterator[SampleSystem]:
    """Everything the shipped runbooks reach, on loopback, gone when the block is left."""
    catalogue, problems = load_tree(RUNBOOKS)
    assert not problems, problems
    async with AsyncExitStack() as stack:
        alacarte = await build(postgres, "alacarte", name=name)
        stack.push_async_callback(alacarte.drop)
        stripe = await stack.enter_async_context(LocalStripe())
        services = await stack.enter_async_context(LocalServices())
        mail = await stack.enter_async_context(MailSink())
        environment = {
            "ALACARTE_READ_URL": alacarte.read_url,
            "ALACARTE_ACT_URL": alacarte.act_url,
            "ALACARTE_STRIPE_KEY": stripe.key,
            "ALACARTE_STRIPE_URL": stripe.url,
            "ALACARTE_FUNCTIONS_URL": services.url,
            "ALACARTE_FUNCTIONS_TOKEN": f"Bearer {services.token}",
            "ALACARTE_SMTP_HOST": mail.host,
            "ALACARTE_SMTP_PORT": str(mail.port),
        }
        targets = await stack.enter_async_context(Targets(environment))
        yield SampleSystem(catalogue, alacarte, stripe, services, mail, targets)
