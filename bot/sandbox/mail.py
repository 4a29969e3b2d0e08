"""A mail server on loopback that keeps what it gets."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage


@dataclass(frozen=True)
class Mail:
    """A mail as it came: the envelope's addresses, and the message."""

    sender: str
    recipients: tuple[str, ...]
    message: EmailMessage

    @property
    def subject(self) -> str:
        """The subject line."""
        return str(self.message["Subject"] or "")

    @property
    def text(self) -> str:
        """The plain text, empty when there is none."""
        body = self.message.get_body(("plain",))
        return "" if body is None else str(body.get_content())


@dataclass
class _Envelope:
    sender: str | None = None
    recipients: list[str] = field(default_factory=list)


class MailSink:
    """An SMTP server (RFC 5321 with 8BITMIME only) on loopback that keeps every mail in `mails` and sends none.

    `refuse` answers the next recipients with that code and text, as a full mailbox does.
    """

    def __init__(self, *, port: int = 0) -> None:
        self.mails: list[Mail] = []
        self.refuse: str | None = None
        self.host, self.port = "127.0.0.1", port
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._arrived = asyncio.Condition()

    async def start(self) -> MailSink:
        """Listen on 127.0.0.1, on the given port or any free one."""
        self._server = await asyncio.start_server(self._talk, self.host, self.port, limit=1 << 20)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def stop(self) -> None:
        """Stop listening and end the conversations; the mails stay."""
        if self._server is not None:
            self._server.close()
            for writer in tuple(self._writers):
                writer.close()
            await self._server.wait_closed()
            self._server = None

    async def __aenter__(self) -> MailSink:
        return await self.start()

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def received(self, count: int, *, seconds: float = 5.0) -> list[Mail]:
        """The mails once there are `count` of them; TimeoutError when they do not come in time."""
        async with asyncio.timeout(seconds), self._arrived:
            await self._arrived.wait_for(lambda: len(self.mails) >= count)
        return self.mails

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        envelope = _Envelope()
        try:
            await _say(writer, "220 localhost mail sink")
            while line := await reader.readline():
                verb, _, rest = line.decode("utf-8", "replace").strip().partition(" ")
                answer = await self._answer(verb.upper(), rest, envelope, reader, writer)
                await _say(writer, answer)
                if verb.upper() == "QUIT":
                    break
        except (ConnectionError, asyncio.IncompleteReadError):
            return
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _answer(
        self,
        verb: str,
        rest: str,
        envelope: _Envelope,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> str:
        match verb:
            case "EHLO" | "HELO":
                answer = "250-localhost\r\n250 8BITMIME" if verb == "EHLO" else "250 localhost"
            case "MAIL":
                envelope.sender, envelope.recipients = _address(rest), []
                answer = "250 OK"
            case "RCPT" if self.refuse is not None:
                answer = self.refuse
            case "RCPT":
                envelope.recipients.append(_address(rest))
                answer = "250 OK"
            case "DATA" if envelope.sender is None or not envelope.recipients:
                answer = "503 Say MAIL and RCPT first"
            case "DATA":
                await _say(writer, "354 End with a dot on a line of its own")
                await self._keep(envelope, await _data(reader))
                answer = "250 Kept"
            case "RSET":
                envelope.sender, envelope.recipients = None, []
                answer = "250 OK"
            case "NOOP":
                answer = "250 OK"
            case "QUIT":
                answer = "221 Bye"
            case _:
                answer = "502 Not implemented"
        return answer

    async def _keep(self, envelope: _Envelope, raw: bytes) -> None:
        message = message_from_bytes(raw, policy=policy.default)
        mail = Mail(envelope.sender or "", tuple(envelope.recipients), message)
        envelope.sender, envelope.recipients = None, []
        async with self._arrived:
            self.mails.append(mail)
            self._arrived.notify_all()


async def _say(writer: asyncio.StreamWriter, line: str) -> None:
    writer.write(f"{line}\r\n".encode())
    await writer.drain()


async def _data(reader: asyncio.StreamReader) -> bytes:
    lines: list[bytes] = []
    while (line := await reader.readuntil(b"\n")) != b".\r\n":
        lines.append(line[1:] if line.startswith(b".") else line)
    return b"".join(lines)


def _address(rest: str) -> str:
    return rest.partition("<")[2].partition(">")[0]
