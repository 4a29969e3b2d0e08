"""The outside a system's steps may reach: databases by role, services, Stripe and mail, opened at first use and closed
together. Secrets are read here, at use, from the environment that is handed in, and masked from then on."""

from __future__ import annotations

import asyncio
import os
import shutil
import smtplib
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from email.message import EmailMessage
from enum import StrEnum
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeAlias

import aiohttp
import asyncpg

from bot.domain.programs import runs_anything
from bot.domain.system import Command, Database, SecretRef, System
from bot.errors import BotError, Misconfigured, Unavailable
from bot.steps.processes import SEARCHED, Program
from bot.steps.redaction import Redaction

if TYPE_CHECKING:
    import stripe

Connection: TypeAlias = "asyncpg.pool.PoolConnectionProxy[asyncpg.Record]"

POOL_SIZE = 32  # opened when needed: that many checks of one runbook run at once
CONNECT_SECONDS = 5.0
IDLE_SECONDS = 120.0
ROLLBACK_SECONDS = 2.0
GRACE = timedelta(seconds=3)  # the server ends a statement at its limit; this is for a server that says nothing


class Role(StrEnum):
    """Which of a database's two roles is used."""

    READ = "read"
    ACT = "act"


async def end(connection: Connection) -> None:
    """End the open transaction, if there is one, without an effect. A connection that cannot do that in time is cut,
    which ends it as well."""
    if connection.is_closed() or not connection.is_in_transaction():
        return
    try:
        async with asyncio.timeout(ROLLBACK_SECONDS):
            await connection.execute("ROLLBACK")
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError):
        connection.terminate()


@dataclass(frozen=True, slots=True)
class ReachedDatabase:
    """A database of the system with one of its roles."""

    database: Database
    role: Role
    variable: str
    pool: asyncpg.Pool[asyncpg.Record]
    opening: asyncio.Lock

    @asynccontextmanager
    async def connection(self, within: timedelta, grace: timedelta = GRACE) -> AsyncIterator[Connection]:
        """A connection without an open transaction; whatever its user leaves open is rolled back. Raises what asyncpg
        raises, and TimeoutError when none can be had within the time, at most `CONNECT_SECONDS`, or when its use takes
        longer than the time and the grace: then the server is silent, for else it would have ended the statement."""
        async with self.opening:  # two that open a pool at once are refused; opening one connects to nothing
            await self.pool
        connection = await self.pool.acquire(timeout=min(CONNECT_SECONDS, within.total_seconds()))
        try:
            async with asyncio.timeout((within + grace).total_seconds()):
                yield connection
        finally:
            await asyncio.shield(self._give_back(connection))

    async def _give_back(self, connection: Connection) -> None:
        await end(connection)
        await self.pool.release(connection, timeout=ROLLBACK_SECONDS)


@dataclass(frozen=True, slots=True)
class ReachedService:
    """A service of the system: where it is and what is sent along."""

    base: str
    headers: Mapping[str, str] = field(default_factory=dict)
    safe_posts: tuple[str, ...] = ()


