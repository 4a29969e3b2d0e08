"""What the outbox asks for, carried out: channels made, cards posted and updated, threads filled, people called."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from bot.domain.escalation import due_climb
from bot.domain.events import BOT
from bot.domain.incident import Incident, topic
from bot.domain.maintenance import Stage
from bot.domain.policy import ON_CALL
from bot.domain.run import RunState
from bot.domain.system import System
from bot.errors import BotError, Unavailable
from bot.incidents.routing import routed
from bot.runs.shown import RunShown
from bot.slack.asking import Asker
from bot.slack.attaching import Attacher, digest_of
from bot.slack.caretaking import Caretaker
from bot.slack.desk import Desk
from bot.slack.maintaining import draw_monitor, say_window
from bot.slack.placing import Placer
from bot.slack.replies import MessageGone
from bot.slack.telling import Teller
from bot.slack.views.alerts import alert_message, alerts_message
from bot.slack.views.approval import approval_thread
from bot.slack.views.charts import charted
from bot.slack.views.checks import check_detail
from bot.slack.views.incident import Around, headline, summary
from bot.slack.views.kit import File, Message
from bot.slack.views.run import run_card
from bot.slack.views.text import escape
from bot.slack.views.whole import kept_message, not_kept_message, whole_files, whole_message
from bot.store import incidents, outbox
from bot.store.outbox import Outgoing, Posted
from bot.store.session import CHART, Store

log = structlog.get_logger(__name__)


class Sender:
    """Sends one message, and remembers where it was posted."""

    def __init__(self, desk: Desk, store: Store) -> None:
        self._desk = desk
        self._client = desk.client
        self._store = store
        self.asker = Asker(self, desk)
        self.attacher = Attacher(self, desk)
        self.teller = Teller(self, desk)
        self.placer = Placer(self, desk)
        self.caretaker = Caretaker(self, self.placer, desk)

    async def channel(self, incident_id: str) -> None:
        """Make the incident's channel, bring the people, pin the headline. Each part may be repeated."""
        incident = await self._desk.incidents.get(incident_id)
        if incident.channel is None:
            made = await self._client.create_channel(incident.channel_name, private=incident.private)
            async with self._store.transaction() as tx:
                await incidents.set_channel(tx, incident.id, made.id, made.name)
            incident = await self._desk.incidents.get(incident_id)
        channel = given(incident.channel)
        system = self._system(incident)
        on_call = {name: group for name, group in (system.groups if system else {}).items() if name == ON_CALL}
        members = await self._desk.directory.members(on_call)
        opener = [] if incident.opened_by == BOT else [incident.opened_by]
        await self._client.invite(channel, [*opener, *sorted(members.get(ON_CALL, ()))])
        await self._client.set_topic(channel, topic(incident, incident.title))
        await self.incident(incident_id)
        posted = await self.posted(f"headline:{incident.id}")
        if posted is not None:
            await self._client.pin(posted.channel, posted.ts)
            await self._bookmark(incident, posted)

    async def _bookmark(self, incident: Incident, headline_at: Posted) -> None:
        """A link to the headline at the top of the channel, once."""
        key = f"bookmark:{incident.id}"
        if await self.posted(key) is None:
            link = await self._client.permalink(headline_at.channel, headline_at.ts)
            await self._client.bookmark(headline_at.channel, f"How {incident.label} stands", link)
            await self.remember(key, headline_at)

    async def incident(self, incident_id: str) -> None:
        """The pinned headline, as things stand."""
        incident = await self._desk.incidents.get(incident_id)
        if incident.channel is None:
            return
        runs = await self._desk.reads.of_incident(incident.id)
        climb = due_climb(incident, self._desk.incidents.ladder(incident))
        around = Around(*await self._desk.relations.around(incident))
        told = headline(incident, runs, self._desk.clock.now(), climb, around)
        await self.put(f"headline:{incident.id}", incident.channel, told)

    async def card(self, run_id: str) -> None:
        """The run's card, as things stand. Files it refers to are in its thread before it says so."""
        shown = await self._desk.reads.shown(run_id)
        channel = await self.channel_of(shown)
        card = run_card(shown)
        if card.files:
            card = run_card(shown, attached=await self._attached(shown, channel, card.files))
        await self.put(f"run:{run_id}", channel, card)

    async def check(self, run_id: str, key: str) -> None:
        """What one check saw, in the card's thread; a later look replaces it, and what it saw anew comes as files anew.

        While an action is under way its checks may be read every other second: then only the message follows them."""
        shown = await self._desk.reads.shown(run_id)
        detail, thread = check_detail(shown, key), await self.thread(shown)
        posted = await self.put(f"check:{run_id}:{key}", await self.channel_of(shown), detail, thread)
        if shown.run.state in (RunState.ACTING, RunState.VERIFYING):
            return
        for file in detail.files:
            await self._files(f"{run_id}:{key}:{digest_of(file)}", posted.channel, (file,), thread)
        if charted(shown, key) is not None:
            async with self._store.transaction() as tx:
                tx.announce(CHART, run_id=run_id, body={"check": key})

    async def approval(self, run_id: str, key: str) -> None:
        """Bring the approvers into the channel and call them in the thread."""
        shown = await self._desk.reads.shown(run_id)
        waiting = shown.approvals.get(key)
        if waiting is None:
            return
        channel = await self.channel_of(shown)
        _, system = await self._desk.library.of_run(shown.run)
        policy = waiting.request.policy
        groups = {name: group for name, group in system.groups.items() if name in policy.groups}
        members = await self._desk.directory.members(groups)
        people = sorted({*policy.people, *(user for users in members.values() for user in users)})
        if people:
            await self._client.invite(channel, people)
        thread = await self.thread(shown)
        told = approval_thread(shown, key, await self._desk.directory.mentions(groups))
        posted = await self.put(f"call:{waiting.request.id}", channel, told, thread)
        await self._files(f"call:{waiting.request.id}", posted.channel, told.files, thread)
        await self.asker.ask(shown, waiting.request)

    async def ended(self, run_id: str) -> None:
        """The summary of a run that has ended, for everybody in the channel."""
        shown = await self._desk.reads.shown(run_id)
        if not shown.run.state.final:
            return
        if shown.incident is None:
            await self.caretaker.ended(shown)
            return
        events = await self._desk.reads.audit(run_id=run_id)
        told = summary(shown.incident, [shown], events, self._desk.clock.now())
        posted = await self.put(f"summary:{run_id}", await self.channel_of(shown), told)
        await self._files(f"summary:{run_id}", posted.channel, told.files, posted.ts)

    async def resolved(self, incident_id: str) -> None:
        """The final summary of an incident, and its topic."""
        incident = await self._desk.incidents.get(incident_id)
        channel = given(incident.channel)
        runs = await self._desk.reads.of_incident(incident_id)
        events = await self._desk.reads.audit(incident_id=incident_id)
        told = summary(incident, runs, events, self._desk.clock.now())
        posted = await self.put(f"summary:{incident.id}", channel, told)
        await self._files(f"summary:{incident.id}", channel, told.files, posted.ts)
        await self._client.set_topic(channel, topic(incident, incident.title))
        async with self._store.transaction() as tx:
            # Not under the incident's id: nothing it has to say waits for a picture.
            tx.announce(CHART, body={"incident": incident.id})
        await self._review(incident.id, channel)

    async def _review(self, incident_id: str, channel: str) -> None:
        """The draft of the review. Its files come at once or not at all: it names the archives by their digests."""
        key = f"review:{incident_id}"
        if await self.posted(f"file:{key}") is not None:
            return
        draft = await self._desk.reviews.draft(incident_id)
        if draft is None:
            return
        posted = await self.put(key, channel, draft)
        await self._client.upload(channel, draft.files, posted.ts)
        await self.remember(f"file:{key}", posted)

    async def whole(self, run_id: str) -> None:
        """The full result of a support run, as files in the private channel that its system names, and nowhere else."""
        shown = await self._desk.reads.shown(run_id, whole=True)
        _, system = await self._desk.library.of_run(shown.run)
        name = None if system.support is None else system.support.files
        if name is None:
            return
        place = await self._desk.directory.place_called(name)
        if place is None or not place.private or place.shared:
            why = "is shared with others" if place is not None and place.shared else "is no private channel I am in"
            log.warning("full result kept nowhere", run=run_id, channel=name, why=why)
            await self.in_thread(shown, f"kept:{run_id}", not_kept_message(name, why))
            return
        posted = await self.put(f"whole:{run_id}", place.id, whole_message(shown))
        if await self._files(f"whole:{run_id}", place.id, whole_files(shown), posted.ts):
            await self.in_thread(shown, f"kept:{run_id}", kept_message(name))

    async def notice(self, message: Outgoing) -> None:
        """A message that a runbook sends to a channel or a person; it was read and approved as it is."""
        subject, words = str(message.body.get("subject") or ""), str(message.body["text"])
        said = escape(f"{subject}\n{words}" if subject else words)
        key = f"notice:{message.body['effect']}"
        if await self.posted(key) is None:
            to = str(message.body["to"])
            await self.remember(key, Posted(to, await self._client.post(to, Message([], said))))

    async def window(self, id: str, stage: Stage) -> None:
        """What is said of a maintenance window."""
        await say_window(self, self._desk, id, stage)

    async def monitor(self, incident_id: str, key: str) -> None:
        """The last values of the monitor that opened an incident."""
        await draw_monitor(self, self._desk, incident_id, key)

    async def alerts(self, incident_id: str) -> None:
        """The alerts of an incident with their counts, in one message that follows them."""
        incident = await self._desk.incidents.get(incident_id)
        found = await self._desk.incidents.tallies(incident_id)
        if not found:
            return
        if incident.channel is None:
            raise Unavailable("The incident's channel is not there yet.")
        await self.put(f"alerts:{incident.id}", incident.channel, alerts_message(found))

    async def alert(self, source: str, name: str) -> None:
        """Alerts of a name that opens nothing by itself, for whoever reads its system's announcements: one message."""
        found = await self._desk.incidents.alert_named(source, name)
        if found is None:
            return
        tracked, incident = found
        route, key = routed(self._desk.library.catalogue, tracked), f"alert:{source}:{name}"
        if route is None or ((route.opens or not route.shown) and await self.posted(key) is None):
            return
        named = route.system.channels.announcements
        place = None if named is None else await self._desk.directory.place_named(named)
        if place is None:
            log.warning("alert posted nowhere: its system has no channel for announcements", source=source)
            return
        await self.put(key, place.id, alert_message(tracked, incident))

    # -- where things are ----------------------------------------------------------------------------------------------

    async def channel_of(self, shown: RunShown) -> str:
        """The channel of the run's incident, or of a run without one. Raises `Unavailable` while there is none."""
        if shown.run.channel is not None and shown.incident is None:
            return await self.placer.of_run(shown.run)
        if shown.incident is None or shown.incident.channel is None:
            raise Unavailable("The incident's channel is not there yet.")
        return shown.incident.channel

    async def thread(self, shown: RunShown) -> str | None:
        """The card's thread; the card is posted first where it is not there yet."""
        posted = await self.posted(f"run:{shown.run.id}")
        if posted is None or posted.channel != await self.channel_of(shown):
            await self.card(shown.run.id)
            posted = await self.posted(f"run:{shown.run.id}")
        return None if posted is None else posted.ts

    async def posted(self, key: str) -> Posted | None:
        """Where something stands on Slack, if it was posted."""
        async with self._store.reading() as connection:
            return await outbox.post_of(connection, key)

    async def posts(self, prefix: str) -> Sequence[str]:
        """The keys of what was posted under this prefix."""
        async with self._store.reading() as connection:
            return await outbox.posts_under(connection, prefix)

    async def in_thread(self, shown: RunShown, key: str, message: Message) -> None:
        """Say something in the run's thread, once."""
        await self.put(key, await self.channel_of(shown), message, await self.thread(shown))

    async def put(self, key: str, channel: str, message: Message, thread: str | None = None) -> Posted:
        """Post a message, or update it where it stands; one that was deleted, or stands where nothing is said any more,
        is posted again."""
        posted = await self.posted(key)
        if posted is not None and posted.channel == channel:
            try:
                await self._client.update(posted.channel, posted.ts, message)
            except MessageGone:
                log.info("message was deleted, posting it again", key=key)
            else:
                return posted
        ts = await self._client.post(channel, message, thread)
        return await self.remember(key, Posted(channel, ts))

    async def remember(self, key: str, posted: Posted) -> Posted:
        """Remember where something stands on Slack."""
        async with self._store.transaction() as tx:
            await outbox.remember_post(tx, key, posted)
        return posted

    async def _attached(self, shown: RunShown, channel: str, files: Sequence[File]) -> bool:
        """Whether the files a card refers to are in its thread. The card must stand there first to have a thread."""
        posted = await self.posted(f"run:{shown.run.id}")
        if posted is None or posted.channel != channel:
            await self.put(f"run:{shown.run.id}", channel, run_card(shown, attached=False))
        return await self._files(shown.run.id, channel, files, await self.thread(shown))

    async def _files(self, owner: str, channel: str, files: Sequence[File], thread: str | None) -> bool:
        """Upload files that are not there yet; False when Slack does not take them."""
        for file in files:
            key = f"file:{owner}:{file.name}"
            posted = await self.posted(key)
            if posted is not None and posted.channel == channel:
                continue
            try:
                await self._client.upload(channel, (file,), thread)
            except BotError as error:
                log.warning("file could not be uploaded", name=file.name, error=str(error))
                return False
            await self.remember(key, Posted(channel, thread or ""))
        return True

    def _system(self, incident: Incident) -> System | None:
        return self._desk.library.catalogue.systems.get(incident.system)


def given(value: str | None) -> str:
    """An id that a message has to carry. Raises `BotError` for one that does not."""
    if value is None:
        raise BotError("A message in the outbox does not say what it is about.")
    return value
