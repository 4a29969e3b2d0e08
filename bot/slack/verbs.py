"""What a press means and what it is about: the verb of every button, select and form, and the reference it carries."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from bot.blockkit import limits
from bot.errors import Mistake

# Half of a surrogate pair is no text that can be sent; JSON can spell it in ASCII.
_LONE = re.compile("[\ud800-\udfff]")
_STALE = "This button is damaged or from another version of the bot; open the run again with /runbook status."


class Verb(StrEnum):
    """What a person wants; also the callback id of the form that asks for the rest."""

    APPROVE = "approve"
    DENY = "deny"
    DETAILS = "details"
    CSV = "csv"
    BREAK_GLASS = "break_glass"
    SCHEDULE = "schedule"
    CHOOSE = "choose"
    SKIP = "skip"
    ANSWER = "answer"
    PICK = "pick"
    TICK = "tick"
    REPORT = "report"
    UNDO = "undo"
    SETTLE_HAPPENED = "settle_happened"
    SETTLE_NOT = "settle_not"
    RECHECK = "recheck"
    VERIFY_AGAIN = "verify_again"
    CLOSE = "close"
    CANCEL = "cancel"
    ESCALATE = "escalate"
    EDIT = "edit"
    RETRY = "retry"
    START = "start"
    SHOW = "show"
    TAKE_UP = "take_up"
    NOTE = "note"
    OPEN = "open"
    ACKNOWLEDGE = "acknowledge"
    RESOLVE = "resolve"
    CORRECT = "correct"
    UPDATE = "update"
    TAKE_ITEM = "take_item"
    END_ITEM = "end_item"
    DROP_ITEM = "drop_item"
    ADD_ITEM = "add_item"
    OPEN_ON_MESSAGE = "open_on_message"
    RUNBOOK_ON_MESSAGE = "runbook_on_message"


def action_id(verb: Verb, discriminator: str = "") -> str:
    """The action id of an element; give a `discriminator` where several of one verb stand in one block."""
    return f"{verb}.{discriminator}"[: limits.ACTION_ID] if discriminator else str(verb)


def verb_of(action: str) -> Verb:
    """The verb of an action id or callback id; raises Mistake for one the bot does not know."""
    try:
        return Verb(action.partition(".")[0])
    except ValueError:
        raise Mistake(_STALE) from None


@dataclass(frozen=True, slots=True)
class Ref:
    """What a press is about: ids and keys, never anything a decision could be made from. `inputs` is JSON: what a run
    would be started with, held to the runbook's inputs when it is."""

    run: str = ""
    action: str = ""
    request: str = ""
    digest: str = ""
    check: str = ""
    runbook: str = ""
    incident: str = ""
    channel: str = ""
    inputs: str = ""
    alert: str = ""
    item: str = ""

    def encode(self) -> str:
        """Compact JSON for a button's value or a form's metadata; raises Mistake beyond Slack's 2,000 characters."""
        named = {key: value for name, key in _KEYS.items() if (value := getattr(self, name))}
        text = json.dumps(named, separators=(",", ":"), ensure_ascii=any(map(_LONE.search, named.values())))
        if len(text) > limits.BUTTON_VALUE:
            raise Mistake("The names in this run are too long for a button.")
        return text

    @classmethod
    def decode(cls, text: str) -> Ref:
        """The inverse of `encode`; raises Mistake for anything it did not write."""
        if len(text) > limits.BUTTON_VALUE:
            raise Mistake(_STALE)
        try:
            named: Any = json.loads(text)
        except (ValueError, RecursionError):
            raise Mistake(_STALE) from None
        if not isinstance(named, dict) or not all(_fits(key, value) for key, value in named.items()):
            raise Mistake(_STALE)
        return cls(**{_NAMES[key]: value for key, value in named.items()})


def _fits(key: str, value: Any) -> bool:
    return key in _NAMES and isinstance(value, str) and bool(value)


# One letter a field: a button's value has room for 2,000 characters.
_KEYS = {
    "run": "r",
    "action": "a",
    "request": "q",
    "digest": "d",
    "check": "c",
    "runbook": "b",
    "incident": "i",
    "channel": "h",
    "inputs": "n",
    "alert": "t",
    "item": "m",
}
_NAMES = {key: name for name, key in _KEYS.items()}
