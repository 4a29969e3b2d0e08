"""Triage: every check of a system whose inputs are known, each once, and the runbooks that their facts speak for."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from bot.authoring.inputs import parse_inputs, value_of
from bot.authoring.templates import TemplateError, compile_expression
from bot.clock import Clock
from bot.domain.events import Event, Happened
from bot.domain.facts import Fact
from bot.domain.masking import Censor
from bot.domain.run import Conclusion
from bot.domain.runbook import Runbook
from bot.domain.system import SupportRule, System
from bot.domain.triage import Lookups, Suspect, Triaged, problems, ranked, tried
from bot.errors import BadInputs, Mistake
from bot.runs.concluding import concluded, in_masks
from bot.runs.library import Library
from bot.runs.masking import Veil, rule_of
from bot.runs.sight import Sight
from bot.steps.targets import Targets
from bot.store.session import Store

TIME_BOX = timedelta(seconds=20)


class Triage:
    """Looks only: it opens no incident, and what it looked at is on record in one line."""

    def __init__(self, store: Store, library: Library, targets: Targets, clock: Clock) -> None:
        self._store = store
        self._library = library
        self._targets = targets
        self._clock = clock

    def system(self, name: str) -> System:
        """The system of that name, or the only one. Raises `Mistake`."""
        systems = self._library.catalogue.systems
        if not name and len(systems) == 1:
            return next(iter(systems.values()))
        if name.lower() not in systems:
            raise Mistake(f"There is no system «{name}».", hint=f"Known: {', '.join(sorted(systems))}.")
        return systems[name.lower()]

    async def triage(
        self, system: System, given: Mapping[str, str], words: Iterable[str], by: str, *, support: bool = False
    ) -> Triaged:
        """What is wrong, as far as the checks can tell within the time box. `given` are identifiers by name, `words`
        values whose form tells what they are. For `support` people everything is masked. Raises `BadInputs`,
        `Mistake`."""
        lookups = self._library.catalogue.lookups.get(system.id, Lookups())
        begun = asyncio.get_running_loop().time()
        sight = Sight(self._targets, system, self._clock, by)
        typed = identified(lookups, given, words)
        known = await _resolved(sight, lookups, typed)
        runbooks = tried(self._library.catalogue.of_system(system.id), known)
        masking = Masking(sight, rule_of(system)) if support else None
        looking = [asyncio.create_task(_suspect(sight, runbook, known, masking)) for runbook in runbooks]
        done, late = await asyncio.wait(looking, timeout=TIME_BOX.total_seconds()) if looking else (set(), set())
        await sight.close(late)
        suspects = ranked([found for task in done if (found := task.result()) is not None])
        took = timedelta(seconds=asyncio.get_running_loop().time() - begun)
        failed = tuple(dict.fromkeys(sight.failed))
        about = {"system": system.id, "given": sorted(known), "runbooks": [each.runbook.id for each in suspects]}
        async with self._store.transaction() as tx:
            tx.record(Event(Happened.TRIAGED, by, about))
        triaged = Triaged(system.title, known, suspects, len(runbooks), len(sight.once), failed, len(late), took)
        return triaged if masking is None else in_masks_of(triaged, masking.rule, typed, masking.hidden)


@dataclass
class Masking:
    """Says findings for support people; `hidden` collects what is masked on the way."""

    sight: Sight
    rule: SupportRule
    hidden: list[str] = field(default_factory=list)

    def said(
        self, found: tuple[Conclusion, ...], runbook: Runbook, inputs: Mapping[str, Any], facts: Mapping[str, Fact]
    ) -> tuple[Conclusion, ...]:
        """What holds, said over masked facts as well."""
        veil = Veil.over(self.rule, runbook.checks)
        self.hidden += [text for key, fact in facts.items() for text in veil.hidden(key, fact)]
        scope = self.sight.scope(veil.mask.over(inputs), veil.facts(facts))
        return in_masks(found, runbook.findings, scope, veil.censor(facts, inputs))


def in_masks_of(found: Triaged, rule: SupportRule, typed: Mapping[str, Any], hidden: Iterable[str]) -> Triaged:
    """What triage tells support people. A button carries no masked identifier that its reader has not typed."""
    censor = Censor(rule.mask, [*hidden, *rule.mask.hidden(found.known)])
    suspects = [
        replace(
            each,
            inputs={key: value for key, value in each.inputs.items() if key in typed or not rule.mask.hides(key)},
            conclusions=tuple(replace(held, say=censor.words(held.masked)) for held in each.conclusions),
        )
        for each in found.suspects
    ]
    failed = tuple(map(censor.words, found.failed))
    return replace(found, known=rule.mask.over(found.known), suspects=tuple(suspects), failed=failed)


def identified(lookups: Lookups, given: Mapping[str, str], words: Iterable[str]) -> dict[str, Any]:
    """The identifiers that were given, typed. Raises `BadInputs`; Mistake for a word whose form tells nothing."""
    by_name = {each.name: each for each in lookups.inputs}
    wrong: dict[str, str] = {}
    known: dict[str, Any] = {}
    for name, text in given.items():
        if name not in by_name:
            wrong[name[:60]] = f"is no identifier of this system; those are {', '.join(by_name) or 'none'}."
            continue
        try:
            known[name] = value_of(by_name[name], text)
        except ValueError as error:
            wrong[name] = str(error)
    if wrong:
        raise BadInputs(wrong)
    for word in words:
        fitting = {}
        for field_ in lookups.inputs:
            with contextlib.suppress(ValueError):
                if field_.pattern or field_.type not in ("text", "choice"):
                    fitting[field_.name] = value_of(field_, word)
        if len(fitting) != 1:
            hint = f"Write what it is, as in {next(iter(by_name), 'name')}=…"
            raise Mistake(f"«{word[:80]}» may be anything.", hint=hint)
        known |= fitting
    return known


async def _resolved(sight: Sight, lookups: Lookups, known: Mapping[str, Any]) -> dict[str, Any]:
    """The identifiers with those that the lookups give; what a person gave is never replaced."""
    found = dict(known)
    absent = {each.name: None for each in lookups.inputs}
    facts = await sight.facts(lookups.checks, {**absent, **found})
    for name, expressions in lookups.gives.items():
        for expression in expressions:
            with contextlib.suppress(TemplateError):
                value = compile_expression(expression).evaluate(sight.scope({**absent, **found}, facts))
                if found.get(name) is None and value is not None:
                    found[name] = value
    return {name: value for name, value in found.items() if value is not None}


async def _suspect(sight: Sight, runbook: Runbook, known: Mapping[str, Any], masking: Masking | None) -> Suspect | None:
    """The runbook with the findings that hold, if they call for something."""
    mine = {each.name: str(known[each.name]) for each in runbook.inputs if each.name in known}
    try:
        inputs = parse_inputs(runbook, mine)
    except BadInputs:
        return None
    facts = await sight.facts(runbook.checks, inputs)
    held = problems(concluded(runbook.findings, sight.scope(inputs, facts)))
    if masking is not None:
        held = masking.said(held, runbook, inputs, facts)
    return Suspect(runbook, inputs, held, bool(mine)) if held else None
