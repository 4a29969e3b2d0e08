"""HTTP mode: signed posts to the bot's request URL, form-encoded and retried as Slack does."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import urlencode, urlsplit

import aiohttp

from bot.sandbox.slack.errors import LocalSlackError
from bot.sandbox.slack.journal import Journal
from bot.sandbox.slack.records import Json
from bot.sandbox.slack.state import Workspace
from bot.sandbox.slack.transport import Acked, Envelope, Outcome, Retry, Unanswered, delivery_name

# https://docs.slack.dev/apis/events-api#error-handling
MOST_REDIRECTS = 2


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine's own."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def signature(secret: str, timestamp: str, body: str) -> str:
    """Slack's v0 signature of a request (https://docs.slack.dev/authentication/verifying-requests-from-slack)."""
    digest = hmac.new(secret.encode(), f"v0:{timestamp}:{body}".encode(), hashlib.sha256)
    return f"v0={digest.hexdigest()}"


@dataclass
class HttpTransport:
    """Posts everything to one request URL on this machine."""

    space: Workspace
    journal: Journal
    secret: str
    url: str
    _session: aiohttp.ClientSession | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if not is_loopback(urlsplit(self.url).hostname or ""):
            raise LocalSlackError(f"Local Slack delivers only to this machine, not to {self.url}.")

    async def verify(self) -> None:
        """Send the url_verification challenge; raises LocalSlackError unless it is echoed."""
        challenge = f"challenge-{self.space.new_id('')}"
        body = json.dumps({"token": "local", "challenge": challenge, "type": "url_verification"})
        try:
            async with self._post(body, "application/json", {}) as answer:
                text = await answer.text()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise LocalSlackError(f"The request URL {self.url} cannot be reached: {error}.") from error
        if challenge not in text:
            raise LocalSlackError(f"The request URL {self.url} did not echo the challenge.")

    async def send(self, kind: Envelope, payload: Json, retry: Retry | None = None) -> Outcome:
        """Post once and read the acknowledgement."""
        body, content_type = _encode(kind, payload)
        headers = {}
        if retry is not None:
            reason = "http_timeout" if retry.reason == "timeout" else retry.reason
            headers = {"x-slack-retry-num": str(retry.attempt), "x-slack-retry-reason": reason}
        name = delivery_name(kind, payload)
        attempt = retry.attempt if retry else 0
        self.journal.note("delivery", name, envelope=kind, url=self.url, payload=payload, retry_attempt=attempt)
        try:
            async with asyncio.timeout(self.space.timing.ack), self._post(body, content_type, headers) as answer:
                text = await answer.text()
        except TimeoutError:
            return Unanswered("timeout")
        except aiohttp.TooManyRedirects:
            return Unanswered("http_error")
        except aiohttp.ClientError:
            return Unanswered("connection_failed")
        self.journal.note("ack", name, status=answer.status, text=text)
        if not 200 <= answer.status < 300:
            return Unanswered("http_error", retry=answer.headers.get("x-slack-no-retry") != "1")
        return Acked(_decode(text))

    def _post(self, body: str, content_type: str, headers: dict[str, str]) -> aiohttp.client._RequestContextManager:
        if self._session is None:
            self._session = aiohttp.ClientSession(trust_env=False)
        timestamp = str(self.space.now())
        headers = headers | {
            "Content-Type": content_type,
            "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
            "X-Slack-Request-Timestamp": timestamp,
            "X-Slack-Signature": signature(self.secret, timestamp, body),
        }
        return self._session.post(self.url, data=body.encode(), headers=headers, max_redirects=MOST_REDIRECTS)

    async def close(self) -> None:
        """Give back the HTTP session."""
        if self._session is not None:
            await self._session.close()
            self._session = None


def _encode(kind: Envelope, payload: Json) -> tuple[str, str]:
    form = "application/x-www-form-urlencoded"
    match kind:
        case "events_api":
            return json.dumps(payload), "application/json"
        case "interactive":
            return urlencode({"payload": json.dumps(payload)}), form
        case "slash_commands":
            return urlencode(payload), form


def _decode(text: str) -> Json | None:
    if not text.strip():
        return None
    try:
        tree = json.loads(text)
    except ValueError:
        return {"text": text}
    return tree if isinstance(tree, dict) else None
