"""`runbook coverage`: what the runbooks carry of their sources, as a table, and what is missing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bot.authoring.catalogue import Catalogue
from bot.authoring.coverage import Coverage, coverage
from bot.cli.console import as_json, out

SHOWN = ("runbooks", "steps", "changes", "branches", "monitors", "templates", "contradictions")


def covered(catalogue: Catalogue, facts: Path, *, json: bool) -> bool:
    """Print what is carried; whether everything is. Raises `Misconfigured` when there are no facts."""
    found = coverage(catalogue, facts)
    if json:
        as_json({"complete": not any(each.wrong for each in found), "systems": [each.data() for each in found]})
    else:
        out.print(table(found), markup=False)
    return not any(each.wrong for each in found)


def table(found: Sequence[Coverage]) -> str:
    """A line a system with "carried of facts" by kind, then a line for each fact that is not carried."""
    rows: list[tuple[str, ...]] = [("system", *SHOWN, "all", "of these with a reason not to")]
    for each in found:
        by_kind = {one.kind: one for one in each.kinds}
        counts = [f"{by_kind[kind].carried} of {by_kind[kind].facts}" if kind in by_kind else "–" for kind in SHOWN]
        whole = f"{sum(one.carried for one in each.kinds)} of {sum(one.facts for one in each.kinds)}"
        rows.append((each.system, *counts, whole, str(sum(one.reasons for one in each.kinds))))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    missing = [f"{each.system}: {line}" for each in found for line in each.wrong]
    end = f"{len(missing)} facts are not carried." if missing else "Everything is carried."
    return "\n".join([*lines, *missing, end])
