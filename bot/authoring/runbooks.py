"""A runbook document to a `Runbook` of its system: kinds, needs, policies, conditions resolved, or problems noted."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from bot.authoring.charts import chart_of
from bot.authoring.dangers import UNREHEARSED, awaited, warn_of_dangers
from bot.authoring.document import ActionDoc, ApproveDoc, CheckDoc, FindingDoc, RunbookDoc, UndoDoc
from bot.authoring.inputs import check_input, input_of
from bot.authoring.ledger import Ledger
from bot.authoring.policies import check_policy, policy_of, warn_if_alone
from bot.authoring.problems import did_you_mean
from bot.authoring.reading import Path
from bot.authoring.references import RESERVED, Names, References, circle
from bot.authoring.rendering import SQL
from bot.authoring.stepping import Step, read_step, reads_of
from bot.domain.runbook import Action, Check, Effect, Finding, Input, Runbook, Section, Severity, UndoRule
from bot.domain.system import System
from bot.errors import Mistake
from bot.steps.sql_shape import Kill, shape

CHECK_TIMEOUT = timedelta(seconds=15)
ACTION_TIMEOUT = timedelta(seconds=30)
VERIFY_WITHIN = timedelta(seconds=30)
LONGEST_TIMEOUT = timedelta(minutes=15)


class _Reader:
    """Reads one runbook: every section notes its own problems, so that all of them are known at once."""

    def __init__(self, ledger: Ledger, said: RunbookDoc, system: System) -> None:
        self.ledger = ledger
        self.said = said
        self.system = system
        self.references = References(ledger, Names(frozenset(said.inputs), frozenset(said.checks)))

    def inputs(self) -> tuple[Input, ...]:
        """The typed inputs."""
        found = []
        for name, each in self.said.inputs.items():
            self._name(("inputs", name), name, taken=())
            found.append(input_of(name, each))
            check_input(self.ledger, ("inputs", name), found[-1])
        return tuple(found)

    def checks(self) -> dict[str, Check]:
        """The checks with the edges of their graph."""
        found = {}
        for key, raw in self.said.checks.items():
            self._name(("checks", key), key, taken=self.said.inputs)
            before = len(self.ledger.problems)
            step = read_step(self.ledger, Section.CHECKS, key, raw, CheckDoc, self.system)
            if step is None:
                continue
            if step.effect(Section.CHECKS) is Effect.WRITE and len(self.ledger.problems) == before:
                self.ledger.error(step.path, "This changes something, and a check only looks.", "Move it to actions:.")
            found[key] = self._check(step)
        way = circle({key: check.needs for key, check in found.items()})
        if way:
            self.ledger.error(("checks", way[0]), f"The checks need each other in a circle: {' → '.join(way)}.")
        return found

    def findings(self) -> tuple[Finding, ...]:
        """The findings in order."""
        return tuple(self._finding(key, each) for key, each in self.said.findings.items())

    def actions(self) -> dict[str, Action]:
        """The actions with their policies."""
        found = {}
        for key, raw in self.said.actions.items():
            self._name(("actions", key), key, taken=())
            step = read_step(self.ledger, Section.ACTIONS, key, raw, ActionDoc, self.system)
            if step is not None:
                found[key] = self._action(step)
        self._unproposed()
        return found

    def _check(self, step: Step[CheckDoc]) -> Check:
        said, path = step.common, step.path
        needs = reads_of(step, self.references) | self._condition(said.when, (*path, "when"))
        if step.key in needs:
            self.ledger.error(path, f"«{step.key}» reads its own result.")
        return Check(
            key=step.key,
            title=said.title or _title(step.key),
            kind=step.kind.name,
            spec=step.spec,
            needs=needs - {step.key},
            when=said.when,
            timeout=self._timeout(said.timeout, (*path, "timeout"), CHECK_TIMEOUT),
            chart=chart_of(self.ledger, step),
        )

    def _finding(self, key: str, said: FindingDoc) -> Finding:
        path: Path = ("findings", key)
        self._name(path, key, taken=())
        needs = self._condition(said.when, (*path, "when")) | self.references.template(said.say, (*path, "say"))
        for name in said.propose:
            if name not in self.said.actions:
                hint = did_you_mean(name, self.said.actions)
                self.ledger.error((*path, "propose"), f"There is no action «{name}».", hint)
        return Finding(key, said.when, said.say, tuple(said.propose), said.together, needs)

    def _action(self, step: Step[ActionDoc]) -> Action:
        said, path = step.common, step.path
        undo = self._undo(step, said.undo)
        policy = policy_of(said.approve, self.system, self.said.severity)
        if step.effect(Section.ACTIONS) is not Effect.NONE:
            at: Path = (*path, "approve") if said.approve is not None else path
            rehearsed = step.kind.name not in UNREHEARSED
            check_policy(self.ledger, at, policy, self.system.groups, rehearsed=rehearsed)
            if step.kind.name != "notify" and rehearsed:
                warn_if_alone(self.ledger, at, policy)
            warn_of_dangers(self.ledger, step, policy, undo, awaited(self.said))
        for name in said.evidence:
            if name not in self.said.checks:
                hint = did_you_mean(name, self.said.checks)
                self.ledger.error((*path, "evidence"), f"There is no check «{name}».", hint)
        needs = reads_of(step, self.references) | self._condition(said.when, (*path, "when"))
        if said.lock is not None:
            needs |= self.references.template(said.lock, (*path, "lock"))
        return Action(
            key=step.key,
            title=said.title or _title(step.key),
            kind=step.kind.name,
            spec=step.spec,
            policy=policy,
            needs=needs,
            when=said.when,
            evidence=tuple(said.evidence),
            fresh_for=said.fresh_for or timedelta(0),
            verify=said.verify,
            verify_needs=self._condition(said.verify, (*path, "verify")),
            verify_within=said.verify_within or VERIFY_WITHIN,
            undo=undo,
            lock=said.lock,
            critical=(said.approve or ApproveDoc()).critical,
            gated=step.effect(Section.ACTIONS) is not Effect.NONE,
            timeout=self._timeout(said.timeout, (*path, "timeout"), ACTION_TIMEOUT),
        )

    def _undo(self, step: Step[ActionDoc], said: UndoDoc | None) -> UndoRule:
        path: Path = (*step.path, "undo")
        if said is None:
            return UndoRule(automatic=undone_by_itself(step))
        if [said.automatic, said.action is not None, said.none is not None].count(True) != 1:
            self.ledger.error(path, "Write one of: undo: automatic, undo: {action: …}, undo: {none: why not}.")
        if said.action is not None and said.action not in self.said.actions:
            hint = did_you_mean(said.action, self.said.actions)
            self.ledger.error(path, f"There is no action «{said.action}».", hint)
        if said.action == step.key:
            self.ledger.error(path, "An action cannot be its own undoing.")
        if said.automatic and not undone_by_itself(step):
            self.ledger.error(path, f"A step of the kind «{step.kind.name}» has no undoing of its own.", _UNDO_HINT)
        return UndoRule(said.automatic, said.action, said.none or "")

    def _condition(self, text: str | None, path: Path) -> frozenset[str]:
        return frozenset() if text is None else self.references.expression(text, path)

    def _timeout(self, said: timedelta | None, path: Path, default: timedelta) -> timedelta:
        if said is not None and said > LONGEST_TIMEOUT:
            self.ledger.error(path, "A step may take 15 minutes at most.", "Use a wait for what takes longer.")
        return said or default

    def _name(self, path: Path, name: str, taken: Mapping[str, object] | tuple[()]) -> None:
        if not name.isascii() or not name.isidentifier() or name != name.lower() or len(name) > 40 or name[0] == "_":
            hint = "Small letters, digits and _, beginning with a letter, at most 40."
            self.ledger.error(path, f"«{name[:60]}» is not a name.", hint)
        elif name in RESERVED and path[0] in ("inputs", "checks"):
            self.ledger.error(path, f"«{name}» has a meaning in expressions and cannot be a name here.")
        elif name in taken:
            self.ledger.error(path, f"«{name}» is an input already; texts could not tell them apart.")

    def _unproposed(self) -> None:
        proposed = {name for finding in self.said.findings.values() for name in finding.propose}
        undoing = {
            raw["undo"].get("action") for raw in self.said.actions.values() if isinstance(raw.get("undo"), Mapping)
        }
        for key in self.said.actions:
            if key not in proposed | undoing:
                self.ledger.warning(("actions", key), f"No finding proposes «{key}».", "It can only be chosen by hand.")


_UNDO_HINT = "Name an action that does it, or say why not: undo: {none: …}."


def undone_by_itself(step: Step[Any]) -> bool:
    """Whether the kind can take the step back from what it saw before: rows and indexes, not ended sessions."""
    query = step.spec.get(step.kind.shorthand)
    if step.kind.name != SQL or step.made is None or not isinstance(query, str | list):
        return False
    try:
        return not any(isinstance(shape(each), Kill) for each in ([query] if isinstance(query, str) else query))
    except Mistake:
        return False


def runbook_of(ledger: Ledger, said: RunbookDoc, system: System, version: str, source: str) -> Runbook:
    """The runbook; what does not hold together is noted in the ledger."""
    if said.system is not None and said.system != system.id:
        ledger.error(("system",), f"The runbook is of «{said.system}» and lies with «{system.id}».")
    reader = _Reader(ledger, said, system)
    return Runbook(
        id=said.id,
        title=said.title,
        system=system.id,
        version=version,
        severity=said.severity,
        resolve_within=said.resolve_within,
        summary=" ".join(said.summary.split()),
        symptoms=tuple(said.symptoms),
        triage=said.triage,
        inputs=reader.inputs(),
        checks=reader.checks(),
        findings=reader.findings(),
        actions=reader.actions(),
        follow_ups=tuple(said.follow_ups),
        notes=tuple(" ".join(note.split()) for note in said.notes),
        source=source,
    )


def outside(
    ledger: Ledger, system: System, checks: Mapping[str, Any], inputs: Mapping[str, Any] | None = None
) -> Runbook:
    """Checks and inputs that are written beside the runbooks, held to account as those of a runbook are."""
    stand_in = RunbookDoc(
        id="OUTSIDE",
        title="Outside a runbook",
        severity=Severity.P3,
        resolve_within=timedelta(hours=1),
        inputs=dict(inputs or {}),
        checks=dict(checks),
    )
    return runbook_of(ledger, stand_in, system, "", "")


def _title(key: str) -> str:
    return key.replace("_", " ").capitalize()
