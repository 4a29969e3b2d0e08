"""`/runbook triage`: what is wrong with a customer or a system, before anybody knows which runbook it is."""

from __future__ import annotations

import json

from bot.errors import BadInputs
from bot.slack.desk import Answer, Command, Desk, Later, Open, Press, Say
from bot.slack.views.start import start_modal, started_message
from bot.slack.views.triage import triage_message
from commands.support import begin, insist_on_privacy, supported
from commands.words import Words


async def triage(words: Words, given: Command, desk: Desk) -> Answer:
    """Look at everything that can be looked at with what is known; `/runbook triage alacarte email=…`."""
    first, *values = words.plain[1:] or ("",)
    alone = len(desk.library.catalogue.systems) == 1 and first.lower() not in desk.library.catalogue.systems
    if alone and first:
        values = [first, *values]
    system = desk.triage.system("" if alone else first)
    await insist_on_privacy(system, given.user, given.channel, desk)

    async def making() -> Say:
        support = await supported(system, given.user, desk)
        found = await desk.triage.triage(system, words.pairs, values, given.user, support=support)
        message = triage_message(found)
        return Say(message.text, tuple(message.blocks))

    return Later(f"Looking at everything of {system.title} that these words allow …", making)


async def take_up(press: Press, desk: Desk) -> Answer:
    """Start a runbook that triage found, with the inputs it was tried with."""
    runbook = desk.library.known(press.ref.runbook)
    raw = {str(name): str(value) for name, value in json.loads(press.ref.inputs or "{}").items()}
    proven = await desk.proven(runbook)
    try:
        started = await begin(desk, runbook, raw, by=press.user, request_key=press.key, channel=press.channel)
    except BadInputs as error:
        return Open(start_modal(runbook, raw, press.channel, error.problems, proven))
    message = started_message(started, proven)
    return Say(message.text, tuple(message.blocks))
