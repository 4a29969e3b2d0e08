"""Messages on their way to Slack: written with the state they announce, taken in order, removed once delivered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.facts import from_json
from bot.store import tables
from bot.store.session import CHART, Transaction


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message to be sent."""

    id: int
    topic: str
    run_id: str | None
    incident_id: str | None
    body: Mapping[str, Any]
    attempts: int


@dataclass(frozen=True, slots=True)
class Posted:
    """Where a message lives on Slack."""

    channel: str
    ts: str


async def take(
    connection: AsyncConnection, now: datetime, limit: int = 100, *, charts: bool = False
) -> Sequence[Outgoing]:
    """The next messages to send, or the next `charts` to draw, oldest first. What belongs to one incident arrives in
    order: while one of its messages is postponed, the later ones wait. There is one sender at a time, so nothing is
    locked."""
    query = text(
        """
        SELECT id, topic, run_id::text, incident_id::text, body, attempts FROM outbox AS message
        WHERE (topic = :chart) = :charts
          AND (not_before IS NULL OR not_before <= :now)
          AND NOT EXISTS (
            SELECT 1 FROM outbox AS earlier
            WHERE earlier.incident_id = message.incident_id AND earlier.id < message.id AND earlier.not_before > :now
          )
        ORDER BY id LIMIT :limit
        """
    )
    rows = await connection.execute(query, {"now": now, "limit": limit, "chart": CHART, "charts": charts})
    return [Outgoing(row.id, row.topic, row.run_id, row.incident_id, from_json(row.body), row.attempts) for row in rows]


async def sent(tx: Transaction, *ids: int) -> None:
    """Forget messages that were delivered."""
    await tx.connection.execute(delete(tables.outbox).where(tables.outbox.c.id.in_(ids)))


async def postpone(tx: Transaction, id: int, delay: timedelta, problem: str) -> None:
    """Try a message again later."""
    box = tables.outbox
    values = {"not_before": tx.now + delay, "attempts": box.c.attempts + 1, "problem": problem}
    await tx.connection.execute(update(box).where(box.c.id == id).values(values))


async def next_due(connection: AsyncConnection) -> datetime | None:
    """When the earliest postponed message is to be tried again."""
    query = select(tables.outbox.c.not_before).where(tables.outbox.c.not_before.is_not(None))
    return (await connection.execute(query.order_by(tables.outbox.c.not_before).limit(1))).scalar_one_or_none()


async def waiting(connection: AsyncConnection) -> int:
    """How many messages wait to be sent."""
    return int((await connection.execute(text("SELECT count(*) FROM outbox"))).scalar_one())


async def post_of(connection: AsyncConnection, key: str) -> Posted | None:
    """Where the message with this key was posted."""
    row = (await connection.execute(select(tables.posts).where(tables.posts.c.key == key))).one_or_none()
    return None if row is None else Posted(row.channel, row.ts)


async def posts_under(connection: AsyncConnection, prefix: str) -> Sequence[str]:
    """The keys of the messages whose key begins like this."""
    query = select(tables.posts.c.key).where(tables.posts.c.key.startswith(prefix, autoescape=True))
    return list((await connection.execute(query.order_by(tables.posts.c.key))).scalars())


async def remember_post(tx: Transaction, key: str, posted: Posted) -> None:
    """Remember where a message was posted; a later post of the same key takes its place."""
    query = upsert(tables.posts).values(key=key, channel=posted.channel, ts=posted.ts, posted_at=tx.now)
    query = query.on_conflict_do_update(
        index_elements=["key"], set_={"channel": query.excluded.channel, "ts": query.excluded.ts}
    )
    await tx.connection.execute(query)


async def forget_posts(tx: Transaction, channel: str) -> None:
    """Forget everything that stands in a channel: it is gone."""
    await tx.connection.execute(delete(tables.posts).where(tables.posts.c.channel == channel))


async def key_of(connection: AsyncConnection, channel: str, ts: str) -> str | None:
    """Which message stands at a place on Slack."""
    place = (tables.posts.c.channel == channel) & (tables.posts.c.ts == ts)
    return (await connection.execute(select(tables.posts.c.key).where(place))).scalar_one_or_none()
