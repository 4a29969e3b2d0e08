"""What the sources of the shipped runbooks said wrongly, and what is done instead: a page made of their notes."""

from __future__ import annotations

import sys
from pathlib import Path

from bot.authoring.catalogue import Catalogue
from bot.authoring.loader import catalogue_at

_HEAD = """\
# What the sources said, and what is done instead

Made of the `notes` of the shipped runbooks and of their systems' files, where they are changed, by
`python -m bot.authoring.decisions docs/source-decisions.md`.
"""


def decisions(catalogue: Catalogue) -> str:
    """The page: a section a system, in it each runbook that has notes."""
    parts = [_HEAD]
    for system in sorted(catalogue.systems.values(), key=lambda each: each.id):
        beside = catalogue.operations[system.id].notes if system.id in catalogue.operations else ()
        noted = [("Monitors, calendar, escalation", beside)]
        noted += [(f"{runbook.id} {runbook.title}", runbook.notes) for runbook in catalogue.of_system(system.id)]
        noted = [(title, notes) for title, notes in noted if notes]
        if not noted:
            continue
        parts.append(f"## {system.title}\n")
        for title, notes in noted:
            parts.append(f"### {title}\n")
            parts.append("\n".join(f"- {note}" for note in notes) + "\n")
    return "\n".join(parts)


if __name__ == "__main__":
    page = decisions(catalogue_at(Path(__file__).resolve().parents[2] / "runbooks"))
    Path(sys.argv[1]).write_text(page, encoding="utf-8")
