"""What Slack's refusals mean in words: error codes to the bot's own errors; read by the client and the directory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.errors import BotError, Misconfigured, Unavailable


class Unanswered(Unavailable):
    """The connection broke or Slack failed in mid-call: it may have been done, it may not."""


class Archived(Unavailable):
    """The channel is archived; nothing can be said there any more."""


class ChannelGone(Unavailable):
    """The channel does not exist, or the bot cannot get into it."""


class MessageGone(Unavailable):
    """The message was deleted, or is too old to be changed."""


class Stale(Unavailable):
    """Too late for a form: the press is older than three seconds, or the form has changed since."""


class SlackRefused(Unavailable):
    """Any other refusal; `code` is Slack's own, `detail` what it says beyond that."""

    def __init__(self, method: str, code: str, detail: Sequence[str] = ()) -> None:
        super().__init__(f"Slack refused {method}: {code}.")
        self.code = code
        self.detail = tuple(detail)


REFUSED_CONTENT = frozenset(
    {"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "msg_too_long", "invalid_attachments"}
)
_TOKEN = frozenset(
    {"invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired", "not_allowed_token_type"}
)
_ARCHIVED = frozenset({"is_archived"})
_NO_CHANNEL = frozenset({"channel_not_found", "not_in_channel"})
_NO_MESSAGE = frozenset({"message_not_found", "cant_update_message", "edit_window_closed", "thread_not_found"})
_LATE = frozenset({"trigger_expired", "trigger_exchanged", "expired_trigger_id", "exchanged_trigger_id"})
_FORM_GONE = frozenset({"not_found", "view_not_found", "hash_conflict"})


def error_of(method: str, code: str, answer: Mapping[str, Any]) -> BotError:  # noqa: PLR0911 - one arm a meaning
    """The error a person is told when Slack refuses `method` with `code`."""
    if code in _TOKEN:
        return Misconfigured(f"Slack refuses the bot token: {code}.", hint="Check SLACK_BOT_TOKEN.")
    if code == "missing_scope":
        needed = answer.get("needed") or "a scope"
        return Misconfigured(f"The Slack app lacks {needed}, needed for {method}.", hint="Reinstall the app.")
    if code in _ARCHIVED:
        return Archived("The channel is archived.", hint="Unarchive it, or go on in another channel.")
    if code in _NO_CHANNEL:
        return ChannelGone("The bot is not in that channel, or it does not exist.", hint="Invite the bot.")
    if code in _NO_MESSAGE:
        return MessageGone("The message is gone or can no longer be changed.")
    if code in _LATE:
        return Stale("That took too long for Slack.", hint="Press it once more.")
    if code in _FORM_GONE and method.startswith("views."):
        return Stale("The form has been closed or has changed meanwhile.", hint="Open it again.")
    return SlackRefused(method, code, _detail(answer))


def _detail(answer: Mapping[str, Any]) -> list[str]:
    """The places Slack complains about, from either of the shapes it uses."""
    said = (answer.get("response_metadata") or {}).get("messages") or answer.get("errors") or []
    return [str(each)[:300] for each in said][:10]
