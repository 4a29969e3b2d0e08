"""The platform's logs: a line for each request as Vercel's log drain writes it, and the database's."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from bot.sandbox.sample import Ground

ROUTES = ("/api/workflows/run", "/api/tenants", "/api/auth/signup", "/api/stripe/webhook")
EVERYDAY = 400


def line(seconds_ago: float, route: str, status: int, message: str = "") -> str:
    """One request."""
    at = (datetime.now(UTC) - timedelta(seconds=seconds_ago)).strftime("%Y-%m-%dT%H:%M:%SZ")
    level = "error" if status >= 500 else "info"
    return f"{at} {level} route={route} status={status} duration=84ms {message}".rstrip()


def everyday(count: int = EVERYDAY) -> list[str]:
    """Requests of the last minutes that went well, one every half second, oldest first."""
    usual = {"/api/auth/signup": 201}
    return [
        line(each / 2, ROUTES[each % len(ROUTES)], usual.get(ROUTES[each % len(ROUTES)], 200))
        for each in range(count, 0, -1)
    ]


def write(ground: Ground, api: Sequence[str] = (), database: Sequence[str] = ()) -> None:
    """The logs anew: everyday life, and these lines after it."""
    ground.log("api", *everyday(), *api)
    at = (datetime.now(UTC) - timedelta(minutes=1)).strftime("%Y-%m-%d %H:%M:%S UTC")
    ground.log("database", f"{at} LOG:  checkpoint complete: wrote 1204 buffers", *database)
