"""Loading what screens show about runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from bot.clock import Clock
from bot.domain.approval import RequestState, Verdict, evaluate
from bot.domain.change import Receipt
from bot.domain.checklist import checklist_of
from bot.domain.facts import Fact, FactStatus
from bot.domain.masking import Censor
from bot.domain.proof import Proven, proven
from bot.domain.run import ActionStatus, Run
from bot.domain.runbook import Input, Runbook
from bot.domain.system import SupportRule
from bot.errors import Mistake
from bot.runs.library import Library
from bot.runs.masking import censor_of, rule_of, veiled, veiled_event, veiled_run
from bot.runs.shown import ApprovalShown, QuestionShown, RunShown
from bot.steps.forms import inputs
from bot.store import approvals, audit, incidents, proofs, runs
from bot.store.approvals import StoredRequest
from bot.store.audit import AuditLine
from bot.store.codec import unpack
from bot.store.session import Connection, Store


@dataclass(frozen=True, slots=True)
class Waiting:
    """A request that waits for votes, with its run."""

    stored: StoredRequest
    run: Run


class Reads:
    """Reads for screens: never inside an action's transaction, always what is committed. Of a support run everything
    is masked, unless it is asked for `whole`."""

    def __init__(self, store: Store, library: Library, clock: Clock) -> None:
        self._store = store
        self._library = library
        self._clock = clock

    async def shown(self, run_id: str, *, whole: bool = False) -> RunShown:
        """Everything about a run. Raises `Mistake` when there is no such run."""
        shown = await self._shown(run_id)
        return shown if whole or not shown.run.support else veiled(shown, await self._rule(shown.run))

    async def _shown(self, run_id: str) -> RunShown:
        async with self._store.reading() as connection:
            run = await runs.get(connection, run_id)
            if run is None:
                raise Mistake("This run is not known here.")
            facts = await runs.facts(connection, run_id)
            requests = await approvals.latest(connection, run_id)
            approved = {key: await self._approval(connection, stored) for key, stored in requests.items()}
            effects = await approvals.effects(connection, run_id)
            receipts: dict[str, Receipt] = {
                key: done.receipt for key, done in effects.items() if done.receipt is not None
            }
            incident = None if run.incident is None else await incidents.get(connection, run.incident)
            previous = await runs.previous(connection, run)
        runbook, _ = await self._library.of_run(run)
        return RunShown(
            run=run,
            runbook=runbook,
            now=self._clock.now(),
            facts=facts,
            approvals=approved,
            receipts=receipts,
            questions=_questions(facts),
            reports=_reports(run, runbook),
            incident=incident,
            previous=None if previous is None else previous.number,
        )

    async def run(self, run_id: str) -> Run:
        """The run with this id. Raises `Mistake` when there is none."""
        async with self._store.reading() as connection:
            found = await runs.get(connection, run_id)
        if found is None:
            raise Mistake("This run is not known here.")
        return await self._veiled(found)

    async def by_number(self, number: int) -> Run:
        """The run with this number. Raises `Mistake` when there is none."""
        async with self._store.reading() as connection:
            found = await runs.by_number(connection, number)
        if found is None:
            raise Mistake(f"There is no run {number}.")
        return await self._veiled(found)

    async def live(self) -> Sequence[Run]:
        """Runs under way, newest first."""
        async with self._store.reading() as connection:
            found = await runs.recent(connection, live=True)
        return [await self._veiled(run) for run in found]

    async def recent(self, limit: int = 10, *, by: str | None = None) -> Sequence[Run]:
        """The newest runs, of one person where `by` names them."""
        async with self._store.reading() as connection:
            found = await runs.recent(connection, limit, by=by)
        return [await self._veiled(run) for run in found]

    async def of_incident(self, incident_id: str) -> Sequence[RunShown]:
        """The runs of an incident, oldest first, with everything about them."""
        async with self._store.reading() as connection:
            found = await runs.of_incident(connection, incident_id)
        return [await self.shown(run.id) for run in found]

    async def request(self, request_id: str) -> StoredRequest:
        """A request for approval. Raises `Mistake` when there is none."""
        async with self._store.reading() as connection:
            stored = await approvals.get(connection, request_id)
        if stored is None:
            raise Mistake("This request is not known here.")
        return stored

    async def waiting(self) -> Sequence[Waiting]:
        """Requests that wait for votes, with their runs."""
        async with self._store.reading() as connection:
            found = []
            for stored in await approvals.pending(connection):
                run = await runs.get(connection, stored.request.run)
                if run is not None:
                    found.append(Waiting(stored, run))
        return [Waiting(each.stored, await self._veiled(each.run)) for each in found]

    async def audit(self, *, run_id: str | None = None, incident_id: str | None = None) -> Sequence[AuditLine]:
        """What happened, oldest first."""
        async with self._store.reading() as connection:
            lines = await audit.read(connection, run_id=run_id, incident_id=incident_id)
            masked = await runs.of_support(connection, {line.run_id for line in lines if line.run_id is not None})
        censors = {run.id: await self._censor(run) for run in masked}
        return [
            line
            if (censor := censors.get(line.run_id or "")) is None
            else replace(line, data=veiled_event(line.data, censor))
            for line in lines
        ]

    async def _veiled(self, run: Run) -> Run:
        return veiled_run(run, await self._censor(run)) if run.support else run

    async def _censor(self, run: Run) -> Censor:
        return censor_of(await self._shown(run.id), await self._rule(run))

    async def _rule(self, run: Run) -> SupportRule:
        _, system = await self._library.of_run(run)
        return rule_of(system)

    async def proven(self, system: str = "") -> Mapping[str, Proven]:
        """How far each runbook of the catalogue, or of one of its systems, is proven, by id."""
        catalogue = self._library.catalogue
        own = catalogue.of_system(system) if system else catalogue.list()
        async with self._store.reading() as connection:
            known = await proofs.known(connection, {each.system for each in own}, {each.version for each in own})
        return proven(own, catalogue.lookups, known, self._clock.now())

    async def _approval(self, connection: Connection, stored: StoredRequest) -> ApprovalShown:
        request = stored.request
        votes = await approvals.votes(connection, request.id)
        # The store has judged every vote when it came; here they are only shown, so everybody who voted is a member.
        voters = frozenset(vote.person.id for vote in votes)
        members: Mapping[str, frozenset[str]] = dict.fromkeys(request.policy.everybody, voters)
        verdict = evaluate(request, votes, members, self._clock.now())
        if request.state is not RequestState.PENDING:
            verdict = Verdict(request.state, votes)
        previews = {key: part.preview for key, part in stored.parts.items()}
        return ApprovalShown(request, previews, votes, verdict)


def _questions(facts: Mapping[str, Fact]) -> tuple[QuestionShown, ...]:
    return tuple(question_of(key, fact) for key, fact in facts.items() if fact.status is FactStatus.ASKING)


def question_of(key: str, fact: Fact) -> QuestionShown:
    """The question a waiting fact holds."""
    form = tuple(unpack(Input, field) for field in fact.value.get("form", ()))
    listed = checklist_of(fact.value)
    items = () if listed is None else listed.items
    return QuestionShown(key, str(fact.value.get("text", "")), form, tuple(fact.value.get("options", ())), items)


def _reports(run: Run, runbook: Runbook) -> Mapping[str, QuestionShown]:
    """The manual actions that wait for somebody to say they are done, with what their author wants reported."""
    waiting = (each for each in run.actions.values() if each.status is ActionStatus.WAITING and each.due is None)
    return {
        each.key: QuestionShown(each.key, each.reason, inputs(runbook.actions[each.key].spec.get("form") or {}))
        for each in waiting
    }
