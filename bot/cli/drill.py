"""`runbook drill`: a planted fault, played by a responder and an approver through Slack's wire, judged and timed.

Nothing is taken from the bot's insides that a person could not see, except the record of the run.
"""

from __future__ import annotations

import asyncio
import re
import shlex
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

import asyncpg

from bot.cli.drills import FOUND, Drill, Played
from bot.cli.sandbox import OPTIONS, Sandbox, populated
from bot.domain.approval import RequestState
from bot.domain.change import rows_to_say
from bot.domain.policy import StepUp
from bot.domain.run import ActionRun, ActionStatus, Run, RunState
from bot.errors import BotError, Mistake
from bot.runs.concluding import UNSAID
from bot.runs.proof import to_type
from bot.runs.shown import RunShown
from bot.sandbox.postgres import Postgres
from bot.sandbox.sample import Ground, Planted
from bot.sandbox.slack.blocks import Element
from bot.sandbox.slack.errors import PersonError
from bot.sandbox.slack.person import Person
from bot.sandbox.slack.screen import Seen
from bot.slack.forms import option_parts, option_value
from bot.slack.verbs import Ref, Verb
from bot.slack.views.checklist import filled
from bot.slack.views.votes import NAME, ROWS

T = TypeVar("T")

PATIENCE = 30.0
NOTHING = "nothing"
_CAUSES = re.compile(r"\b(no cause|\d+ causes?) found")
_RANKED = re.compile(r"^\W*1\. (\S+)", re.MULTILINE)
CLICKS = {"skip": Verb.SKIP, "undo": Verb.UNDO, "look": Verb.VERIFY_AGAIN, "close": Verb.CLOSE}
QUIET = (RunState.DECIDING, RunState.AWAITING_APPROVAL, RunState.DONE, RunState.PARKED, RunState.CANCELLED)


async def playing(drills: Sequence[Drill]) -> AsyncIterator[Played]:
    """Play each drill in a sandbox of its own on one throw-away PostgreSQL."""
    with Postgres.temporary(options=OPTIONS) as postgres:
        for each in drills:
            yield await played(each, postgres)


async def played(wanted: Drill, postgres: Postgres) -> Played:
    """Play one drill in a fresh sandbox. A fault that cannot be planted is a drill that failed."""
    async with populated(postgres, systems=(wanted.system,), rate_limits=False) as sandbox:
        try:
            planted = await sandbox.world.plant(wanted.system, wanted.fault)
        except (BotError, asyncpg.PostgresError, OSError, TimeoutError, LookupError) as error:
            said = f"{wanted.fault} could not be planted: {type(error).__name__}: {error}"
            version = version_of(sandbox, wanted)
            return Played(wanted.system, wanted.runbook, wanted.branch, (said,), {}, 0.0, version=version)
        try:
            return await Stage(sandbox, wanted, planted).run()
        finally:
            await planted.close()


def version_of(sandbox: Sandbox, drill: Drill) -> str:
    """The version of the drill's runbook that the bot in this sandbox has."""
    return sandbox.bot.desk.library.known(drill.runbook).version


