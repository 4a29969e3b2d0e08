"""What PostgreSQL or the way to it says, as one sentence that names what to do; used by every part of the sql kind."""

from __future__ import annotations

import asyncpg
from asyncpg import exceptions as pg

from bot.steps.targets import ReachedDatabase, Targets

TROUBLE: tuple[type[BaseException], ...] = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    OSError,
    TimeoutError,
    ValueError,
    OverflowError,
)
"""What a database may do to us; anything else is a bug of ours."""

LOST: tuple[type[BaseException], ...] = (
    pg.PostgresConnectionError,
    pg.AdminShutdownError,
    pg.CrashShutdownError,
    asyncpg.InterfaceError,
    OSError,
    TimeoutError,
)
"""The connection is gone: what was under way is rolled back by the server, unless it was the COMMIT."""


def sentence(trouble: BaseException, reached: ReachedDatabase, targets: Targets, seconds: float) -> str:
    """One sentence for a person: what happened, on which database, and what to do. Holds no secret."""
    return targets.redact(_said(trouble, reached, seconds))


def _said(  # noqa: C901, PLR0911, PLR0912 - one arm an error
    trouble: BaseException, reached: ReachedDatabase, seconds: float
) -> str:
    place = f"the database «{reached.database.name}»"
    match trouble:
        case pg.InvalidPasswordError() | pg.InvalidAuthorizationSpecificationError():
            return f"{capital(place)} refused the user or password in {reached.variable}: put it right there."
        case pg.InvalidCatalogNameError():
            return f"The address in {reached.variable} names a database that does not exist."
        case pg.TooManyConnectionsError():
            return f"{capital(place)} has no connection free: too many clients."
        case pg.CannotConnectNowError():
            return f"{capital(place)} is starting up or shutting down."
        case pg.QueryCanceledError():
            return f"The statement took longer than {seconds:g} s and was stopped."
        case pg.LockNotAvailableError():
            return "Another session holds the lock on these rows; the statement waited and gave up."
        case pg.DeadlockDetectedError() | pg.SerializationError():
            return "Another session changed the same rows at the same moment."
        case pg.PostgresError() if not isinstance(trouble, LOST):
            return _statement(trouble, place, reached)
        case asyncpg.ClientConfigurationError():
            return f"The address in {reached.variable} cannot be used: put it right there."
        case TimeoutError():
            return f"{capital(place)} did not answer in time."
        case ConnectionRefusedError():
            return f"{capital(place)} cannot be reached: connection refused. See whether the server is up."
        case OSError() if not isinstance(trouble, ConnectionError):
            return f"{capital(place)} cannot be reached: {trouble.strerror or type(trouble).__name__}."
        case ValueError() | OverflowError():
            return "A value in the result cannot be read: cast it to text in the statement."
        case _:
            return f"The connection to {place} broke."


def _statement(  # noqa: PLR0911 - one arm an error
    trouble: pg.PostgresError, place: str, reached: ReachedDatabase
) -> str:
    message = _plain(trouble)
    match trouble:
        case pg.UndefinedTableError():
            return f"In {place} the {message}: check the table's name in the statement."
        case pg.UndefinedColumnError():
            return f"In {place} the {message}: check the column's name in the statement."
        case pg.UndefinedFunctionError():
            return f"In {place} the {message}: check the function and the types of its values."
        case pg.InsufficientPrivilegeError():
            return f"The {reached.role} role of {place} may not do that ({message}): grant it, or leave it out."
        case pg.ReadOnlySQLTransactionError():
            return f"The statement tried to change something in a check ({message}); that was refused."
        case pg.DataError():
            return f"A value does not fit: {message}."
        case pg.IntegrityConstraintViolationError():
            return f"The database refused the change: {message}."
        case _:
            return f"PostgreSQL refused the statement: {message}."


def capital(text: str) -> str:
    """The text as the beginning of a sentence."""
    return text[:1].upper() + text[1:]


def _plain(trouble: pg.PostgresError) -> str:
    """Its message without the stop; DETAIL and HINT stay out, for they may quote whole rows."""
    return str(trouble.args[0] if trouble.args else trouble).strip().rstrip(".")
