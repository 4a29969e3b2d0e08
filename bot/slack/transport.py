"""How deliveries reach the listeners: Socket Mode over two connections, or signed HTTP; both through Bolt."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import structlog
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import Misconfigured, Unavailable

log = structlog.get_logger(__name__)

CONNECTIONS = 2
PING_SECONDS = 2.0
WATCH_SECONDS = 3.0


async def bolt_app(web: AsyncWebClient, bot_token: str, signing_secret: str) -> AsyncApp:
    """Bolt's app: acknowledged when the handler has returned, authorised from one call made here.

    Raises `Misconfigured` when Slack refuses the token, `Unavailable` when it does not answer.
    """
    try:
        me = await web.auth_test()
    except SlackApiError as error:
        code = error.response["error"]
        raise Misconfigured(f"Slack refuses the bot token: {code}.", hint="Check SLACK_BOT_TOKEN.") from error
    except (SlackClientError, OSError, TimeoutError) as error:
        raise Unavailable("Slack does not answer.") from error
    known = AuthorizeResult(
        enterprise_id=me.get("enterprise_id"),
        team_id=me["team_id"],
        bot_id=me.get("bot_id"),
        bot_user_id=me["user_id"],
        bot_token=bot_token,
    )

    async def authorize(**_context: Any) -> AuthorizeResult:
        return known

    # A client without a token: with both a token and `authorize`, Bolt warns that it ignores the token.
    bare = AsyncWebClient(base_url=web.base_url, session=web.session)
    bare.proxy = web.proxy
    # Without a name of its own Bolt reads the source of every frame above to find one.
    return AsyncApp(
        name="runbook-bot",
        client=bare,
        authorize=authorize,
        signing_secret=signing_secret or "unused-in-socket-mode",
        process_before_response=True,
    )


class Sockets:
    """Two Socket Mode connections, so that one may be renewed while the other listens."""

    def __init__(self, app: AsyncApp, app_token: str, *, count: int = CONNECTIONS) -> None:
        self._app = app
        self._token = app_token
        self._count = count
        self._handlers: list[AsyncSocketModeHandler] = []
        self._watching: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Connect. Raises `Misconfigured` when Slack refuses the app token."""
        for _ in range(self._count):
            handler = AsyncSocketModeHandler(
                self._app, self._token, web_client=self._app.client, ping_interval=PING_SECONDS
            )
            # The SDK takes a proxy from the environment even for a loopback address, and NO_PROXY does not stop it.
            handler.client.proxy = None
            self._handlers.append(handler)
            try:
                await handler.client.connect()  # type: ignore[no-untyped-call]  # the SDK has no types here
            except SlackApiError as error:
                code = error.response["error"]
                raise Misconfigured(f"Slack refuses the app token: {code}.", hint="Check SLACK_APP_TOKEN.") from error
            except (SlackClientError, OSError, TimeoutError) as error:
                raise Unavailable("Slack's Socket Mode does not answer.") from error
        self._watching = asyncio.create_task(self._watch())

    async def connected(self) -> int:
        """How many connections are up."""
        return sum([await handler.client.is_connected() for handler in self._handlers])

    async def close(self) -> None:
        """Stop listening."""
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)
        for handler in self._handlers:
            await _close(handler)
        self._handlers.clear()

    async def _watch(self) -> None:
        """After a refused handshake the SDK tries the same single-use address for ever: take it away."""
        down: set[int] = set()
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            for index, handler in enumerate(self._handlers):
                if await handler.client.is_connected():
                    down.discard(index)
                elif index in down:
                    log.warning("socket is down, asking for a new address", connection=index)
                    handler.client.wss_uri = None
                else:
                    down.add(index)


async def _close(handler: AsyncSocketModeHandler) -> None:
    """Close a connection and wait for the tasks the SDK only cancels."""
    client = handler.client
    tasks = [client.message_processor, client.message_receiver, client.current_session_monitor]
    with contextlib.suppress(SlackClientError, OSError, RuntimeError):
        await handler.client.close()  # type: ignore[no-untyped-call]  # the SDK has no types here
    await asyncio.gather(*(task for task in tasks if task is not None), return_exceptions=True)
