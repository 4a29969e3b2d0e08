"""`/runbook calendar`: what comes round next, and what is open of the time before."""

from __future__ import annotations

from bot.errors import Mistake
from bot.slack.desk import Answer, Desk, Say
from bot.slack.views.calendar import coming_message


async def calendar(system: str, desk: Desk) -> Answer:
    """The calendars of all systems, or of the one that is named."""
    known = desk.library.catalogue.systems
    if system and system.lower() not in known:
        raise Mistake(f"There is no system «{system}».", hint=f"Known ones: {', '.join(known)}.")
    message = coming_message(await desk.months.coming(system.lower()), known)
    return Say(message.text, tuple(message.blocks))
