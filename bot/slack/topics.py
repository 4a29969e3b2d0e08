"""What each topic of the outbox means: which part of the sender carries it out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta

from bot.domain.maintenance import Stage
from bot.errors import BotError
from bot.slack.delivering import Sender, given
from bot.slack.desk import Desk
from bot.slack.moving import left
from bot.slack.replies import Archived, ChannelGone
from bot.slack.telling import Called
from bot.store.outbox import Outgoing
from bot.store.session import CHART, Store


async def _approval(sender: Sender, message: Outgoing) -> None:
    await sender.approval(given(message.run_id), str(message.body["action"]))


async def _check(sender: Sender, message: Outgoing) -> None:
    await sender.check(given(message.run_id), str(message.body["check"]))


async def _chart(sender: Sender, message: Outgoing) -> None:
    if "monitor" in message.body:
        await sender.monitor(given(message.incident_id), str(message.body["monitor"]))
    elif "incident" in message.body:
        await sender.attacher.course(str(message.body["incident"]))
    else:
        await sender.attacher.chart(given(message.run_id), str(message.body["check"]))


async def _rows(sender: Sender, message: Outgoing) -> None:
    await sender.attacher.rows(given(message.run_id), str(message.body["check"]), str(message.body["by"]))


async def _escalated(sender: Sender, message: Outgoing) -> None:
    about = message.body
    called = Called(about["to"], str(about["reason"]), int(about["rung"]), timedelta(seconds=about.get("waited") or 0))
    await sender.teller.escalated(given(message.incident_id), called)


async def _digest(sender: Sender, message: Outgoing) -> None:
    about = message.body
    await sender.teller.digest(
        given(message.incident_id), int(about["number"]), int(about["after"]), int(about["upto"])
    )


async def _assigned(sender: Sender, message: Outgoing) -> None:
    await sender.teller.assigned(given(message.incident_id), str(message.body["to"]), str(message.body["by"]))


async def _copies(sender: Sender, message: Outgoing) -> None:
    await sender.asker.copies(given(message.run_id), str(message.body["request"]))


async def _nudge(sender: Sender, message: Outgoing) -> None:
    about = message.body
    await sender.asker.nudge(
        given(message.run_id), str(about["request"]), str(about["at"]), backup=bool(about["backup"])
    )


async def _glass(sender: Sender, message: Outgoing) -> None:
    about = message.body
    await sender.asker.glass(given(message.run_id), str(about["action"]), str(about["by"]), str(about["reason"]))


_TOPICS: Mapping[str, Callable[[Sender, Outgoing], Awaitable[None]]] = {
    "channel": lambda sender, message: sender.channel(given(message.incident_id)),
    "incident": lambda sender, message: sender.incident(given(message.incident_id)),
    "run": lambda sender, message: sender.card(given(message.run_id)),
    "check": _check,
    CHART: _chart,
    "rows": _rows,
    "approval": _approval,
    "copies": _copies,
    "homes": lambda sender, message: sender.asker.homes(str(message.body["request"])),
    "nudge": _nudge,
    "glass": _glass,
    "reach": lambda sender, message: sender.asker.reach(given(message.run_id)),
    "whole": lambda sender, message: sender.whole(given(message.run_id)),
    "ended": lambda sender, message: sender.ended(given(message.run_id)),
    "resolved": lambda sender, message: sender.resolved(given(message.incident_id)),
    "escalated": _escalated,
    "unreached": lambda sender, message: sender.teller.unreached(given(message.incident_id), message.body),
    "digest": _digest,
    "merged": lambda sender, message: sender.teller.merged(given(message.incident_id)),
    "assigned": _assigned,
    "update": lambda sender, message: sender.teller.update(given(message.incident_id), message.body),
    "items": lambda sender, message: sender.teller.items(given(message.incident_id)),
    "item_reminder": lambda sender, message: sender.teller.remind(message.body),
    "alerts": lambda sender, message: sender.alerts(given(message.incident_id)),
    "alert": lambda sender, message: sender.alert(str(message.body["source"]), str(message.body["name"])),
    "notice": lambda sender, message: sender.notice(message),
    "window": lambda sender, message: sender.window(str(message.body["window"]), Stage(message.body["stage"])),
    "calendar_left": lambda sender, message: sender.caretaker.left(given(message.run_id), message.body),
    "calendar_reminder": lambda sender, message: sender.caretaker.remind(given(message.run_id), message.body),
    "calendar_failed": lambda sender, message: sender.caretaker.failed(message.body),
    "calendar_drill": lambda sender, message: sender.caretaker.drill(given(message.run_id), message.body),
    "calendar_drilled": lambda sender, message: sender.caretaker.drilled(given(message.run_id), message.body),
    "calendar_month": lambda sender, message: sender.caretaker.month(message.body),
}


async def deliver(message: Outgoing, desk: Desk, store: Store) -> None:
    """Send one message. Raises `Unavailable` when it is to be tried again, another `BotError` when it is hopeless."""
    send = _TOPICS.get(message.topic)
    if send is None:
        raise BotError(f"There is no topic «{message.topic}».")
    sender = Sender(desk, store)
    try:
        await send(sender, message)
    except (Archived, ChannelGone) as error:
        lost = await left(message, error, desk, store)
        if lost is not None:
            await sender.channel(lost[0].id)
            await sender.teller.moved(*lost)
        await send(sender, message)
