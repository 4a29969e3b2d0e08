"""The sample system's database with its three logins: built once as a template, cloned for each use."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from importlib.resources import files

import asyncpg

from bot.sandbox.postgres import Postgres, quoted
from bot.sandbox.templates import BUILD_LOCK, exists, template

READER, ACTOR, APPLICATION = "alacarte_read", "alacarte_act", "alacarte_app"


@dataclass(frozen=True)
class Alacarte:
    """One copy of the sample database on a server, and how each role reaches it."""

    server: Postgres
    name: str

    @property
    def read_url(self) -> str:
        """Reads everything but secrets' values, in read-only transactions."""
        return self._url(READER)

    @property
    def act_url(self) -> str:
        """Changes what the runbooks change, ends sessions, and makes indexes on messages."""
        return self._url(ACTOR)

    @property
    def app_url(self) -> str:
        """The application itself: the login of dashboards and of planted sessions."""
        return self._url(APPLICATION)

    def _url(self, role: str) -> str:
        return self.server.url(self.name, role, password_of(self.server, role))

    async def connect(self) -> asyncpg.Connection[asyncpg.Record]:
        """A superuser's connection, for planting faults; the caller closes it."""
        return await self.server.connect(self.name)

    async def drop(self) -> None:
        """Remove this copy, ending its sessions."""
        await self.server.drop_database(self.name)


def password_of(server: Postgres, role: str) -> str:
    """The role's password on this server: from the server's own, so that every process that has that one agrees."""
    return hmac.new(server.password.encode(), role.encode(), hashlib.sha256).hexdigest()[:32]


async def build(server: Postgres, *, name: str = "alacarte", fresh: bool = False) -> Alacarte:
    """The sample database called `name` on a running server; one that is there is kept, or with `fresh` made anew."""
    made = await _template(server)
    connection = await server.connect()
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", BUILD_LOCK)
        if fresh:
            await server.drop_database(name)
        if not await exists(connection, name):
            await server.create_database(name, made)
            await connection.execute(f"REVOKE ALL ON DATABASE {quoted(name)} FROM PUBLIC")
            roles = f"{READER}, {ACTOR}, {APPLICATION}"
            await connection.execute(f"GRANT CONNECT ON DATABASE {quoted(name)} TO {roles}")
    finally:
        await connection.close()
    return Alacarte(server, name)


async def _template(server: Postgres) -> str:
    roles, schema, seed = _text("roles.sql"), _text("schema.sql"), _text("seed.sql")

    async def fill(name: str) -> None:
        inside = await server.connect(name)
        try:
            await inside.execute(roles)
            for role in (READER, ACTOR, APPLICATION):
                await inside.execute(f"ALTER ROLE {role} PASSWORD '{password_of(server, role)}'")
            await inside.execute(schema)
            await inside.execute(seed)
            await inside.execute("VACUUM (ANALYZE, FREEZE)")
        finally:
            await inside.close()

    return await template(server, "alacarte", (roles + schema + seed).encode(), fill)


def _text(name: str) -> str:
    return files("bot.sandbox.alacarte").joinpath(name).read_text(encoding="utf-8")
