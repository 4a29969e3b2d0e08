"""What checks and actions are called on a screen, also those that no runbook lists: undos and answers."""

from __future__ import annotations

from bot.domain.run import Run
from bot.domain.runbook import Runbook
from bot.runs.shown import RunShown
from bot.slack.views.text import DASH, clip, one_line


def action_title(shown: RunShown, key: str) -> str:
    """An action's title; an undo says what it takes back."""
    return title_of(shown.run, shown.runbook, key)


def title_of(run: Run, runbook: Runbook, key: str) -> str:
    """The same for a run and its runbook."""
    known = run.actions.get(key)
    if known is not None and known.undo_of and key not in runbook.actions:
        undone = runbook.actions.get(known.undo_of)
        return clip(f"Take back: {one_line(undone.title if undone else known.undo_of)}", 150)
    action = runbook.actions.get(key)
    return clip(one_line(action.title if action else key), 150) or DASH


def check_title(shown: RunShown, key: str) -> str:
    """A check's title."""
    check = shown.runbook.checks.get(key)
    return clip(one_line(check.title if check else key), 80) or DASH