class Targets:
    """Everything outside that steps touch. Use it as an async context manager; one for the whole process is enough."""

    def __init__(self, environment: Mapping[str, str], *, session: aiohttp.ClientSession | None = None) -> None:
        self._environment = environment
        self._redaction = Redaction()
        self._pools: dict[str, tuple[asyncpg.Pool[asyncpg.Record], asyncio.Lock]] = {}
        self._stripes: dict[tuple[str, str], stripe.StripeClient] = {}
        self._session = session
        self._owns_session = session is None

    async def __aenter__(self) -> Targets:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close every pool and session; a pool that does not close in time is cut."""
        pools, self._pools = list(self._pools.values()), {}
        for pool, _ in pools:
            try:
                async with asyncio.timeout(ROLLBACK_SECONDS):
                    await pool  # one that was never used cannot be closed otherwise; it connects to nothing
                    await pool.close()
            except TimeoutError:
                pool.terminate()
        if self._session is not None and self._owns_session:
            await self._session.close()
            self._session = None

    @property
    def session(self) -> aiohttp.ClientSession:
        """The HTTP session everybody shares: no proxies from the environment, no cookies."""
        if self._session is None:
            self._session = aiohttp.ClientSession(trust_env=False, cookie_jar=aiohttp.DummyCookieJar())
        return self._session

    # -- secrets -------------------------------------------------------------------------------------------------------

    def resolve(self, value: str | SecretRef) -> str:
        """The secret's value, which is masked in every text from now on; a plain text is itself."""
        if isinstance(value, str):
            return value
        found = self._found(value)
        self._redaction.learn(found)
        self._redaction.learn_address(found)
        return found

    def address(self, value: str | SecretRef) -> str:
        """Like `resolve`, for a place and not a secret: only a password inside it is masked."""
        found = value if isinstance(value, str) else self._found(value)
        self._redaction.learn_address(found)
        return found

    def knows(self, ref: SecretRef) -> bool:
        """Whether the variable is set."""
        return bool(self._environment.get(ref.env, ""))

    def redact(self, text: str) -> str:
        """The text with every secret value in use and every password in an address masked."""
        return self._redaction.mask(text)

    def _found(self, ref: SecretRef) -> str:
        found = self._environment.get(ref.env, "")
        if not found:
            raise Misconfigured(f"The environment variable {ref.env} is not set.", hint=f"Set {ref.env} and restart.")
        return found

    # -- databases -----------------------------------------------------------------------------------------------------

    def database(self, system: System, name: str | None, role: Role) -> ReachedDatabase:
        """The database of that name (None: the system's only one) with that role. Raises Misconfigured."""
        database = _chosen(system, name)
        ref = database.read if role is Role.READ else database.act
        if ref is None:
            raise Misconfigured(
                f"The database «{database.name}» of {system.title} may only be looked at: it has no acting role.",
                hint="Give it an `act` address in system.yaml.",
            )
        url = self.resolve(ref)
        if url not in self._pools:
            self._pools[url] = (_pool(url, ref.env), asyncio.Lock())
        return ReachedDatabase(database, role, ref.env, *self._pools[url])

    # -- commands, services, Stripe, mail ------------------------------------------------------------------------------

    def command(self, system: System, name: str) -> tuple[Command, Program]:
        """The command of that name and what is started for it, with a clean environment. Raises Misconfigured."""
        command = system.commands.get(name)
        if command is None:
            raise Misconfigured(f"{system.title} has no command «{name}».", hint=_known(system.commands))
        said = self.address(command.program)
        path = shutil.which(said, path=SEARCHED) if said.startswith("/") or "/" not in said else None
        if path is None:
            raise Misconfigured(
                f"The program of the command «{name}» is not on this machine.",
                hint="Install it where the worker runs, or give its path in system.yaml.",
            )
        if runs_anything(path, os.path.realpath(path)):
            raise Misconfigured(
                f"The program of the command «{name}» runs anything it is given.",
                hint="Declare the program itself, not a shell or one that starts others.",
            )
        own = {key: self.resolve(value) for key, value in command.environment.items()}
        folder = self.address(command.folder) if command.folder is not None else "/"
        return command, Program(path, {"PATH": SEARCHED, "LANG": "C.UTF-8", **own}, folder)

    def service(self, system: System, name: str | None) -> ReachedService:
        """The service of that name (None: the system's only one). Raises Misconfigured."""
        if name is None and len(system.services) == 1:
            name = next(iter(system.services))
        service = system.services.get(name or "")
        if service is None:
            raise Misconfigured(
                f"{system.title} has no service «{name or '(none given)'}».", hint=_known(system.services)
            )
        headers = {key: self.resolve(value) for key, value in service.headers.items()}
        return ReachedService(self.address(service.base).rstrip("/"), headers, service.safe_posts)

    def stripe(self, system: System) -> stripe.StripeClient:
        """The official client of the system's account, over the shared session and without retries of its own."""
        import stripe  # a third of a second to import: only bots that use it pay

        account = system.stripe
        if account is None:
            raise Misconfigured(f"{system.title} has no Stripe account.", hint="Add `stripe:` to system.yaml.")
        key = self.resolve(account.key)
        base = "" if account.base is None else self.address(account.base)
        client = self._stripes.get((key, base))
        if client is None:
            addresses: Any = {"api": base} if base else {}
            http_client = stripe.AIOHTTPClient(session=self.session, timeout=aiohttp.ClientTimeout(total=60))
            client = stripe.StripeClient(key, base_addresses=addresses, max_network_retries=0, http_client=http_client)
            self._stripes[(key, base)] = client
        return client

    async def mail(self, system: System, message: EmailMessage, timeout: timedelta) -> None:
        """Hand a message to the system's mail server. Raises Unavailable or Misconfigured when it was surely not taken,
        and `MailInDoubt` when the connection broke while it was being handed over."""
        mail = system.mail
        if mail is None:
            raise Misconfigured(f"{system.title} has no mail server.", hint="Add `mail:` to system.yaml.")
        host = self.address(mail.host)
        port = mail.port if isinstance(mail.port, int) else _port(self.address(mail.port))
        username = self.resolve(mail.username) if mail.username else ""
        password = self.resolve(mail.password) if mail.password else ""
        delivery = _Delivery(host, port, username, password, timeout.total_seconds())
        await asyncio.to_thread(delivery.hand_over, message)


