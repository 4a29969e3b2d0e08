"""The canary: the checks of each runbook, alone, against the real targets, to know in time that they still can look.

It asks nobody, proposes nothing and changes nothing. A runbook is tried without inputs, or with those probes that were
declared; one that needs more is named and left alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog

from bot.authoring.inputs import parse_inputs
from bot.clock import Clock
from bot.domain.events import BOT
from bot.domain.facts import Fact, FactStatus
from bot.domain.proof import Proof, ProofKind, out_of_reach
from bot.domain.runbook import ASKING, Check, Runbook
from bot.domain.system import SecretRef, System, variables
from bot.domain.triage import Lookups
from bot.errors import BadInputs, Misconfigured
from bot.runs.library import Library
from bot.runs.sight import Sight
from bot.steps.targets import Targets
from bot.store import proofs
from bot.store.session import Store

log = structlog.get_logger(__name__)

_LONGEST = 500


@dataclass(frozen=True, slots=True)
class Looked:
    """How the canary fared with one runbook: the proof, or why there is none, and which checks told nothing."""

    runbook: Runbook
    proof: Proof | None
    why: str = ""
    silent: tuple[str, ...] = ()


class Canary:
    """Tries one runbook after the other: the night is long, and what is looked at has other work."""

    def __init__(self, store: Store, library: Library, targets: Targets, clock: Clock) -> None:
        self._store = store
        self._library = library
        self._targets = targets
        self._clock = clock

    async def nightly(self) -> None:
        """Try every runbook."""
        looked = await self.tried()
        failed = [each.runbook.id for each in looked if each.proof is not None and not each.proof.passed]
        seen = sum(each.proof is not None for each in looked)
        log.info("live checks tried", runbooks=seen, failed=failed, left_alone=len(looked) - seen)

    async def tried(self, ids: Iterable[str] = (), by: str = BOT) -> Sequence[Looked]:
        """Try the runbooks of these ids, or all, and record how each ended. Raises `Mistake` for an unknown id."""
        wanted = [self._library.known(id) for id in dict.fromkeys(ids)] or self._library.catalogue.list()
        looked: list[Looked] = []
        for system in self._library.catalogue.systems.values():
            own = [runbook for runbook in wanted if runbook.system == system.id]
            if own:
                looked += await self._system(system, own, by)
        return looked

    async def _system(self, system: System, runbooks: Sequence[Runbook], by: str) -> Sequence[Looked]:
        needed = variables(system)
        if needed and not any(self._targets.knows(ref) for ref in needed):
            why = "its system is not set up here: none of its variables is set"
            return [Looked(runbook, None, why) for runbook in runbooks]
        sight = Sight(self._targets, system, self._clock, by)
        try:
            looked = [await self._look(sight, runbook) for runbook in runbooks]
        finally:
            await sight.close()
        await self._record([each.proof for each in looked if each.proof is not None], by)
        return looked

    async def _look(self, sight: Sight, runbook: Runbook) -> Looked:
        lookups = self._library.catalogue.lookups.get(runbook.system, Lookups())
        why = out_of_reach(runbook, lookups)
        if why:
            return Looked(runbook, None, why)
        try:
            inputs = parse_inputs(runbook, self._probes(runbook, lookups))
        except BadInputs as error:
            return Looked(runbook, None, f"the probe of {error}")
        except Misconfigured as error:
            return Looked(runbook, None, f"a probe is missing: {error}")
        return judged(runbook, await sight.facts(runbook.checks, inputs), self._clock.now())

    def _probes(self, runbook: Runbook, lookups: Lookups) -> Mapping[str, str]:
        """What stands in for the inputs, as it would be typed: an input's own probe, or else the one that the system's
        triage file has under its name. Raises `Misconfigured` where a variable that is needed is not set."""
        shared = {each.name: each.probe for each in lookups.inputs}
        given = {}
        for each in runbook.inputs:
            probe = each.probe or shared.get(each.name)
            if probe is None:
                continue
            needed = each.required and each.default is None
            if not probe.env:
                given[each.name] = probe.value
            elif needed or self._targets.knows(SecretRef(probe.env)):
                given[each.name] = self._targets.address(SecretRef(probe.env))
        return given

    async def _record(self, tries: Sequence[Proof], by: str) -> None:
        systems, versions = {each.system for each in tries}, {each.version for each in tries}
        async with self._store.reading() as connection:
            before = await proofs.known(connection, systems, versions)
        async with self._store.transaction() as tx:
            await proofs.record(tx, ProofKind.LIVE, tries, by)
        for each in tries:
            if not each.passed and passed_before(each, before):
                log.warning("live checks no longer pass", runbook=each.runbook, reason=each.detail)


def passed_before(tried: Proof, before: Iterable[Proof]) -> bool:
    """Whether the last live try of the runbook before this one, of whichever version, passed."""
    live = [each for each in before if each.runbook == tried.runbook and each.kind is ProofKind.LIVE]
    return bool(live) and max(live, key=lambda each: each.at).passed


def judged(runbook: Runbook, facts: Mapping[str, Fact], now: datetime) -> Looked:
    """What the facts prove: a runbook passes when a check could be answered, and none failed."""
    looking = {key: check for key, check in runbook.checks.items() if check.kind not in ASKING}
    answered = [key for key, check in looking.items() if _answered(check, facts.get(key))]
    failed = [
        f"«{check.title}»: {facts[key].error}"
        for key, check in looking.items()
        if key not in answered and key in facts and facts[key].status in (FactStatus.FAILED, FactStatus.TIMED_OUT)
    ]
    silent = tuple(_silent(check, facts.get(key)) for key, check in runbook.checks.items() if _told_nothing(facts, key))
    if not answered and not failed:
        return Looked(runbook, None, "none of its checks could be tried", silent)
    more = f" And {len(failed) - 1} more." if len(failed) > 1 else ""
    count = f"{len(answered)} of {len(looking)} checks answered"
    said = f"{failed[0][:_LONGEST]}{more}" if failed else count
    proof = Proof(runbook.id, runbook.system, runbook.version, ProofKind.LIVE, not failed, now, said)
    return Looked(runbook, proof, "", silent)


def _answered(check: Check, fact: Fact | None) -> bool:
    """Whether a look was answered. That a query has other rows than expected is an answer, and no broken check."""
    if fact is None:
        return False
    return fact.status is FactStatus.DONE or (check.kind == "sql" and bool(fact.value))


def _told_nothing(facts: Mapping[str, Fact], key: str) -> bool:
    return key not in facts or facts[key].status is FactStatus.SKIPPED


def _silent(check: Check, fact: Fact | None) -> str:
    """Why a check told nothing."""
    return f"«{check.title}»: {'asks a person' if fact is None else fact.summary}"
