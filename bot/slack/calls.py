"""One call to Slack's web API: paced, tried again only where that cannot do it twice, its failures put in words."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import aiohttp
import structlog
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import BotError, Unavailable
from bot.slack.pacing import Pacer, Sleep
from bot.slack.replies import Unanswered, error_of

log = structlog.get_logger(__name__)

ATTEMPTS = 5
LONGEST_PAUSE = 60.0


class Calls:
    """Calls methods of the web API through one pacer."""

    def __init__(self, web: AsyncWebClient, pacer: Pacer, sleep: Sleep) -> None:
        self.web = web
        self._pacer = pacer
        self._sleep = sleep

    async def call(
        self,
        method: str,
        arguments: Mapping[str, Any] | Callable[[], Mapping[str, Any]],
        *,
        repeatable: bool = True,
        get: bool = False,
        channel: str = "",
        message: str = "",
    ) -> dict[str, Any]:
        """Slack's answer. `repeatable` says that doing it twice is the same as once, so that an unanswered call may be
        made again; a refused one (429) always may. `arguments` may be asked for at the moment of sending. `channel` and
        `message` are what is paced by itself.

        Raises `Unanswered` when it cannot be known whether it was done, and what `replies.error_of` gives.
        """
        for attempt in range(1, ATTEMPTS + 1):
            await self._pacer.turn(method, channel, message)
            try:
                return await self._once(method, arguments() if callable(arguments) else arguments, get)
            except _Busy as busy:
                pause = busy.pause if busy.pause is not None else min(2.0 ** (attempt - 1), 8.0)
                asked = busy.refused or busy.pause is not None
                if not (asked or repeatable):
                    raise Unanswered(_MAYBE) from busy.__cause__
                if attempt == ATTEMPTS or pause > LONGEST_PAUSE:
                    raise (Unavailable if busy.refused else Unanswered)(_BUSY) from busy.__cause__
                log.warning("slack is busy", method=method, status=busy.status, pause=pause, attempt=attempt)
                if asked:
                    self._pacer.hold(method, channel, pause)
                else:
                    await self._sleep(pause)
        raise AssertionError("the last attempt answers or raises")

    async def _once(self, method: str, arguments: Mapping[str, Any], get: bool) -> dict[str, Any]:
        try:
            if get:
                answer = await self.web.api_call(method, http_verb="GET", params=dict(arguments))
            else:
                answer = await self.web.api_call(method, json=dict(arguments))
        except SlackApiError as error:
            raise _meaning(method, error) from error
        except (aiohttp.ClientError, SlackClientError, TimeoutError, OSError) as error:
            raise _Busy(0, None) from error
        except AttributeError as error:
            # The SDK trips over an answer in text/plain with status 200, which a proxy in between may give.
            raise _Busy(200, None) from error
        data = answer.data
        return data if isinstance(data, dict) else {}


_MAYBE = "Slack did not answer; it may have been done all the same."
_BUSY = "Slack is not answering or asks for too long a pause."


class _Busy(Exception):
    """Slack did not do it now (429), or may have failed in the middle; `pause` is what it asks for, in seconds."""

    def __init__(self, status: int, pause: float | None) -> None:
        super().__init__(status)
        self.status = status
        self.pause = pause
        self.refused = status == 429


def _meaning(method: str, error: SlackApiError) -> BotError | _Busy:
    response: Any = error.response
    # Where the body was no JSON the SDK hands over aiohttp's own response instead of its own.
    status = int(getattr(response, "status_code", 0) or getattr(response, "status", 0) or 0)
    data: Any = getattr(response, "data", None)
    answer: Mapping[str, Any] = data if isinstance(data, dict) else {}
    code = str(answer.get("error", ""))
    if status == 429 or code in ("ratelimited", "rate_limited"):
        return _Busy(429, _retry_after(response.headers) or 1.0)
    if status >= 500 or code in ("internal_error", "fatal_error", "service_unavailable", "request_timeout") or not code:
        return _Busy(status, _retry_after(response.headers))
    return error_of(method, code, answer)


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """The seconds Slack asks to wait; None when it names none that can be read."""
    for name, value in headers.items():
        if name.lower() == "retry-after":
            try:
                seconds = float(value)
            except ValueError:
                return None
            return max(0.0, seconds) if math.isfinite(seconds) else None
    return None
