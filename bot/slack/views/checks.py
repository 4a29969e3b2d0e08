"""One check in full, for the run's thread: what it saw as a table or fields, how long it took, what changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.domain.run import CheckStatus
from bot.runs.shown import RunShown
from bot.slack.verbs import Ref, Verb
from bot.slack.views import kit, spell
from bot.slack.views.kit import Block, CsvFile, Element, Message, Part, TextFile, View
from bot.slack.views.plain import notice
from bot.slack.views.rows import seen
from bot.slack.views.tables import Tabled, as_csv, columns_of, field_points, fields_cut, table
from bot.slack.views.text import clip, clip_cost, escape, neutral, one_line
from bot.slack.views.titles import check_title

_ERROR = 1_500
_MARKS = {CheckStatus.DONE: "✓", CheckStatus.FAILED: "✗", CheckStatus.SKIPPED: "–"}


def check_detail(shown: RunShown, key: str) -> Message:
    """Everything a check learnt; rows that do not fit are in a CSV file, and all of them are for the asking."""
    found, name = seen(shown, key), file_name(shown, key)
    fields = found.flat
    tabled = table(found.rows, name, 7_500, more=found.more) if len(found.rows) > 1 else None
    parts = [Part([_head(shown, key)], 100), Part(_fields(fields), 60)]
    files: list[CsvFile | TextFile] = []
    if tabled is not None:
        parts.append(Part([*_table(tabled), *kit.actions([_csv_button(shown, key)])], 80))
        files += [tabled.file] if tabled.file else []
    if left := shown.left.get(key):
        parts.append(Part([kit.context(f"… and {left:,} more {'row' if left == 1 else 'rows'}.")], 75))
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
        blocks += [_head(shown, check.key), *_fields(seen(shown, check.key).flat, 12, 1_200)]
    if not blocks:
        blocks = [kit.context("This runbook has no checks.")]
    return kit.modal(Verb.DETAILS, "What was looked at", blocks, ref=Ref(run=shown.run.id))


def check_rows(shown: RunShown, key: str) -> CsvFile | None:
    """All rows that a check saw as a CSV file, as far as its fact holds them; None when it saw none."""
    found = seen(shown, key)
    columns = columns_of(found.rows)
    return CsvFile(f"{file_name(shown, key)}.csv", as_csv(found.rows, columns)) if columns else None


def rows_comment(shown: RunShown, key: str, by: str) -> str:
    """What stands over the file of a check's rows, as mrkdwn: what it holds, and who asked for it."""
    found = seen(shown, key)
    held = spell.count(len(found.rows), "row")
    held = f"the first {held}; there are more" if found.more or shown.left.get(key) else held
    return f"{escape(clip(one_line(check_title(shown, key)), 150))}: {held}. Asked for by {kit.mention(by)}."


def file_name(shown: RunShown, key: str) -> str:
    """The name of a check's files, without its ending."""
    name = "".join(sign if sign.isascii() and (sign.isalnum() or sign in "-_") else "-" for sign in key)[:60]
    return f"run-{shown.run.number}-{name or 'check'}"


def _csv_button(shown: RunShown, key: str) -> Element | None:
    return kit.button("CSV", Verb.CSV, Ref(run=shown.run.id, check=key))


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


def _fields(fields: Mapping[str, Any], most: int = 30, budget: int = 2_200) -> list[Block]:
    points = field_points(fields, most, budget)
    return [kit.rich(*points)] if points else []


def _table(tabled: Tabled) -> list[Block]:
    return [tabled.block, *([kit.context(clip(tabled.note, 200))] if tabled.note else [])]
