"""`/runbook monitors` and `/runbook maintenance`: how monitors stand, and windows opened and ended by hand."""

from __future__ import annotations

import re
from datetime import timedelta

from bot.domain.system import System
from bot.errors import Mistake, Refusal
from bot.slack.desk import Answer, Command, Desk, Say
from bot.slack.views.kit import Message
from bot.slack.views.maintenance import changed_message, windows_message
from bot.slack.views.monitors import monitors_message
from commands.support import HANDS_OFF, insist_on_privacy, supported
from commands.words import Words

_LENGTH = re.compile(r"(\d{1,3})\s*(m|min|h|d)", re.IGNORECASE)
_UNITS = {"m": timedelta(minutes=1), "min": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}


async def monitors(words: Words, given: Command, desk: Desk) -> Answer:
    """How every monitor of a system stands, or those in trouble of all systems."""
    named = words.plain[1].lower() if len(words.plain) > 1 else ""
    standings = await desk.monitors.standing(named)
    known = desk.library.catalogue.systems
    watched = [known[id] for id in dict.fromkeys(each.system for each in standings) if id in known]
    for system in watched:
        await insist_on_privacy(system, given.user, given.channel, desk)
    masked = [system.id for system in watched if await supported(system, given.user, desk)]
    titles = {system.id: system.title for system in watched}
    return _said(monitors_message(standings, titles, masked=frozenset(masked)))


async def maintenance(words: Words, given: Command, desk: Desk) -> Answer:
    """`/runbook maintenance` lists; with a system and a window it opens that one, `for 2h` or as long as usual, and
    with `end` it ends it."""
    named, key, *rest = (*words.plain[1:], "", "")
    rest = [each for each in rest if each]
    if not named:
        windows = {id: each.calendar.windows for id, each in desk.library.catalogue.operations.items()}
        return _said(windows_message(await desk.windows.unfinished(), windows, desk.clock.now()))
    system = desk.triage.system(named)
    await insist_on_privacy(system, given.user, given.channel, desk)
    await _insist_on_hands(system, given.user, desk)
    if rest == ["end"]:
        ended = await desk.windows.end(system, key, given.user, press=given.key)
        return _said(changed_message(ended, opened=False))
    opened = await desk.windows.open(system, key, given.user, _length(rest), press=given.key)
    return _said(changed_message(opened, opened=True))


def _length(words: list[str]) -> timedelta | None:
    """How long, from "for 2h" or "90m"; None when nothing is said."""
    said = " ".join(word for word in words if word.lower() != "for")
    if not said:
        return None
    found = _LENGTH.fullmatch(said)
    if found is None:
        raise Mistake(f"«{said[:40]}» is no length of time.", hint="Write it like this: for 90m, for 2h.")
    return int(found[1]) * _UNITS[found[2].lower()]


async def _insist_on_hands(system: System, user: str, desk: Desk) -> None:
    """Raises `Refusal`, on record, for support people: what a window mutes, nobody is called for."""
    if await supported(system, user, desk):
        await desk.response.refused(user, HANDS_OFF, about={"system": system.id})
        raise Refusal(HANDS_OFF)


def _said(message: Message) -> Say:
    return Say(message.text, tuple(message.blocks))
