"""Runs as support people see them: the one place where everything that screens show of a support run is masked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from bot.domain.approval import Verdict, Vote
from bot.domain.change import Preview, Receipt, RowChange
from bot.domain.checklist import Item
from bot.domain.facts import Fact, to_json
from bot.domain.masking import Censor, Mask, covered, token
from bot.domain.run import ActionRun, CheckRun, Run
from bot.domain.runbook import Check, Input
from bot.domain.system import SupportRule, System
from bot.runs.scope import scope_of
from bot.runs.shown import ApprovalShown, QuestionShown, RunShown
from bot.steps.sql_origins import carrying

_NAMES = frozenset({"action", "also", "by", "check", "choice", "digest", "key", "request", "runbook", "status", "to"})


def rule_of(system: System) -> SupportRule:
    """How support people see a system; one that does not say shows them nothing."""
    return system.support or SupportRule("")


@dataclass(frozen=True, slots=True)
class Veil:
    """A rule laid over some checks: `also` are the columns of each that carry a masked value under another name, and
    `whole` the checks of which everything is masked."""

    rule: SupportRule
    also: Mapping[str, frozenset[str]]
    whole: frozenset[str]

    @classmethod
    def over(cls, rule: SupportRule, checks: Mapping[str, Check]) -> Veil:
        """The rule over these checks."""
        statements = {key: str(check.spec["query"]) for key, check in checks.items() if check.kind == "sql"}
        carried = {key: carrying(statement, rule.mask) for key, statement in statements.items()}
        also = {key: columns for key, columns in carried.items() if columns is not None}
        unknown = carried.keys() - also.keys()
        return cls(rule, also, frozenset(key for key in checks if key in unknown or rule.mask.hides(key)))

    @property
    def mask(self) -> Mask:
        """Which columns are masked."""
        return self.rule.mask

    def facts(self, facts: Mapping[str, Fact]) -> dict[str, Fact]:
        """The facts with their values masked, row for row."""
        return {key: self.fact(key, fact) for key, fact in facts.items()}

    def fact(self, key: str, fact: Fact) -> Fact:
        """One fact with its values masked."""
        return replace(
            fact,
            value=covered(fact.value) if key in self.whole else self.mask.of(key).over(fact.value, self._also(key)),
        )

    def scope(self, run: Run, facts: Mapping[str, Fact], now: datetime) -> dict[str, Any]:
        """What sentences for support people are made of."""
        return scope_of(replace(run, inputs=self.mask.over(run.inputs)), self.facts(facts), now)

    def censor(self, facts: Mapping[str, Fact], *others: Any, texts: Iterable[str] = ()) -> Censor:
        """Masks in words what these facts and this other data hold under masked names, and these texts."""
        found = [text for key, fact in facts.items() for text in self.hidden(key, fact)]
        return Censor(self.mask, [*texts, *found, *(text for data in others for text in self.mask.hidden(data))])

    def hidden(self, key: str, fact: Fact) -> Iterator[str]:
        """The texts that are masked in one fact."""
        whole = frozenset(fact.value) if key in self.whole else frozenset()
        return self.mask.of(key).hidden(fact.value, self._also(key) | whole)

    def _also(self, key: str) -> frozenset[str]:
        return self.also.get(key, frozenset())


def veiled(shown: RunShown, rule: SupportRule) -> RunShown:
    """Everything a screen shows of a support run, masked; tables have their most rows."""
    veil = Veil.over(rule, shown.runbook.checks)
    censor = _censor_of(veil, shown)
    facts = {
        key: replace(fact, value=censor.data(fact.value), summary=censor.words(fact.summary), error="")
        for key, fact in veil.facts(shown.facts).items()
    }
    capped = {key: _capped(fact.value, rule.rows) for key, fact in facts.items()}
    return replace(
        shown,
        run=veiled_run(shown.run, censor),
        facts={key: replace(fact, value=capped[key][0]) for key, fact in facts.items()},
        left={key: left for key, (_, left) in capped.items() if left},
        approvals={key: _approval(each, veil.mask, censor) for key, each in shown.approvals.items()},
        receipts={key: _receipt(each, veil.mask, censor) for key, each in shown.receipts.items()},
        questions=tuple(_question(each, censor) for each in shown.questions),
        reports={key: _question(each, censor) for key, each in shown.reports.items()},
    )


def censor_of(shown: RunShown, rule: SupportRule) -> Censor:
    """Masks in words whatever is known of a run."""
    return _censor_of(Veil.over(rule, shown.runbook.checks), shown)


def _censor_of(veil: Veil, shown: RunShown) -> Censor:
    previews = [preview for each in shown.approvals.values() for preview in each.previews.values()]
    changes = [change for each in previews for change in each.changes]
    changes += [change for each in shown.receipts.values() for change in each.changes]
    rows = [
        text
        for change in changes
        for row in (change.key, change.before, change.after)
        for text in veil.mask.of(change.table).hidden(row)
    ]
    payloads = [preview.payload for preview in previews]
    return veil.censor(shown.facts, shown.run.inputs, payloads, texts=rows)


def veiled_run(run: Run, censor: Censor) -> Run:
    """A support run without anything masked in its words."""
    return replace(
        run,
        inputs=censor.mask.over(run.inputs),
        reason=censor.words(run.reason),
        conclusions=tuple(replace(each, say=censor.words(each.masked)) for each in run.conclusions),
        checks={key: _check(each, censor) for key, each in run.checks.items()},
        actions={key: _action(each, censor) for key, each in run.actions.items()},
    )


def veiled_event(data: Mapping[str, Any], censor: Censor) -> dict[str, Any]:
    """What an event of a support run carried, for screens; the record itself keeps all of it."""
    told = {key: item if key in _NAMES else censor.data(censor.mask.over(item)) for key, item in data.items()}
    if "findings" in told:
        told["findings"] = [{**each, "say": each.get("masked", each["say"])} for each in told["findings"]]
    return told


def _check(check: CheckRun, censor: Censor) -> CheckRun:
    return replace(
        check,
        summary=censor.words(check.summary),
        error=censor.words(check.error),
        changed=censor.words(check.changed),
    )


def _action(action: ActionRun, censor: Censor) -> ActionRun:
    edits = {key: censor.words(text) for key, text in action.edits.items()}
    return replace(action, reason=censor.words(action.reason), headline=censor.words(action.headline), edits=edits)


def _approval(approval: ApprovalShown, mask: Mask, censor: Censor) -> ApprovalShown:
    previews = {key: _preview(each, mask, censor) for key, each in approval.previews.items()}
    votes = {id(vote): _vote(vote, censor) for vote in (*approval.votes, *approval.verdict.counted)}
    verdict: Verdict = replace(
        approval.verdict,
        counted=tuple(votes[id(vote)] for vote in approval.verdict.counted),
        reasons=tuple(map(censor.words, approval.verdict.reasons)),
    )
    return replace(
        approval,
        previews=previews,
        votes=tuple(votes[id(vote)] for vote in approval.votes),
        verdict=verdict,
        masked=any(_differs(approval.previews[key], each) for key, each in previews.items()),
    )


def _vote(vote: Vote, censor: Censor) -> Vote:
    return replace(vote, reason=censor.words(vote.reason))


def _preview(preview: Preview, mask: Mask, censor: Censor) -> Preview:
    return replace(
        preview,
        headline=censor.words(preview.headline),
        payload=censor.data(mask.over(preview.payload)),
        changes=tuple(_change(change, mask, censor) for change in preview.changes),
        lines=tuple(map(censor.words, preview.lines)),
        warnings=tuple(map(censor.words, preview.warnings)),
        undo=censor.words(preview.undo),
    )


def _differs(whole: Preview, masked: Preview) -> bool:
    """Whether something is masked of what a preview says: rows say their key and what changes in them."""
    return bool(to_json(_said(whole, whole)) != to_json(_said(masked, whole)))


def _said(preview: Preview, whole: Preview) -> list[Any]:
    rows = []
    for change, full in zip(preview.changes, whole.changes, strict=True):
        before, after = full.before or {}, full.after or {}
        names = [name for name in {**before, **after} if name not in before or before[name] != after.get(name)]
        rows.append([change.key, *([(row or {}).get(name) for name in names] for row in (change.before, change.after))])
    return [preview.headline, preview.payload, preview.lines, preview.warnings, preview.undo, rows]


def _change(change: RowChange, mask: Mask, censor: Censor) -> RowChange:
    def row(data: Mapping[str, Any] | None) -> Any:
        return None if data is None else censor.data(mask.of(change.table).over(data))

    return replace(change, key=row(change.key), before=row(change.before), after=row(change.after))


def _receipt(receipt: Receipt, mask: Mask, censor: Censor) -> Receipt:
    return replace(
        receipt,
        headline=censor.words(receipt.headline),
        changes=tuple(_change(change, mask, censor) for change in receipt.changes),
        detail=censor.data(mask.over(receipt.detail)),
    )


def _question(question: QuestionShown, censor: Censor) -> QuestionShown:
    return replace(
        question,
        text=censor.words(question.text),
        form=tuple(_field(field, censor) for field in question.form),
        options=tuple(_option(option, censor) for option in question.options),
        items=tuple(_item(item, censor) for item in question.items),
    )


def _item(item: Item, censor: Censor) -> Item:
    words = censor.words
    return replace(item, title=words(item.title), help=words(item.help), link=words(item.link))


def _field(field: Input, censor: Censor) -> Input:
    return replace(field, choices=tuple(_named(choice, censor) for choice in field.choices))


def _option(option: Mapping[str, str], censor: Censor) -> Mapping[str, str]:
    """An option without what is masked; its value is told from the others by a token."""
    return {key: _named(text, censor) if key == "value" else censor.words(text) for key, text in option.items()}


def _named(text: str, censor: Censor) -> str:
    return text if censor.words(text) == text else token(text)


def _capped(data: Any, most: int) -> tuple[Any, int]:
    """The data with at most so many rows in any list of rows, and how many were left out."""
    if isinstance(data, Mapping):
        parts = {key: _capped(item, most) for key, item in data.items()}
        return {key: part for key, (part, _) in parts.items()}, sum(left for _, left in parts.values())
    if isinstance(data, list | tuple) and data and all(isinstance(each, Mapping) for each in data):
        rows = [_capped(each, most) for each in data[:most]]
        return [row for row, _ in rows], max(0, len(data) - most) + sum(left for _, left in rows)
    return data, 0
