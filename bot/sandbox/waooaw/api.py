"""The operators' API of the sample system: goals, deliverables, credentials and sign-in over its database."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from bot.sandbox.sample import Ground
from bot.sandbox.services import Asked, Reply
from bot.sandbox.waooaw.desk import opened
from bot.sandbox.waooaw.engine import SCHEDULER, restarts

Json = dict[str, Any]
Handler = Callable[[Asked], Awaitable[Json | Reply]]
PREFIX = "/api"
NOT_FOUND = Reply(404, {"error": "not found"})
VISIBLE = ("pending_review", "approved", "published")
GOALS = (
    "SELECT id, title, status, schedule, timezone, next_run_at, agent_id FROM goals WHERE customer_id = $1 ORDER BY id"
)
DELIVERABLES = """
SELECT id, status, agent_id, created_at FROM deliverables
WHERE customer_id = $1 AND status = ANY ($2) ORDER BY created_at DESC LIMIT $3
"""
REFRESH = """
UPDATE credentials SET status = 'active', token_expires_at = now() + interval '60 days', last_refreshed_at = now(),
                       last_error = NULL, updated_at = now() WHERE id = $1 RETURNING platform
"""
REFRESH_FAILED = "UPDATE credentials SET last_error = $2, updated_at = now() WHERE id = $1"
APPROVE = """
UPDATE goals SET status = 'approved', approved_at = now(), approved_by = 'operations',
                 next_run_at = now() + interval '1 hour', updated_at = now() WHERE id = $1 RETURNING id
"""
RUN = "INSERT INTO goal_runs (goal_id, finished_at, outcome) VALUES ($1, now(), 'completed') RETURNING id"
DELIVER = """
INSERT INTO deliverables (goal_instance_id, customer_id, agent_id, platform, caption)
SELECT $1, customer_id, agent_id, platform, title FROM goals WHERE id = $2 RETURNING id
"""
REPLACE = """
UPDATE goals SET title = $2, platform = $3, status = $4, schedule = $5, timezone = $6, updated_at = now(),
    next_run_at = (date_trunc('day', now() AT TIME ZONE $6) + interval '1 day 10 hours') AT TIME ZONE $6
WHERE id = $1 RETURNING id
"""
TEST = """
SELECT k.status, k.token_expires_at < now() AS expired, k.scopes, k.last_error,
       NOT EXISTS (SELECT FROM required_scopes r WHERE r.platform = k.platform AND r.scope <> ALL (k.scopes)) AS enough
