"""What the sources of the shipped runbooks said wrongly, and what is done instead: a page made of their notes."""

from __future__ import annotations

import sys
from pathlib import Path

from bot.authoring.catalogue import Catalogue
from bot.authoring.loader import catalogue_at

_HEAD = """\
# What the sources said, and what is done instead

Made of the `notes` of the shipped runbooks, where they are changed, by
`python -m bot.authoring.decisions docs/source-decisions.md`.
"""


def decisions(catalogue: Catalogue) -> str:
    """The page: a section a system, in it each runbook that has notes."""
    parts = [_HEAD]
    for system in sorted(catalogue.systems.values(), key=lambda each: each.id):
        noted = [runbook for runbook in catalogue.of_system(system.id) if runbook.notes]
        if not noted:
            continue
        parts.append(f"## {system.title}\n")
        for runbook in noted:
            parts.append(f"### {runbook.id} {runbook.title}\n")
            parts.append("\n".join(f"- {note}" for note in runbook.notes) + "\n")
    return "\n".join(parts)


if __name__ == "__main__":
    page = decisions(catalogue_at(Path(__file__).resolve().parents[2] / "runbooks"))
    Path(sys.argv[1]).write_text(page, encoding="utf-8")
