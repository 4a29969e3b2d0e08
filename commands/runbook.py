"""`/runbook`: list, search, show, start, status, cancel, triage, calendar, monitors, maintenance; words are enough."""

from __future__ import annotations

import re

from bot.errors import BadInputs, Mistake
from bot.slack import forms
from bot.slack.desk import Answer, Command, Desk, Form, Open, Press, Quiet, Say, Wrong
from bot.slack.views.kit import Message
from bot.slack.views.start import (
    found_message,
    help_message,
    list_message,
    runbook_message,
    start_modal,
    started_message,
    status_message,
    suggest_message,
)
from commands import watching
from commands.calendar import calendar
from commands.support import begin
from commands.triage import triage
from commands.words import Words, words_of

_ID = re.compile(r"^[A-Za-z]{1,6}-?\d{1,4}[A-Za-z]?$")


async def command(given: Command, desk: Desk) -> Answer:  # noqa: PLR0911 - one arm a word
    """What a person typed after /runbook."""
    words = words_of(given.text)
    match words.first.lower():
        case "" | "list":
            known = desk.library.catalogue
            return _said(list_message(known.list(), known.systems, await desk.reads.proven()))
        case "help":
            return _said(help_message())
        case "search" | "find":
            return _searched(words.rest, desk)
        case "show":
            return await _shown(words.rest, desk)
        case "status":
            return await _status(words, desk)
        case "cancel":
            return await _cancel(words, given, desk)
        case "triage":
            return await triage(words, given, desk)
        case "monitors":
            return await watching.monitors(words, given, desk)
        case "maintenance":
            return await watching.maintenance(words, given, desk)
        case "calendar":
            return await calendar(words.rest, desk)
        case "start" | "run":
            return await _start(Words(words.plain[1:], words.pairs), given, desk)
        case _:
            return await _start(words, given, desk)


async def press_start(press: Press, desk: Desk) -> Answer:
    """Start a runbook from a list."""
    runbook = desk.library.known(press.ref.runbook)
    return Open(start_modal(runbook, {}, press.channel, proven=await desk.proven(runbook)))


async def press_show(press: Press, desk: Desk) -> Answer:
    """Show a runbook from a list."""
    return await _shown(press.ref.runbook, desk)


async def form_start(form: Form, desk: Desk) -> Answer:
    """The inputs of a runbook, submitted; what does not fit is said beside its input."""
    runbook = desk.library.known(form.ref.runbook)
    proven = await desk.proven(runbook)
    try:
        started = await begin(
            desk,
            runbook,
            forms.values_of(form.state, runbook.inputs),
            by=form.user,
            request_key=form.key,
            channel=form.ref.channel,
        )
    except BadInputs as error:
        return Wrong(forms.errors_of(error, form.state))
    return Quiet() if started.again else _said(started_message(started, proven))


async def _start(words: Words, given: Command, desk: Desk) -> Answer:
    runbook = desk.library.catalogue.get(words.first)
    if runbook is None:
        if _ID.match(words.first):
            return _said(suggest_message(words.first, desk.library.catalogue.suggest(words.first)))
        return _searched(" ".join(words.plain), desk)
    proven = await desk.proven(runbook)
    missing = [
        each for each in runbook.inputs if each.required and each.default is None and each.name not in words.pairs
    ]
    if missing:
        return Open(start_modal(runbook, words.pairs, given.channel, proven=proven))
    try:
        started = await begin(desk, runbook, words.pairs, by=given.user, request_key=given.key, channel=given.channel)
    except BadInputs as error:
        return Open(start_modal(runbook, words.pairs, given.channel, error.problems, proven))
    return _said(started_message(started, proven))


async def _shown(id: str, desk: Desk) -> Answer:
    runbook = desk.library.known(id)
    return _said(runbook_message(runbook, await desk.proven(runbook)))


async def _status(words: Words, desk: Desk) -> Answer:
    if words.rest:
        run = await desk.reads.by_number(_number(words.rest))
        return _said(status_message([run]))
    return _said(status_message(await desk.reads.live()))


async def _cancel(words: Words, given: Command, desk: Desk) -> Answer:
    run = await desk.reads.by_number(_number(words.rest))
    cancelled = await desk.people.cancel(run.id, given.user)
    return Say(f"Run {cancelled.number} is cancelled.")


def _searched(words: str, desk: Desk) -> Answer:
    found = desk.library.catalogue.search(words)
    return _said(
        found_message(words, found) if found else suggest_message(words, desk.library.catalogue.suggest(words))
    )


def _number(text: str) -> int:
    digits = text.strip().lstrip("#")
    if not digits.isdecimal() or len(digits) > 9:
        raise Mistake("Say which run by its number, as in `/runbook status 12`.")
    return int(digits)


def _said(message: Message) -> Say:
    return Say(message.text, tuple(message.blocks))