@dataclass
class Stage:
    """One drill being played: the people, the clock and what differed so far."""

    sandbox: Sandbox
    drill: Drill
    planted: Planted
    differences: list[str] = field(default_factory=list)
    stages: dict[str, float] = field(default_factory=dict)
    held: dict[str, None] = field(default_factory=dict)
    acted: dict[str, None] = field(default_factory=dict)
    _since: float = field(default_factory=time.perf_counter)

    async def run(self) -> Played:
        """Start, look, act in turn, judge."""
        responder = self.sandbox.world.slack.person("ana")
        target = 0.0
        try:
            if self.drill.triage is not None:
                await self._triage(self.drill.triage, responder)
            inputs = " ".join(f"{name}={self._filled(value)}" for name, value in self.drill.inputs.items())
            await responder.types(f"/runbook {self.drill.runbook} {inputs}")
            run = await self._until(self._quiet, "the findings")
            target = run.resolve_within.total_seconds()
            self._lap(FOUND)
            self._compare("findings", list(self.drill.findings), [each.key for each in run.conclusions])
            for step in self.drill.play:
                await self._play(step, responder)
            await self._judge()
        except (AssertionError, TimeoutError, BotError, PersonError) as error:
            self.differences.append(str(error) or type(error).__name__)
        drill = self.drill
        done = tuple(self.differences), self.stages, target, tuple(self.held), tuple(self.acted)
        return Played(drill.system, drill.runbook, drill.branch, *done, version=version_of(self.sandbox, drill))

    async def _triage(self, first: str, responder: Person) -> None:
        """Whether triage, given what is known of the customer, ranks this runbook first, or none for `nothing`."""
        catalogue = self.sandbox.bot.desk.library.catalogue
        lookups = catalogue.lookups.get(self.drill.system)
        names = [each.name for each in lookups.inputs] if lookups else []
        known = {**self.planted.ids, **{name: self._filled(value) for name, value in self.drill.inputs.items()}}
        given = " ".join(f"{name}={known[name]}" for name in names if name in known)
        await responder.types(f"/runbook triage {self.drill.system} {given}")
        seen = await responder.sees(lambda seen: bool(_CAUSES.search(seen.text)), PATIENCE)
        ranked = _RANKED.findall(seen.text)
        self._compare("triage ranks first", first, ranked[0] if ranked else NOTHING)
        self._lap("triage")

    async def _play(self, step: Mapping[str, Any], responder: Person) -> None:
        """One thing a person does."""
        ((verb, what),) = step.items()
        match verb:
            case "approve":
                await self._approve(str(what), responder)
            case "choose":
                await responder.selects(Verb.CHOOSE, str(what))
            case "answer":
                await responder.selects(Verb.PICK, await self._option(int(what)))
                await self._until(self._quiet, "what follows the answer")
            case "fill":
                await responder.clicks(Verb.ANSWER)
                await responder.submits(**{name: self._filled(str(value)) for name, value in what.items()})
                await self._until(self._quiet, "what follows the answer")
            case "tick":
                await self._tick(what, responder)
            case "report":
                await responder.clicks(Verb.REPORT)
                await responder.submits(**{name: str(value) for name, value in what.items()})
            case "skip" | "undo" | "look" | "close":
                action = "" if verb == "close" else str(what)
                await responder.clicks(partial(_presses, CLICKS[verb], action), within=PATIENCE)
            case "again":
                await self._until(self._quiet, "the end of what is under way")
                await responder.clicks(Verb.RECHECK)
                run = await self._until(self._quiet, "the findings of the second look")
                self._compare("findings, again", list(what), [each.key for each in run.conclusions])
            case "finds":
                run = await self._until(self._quiet, "the findings")
                self._compare("findings, then", list(what), [each.key for each in run.conclusions])
            case "sql":
                await self._sql(str(what))
            case "plant":
                await self._plant(str(what))
            case _:
                raise Mistake(f"A drill knows no step «{verb}».")
        self._lap(f"{verb} {what}" if isinstance(what, str) and verb != "sql" else verb)

    async def _tick(self, keys: Sequence[str], responder: Person) -> None:
        """Tick these items of the checklist that has them."""
        listed = next(
            each for each in (await self._shown()).questions if {item.key for item in each.items} >= set(keys)
        )
        await responder.clicks(Verb.TICK)
        await responder.submits(**filled(listed, keys))
        await self._until(self._quiet, "what follows the ticks")

    async def _option(self, place: int) -> str:
        """The value of an option of the question that is asked, counted from 1."""
        question = next(each for each in (await self._shown()).questions if each.options)
        return option_value(option_parts(question.options[place - 1])[0])

    async def _approve(self, action: str, responder: Person) -> None:
        """The requester tries first and is refused, unless the action is theirs to confirm; then an approver of the
        group approves; then the action has ended."""

        async def asked() -> RunShown | None:
            shown = await self._shown()
            approval = shown.approvals.get(action)
            return shown if approval and approval.request.state is RequestState.PENDING else None

        shown = await self._until(asked, f"the request for {action}")
        policy = shown.approvals[action].request.policy
        self._lap(f"asked {action}")
        await self._click_approve(responder, action, refused=not policy.confirm)
        if not policy.confirm:
            await responder.sees("somebody else has to approve it", PATIENCE)
            # A modal that was opened to read it all would lie above the next one.
            if any(seen.surface == "modal" for seen in responder.screen()):
                await responder.closes(clear=True)
            for name in self._approvers(policy.groups)[: policy.votes]:
                await self._click_approve(self.sandbox.world.slack.person(name), action)

        async def ended() -> Run | None:
            run = (await self._shown()).run
            status = run.actions[action].status
            return None if status.busy and status is not ActionStatus.WAITING else run

        run = await self._until(ended, f"the end of {action}")
        status = run.actions[action].status
        if status not in (ActionStatus.DONE, ActionStatus.WAITING):
            self.differences.append(f"{action} ended as {status}: {run.actions[action].reason}")

    async def _click_approve(self, person: Person, action: str, *, refused: bool = False) -> None:
        """Click the Approve that stands for this action, once the card shows it; what the card cannot show whole is
        opened first, and a second proof is given where the policy asks for one. Who is refused is asked for none."""
        card = await person.sees(lambda seen: action in _about(seen, Verb.APPROVE, Verb.DENY), PATIENCE)
        approval = (await self._shown()).approvals[action]
        step_up, rows = approval.request.policy.step_up, rows_to_say(approval.previews.values())
        asks = step_up is not StepUp.NONE or rows is not None
        opened = action not in _about(card, Verb.APPROVE)
        if opened:
            await person.clicks(Verb.DETAILS, card)
            await person.modal(PATIENCE)
        await person.clicks(Verb.APPROVE, None if opened else card)
        if asks and refused:
            return
        if asks:
            await person.sees(lambda seen: seen.surface == "modal" and bool({NAME, ROWS} & _inputs(seen)), PATIENCE)
            named = {} if step_up is StepUp.NONE else {NAME: to_type(approval.request)}
            await person.submits(**named, **({} if rows is None else {ROWS: f"{rows:,}"}))
        elif opened:
            await person.sees(lambda seen: seen.surface == "modal" and not _about(seen, Verb.APPROVE), PATIENCE)

    async def _judge(self) -> None:
        expect = self.drill.expect
        state = RunState(expect.get("state", "done"))

        async def arrived() -> Run | None:
            run = (await self._shown()).run
            return run if run.state is state else None

        try:
            await self._until(arrived, f"the state {state}")
        except TimeoutError as error:
            self.differences.append(str(error))
        self._lap("ended")
        shown = await self._shown()
        known = shown.run.actions
        self.acted |= dict.fromkeys(key.removeprefix("undo:") for key, each in known.items() if _taken_up(each))
        for key, status in expect.get("actions", {}).items():
            action = shown.run.actions.get(key)
            self._compare(key, status, action.status.value if action else "not there")
        await self._started(expect.get("started", {}))
        for query in expect.get("sql", ()):
            got = await self._rows(query["query"])
            self._compare(query["query"], query["gives"], got)
        for word in expect.get("mail", ()):
            if not any(word in f"{mail.subject}\n{mail.text}" for mail in self._ground.mail.mails):
                self.differences.append(f"no mail says «{word}»")
        for id, wanted in expect.get("stripe", {}).items():
            found = self._ground.stripe.objects.find(self._filled(id)) or {}
            self._compare(f"Stripe's {id}", wanted, {name: _plain(found.get(name)) for name in wanted})
        asked = [f"{each.method} {each.path}" for each in self._ground.services.asked]
        ran = [shlex.join(call) for call in self._ground.programs.calls()]
        for what, said in (("asked", asked), ("ran", ran)):
            for line, times in expect.get(what, {}).items():
                self._compare(f"{what} {line}", times, said.count(self._filled(line)))

    async def _started(self, wanted: Mapping[str, Sequence[str]]) -> None:
        """The runbooks that the run has led to, with what each found."""
        for runbook, findings in wanted.items():
            other = await self._until(partial(self._quiet, runbook), f"the findings of {runbook}")
            self._compare(f"findings of {runbook}", list(findings), [each.key for each in other.conclusions])

    @property
    def _ground(self) -> Ground:
        return self.sandbox.world.grounds[self.drill.system]

    async def _rows(self, query: str) -> Any:
        connection = await asyncpg.connect(self._ground.database.read_url)
        try:
            row = await connection.fetchrow(self._filled(query))
            return None if row is None else {key: _plain(value) for key, value in row.items()}
        finally:
            await connection.close()

    async def _plant(self, fault: str) -> None:
        """What somebody or something outside changes meanwhile."""
        before = self.planted
        self.planted = await self.sandbox.world.plant(self.drill.system, fault)
        await before.close()

    async def _sql(self, statement: str) -> None:
        connection = await self._ground.database.connect()
        try:
            await connection.execute(self._filled(statement))
        finally:
            await connection.close()

    async def _run_of(self, runbook: str) -> Run | None:
        """The run of a runbook: the drill's own, or one that it has led to."""
        runs = await self.sandbox.bot.desk.reads.recent()
        return next((run for run in runs if run.runbook == runbook), None)

    async def _quiet(self, runbook: str = "") -> Run | None:
        """The run, once the bot waits for people, or for the world to change, and its card says so."""
        run = await self._run_of(runbook or self.drill.runbook)
        if run is None:
            return None
        waits = run.current is not None and run.current.status is ActionStatus.WAITING
        if run.state not in QUIET and not waits:
            return None
        if not runbook:
            self.held |= dict.fromkeys(each.key for each in run.conclusions)
            unsaid = [each.say for each in run.conclusions if UNSAID in each.say]
            self.differences += [said for said in unsaid if said not in self.differences]
        # A preview in the making is not quiet yet.
        busy = run.current is not None and run.current.status is ActionStatus.PREVIEWING
        return None if busy else run

    async def _shown(self) -> RunShown:
        run = await self._run_of(self.drill.runbook)
        if run is None:
            raise Mistake("No run was started.")
        return await self.sandbox.bot.desk.reads.shown(run.id)

    async def _until(self, probe: Callable[[], Awaitable[T | None]], what: str, seconds: float = PATIENCE) -> T:
        """The first thing the probe finds; asked again after every change in the workspace."""
        try:
            async with asyncio.timeout(seconds):
                while (found := await probe()) is None:
                    await self.sandbox.world.slack.space.changes.next_one(seconds)
                return found
        except TimeoutError:
            run = await self._run_of(self.drill.runbook)
            stands = _standing(run) if run else "no run was started"
            raise TimeoutError(f"{what} did not come within {seconds:g} s; {stands}.") from None

    def _approvers(self, groups: Sequence[str]) -> list[str]:
        system = self.sandbox.bot.desk.library.catalogue.systems[self.drill.system]
        handles = {system.groups[group].slack for group in groups}
        space = self.sandbox.world.slack.space
        members = [user for group in space.usergroups.values() if group.handle in handles for user in group.users]
        return list(dict.fromkeys(space.users[user].name for user in members if space.users[user].name != "ana"))

    def _filled(self, text: str) -> str:
        """The text with what the fault planted: {business_id}, {pid}, …"""
        for name, value in self.planted.ids.items():
            text = text.replace(f"{{{name}}}", value)
        return text

    def _compare(self, what: str, wanted: Any, got: Any) -> None:
        if wanted != got:
            self.differences.append(f"{what}: expected {wanted}, got {got}")

    def _lap(self, stage: str) -> None:
        now = time.perf_counter()
        self.stages[stage] = round(self.stages.get(stage, 0) + now - self._since, 4)
        self._since = now


