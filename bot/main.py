"""The composition root: settings in, a running bot out; the one place that wires every room."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import structlog
from aiohttp import web
from prometheus_client import generate_latest
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.async_app import AsyncApp

from bot.authoring.catalogue import Catalogue
from bot.authoring.loader import catalogue_at
from bot.clock import Clock, SystemClock
from bot.errors import Misconfigured
from bot.evidence.anchoring import Anchorer
from bot.evidence.drafting import Reviews
from bot.incidents.actions import Incidents
from bot.incidents.climbing import Climber
from bot.incidents.digesting import Digester
from bot.incidents.items import Items
from bot.incidents.journal import Journal
from bot.incidents.paging import Pages
from bot.incidents.receiving import Receiver
from bot.incidents.relating import Relations
from bot.incidents.sorting import Sorter
from bot.intake.door import Door
from bot.response import Response
from bot.runs.actions import People
from bot.runs.answering import Answers
from bot.runs.calendars import Calendars
from bot.runs.canary import Canary
from bot.runs.factors import Factors
from bot.runs.library import Library
from bot.runs.months import Months
from bot.runs.reads import Reads
from bot.runs.rows import Rows
from bot.runs.triage import Triage
from bot.runs.work import Milestone, pass_by
from bot.runs.worker import Worker
from bot.settings import Settings, SlackMode
from bot.slack.announcer import Announcer
from bot.slack.client import SlackClient
from bot.slack.desk import Desk
from bot.slack.directory import Directory
from bot.slack.listeners import Listeners
from bot.slack.transport import Sockets, bolt_app
from bot.steps.targets import Targets
from bot.store.migrate import require_head
from bot.store.session import ADVANCE, CLIMB, DIGEST, PAGE, SORT, WATCH, Store, engine_of
from bot.timers.queue import Minutely, Nightly, Queue
from bot.timers.watching import Watcher
from commands import routes

log = structlog.get_logger(__name__)

REMINDED_AT = "08:00"
"""When people are asked about their action items, in UTC."""


@dataclass
class Bot:
    """A running bot: what tests and the command line reach into."""

    desk: Desk
    store: Store
    worker: Worker
    canary: Canary
    climber: Climber
    digester: Digester
    pages: Pages
    watcher: Watcher
    calendars: Calendars
    sorter: Sorter
    port: int = 0
    sockets: Sockets | None = None


@asynccontextmanager
async def running(
    settings: Settings,
    environment: Mapping[str, str],
    *,
    listen: bool = True,
    work: bool = True,
    announce: bool = True,
    clock: Clock | None = None,
    milestone: Milestone = pass_by,
    catalogue: Catalogue | None = None,
    rate_limits: bool = True,
) -> AsyncIterator[Bot]:
    """A bot that listens to Slack (`listen`), works on runs (`work`) and sends what they have to say (`announce`) until
    the block is left; then it stops in order: no new clicks, answers given, jobs finished, connections closed.
    Without `rate_limits` it does not keep to Slack's, for a local Slack that has them switched off."""
    clock = clock or SystemClock()
    async with AsyncExitStack() as stack:
        engine = engine_of(_required(settings.database_url.get_secret_value(), "DATABASE_URL"))
        store = Store(engine, clock)
        stack.push_async_callback(store.close)
        await require_head(engine)
        library = Library(catalogue or catalogue_at(settings.runbooks_path), store)
        targets = await stack.enter_async_context(Targets(environment))
        worker = Worker(store, library, targets, clock, milestone=milestone)
        token = _required(settings.slack_bot_token.get_secret_value(), "SLACK_BOT_TOKEN")
        slack = SlackClient(token, base_url=settings.slack_api_url, clock=clock, rate_limits=rate_limits)
        client = await stack.enter_async_context(slack)
        watcher = Watcher(store, library, targets, clock, milestone=milestone)
        desk = _desk(settings, store, library, targets, client, clock, watcher)
        known = library.catalogue
        clocks = Climber(store, known), Digester(store, known), Pages(store, known, targets)
        canary, calendars = Canary(store, library, targets, clock), Calendars(store, library)
        bot = Bot(desk, store, worker, canary, *clocks, watcher, calendars, Sorter(store, known))
        if announce and (destination := settings.audit_anchor.get_secret_value()):
            # Begun before everything that writes to the trail, so that it is stopped after all of it.
            anchorer = Anchorer(store, destination, clock)
            _looping(stack, anchorer.run, anchorer.stop)
        if announce:
            announcer = Announcer(bot.store, bot.desk)
            _looping(stack, announcer.run, announcer.stop)
        if work:
            await _work(stack, settings, bot)
        if listen:
            await _listen(stack, settings, bot, environment)
            await desk.people.announce_everything()
        log.info("ready", runbooks=len(library.catalogue), worker=worker.name)
        yield bot


