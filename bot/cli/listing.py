"""Runbooks as they are read in a terminal; nothing here waits for the libraries of Slack, Stripe or SQLAlchemy."""

from __future__ import annotations

from bot.authoring.catalogue import Catalogue
from bot.cli.console import as_json, out
from bot.domain.runbook import Runbook
from bot.errors import Mistake


def listed(catalogue: Catalogue, words: str, *, json: bool) -> None:
    """The runbooks, or those that fit some words."""
    found = catalogue.search(words) if words else catalogue.list()
    if json:
        as_json([_brief(each) for each in found])
        return
    for each in found:
        minutes = round(each.resolve_within.total_seconds() / 60)
        out.print(f"{each.id:8} {each.severity} {minutes:3} min  {each.title}", markup=False)
        for symptom in each.symptoms[:2]:
            out.print(f"{'':23}{symptom}", style="dim", markup=False)
    if not found:
        out.print(f"No runbook fits «{words}».", markup=False)


def shown(catalogue: Catalogue, id: str, *, json: bool) -> None:
    """One runbook in words. Raises `Mistake` with suggestions for an id that does not exist."""
    runbook = known(catalogue, id)
    if json:
        as_json({**_brief(runbook), "source": runbook.source})
        return
    out.print(f"{runbook.id} {runbook.title}", style="bold", markup=False)
    out.print(f"{runbook.severity} · to be resolved within {runbook.resolve_within}\n{runbook.summary}", markup=False)
    sections = {
        "Symptoms": list(runbook.symptoms),
        "Asks for": [f"{each.name} ({each.type}): {each.label}" for each in runbook.inputs],
        "Looks at": [f"{each.title} ({each.kind})" for each in runbook.checks.values()],
        "Finds": [each.key.replace("_", " ") for each in runbook.findings],
        "Can do": [f"{each.title} ({each.kind})" for each in runbook.actions.values()],
        "Afterwards": list(runbook.follow_ups),
        "Notes": list(runbook.notes),
    }
    for heading, lines in sections.items():
        if lines:
            out.print(f"\n{heading}", style="bold")
            for line in lines:
                out.print(f"  - {line}", markup=False)


def known(catalogue: Catalogue, id: str) -> Runbook:
    """The runbook of that id. Raises `Mistake` with suggestions."""
    runbook = catalogue.get(id)
    if runbook is None:
        close = ", ".join(each.id for each in catalogue.suggest(id)[:3])
        raise Mistake(f"There is no runbook «{id}».", hint=f"Did you mean {close}?" if close else "runbook list")
    return runbook


def _brief(runbook: Runbook) -> dict[str, object]:
    return {
        "id": runbook.id,
        "title": runbook.title,
        "system": runbook.system,
        "severity": runbook.severity,
        "resolve_within_seconds": runbook.resolve_within.total_seconds(),
        "symptoms": list(runbook.symptoms),
        "version": runbook.version,
    }
