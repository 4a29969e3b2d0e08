"""One thin module a slash command and a family of buttons: parse, one use case, one view."""

from __future__ import annotations

from collections.abc import Mapping

from bot.slack.desk import CommandHandler, FormHandler, MentionHandler, PressHandler, Routes
from bot.slack.verbs import Verb
from commands import approval, home, incident, items, mention, runbook, steps, timeline, triage

COMMANDS: Mapping[str, CommandHandler] = {"/runbook": runbook.command, "/incident": incident.command}

PRESSES: Mapping[Verb, PressHandler] = {
    Verb.APPROVE: approval.approve,
    Verb.DENY: approval.deny,
    Verb.DETAILS: approval.details,
    Verb.CSV: steps.rows,
    Verb.EDIT: approval.edit,
    Verb.BREAK_GLASS: approval.ask_break_glass,
    Verb.SCHEDULE: approval.ask_schedule,
    Verb.CHOOSE: steps.choose,
    Verb.RETRY: steps.choose,
    Verb.SKIP: steps.skip,
    Verb.ANSWER: steps.ask,
    Verb.PICK: steps.pick,
    Verb.TICK: steps.ask_tick,
    Verb.REPORT: steps.ask_report,
    Verb.UNDO: steps.undo,
    Verb.SETTLE_HAPPENED: steps.settle_happened,
    Verb.SETTLE_NOT: steps.settle_not,
    Verb.VERIFY_AGAIN: steps.look_now,
    Verb.RECHECK: steps.recheck,
    Verb.CLOSE: steps.close,
    Verb.CANCEL: steps.cancel,
    Verb.ESCALATE: incident.escalate,
    Verb.RESOLVE: incident.resolve,
    Verb.NOTE: incident.ask_note,
    Verb.ACKNOWLEDGE: incident.acknowledge,
    Verb.CORRECT: timeline.ask_correction,
    Verb.UPDATE: timeline.ask_update,
    Verb.TAKE_ITEM: items.ask_take,
    Verb.END_ITEM: items.end,
    Verb.DROP_ITEM: items.drop,
    Verb.ADD_ITEM: items.ask_add,
    Verb.START: runbook.press_start,
    Verb.SHOW: runbook.press_show,
    Verb.TAKE_UP: triage.take_up,
    Verb.OPEN: incident.ask_open,
}

FORMS: Mapping[Verb, FormHandler] = {
    Verb.APPROVE: approval.approve_with_proof,
    Verb.DENY: approval.deny_with_reason,
    Verb.BREAK_GLASS: approval.break_glass,
    Verb.SCHEDULE: approval.schedule,
    Verb.EDIT: approval.form_edit,
    Verb.ANSWER: steps.answer,
    Verb.TICK: steps.tick,
    Verb.REPORT: steps.report,
    Verb.START: runbook.form_start,
    Verb.ESCALATE: incident.form_escalate,
    Verb.NOTE: incident.form_note,
    Verb.OPEN: incident.form_open,
    Verb.CORRECT: timeline.correct,
    Verb.UPDATE: timeline.send_update,
    Verb.TAKE_ITEM: items.take,
    Verb.ADD_ITEM: items.add,
    Verb.RUNBOOK_ON_MESSAGE: mention.form_choose,
}


SHORTCUTS: Mapping[Verb, MentionHandler] = {
    Verb.RUNBOOK_ON_MESSAGE: mention.on_message,
    Verb.OPEN_ON_MESSAGE: incident.on_message,
}


def routes() -> Routes:
    """Who handles what: every command, button, form and event the bot answers."""
    return Routes(COMMANDS, PRESSES, FORMS, mention.mentioned, SHORTCUTS, home.home, timeline.reacted, timeline.arrived)
