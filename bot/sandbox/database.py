"""A sample system's database with its three logins: built once as a template, cloned for each use."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from importlib.resources import files
from typing import TypeAlias

import asyncpg

from bot.sandbox.postgres import Postgres, quoted
from bot.sandbox.templates import BUILD_LOCK, exists, template

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
READ, ACT, APP = "read", "act", "app"


@dataclass(frozen=True)
class SampleDatabase:
    """One copy of a system's database on a server, and how each role reaches it."""

    server: Postgres
    system: str
    name: str

    @property
    def read_url(self) -> str:
        """Reads everything but secrets' values, in read-only transactions."""
        return self._url(READ)

    @property
    def act_url(self) -> str:
        """Changes what the runbooks change, and nothing else."""
        return self._url(ACT)

    @property
    def app_url(self) -> str:
        """The application itself: the login of its workers and of planted sessions."""
        return self._url(APP)

    def _url(self, use: str) -> str:
        role = f"{self.system}_{use}"
        return self.server.url(self.name, role, password_of(self.server, role))

    async def connect(self) -> Connection:
        """A superuser's connection, for planting faults; the caller closes it."""
        return await self.server.connect(self.name)

    async def drop(self) -> None:
        """Remove this copy, ending its sessions."""
        await self.server.drop_database(self.name)


def password_of(server: Postgres, role: str) -> str:
    """The role's password on this server: from the server's own, so that every process that has that one agrees."""
    return hmac.new(server.password.encode(), role.encode(), hashlib.sha256).hexdigest()[:32]


async def build(server: Postgres, system: str, *, name: str = "", fresh: bool = False) -> SampleDatabase:
    """A system's database called `name` on a running server; one that is there is kept, or with `fresh` made anew.

    It is made of `roles.sql`, `schema.sql` and `seed.sql` in `bot/sandbox/<system>/`, and of the first two in
    `bot/sandbox/`, which hold what all systems have.
    """
    name = name or system
    made = await _template(server, system)
    connection = await server.connect()
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", BUILD_LOCK)
        if fresh:
            await server.drop_database(name)
        if not await exists(connection, name):
            await server.create_database(name, made)
            await connection.execute(f"REVOKE ALL ON DATABASE {quoted(name)} FROM PUBLIC")
            roles = ", ".join(f"{system}_{use}" for use in (READ, ACT, APP))
            await connection.execute(f"GRANT CONNECT ON DATABASE {quoted(name)} TO {roles}")
    finally:
        await connection.close()
    return SampleDatabase(server, system, name)


async def _template(server: Postgres, system: str) -> str:
    roles, schema, seed = (_script(system, name) for name in ("roles", "schema", "seed"))

    async def fill(name: str) -> None:
        inside = await server.connect(name)
        try:
            await inside.execute(roles)
            for role in (f"{system}_{use}" for use in (READ, ACT, APP)):
                await inside.execute(f"ALTER ROLE {role} PASSWORD '{password_of(server, role)}'")
            await inside.execute(schema)
            await inside.execute(seed)
            await inside.execute("VACUUM (ANALYZE, FREEZE)")
        finally:
            await inside.close()

    return await template(server, system, (roles + schema + seed).encode(), fill)


def _script(system: str, name: str) -> str:
    """What all systems have, with this one's name, and then what is its own; either may be missing."""
    parts = (folder.joinpath(f"{name}.sql") for folder in (files("bot.sandbox"), files(f"bot.sandbox.{system}")))
    return "\n".join(part.read_text(encoding="utf-8").replace("{system}", system) for part in parts if part.is_file())
