"""A check's chart, held to the rows that the check gives."""

from __future__ import annotations

from collections.abc import Iterable

from bot.authoring.document import ChartDoc, CheckDoc
from bot.authoring.ledger import Ledger
from bot.authoring.problems import did_you_mean
from bot.authoring.reading import Path
from bot.authoring.rendering import SQL
from bot.authoring.stepping import Step
from bot.domain.runbook import Chart
from bot.steps.sql_guard import columns

WITH_ROWS = frozenset({"sql", "http", "command", "compute"})
MOST_LABELS, MOST_VALUES = 3, 6


def chart_of(ledger: Ledger, step: Step[CheckDoc]) -> Chart | None:
    """The chart of a check, if it has one; what does not fit the check is noted in the ledger."""
    said = step.common.chart
    if said is None:
        return None
    path: Path = (*step.path, "chart")
    if step.kind.name not in WITH_ROWS:
        hint = f"Charts are for {', '.join(sorted(WITH_ROWS))}."
        ledger.error(path, f"A check of the kind «{step.kind.name}» has no rows to draw.", hint)
    _counted(ledger, (*path, "labels"), said.labels, MOST_LABELS)
    _counted(ledger, (*path, "values"), said.values, MOST_VALUES)
    _known(ledger, path, said, step)
    return Chart(said.kind, tuple(said.labels), tuple(said.values), said.title or "")


def _counted(ledger: Ledger, path: Path, names: list[str], most: int) -> None:
    if not 0 < len(names) <= most:
        ledger.error(path, f"Name one to {most} columns.")
    for name in _twice(names):
        ledger.error(path, f"The column «{name}» is named twice.")


def _known(ledger: Ledger, path: Path, said: ChartDoc, step: Step[CheckDoc]) -> None:
    """Where the statement names its columns, the chart's have to be among them."""
    statement = step.spec.get(step.kind.shorthand)
    given = columns(statement) if step.kind.name == SQL and isinstance(statement, str) else None
    for field, names in (("labels", said.labels), ("values", said.values)):
        for name in names:
            if given is not None and name not in given:
                hint = did_you_mean(name, given) or f"It has {', '.join(given)}."
                ledger.error((*path, field), f"The statement has no column «{name}».", hint)


def _twice(names: Iterable[str]) -> list[str]:
    found = list(names)
    return sorted({name for name in found if found.count(name) > 1})