FROM credentials k WHERE k.customer_id = $1 AND k.platform = $2
"""
MAILED = """
INSERT INTO audit_log (customer_id, action, details, performed_by)
SELECT id, $1, 'by mail', 'api' FROM customers WHERE lower(email) = lower($2)
"""


class Api:
    """Answers under /api/ for the local services. Faults say what the platforms answer: `tests` by platform replaces
    the answer to a connection test, `refresh_error` makes refreshing fail, `scheduler_error` makes its health check
    answer 503 until the scheduler was restarted."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        self.tests: dict[str, Json] = {}
        self.refresh_error = ""
        self.scheduler_error = ""
        self.scheduler_needs: tuple[str, ...] = (SCHEDULER,)
        self._restarts = {each: restarts(ground, each) for each in (SCHEDULER, "redis", "plant-backend")}

    def serve(self) -> None:
        """From now on these answers."""
        routes: Mapping[tuple[str, str], Handler] = {
            ("GET", "/pp/goals"): self._goals,
            ("PUT", "/pp/goals/{id}"): self._replace,
            ("POST", "/pp/goals/{id}/approve"): self._approve,
            ("POST", "/pp/goals/{id}/trigger"): self._trigger,
            ("GET", "/pp/deliverables"): self._deliverables,
            ("POST", "/pp/credentials/{id}/refresh"): self._refresh,
            ("POST", "/pp/test-credential"): self._test,
            ("POST", "/auth/password-reset"): self._mailed,
            ("POST", "/auth/resend-verification"): self._mailed,
        }
        for (method, path), then in routes.items():
            self.ground.services.answer(method, f"{PREFIX}{path}", Reply(then=then, token=True))
        self.ground.services.answer("GET", f"{PREFIX}/health", Reply(json={"status": "ok"}))
        self.ground.services.answer("GET", f"{PREFIX}/health/scheduler", Reply(then=self._scheduler))

    def refuses(self, platform: str, status: int, error: str) -> None:
        """A connection test with the platform is answered so until the credential is refreshed."""
        self.tests[platform] = {"ok": False, "platform_status": status, "error": error, "scopes": [], "usage": None}

    async def _scheduler(self, _asked: Asked) -> Json | Reply:
        again = all(restarts(self.ground, each) > self._restarts[each] for each in self.scheduler_needs)
        if self.scheduler_error and not again:
            return Reply(503, {"status": "unhealthy", "reason": self.scheduler_error})
        return {"status": "healthy"}

    async def _goals(self, asked: Asked) -> Json | Reply:
        async with opened(self.ground) as connection:
            rows = await connection.fetch(GOALS, UUID(asked.query["customer_id"]))
        return {"goals": [_plain(row) for row in rows]}

    async def _deliverables(self, asked: Asked) -> Json | Reply:
        limit = int(asked.query.get("limit", "20"))
        async with opened(self.ground) as connection:
            rows = await connection.fetch(DELIVERABLES, UUID(asked.query["customer_id"]), list(VISIBLE), limit)
        return {"deliverables": [_plain(row) for row in rows]}

    async def _approve(self, asked: Asked) -> Json | Reply:
        async with opened(self.ground) as connection:
            done = await connection.fetchval(APPROVE, _id(asked))
        return {"id": str(done), "status": "approved"} if done else NOT_FOUND

    async def _trigger(self, asked: Asked) -> Json | Reply:
        async with opened(self.ground) as connection, connection.transaction():
            run = await connection.fetchval(RUN, _id(asked))
            made = await connection.fetchval(DELIVER, run, _id(asked))
        return {"goal_instance_id": str(run), "deliverable_id": str(made)}

    async def _replace(self, asked: Asked) -> Json | Reply:
        said = asked.json
        if not {"title", "platform", "status", "schedule", "timezone"} <= said.keys():
            return Reply(422, {"error": "a goal is replaced as a whole"})
        values = [said[name] for name in ("title", "platform", "status", "schedule", "timezone")]
        async with opened(self.ground) as connection:
            done = await connection.fetchval(REPLACE, _id(asked), *values)
        return {"id": str(done)} if done else NOT_FOUND

    async def _refresh(self, asked: Asked) -> Json | Reply:
        async with opened(self.ground) as connection:
            if self.refresh_error:
                await connection.execute(REFRESH_FAILED, _id(asked), self.refresh_error)
                return Reply(409, {"refreshed": False, "error": self.refresh_error})
            platform = await connection.fetchval(REFRESH, _id(asked))
        self.tests.pop(str(platform), None)
        return {"refreshed": True} if platform else NOT_FOUND

    async def _test(self, asked: Asked) -> Json | Reply:
        platform = str(asked.json.get("platform"))
        if asked.json.get("test_type") != "connection":
            return Reply(422, {"error": "only connection tests are offered"})
        async with opened(self.ground) as connection:
            row = await connection.fetchrow(TEST, UUID(asked.json["customer_id"]), platform)
        if row is None:
            return NOT_FOUND
        if platform in self.tests:
            return self.tests[platform]
        return _tested(row)

    async def _mailed(self, asked: Asked) -> Json | Reply:
        action = "password_reset_sent" if asked.path.endswith("password-reset") else "verification_sent"
        async with opened(self.ground) as connection:
            await connection.execute(MAILED, action, asked.json.get("email"))
        return {"sent": True}


def _tested(row: asyncpg.Record) -> Json:
    """What the platform says to a credential in that state."""
    answer = {"ok": False, "scopes": row["scopes"], "usage": {"percent": 12}}
    if "suspended" in (row["last_error"] or ""):
        return {**answer, "platform_status": 403, "error": row["last_error"]}
    if row["status"] == "invalid":
        return {**answer, "platform_status": 401, "error": "invalid key or signature"}
    if row["status"] != "active" or row["expired"]:
        return {**answer, "platform_status": 401, "error": "access token expired"}
    if not row["enough"]:
        return {**answer, "platform_status": 403, "error": "(#200) The user has not granted all permissions"}
    return {**answer, "ok": True, "platform_status": 200, "error": None}


def _id(asked: Asked) -> UUID:
    return UUID(next(part for part in asked.path.split("/") if part.count("-") == 4))


def _plain(row: asyncpg.Record) -> Json:
    return {
        name: value.isoformat() if isinstance(value, datetime) else value and str(value) for name, value in row.items()
    }