class MailInDoubt(BotError):
    """The mail server was given the message and the connection broke before it answered."""


@dataclass(frozen=True, slots=True)
class _Delivery:
    host: str
    port: int
    username: str
    password: str
    seconds: float

    def hand_over(self, message: EmailMessage) -> None:
        """Blocking; runs in a thread."""
        try:
            server = smtplib.SMTP(self.host, self.port, timeout=self.seconds)
        except (OSError, smtplib.SMTPException) as trouble:
            raise Unavailable(f"The mail server does not answer: {type(trouble).__name__}.") from trouble
        try:
            self._log_in(server)
            try:
                server.send_message(message)
            except smtplib.SMTPRecipientsRefused as refused:
                raise Unavailable("The mail server refused the recipient.") from refused
            except smtplib.SMTPResponseException as refused:
                raise Unavailable(f"The mail server refused the message (code {refused.smtp_code}).") from refused
            except (OSError, smtplib.SMTPException) as broken:
                raise MailInDoubt(
                    "The connection to the mail server broke while the message was handed over."
                ) from broken

        finally:
            with suppress(OSError, smtplib.SMTPException):  # what it says to our goodbye changes nothing any more
                server.quit()
            server.close()

    def _log_in(self, server: smtplib.SMTP) -> None:
        try:
            server.ehlo()
            if server.has_extn("starttls"):
                server.starttls(context=ssl.create_default_context())
                server.ehlo()
            if self.username:
                server.login(self.username, self.password)
        except smtplib.SMTPAuthenticationError as refused:
            raise Misconfigured("The mail server refused the username or the password.") from refused
        except (OSError, smtplib.SMTPException) as trouble:
            raise Unavailable(f"The mail server did not let us in: {type(trouble).__name__}.") from trouble


async def _nothing(_: object) -> None:
    """Every use is its own transaction with its own settings: nothing is left to reset, and a reset costs a query."""


def _pool(url: str, variable: str) -> asyncpg.Pool[asyncpg.Record]:
    if not url.startswith(("postgresql://", "postgres://")):
        raise Misconfigured(
            f"{variable} is not the address of a PostgreSQL database.",
            hint="Write postgresql://user:password@host/name.",
        )
    return asyncpg.create_pool(
        url,
        min_size=0,
        max_size=POOL_SIZE,
        reset=_nothing,
        timeout=CONNECT_SECONDS,
        max_inactive_connection_lifetime=IDLE_SECONDS,
    )


def _chosen(system: System, name: str | None) -> Database:
    if name is None and len(system.databases) == 1:
        return next(iter(system.databases.values()))
    database = system.databases.get(name or "")
    if database is None:
        said = f"no database «{name}»" if name else "more than one database, and the step names none"
        raise Misconfigured(f"{system.title} has {said}.", hint=_known(system.databases))
    return database


def _known(names: Mapping[str, object]) -> str:
    return f"It has {', '.join(sorted(names))}." if names else "It has none: add one to system.yaml."


def _port(text: str) -> int:
    try:
        return int(text)
    except ValueError as trouble:
        raise Misconfigured("The port of the mail server is not a number.") from trouble
