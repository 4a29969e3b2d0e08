"""The services around the platform: itself as its users reach it, Vercel, Supabase, Resend, Sentry, status pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.sandbox.sample import Ground
from bot.sandbox.services import OPERATIONAL, Asked, Reply

PROJECT = "prj_aias"
REF = "aiasprod"
PAGES = ("vercel", "supabase", "stripe", "resend", "openai", "google")
Json = dict[str, Any]


def ago(**span: float) -> datetime:
    """A moment in the past."""
    return datetime.now(UTC) - timedelta(**span)


def milliseconds(moment: datetime) -> int:
    """As Vercel writes a time."""
    return int(moment.timestamp() * 1000)


@dataclass
class Vercel:
    """The project at Vercel: its production deployments, newest first, which of them is live, and its settings."""

    deployments: list[Json] = field(default_factory=list)
    current: str = "dpl_41"
    timeout: int = 60
    secret_set: datetime = field(default_factory=lambda: ago(days=40))
    paused: bool = False

    def __post_init__(self) -> None:
        if not self.deployments:
            self.deployments = [
                deployment("dpl_41", "Show the plan's limits on the dashboard", ago(days=2)),
                deployment("dpl_40", "Smaller bundles", ago(days=5)),
            ]

    def project(self) -> Json:
        """What the API says of the project."""
        live = next(each for each in self.deployments if each["uid"] == self.current)
        return {
            "id": PROJECT,
            "name": "aias",
            "resourceConfig": {"functionDefaultTimeout": self.timeout},
            "targets": {"production": {"id": live["uid"], "createdAt": live["created"], "readyState": live["state"]}},
        }

    def variables(self) -> Json:
        """The environment variables: names and times, values encrypted."""
        named = {"STRIPE_WEBHOOK_SECRET": self.secret_set, "RESEND_API_KEY": ago(days=90)}
        return {
            "envs": [
                {"key": key, "target": ["production"], "type": "sensitive", "updatedAt": milliseconds(at)}
                for key, at in named.items()
            ]
        }

    def builds(self, ground: Ground, then: Callable[[], None] = lambda: None) -> None:
        """From now on a deployment that is asked for is made and live at once; `then` is what it mends besides."""

        async def built(_: Asked) -> Json:
            made = deployment("dpl_42", "Redeploy", datetime.now(UTC))
            self.deployments.insert(0, made)
            self.current = made["uid"]
            then()
            return made

        ground.services.answer("POST", "/vercel/v13/deployments", Reply(200, then=built, token=True))


def deployment(uid: str, message: str, at: datetime, state: str = "READY") -> Json:
    """One production deployment as the API lists it."""
    return {
        "uid": uid,
        "name": "aias",
        "url": f"aias-{uid[4:]}.vercel.app",
        "created": milliseconds(at),
        "state": state,
        "target": "production",
        "meta": {"githubCommitMessage": message},
    }


@dataclass
class Vendors:
    """Everything outside, as it is when nothing is wrong; a fault says what is different and serves it again."""

    vercel: Vercel = field(default_factory=Vercel)
    pages: Mapping[str, str] = field(default_factory=dict)
    health: Json = field(default_factory=lambda: {"database": "ok", "stripe": "ok", "queue": "ok"})
    health_status: int = 200
    webhook_status: int = 405
    auth_status: int = 200
    rest_status: int = 200
    pool_size: int = 20
    mails: Sequence[str] = ("delivered",) * 40
    mail_domain: str = "verified"
    issues: Sequence[Json] = ()

    def serve(self, ground: Ground) -> None:
        """From now on everything outside answers like this."""
        services = ground.services
        for page in PAGES:
            services.statuses[page] = self.pages.get(page, OPERATIONAL)
        ok = {"ok": self.health_status == 200, "version": "1.9.2", "checks": self.health}
        services.answer("GET", "/api/healthz", Reply(self.health_status, ok))
        services.answer("GET", "/api/stripe/webhook", Reply(self.webhook_status, {"error": "use POST"}))
        services.answer("GET", "/api/auth/signup", Reply(405, {"error": "use POST"}))
        up = {"name": "GoTrue", "version": "v2.180.0"} if self.auth_status == 200 else {"error": "unavailable"}
        services.answer("GET", "/supabase/auth/v1/health", Reply(self.auth_status, up))
        services.answer("GET", "/supabase/rest/v1/", Reply(self.rest_status, {"swagger": "2.0"}))
        services.answer("GET", "/resend/domains", Reply(200, _domains(self.mail_domain), token=True))
        services.answer("GET", "/resend/emails", Reply(200, _mails(self.mails), token=True))
        issues = "/sentry/api/0/projects/aias/platform/issues/"
        services.answer("GET", issues, Reply(200, list(self.issues), token=True))
        self._vercel(ground)
        self._pooler(ground)

    def _vercel(self, ground: Ground) -> None:
        vercel, project = self.vercel, f"/vercel/v9/projects/{PROJECT}"

        async def shown(_: Asked) -> Json:
            return vercel.project()

        async def listed(_: Asked) -> Json:
            return {"deployments": vercel.deployments}

        async def changed(asked: Asked) -> Json:
            vercel.timeout = asked.json["resourceConfig"]["functionDefaultTimeout"]
            return vercel.project()

        services = ground.services
        services.answer("GET", project, Reply(200, then=shown, token=True))
        services.answer("PATCH", project, Reply(200, then=changed, token=True))
        services.answer("GET", "/vercel/v6/deployments", Reply(200, then=listed, token=True))
        services.answer("GET", f"/vercel/v10/projects/{PROJECT}/env", Reply(200, vercel.variables(), token=True))

    def _pooler(self, ground: Ground) -> None:
        path = f"/supabase-admin/v1/projects/{REF}/config/database/pooler"
        sizes = {"default_pool_size": self.pool_size, "max_client_conn": 200, "pool_mode": "transaction"}

        async def shown(_: Asked) -> list[Json]:
            return [{"identifier": REF, "database_type": "PRIMARY", **sizes}]

        async def changed(asked: Asked) -> Json:
            sizes["default_pool_size"] = asked.json["default_pool_size"]
            return sizes

        ground.services.answer("GET", path, Reply(200, then=shown, token=True))
        ground.services.answer("PATCH", path, Reply(200, then=changed, token=True))


def _domains(status: str) -> Json:
    return {"object": "list", "data": [{"id": "d1", "name": "aiautomatedsystems.ca", "status": status}]}


def _mails(events: Sequence[str]) -> Json:
    rows = [
        {"id": f"m{n}", "to": [f"user{n}@example.test"], "subject": "Confirm your address", "last_event": each}
        for n, each in enumerate(events)
    ]
    return {"object": "list", "has_more": False, "data": rows}
