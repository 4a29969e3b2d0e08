"""Messages that came in and are not there (RB-006): what the webhooks logged, what Twilio has, and what was frozen."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from bot.sandbox.alacarte.platform import connected, often, said
from bot.sandbox.sample import Fault, Ground, Planted
from bot.sandbox.services import Asked, Reply

MESSAGES = "/twilio/2010-04-01/Accounts/AC0a1aca27/Messages.json"
ROLLED_BACK = "error: deadlock detected, transaction rolled back, message {n} is not stored"
DUPLICATE = "error: unhandled: message {n} dropped as duplicate of another conversation's"
_KNOWN = """
SELECT m.provider_id, m.content, m.created_at, c.contact_address
FROM messages m JOIN conversations c ON c.id = m.conversation_id
WHERE m.channel = 'sms' AND m.direction = 'in' AND m.provider_id IS NOT NULL
  AND m.created_at > now() - interval '2 hours'
ORDER BY m.created_at DESC
"""


async def settle(ground: Ground) -> None:
    """Twilio has exactly what we have, and nobody is frozen for an incident."""
    ground.services.answer("GET", MESSAGES, Reply(then=_as_stored(ground)))
    async with connected(ground) as connection:
        await connection.execute(
            "UPDATE businesses SET is_frozen = false, frozen_at = NULL, frozen_reason = NULL"
            " WHERE frozen_reason LIKE 'incident: message loss%'"
        )


def _as_stored(ground: Ground) -> Any:
    async def answered(_: Asked) -> dict[str, Any]:
        return {"messages": await _known(ground)}

    return answered


async def _known(ground: Ground) -> list[dict[str, str]]:
    """The text messages of two hours as Twilio tells of them."""
    async with connected(ground) as connection:
        rows = await connection.fetch(_KNOWN)
    return [
        {
            "sid": row["provider_id"],
            "direction": "inbound",
            "status": "received",
            "from": row["contact_address"],
            "body": row["content"],
            "date_sent": format_datetime(row["created_at"]),
        }
        for row in rows
    ]


async def _lose(ground: Ground, channel: str, since: int, until: int) -> None:
    """Nothing of that channel is stored of the time between so many minutes ago and so many; Twilio has its own."""
    known = await _known(ground)
    ground.services.answer("GET", MESSAGES, Reply(json={"messages": known}))
    async with connected(ground) as connection:
        await connection.execute(
            "DELETE FROM messages WHERE channel = $1 AND direction = 'in'"
            " AND created_at BETWEEN now() - make_interval(mins => $2) AND now() - make_interval(mins => $3)",
            channel,
            since,
            until,
        )


async def healthy(ground: Ground) -> Planted:
    """Everything that came in is there."""
    return Planted()


async def continues(ground: Ground) -> Planted:
    """Text messages are lost since 50 minutes ago, and still are."""
    await _lose(ground, "sms", 50, 0)
    said(ground, "sms-webhook", *often(ROLLED_BACK, 16, over=50))
    return Planted()


async def over(ground: Ground) -> Planted:
    """Text messages were lost for half an hour, and are not any more."""
    await _lose(ground, "sms", 50, 20)
    said(ground, "sms-webhook", *((ago + 20, line) for ago, line in often(ROLLED_BACK, 12, over=30)))
    return Planted()


async def stranger(ground: Ground) -> Planted:
    """What was lost for half an hour is one message, the first of a new contact."""
    said(ground, "sms-webhook", *((ago + 20, line) for ago, line in often(ROLLED_BACK, 3, over=30)))
    known = await _known(ground)
    lost = {**known[0], "sid": "SMstranger", "from": "+15559990001"}
    lost["date_sent"] = format_datetime(datetime.now(UTC) - timedelta(minutes=30))
    ground.services.answer("GET", MESSAGES, Reply(json={"messages": [*known, lost]}))
    return Planted()


async def dropped(ground: Ground) -> Planted:
    """WhatsApp messages were taken for duplicates for half an hour."""
    return await _lost_at_meta(ground, DUPLICATE)


async def race(ground: Ground) -> Planted:
    """The same time, and two workers were in each other's way."""
    return await _lost_at_meta(ground, "error: could not serialize access, unhandled, message {n}")


async def database_away(ground: Ground) -> Planted:
    """The same time, and the database could not be reached."""
    return await _lost_at_meta(ground, "error: no database connection within 5 s, message {n}")


async def unknown(ground: Ground) -> Planted:
    """The same time, and the log does not say why."""
    return await _lost_at_meta(ground, "error: unhandled: message {n}")


async def _lost_at_meta(ground: Ground, line: str) -> Planted:
    await _lose(ground, "whatsapp", 50, 20)
    said(ground, "whatsapp-webhook", *((ago + 20, text) for ago, text in often(line, 12, over=30)))
    return Planted()


async def silence(ground: Ground) -> Planted:
    """No e-mail came in for 50 minutes, and nobody says why."""
    await _lose(ground, "email", 50, 0)
    return Planted()


async def doubled(ground: Ground) -> Planted:
    """Somebody inserted messages by hand that were there already."""
    async with connected(ground) as connection:
        await connection.execute(
            "INSERT INTO messages (conversation_id, channel, direction, status, content, created_at)"
            " SELECT conversation_id, channel, direction, status, content, created_at + interval '5 seconds'"
            " FROM messages WHERE channel = 'sms' AND direction = 'in' AND provider_id IS NOT NULL"
            " ORDER BY created_at DESC LIMIT 3"
        )
    return Planted()


async def left_frozen(ground: Ground) -> Planted:
    """The loss is over, and three customers are still frozen for it."""
    async with connected(ground) as connection:
        await connection.execute(
            "UPDATE businesses SET is_frozen = true, frozen_at = now() - interval '2 hours',"
            " frozen_reason = 'incident: message loss, run 7'"
            " WHERE name IN ('Sample Business 1', 'Sample Business 2', 'Sample Business 3')"
        )
    return Planted()


LOSS_FAULTS: dict[str, Fault] = {
    "loss_healthy": healthy,
    "loss_continues": continues,
    "loss_over": over,
    "loss_stranger": stranger,
    "loss_dropped": dropped,
    "loss_race": race,
    "loss_database_away": database_away,
    "loss_unknown": unknown,
    "loss_silence": silence,
    "loss_doubled": doubled,
    "loss_left_frozen": left_frozen,
}