def _desk(
    settings: Settings,
    store: Store,
    library: Library,
    targets: Targets,
    client: SlackClient,
    clock: Clock,
    watcher: Watcher,
) -> Desk:
    directory = Directory(client.calls, clock)
    reads = Reads(store, library, clock)
    return Desk(
        response=Response(store, library),
        people=People(store, library, Factors(settings.second_factor_key.get_secret_value())),
        answers=Answers(store),
        incidents=Incidents(store, library.catalogue),
        journal=Journal(store),
        items=Items(store),
        relations=Relations(store, library.catalogue),
        reads=reads,
        library=library,
        directory=directory,
        client=client,
        clock=clock,
        reviews=Reviews(store, directory, reads),
        triage=Triage(store, library, targets, clock),
        rows=Rows(store),
        monitors=watcher.monitors,
        windows=watcher.windows,
        months=Months(store, library),
    )


async def _work(stack: AsyncExitStack, settings: Settings, bot: Bot) -> None:
    at = settings.runbook_canary_at
    scheduled: list[Nightly | Minutely] = [Nightly("canary", at, bot.canary.nightly)] if at else []
    scheduled.append(Nightly("action_items", REMINDED_AT, _doing(bot.desk.items.remind)))
    if settings.runbook_monitors:
        scheduled.append(Minutely("monitors", bot.watcher.round))
    if settings.runbook_calendars:
        scheduled.append(Minutely("calendars", bot.calendars.look))
    url = settings.database_url.get_secret_value()
    work: dict[str, Callable[[str], Awaitable[object]]] = {
        ADVANCE: bot.worker.advance,
        CLIMB: bot.climber.climb,
        DIGEST: bot.digester.digest,
        PAGE: bot.pages.send,
        WATCH: bot.watcher.look,
        SORT: bot.sorter.sort,
    }
    sweeps = (bot.worker.sweep, bot.climber.sweep, bot.digester.sweep, bot.pages.sweep, bot.sorter.sweep)
    queue = Queue(url, work, sweeps, jobs=settings.worker_jobs, scheduled=scheduled)
    _looping(stack, queue.run, queue.stop)
    await queue.ready.wait()
    for sweep in sweeps:
        await sweep()
    if settings.runbook_monitors:
        await bot.watcher.round()
    if settings.runbook_calendars:
        await bot.calendars.look()


def _doing(work: Callable[[], Awaitable[object]]) -> Callable[[], Awaitable[None]]:
    async def done() -> None:
        await work()

    return done


def _looping(stack: AsyncExitStack, loop: Callable[[], Coroutine[Any, Any, None]], stop: Callable[[], None]) -> None:
    """Run a loop until the stack is left: told to stop, then waited for."""
    task = asyncio.create_task(loop())
    stack.push_async_callback(_ended, task)
    stack.callback(stop)


async def _ended(task: asyncio.Task[None]) -> None:
    await asyncio.wait([task], timeout=10)
    if not task.done():
        task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def _listen(stack: AsyncExitStack, settings: Settings, bot: Bot, environment: Mapping[str, str]) -> None:
    secret = settings.slack_signing_secret.get_secret_value()
    http = settings.slack_mode is SlackMode.HTTP
    app = await bolt_app(bot.desk.client.web, settings.slack_bot_token.get_secret_value(), secret)
    listeners = Listeners(routes(), bot.desk)
    listeners.register(app)
    stack.push_async_callback(listeners.settled)
    if http:
        _required(secret, "SLACK_SIGNING_SECRET")
    else:
        token = _required(settings.slack_app_token.get_secret_value(), "SLACK_APP_TOKEN")
        bot.sockets = Sockets(app, token)
        stack.push_async_callback(bot.sockets.close)
        await bot.sockets.start()
    door = Door(bot.desk.library.catalogue, Receiver(bot.store), environment, bot.desk.clock)
    bot.port = await _serve_http(stack, settings, bot, door, app if http else None)


async def _serve_http(stack: AsyncExitStack, settings: Settings, bot: Bot, door: Door, app: AsyncApp | None) -> int:
    """`/health`, `/metrics`, the addresses of alerts and, over HTTP, Slack's one address."""

    async def health(_request: web.Request) -> web.Response:
        up = await bot.sockets.connected() if bot.sockets is not None else 1
        try:
            async with bot.store.reading():
                database = True
        except Exception:
            database = False
        status = 200 if up and database else 503
        return web.json_response({"ok": status == 200, "sockets": up, "database": database}, status=status)

    async def metrics(_request: web.Request) -> web.Response:
        return web.Response(body=generate_latest(), content_type="text/plain")

    async def slack(request: web.Request) -> web.Response:
        assert app is not None
        response = await app.async_dispatch(await to_bolt_request(request))
        return await to_aiohttp_response(response)

    server = web.Application()
    server.add_routes([web.get("/health", health), web.get("/metrics", metrics), *door.routes()])
    if app is not None:
        server.add_routes([web.post("/slack/events", slack)])
    runner = web.AppRunner(server, access_log=None)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    site = web.TCPSite(runner, settings.host, settings.port)
    try:
        await site.start()
    except OSError as error:
        raise Misconfigured(
            f"Port {settings.port} on {settings.host} is in use.", hint="Set PORT to a free one."
        ) from error
    return int(runner.addresses[0][1])


def _required(value: str, name: str) -> str:
    if not value:
        raise Misconfigured(
            f"{name} is not set.", hint="docs/settings.md lists every variable; `runbook doctor` checks them."
        )
    return value
