"""The sample system's other services: switches, status pages, received webhooks, and mails over real SMTP."""

from __future__ import annotations

import asyncio
import smtplib
from collections.abc import AsyncIterator
from email.message import EmailMessage

import aiohttp
import pytest

from bot.sandbox.mail import MailSink
from bot.sandbox.services import Asked, LocalServices, Reply, Switch


@pytest.fixture
async def services() -> AsyncIterator[LocalServices]:
    """The services, healthy."""
    async with LocalServices() as running:
        yield running


async def test_health_follows_its_switch(services: LocalServices, session: aiohttp.ClientSession) -> None:
    """A switched path fails as often as asked and is healthy again; other paths never notice."""
    services.switches["/health"] = Switch(503, times=2)
    statuses = []
    for _ in range(3):
        async with session.get(f"{services.url}/health") as answer:
            statuses.append(answer.status)
    async with session.get(f"{services.url}/status/meta/api/v2/status.json") as other:
        assert other.status == 200
    assert statuses == [503, 503, 200]


async def test_a_slow_path_times_out(services: LocalServices, session: aiohttp.ClientSession) -> None:
    """A switch can make a path later than its caller waits."""
    services.switches["/health"] = Switch(seconds=3)
    with pytest.raises(TimeoutError):
        await session.get(f"{services.url}/health", timeout=aiohttp.ClientTimeout(total=0.1))


async def test_status_pages(services: LocalServices, session: aiohttp.ClientSession) -> None:
    """Each provider's page says what it is set to; a provider nobody knows is not found."""
    services.statuses["twilio"] = "major"
    shown = {}
    for provider in ("twilio", "supabase"):
        async with session.get(f"{services.url}/status/{provider}/api/v2/status.json") as page:
            shown[provider] = (await page.json())["status"]["description"]
    assert shown == {"twilio": "Partial System Outage", "supabase": "All Systems Operational"}
    async with session.get(f"{services.url}/status/nobody/api/v2/status.json") as missing:
        assert missing.status == 404


async def test_an_answer_can_be_decided(services: LocalServices, session: aiohttp.ClientSession) -> None:
    """What is called first may give the JSON of the answer, or the whole answer with its status."""

    async def decided(asked: Asked) -> object:
        return {"seen": asked.json["n"]} if asked.json["n"] == 1 else Reply(400, {"error": "only 1"})

    services.answer("POST", "/numbers", Reply(201, then=decided))
    said = []
    for number in (1, 2):
        async with session.post(f"{services.url}/numbers", json={"n": number}) as answer:
            said.append((answer.status, await answer.json()))
    assert said == [(201, {"seen": 1}), (400, {"error": "only 1"})]


async def test_webhooks_are_kept(services: LocalServices, session: aiohttp.ClientSession) -> None:
    """What is posted to a hook is kept with its name, headers and raw body."""
    headers = {"X-Signature": "abc"}
    async with session.post(f"{services.url}/hooks/notify", data=b'{"a": 1}', headers=headers) as answer:
        assert answer.status == 200
    [hook] = await services.received(1)
    assert (hook.name, hook.headers["x-signature"], hook.body) == ("notify", "abc", b'{"a": 1}')


def _send(port: int, text: str, recipients: list[str]) -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "bot@example.test", ", ".join(recipients), "Zahlung erhalten ✓"
    message.set_content(text)
    with smtplib.SMTP("127.0.0.1", port, timeout=5) as client:
        client.send_message(message)


async def test_mails_arrive_whole() -> None:
    """A mail arrives with its envelope, its subject and every line, dots at the start included."""
    text = "Hello\n.a line with a dot\n..two\nGrüße\n"
    async with MailSink() as sink:
        await asyncio.to_thread(_send, sink.port, text, ["a@example.test", "b@example.test"])
        [mail] = await sink.received(1)
    assert mail.sender == "bot@example.test"
    assert mail.recipients == ("a@example.test", "b@example.test")
    assert mail.subject == "Zahlung erhalten ✓"
    assert mail.text.replace("\r\n", "\n") == text


async def test_a_full_mailbox_refuses() -> None:
    """A refusing sink gives the sender the code and the words, and keeps nothing."""
    async with MailSink() as sink:
        sink.refuse = "552 Mailbox is full"
        with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
            await asyncio.to_thread(_send, sink.port, "x", ["a@example.test"])
    assert refused.value.recipients["a@example.test"] == (552, b"Mailbox is full")
    assert sink.mails == []
