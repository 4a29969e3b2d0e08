"""One check in full, for the run's thread: what it saw as a table or fields, how long it took, what changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.domain.facts import Fact
from bot.domain.run import CheckStatus
from bot.runs.shown import RunShown
from bot.slack.verbs import Ref, Verb
from bot.slack.views import kit, spell
from bot.slack.views.kit import Block, CsvFile, Message, Part, TextFile, View
from bot.slack.views.plain import notice
from bot.slack.views.tables import Tabled, field_points, fields_cut, table
from bot.slack.views.text import clip, clip_cost, neutral, one_line
from bot.slack.views.titles import check_title

_ERROR = 1_500
_BOOKKEEPING = frozenset({"more", "count", "columns"})
_COLLECTIONS = frozenset({"rows", "row", "objects"})
_LEADING = (
    "id",
    "status",
    "plan",
    "period_end",
    "canceled_at",
    "amount_text",
    "amount_due_text",
    "amount_paid_text",
    "attempt_count",
    "created",
    "description",
    "metadata",
    "hosted_invoice_url",
)
_MARKS = {CheckStatus.DONE: "✓", CheckStatus.FAILED: "✗", CheckStatus.SKIPPED: "–"}


def check_detail(shown: RunShown, key: str) -> Message:
    """Everything a check learnt; rows that do not fit are in a CSV file."""
    fact = shown.facts.get(key)
    name = f"run-{shown.run.number}-{_file_name(key)}"
    rows, fields = _parted(fact)
    tabled = table(rows, name, 7_500) if rows else None
    parts = [Part([_head(shown, key)], 100), Part(_fields(fields), 60)]
    files: list[CsvFile | TextFile] = []
    if tabled is not None:
        parts.append(Part(_table(tabled), 80))
        files += [tabled.file] if tabled.file else []
    if fields_cut(fields):
        text = "\n".join(f"{one_line(str(field))}: {neutral(spell.value(item))}" for field, item in fields.items())
        files.append(TextFile(f"{name}.txt", (text + "\n").encode("utf-8", "replace")))
        parts.append(Part([kit.context("Some values are cut; the text file has them whole.")], 70))
    check = shown.run.checks.get(key)
    said = check.summary or check.error if check else ""
    return Message(kit.fitted(parts), notice(f"{check_title(shown, key)}: {said}"), tuple(files))


def checks_modal(shown: RunShown) -> View:
    """All checks of a run at a glance, with what each of them says; for the Show everything button of the card."""
    blocks: list[Block] = []
    for check in shown.checks[:40]:
        _, fields = _parted(shown.facts.get(check.key))
        blocks += [_head(shown, check.key), *_fields(fields, 12, 1_200)]
    if not blocks:
        blocks = [kit.context("This runbook has no checks.")]
    return kit.modal(Verb.DETAILS, "What was looked at", blocks, ref=Ref(run=shown.run.id))


def _file_name(key: str) -> str:
    return "".join(sign if sign.isascii() and (sign.isalnum() or sign in "-_") else "-" for sign in key)[:60] or "check"


def _head(shown: RunShown, key: str) -> Block:
    check, fact = shown.run.checks.get(key), shown.facts.get(key)
    status = check.status if check else CheckStatus.PENDING
    pieces = [kit.t(f"{_MARKS.get(status, '…')} {check_title(shown, key)}", bold=True)]
    if check is not None and check.summary:
        pieces.append(kit.t(f": {clip_cost(one_line(check.summary), 300)}"))
    if check is not None and check.duration:
        pieces.append(kit.t(f" · {spell.duration(check.duration)}"))
    if check is not None and check.answered_by:
        pieces += [kit.t("  answered by "), kit.person(check.answered_by)]
    lines = [kit.line(*pieces)]
    error = (check.error if check else "") or (fact.error if fact else "")
    if error:
        lines.append(kit.line(kit.t(clip_cost(one_line(error), _ERROR))))
    if check is not None and check.changed:
        since = f" since run {shown.previous}" if shown.previous is not None else ""
        lines.append(kit.line(kit.t(f"↻ changed{since}: {clip_cost(one_line(check.changed), 300)}", italic=True)))
    if status is CheckStatus.SKIPPED:
        lines.append(kit.line(kit.t("Not needed: its condition did not hold.")))
    return kit.rich(*lines)


def _parted(fact: Fact | None) -> tuple[Sequence[Mapping[str, Any]], Mapping[str, Any]]:
    """The rows of a fact for a table, and its other values; a single row reads better as fields."""
    if fact is None:
        return (), {}
    value = {
        name: item
        for name, item in fact.value.items()
        if name not in _BOOKKEEPING and not (name in _COLLECTIONS and not item)
    }
    objects = value.get("objects")
    if isinstance(objects, list | tuple):
        brief = [_brief(each) for each in objects if isinstance(each, Mapping)]
        return (brief, {}) if len(brief) > 1 else ((), brief[0] if brief else {})
    for name, item in value.items():
        if isinstance(item, list | tuple) and item and all(isinstance(row, Mapping) for row in item):
            rows: Sequence[Mapping[str, Any]] = item
            rest = {other: data for other, data in value.items() if other not in (name, "row")}
            return (rows, rest) if len(rows) > 1 else ((), {**rest, **rows[0]})
    row = value.pop("row", None)
    return (), {**value, **row} if isinstance(row, Mapping) else value


def _brief(found: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a person wants to know of an object of Stripe's; the expressions see all of it."""
    return {name: found[name] for name in _LEADING if found.get(name) not in (None, {}, [], "")}


def _fields(fields: Mapping[str, Any], most: int = 30, budget: int = 2_200) -> list[Block]:
    points = field_points(fields, most, budget)
    return [kit.rich(*points)] if points else []


def _table(tabled: Tabled) -> list[Block]:
    return [tabled.block, *([kit.context(clip(tabled.note, 200))] if tabled.note else [])]
