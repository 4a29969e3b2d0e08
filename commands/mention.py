"""Mentions and the message shortcut: the ways in from a thread, where slash commands do not work."""

from __future__ import annotations

import re

from bot.errors import Mistake
from bot.slack import forms
from bot.slack.desk import Answer, Desk, Form, Mention, Open, Say
from bot.slack.views.start import found_message, help_message, message_modal, start_modal

_ADDRESS = re.compile(r"^\s*<@[A-Z0-9]+>\s*")


async def mentioned(mention: Mention, desk: Desk) -> Answer:
    """Somebody wrote to the bot: answered with the runbooks that fit the words."""
    words = _ADDRESS.sub("", mention.text).strip()
    found = desk.library.catalogue.search(words) if words else []
    message = found_message(words, found) if found else help_message()
    return Say(message.text, tuple(message.blocks))


async def on_message(mention: Mention, desk: Desk) -> Answer:
    """ "Run a runbook on this": the runbooks that fit the message's words come first."""
    found = list(desk.library.catalogue.search(mention.text))
    others = [runbook for runbook in desk.library.catalogue.list() if runbook not in found]
    return Open(message_modal([*found, *others], mention.text, mention.channel))


async def form_choose(form: Form, desk: Desk) -> Answer:
    """A runbook was chosen for a message: its inputs come next."""
    ids = [each.id for each in desk.library.catalogue.list()]
    runbook = desk.library.catalogue.get(forms.picked(ids, forms.values_of(form.state).get("runbook", "")))
    if runbook is None:
        raise Mistake("Choose a runbook from the list.")
    return Open(start_modal(runbook, {}, form.ref.channel, proven=await desk.proven(runbook)))
