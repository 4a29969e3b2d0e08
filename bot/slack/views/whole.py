"""The full result of a support run, for the few who may read it: everything that its card masks, as files."""

from __future__ import annotations

import hashlib

from bot.runs.shown import RunShown
from bot.slack.views import kit, spell
from bot.slack.views.checks import file_name
from bot.slack.views.kit import CsvFile, File, Message, TextFile
from bot.slack.views.plain import notice
from bot.slack.views.rows import seen
from bot.slack.views.tables import as_csv, columns_of
from bot.slack.views.text import neutral, one_line
from bot.slack.views.titles import check_title


def whole_files(shown: RunShown) -> tuple[File, ...]:
    """Everything in words, and the rows of each check; the names change with what is in them."""
    text = _words(shown).encode("utf-8", "replace")
    stem, mark = f"run-{shown.run.number}", hashlib.sha256(text).hexdigest()[:12]
    files: list[File] = [TextFile(f"{stem}-whole-{mark}.txt", text)]
    for key in shown.facts:
        rows = seen(shown, key).rows
        if len(rows) > 1:
            files.append(CsvFile(f"{file_name(shown, key)}-{mark}.csv", as_csv(rows, columns_of(rows))))
    return tuple(files)


def whole_message(shown: RunShown) -> Message:
    """Whose run it is, above the files."""
    said = f"{shown.run.runbook} {one_line(shown.run.title)}, run {shown.run.number}: the whole result, nothing masked"
    asked = [kit.t("Asked for by "), kit.person(shown.run.requested_by), kit.t(". Files in this thread.")]
    return Message([kit.rich(kit.line(kit.t(said, bold=True)), kit.line(*asked))], notice(said))


def kept_message(channel: str) -> Message:
    """Where the whole result is, for the run's thread."""
    said = f"What is masked here is whole in a file in #{channel}, for the people of that channel."
    return Message([kit.context(said)], notice(said))


def not_kept_message(channel: str, why: str) -> Message:
    """That the whole result went nowhere, and why."""
    said = f"The whole result was kept nowhere: #{channel} {why}."
    return Message([kit.context(said)], notice(said))


def _words(shown: RunShown) -> str:
    run = shown.run
    inputs = ", ".join(f"{name} = {neutral(spell.value(value))}" for name, value in run.inputs.items()) or "none"
    lines = [f"{run.runbook} {one_line(run.title)}, run {run.number}", f"Inputs: {inputs}", "", "Found"]
    lines += [f"- {one_line(each.say)}" for each in run.conclusions] or ["- no known cause"]
    for check in shown.checks:
        found = seen(shown, check.key)
        said = one_line(check.error or check.summary)
        lines += ["", f"{check_title(shown, check.key)}: {said}" if said else check_title(shown, check.key)]
        lines += [f"  {one_line(str(name))}: {neutral(spell.value(value))}" for name, value in found.flat.items()]
        lines += [f"  {spell.count(len(found.rows), 'row')}, in a file"] if len(found.rows) > 1 else []
    return "\n".join(lines) + "\n"