def _standing(run: Run) -> str:
    """Where a run stands, with its questions and its actions, in a line."""
    actions = ", ".join(f"{key} {action.status}" for key, action in run.actions.items())
    asks = f"; it asks {', '.join(check.key for check in run.questions)}" if run.questions else ""
    return f"the run is {run.state}{asks}{f'; {actions}' if actions else ''}"


def _taken_up(action: ActionRun) -> bool:
    """Whether somebody or the plan came to the action; what the bot left out, or never reached, was not played."""
    if action.status is ActionStatus.SKIPPED:
        return bool(action.left_out_by)
    return action.status not in (ActionStatus.OFFERED, ActionStatus.QUEUED)


def _about(seen: Seen, *verbs: Verb) -> set[str]:
    """The actions that a message's buttons with these verbs stand for."""
    blocks = seen.raw.get("blocks") or []
    pressed = [each for block in blocks for each in block.get("elements") or () if each.get("action_id") in verbs]
    return {Ref.decode(each["value"]).action for each in pressed}


def _inputs(seen: Seen) -> set[str]:
    """The names of a form's inputs."""
    return {str(block.get("block_id")) for block in seen.raw.get("blocks") or [] if block.get("type") == "input"}


def _presses(verb: Verb, action: str, element: Element) -> bool:
    """Whether an element is the button with this verb that stands for this action."""
    return element.action_id == verb and Ref.decode(element.data["value"]).action == action


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, bool | int | float) else str(value)
