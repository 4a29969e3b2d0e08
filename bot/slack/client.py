"""The bot's way to Slack: everything it says and does there goes through one `SlackClient`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any

import aiohttp
import structlog
from slack_sdk.web.async_client import AsyncWebClient

from bot.blockkit import Problem, limits, validate_message, validate_view
from bot.clock import Clock, SystemClock
from bot.errors import BotError, Unavailable
from bot.slack.calls import Calls
from bot.slack.channels import Channels
from bot.slack.pacing import Pacer, Sleep
from bot.slack.replies import REFUSED_CONTENT, Archived, ChannelGone, SlackRefused
from bot.slack.views.kit import File, Message, PictureFile, TextFile
from bot.slack.views.plain import text_of
from bot.slack.views.text import clip, escape

log = structlog.get_logger(__name__)

MAX_TEXT = 3_900


class SlackClient(Channels):
    """Slack for the other rooms. Use it as an async context manager, or call `close`.

    Messages are checked before they go out and, when Slack refuses them all the same, sent as plain text with a file.
    Errors are the bot's own: `Unavailable` and its kinds in `bot.slack.replies`, `Misconfigured` for token and scopes.
    """

    def __init__(
        self,
        token: str,
        *,
        base_url: str = "https://slack.com/api/",
        clock: Clock | None = None,
        ticks: Callable[[], float] = time.monotonic,
        sleep: Sleep = asyncio.sleep,
        proxy: str | None = None,
        patience: float = 120.0,
        rate_limits: bool = True,
    ) -> None:
        self._clock = clock or SystemClock()
        self._session = aiohttp.ClientSession(trust_env=False, timeout=aiohttp.ClientTimeout(total=20, sock_connect=5))
        # An empty list of handlers: the SDK's own would send a POST again after a broken connection.
        self.web = AsyncWebClient(token, base_url=base_url, session=self._session, retry_handlers=[], proxy=proxy)
        # The SDK takes a proxy from the environment even for a loopback address, and NO_PROXY does not stop it.
        self.web.proxy = proxy
        self.calls = Calls(self.web, Pacer(ticks=ticks, sleep=sleep, patience=patience, limits=rate_limits), sleep)
        self._updates: dict[tuple[str, str], Message] = {}
        self._senders: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._directs: dict[str, str] = {}

    async def __aenter__(self) -> SlackClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Stop sending and close the connections."""
        senders = list(self._senders.values())
        for sender in senders:
            sender.cancel()
        await asyncio.gather(*senders, return_exceptions=True)
        await self._session.close()

    # -- messages ------------------------------------------------------------------------------------------------------

    async def post(self, channel: str, message: Message, thread_ts: str | None = None) -> str:
        """Post a message; its time stamp. The message's files are not uploaded: see `upload`.

        Raises `Unanswered` when it is not known whether the message stands there now; nothing is posted twice.
        """
        where = {"channel": channel, "unfurl_links": False, "unfurl_media": False}
        answer = await self._said("chat.postMessage", where | _threaded(thread_ts), lambda: message)
        return str(answer["ts"])

    async def update(self, channel: str, ts: str, message: Message) -> None:
        """Change a message; returns when this change, or a newer one of the same message, has been made.

        Changes that pile up while Slack makes the bot wait are sent as one, the latest.
        """
        key = (channel, ts)
        self._updates[key] = message
        sender = self._senders.get(key)
        if sender is None:
            sender = self._senders[key] = asyncio.create_task(self._send_updates(key))
            sender.add_done_callback(lambda task: task.cancelled() or task.exception())
        await asyncio.shield(sender)

    async def _send_updates(self, key: tuple[str, str]) -> None:
        channel, ts = key
        sent: list[Message] = []

        def latest() -> Message:
            sent.append(self._updates[key])
            return sent[-1]

        try:
            while not sent or self._updates[key] is not sent[-1]:
                try:
                    await self._said("chat.update", {"channel": channel, "ts": ts}, latest)
                except BotError:
                    # A newer state may fit where this one did not.
                    if not sent or self._updates[key] is sent[-1]:
                        raise
        finally:
            del self._updates[key], self._senders[key]

    async def ephemeral(self, channel: str, user: str, message: Message, thread_ts: str | None = None) -> None:
        """Say something that only one person sees."""
        where = {"channel": channel, "user": user} | _threaded(thread_ts)
        await self._said("chat.postEphemeral", where, lambda: message)

    async def whisper(
        self,
        channel: str,
        user: str,
        text: str,
        blocks: Sequence[Mapping[str, Any]] = (),
        thread_ts: str | None = None,
    ) -> None:
        """Tell one person something where they are, or in a direct message where the bot cannot speak."""
        message = Message([dict(block) for block in blocks], text)
        if channel and channel != user and not channel.startswith("D"):
            try:
                await self.ephemeral(channel, user, message, thread_ts)
            except (Archived, ChannelGone, SlackRefused) as error:
                log.info("told in a direct message instead", channel=channel, why=str(error))
            else:
                return
        await self.post(channel if channel.startswith("D") else await self.direct(user), message)

    async def direct(self, user: str) -> str:
        """The channel of direct messages with somebody; it is always the same."""
        known = self._directs.get(user)
        if known is None:
            opened = await self.calls.call("conversations.open", {"users": user})
            known = self._directs[user] = str(opened["channel"]["id"])
        return known

    async def permalink(self, channel: str, ts: str) -> str:
        """The address of a message."""
        answer = await self.calls.call("chat.getPermalink", {"channel": channel, "message_ts": ts}, get=True)
        return str(answer["permalink"])

    async def _said(self, method: str, where: dict[str, Any], latest: Callable[[], Message]) -> dict[str, Any]:
        """Send a message, joining the channel once where that is what is missing."""
        repeatable = method != "chat.postMessage"
        try:
            return await self._sent(method, where, latest, repeatable)
        except ChannelGone:
            if not await self.join(where["channel"]):
                raise
            return await self._sent(method, where, latest, repeatable)

    async def _sent(
        self, method: str, where: dict[str, Any], latest: Callable[[], Message], repeatable: bool
    ) -> dict[str, Any]:
        refused: list[Message] = []

        def arguments() -> dict[str, Any]:
            message = latest()
            problems = validate_message({"text": message.text, "blocks": message.blocks})
            if not problems:
                return where | {"text": clip(message.text, limits.MESSAGE_TEXT), "blocks": message.blocks}
            _log_problems(method, problems)
            refused[:] = [message]
            return where | _worded(message)

        try:
            answer = await self.calls.call(
                method, arguments, repeatable=repeatable, message=str(where.get("ts", "")), channel=where["channel"]
            )
        except SlackRefused as error:
            if error.code not in REFUSED_CONTENT or refused:
                raise
            log.error("slack refused the blocks", method=method, code=error.code, detail=error.detail)
            refused[:] = [latest()]
            answer = await self.calls.call(
                method, where | _worded(refused[0]), repeatable=repeatable, channel=where["channel"]
            )
        if refused and method != "chat.postEphemeral":
            await self._attach_words(where, str(answer.get("ts") or where.get("ts")), refused[0])
        return answer

    async def _attach_words(self, where: Mapping[str, Any], ts: str, message: Message) -> None:
        """What did not fit into plain text, as a file below it."""
        words = text_of(message.blocks) or message.text
        if len(words) <= MAX_TEXT - _MARGIN:
            return
        file = TextFile(f"message-{self._clock.now():%Y%m%d-%H%M%S}.txt", words.encode("utf-8", "replace"))
        try:
            await self.upload(where["channel"], (file,), where.get("thread_ts") or ts)
        except BotError as error:
            log.warning("the words of a refused message could not be attached", error=str(error))

    async def join(self, channel: str) -> bool:
        """Join a public channel; False where that cannot be."""
        if not channel.startswith("C"):
            return False
        try:
            await self.calls.call("conversations.join", {"channel": channel})
        except Unavailable as error:
            log.info("could not join", channel=channel, why=str(error))
            return False
        return True

    # -- files ---------------------------------------------------------------------------------------------------------

    async def upload(
        self, channel: str, files: Sequence[File], thread_ts: str | None = None, comment: str = ""
    ) -> None:
        """Upload files into a channel or thread as one message, under a `comment` in mrkdwn if there is one. Raises
        `Unavailable`; a broken upload shows nothing."""
        done = [{"id": await self._uploaded(file), "title": file.name} for file in files]
        if done:
            said = {"initial_comment": comment} if comment else {}
            where = {"files": done, "channel_id": channel} | said | _threaded(thread_ts)
            await self.calls.call("files.completeUploadExternal", where, repeatable=False)

    async def _uploaded(self, file: File) -> str:
        content = file.content or b"\n"
        words = {"alt_txt": file.alt} if isinstance(file, PictureFile) else {}
        place = await self.calls.call(
            "files.getUploadURLExternal", {"filename": file.name, "length": len(content)} | words, get=True
        )
        timeout = aiohttp.ClientTimeout(total=120)
        try:
            async with self._session.post(
                place["upload_url"], data=content, timeout=timeout, proxy=self.web.proxy
            ) as answer:
                if answer.status != 200:
                    raise Unavailable(f"Slack did not take the file {file.name} (status {answer.status}).")
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Unavailable(f"Slack did not take the file {file.name}.") from error
        return str(place["file_id"])

    # -- forms and the Home tab ----------------------------------------------------------------------------------------

    async def open_view(self, trigger: str, view: Mapping[str, Any]) -> str:
        """Open a form; its id. Raises `Stale` when the press is older than three seconds."""
        answer = await self.calls.call("views.open", {"trigger_id": trigger, "view": _checked(view)}, repeatable=False)
        return str(answer["view"]["id"])

    async def push_view(self, trigger: str, view: Mapping[str, Any]) -> str:
        """Put a form on top of the open one; its id."""
        answer = await self.calls.call("views.push", {"trigger_id": trigger, "view": _checked(view)}, repeatable=False)
        return str(answer["view"]["id"])

    async def update_view(self, view_id: str, view: Mapping[str, Any], version: str = "") -> None:
        """Replace an open form; with `version` (its hash) only if it is still that one, else `Stale`."""
        arguments = {"view_id": view_id, "view": _checked(view)} | ({"hash": version} if version else {})
        await self.calls.call("views.update", arguments)

    async def publish_home(self, user: str, view: Mapping[str, Any]) -> None:
        """Show somebody their Home tab."""
        await self.calls.call("views.publish", {"user_id": user, "view": _checked(view)})


_MARGIN = 200
_APOLOGY = "\n_Slack did not take the full message, so its buttons are missing; /runbook status shows the run again._"


def _threaded(thread_ts: str | None) -> dict[str, Any]:
    return {"thread_ts": thread_ts} if thread_ts else {}


def _worded(message: Message) -> dict[str, Any]:
    """The message as words only; empty blocks take old buttons away."""
    words = escape(text_of(message.blocks)) or message.text
    return {"text": clip(words, MAX_TEXT - _MARGIN) + _APOLOGY, "blocks": []}


def _checked(view: Mapping[str, Any]) -> dict[str, Any]:
    problems = validate_view(view)
    if problems:
        _log_problems("views", problems)
        raise Unavailable("The form is more than Slack can show.", hint="Use the command line for this run.")
    return dict(view)


def _log_problems(method: str, problems: Sequence[Problem]) -> None:
    log.error("invalid blocks", method=method, problems=[str(problem) for problem in problems[:10]])
