"""What keeps people from signing up (AI-06, AI-12): blocks, scripts, Supabase Auth, the mail service, the route."""

from __future__ import annotations

from datetime import timedelta

from bot.sandbox.aias import logs
from bot.sandbox.aias.accounts import IRIS
from bot.sandbox.aias.desk import Desk
from bot.sandbox.aias.health import desk_of, settle
from bot.sandbox.aias.vendors import Vendors, Vercel, ago, deployment
from bot.sandbox.sample import Fault, Ground, Planted
from bot.sandbox.services import Reply

NEWCOMER = "newcomer@fernanalytics.test"
ROUTE = "/api/auth/signup"
OFFICE, SCRIPT = "198.51.100.20", "192.0.2.66"
ALLOWED = 5
IDS = {**IRIS.ids(), "newcomer": NEWCOMER}


async def blocked(ground: Ground) -> Planted:
    """A newcomer mistyped the password too often; an office is blocked as well."""
    await settle(ground)
    async with desk_of(ground) as desk:
        await _tried(desk, "rate_limited", 3)
        await _block(desk, NEWCOMER, ALLOWED + 1, minutes=40)
        await _block(desk, OFFICE, ALLOWED + 4, minutes=20)
    return Planted(IDS)


async def script(ground: Ground) -> Planted:
    """Somebody tries one address after the other from the same place, and a newcomer is there as well."""
    await settle(ground)
    async with desk_of(ground) as desk:
        await desk.connection.execute(
            "INSERT INTO signup_attempts (email, ip, outcome, created_at)"
            " SELECT 'bot' || n || '@example.test', $1, 'rate_limited', now() - make_interval(secs => 30 * n)"
            " FROM generate_series(1, 60) AS n",
            SCRIPT,
        )
        await _tried(desk, "rate_limited", 1, ip=SCRIPT)
        await _block(desk, SCRIPT, 61, minutes=55)
    return Planted(IDS)


async def auth_down(ground: Ground) -> Planted:
    """Supabase Auth has an outage."""
    await settle(ground)
    Vendors(pages={"supabase": "minor"}, auth_status=503).serve(ground)
    return Planted(IDS)


async def mail_down(ground: Ground) -> Planted:
    """Resend has an outage, and half of the mails do not arrive."""
    await settle(ground)
    Vendors(pages={"resend": "major"}, mails=("delivered", "failed") * 20).serve(ground)
    return Planted(IDS)


async def domain_lost(ground: Ground) -> Planted:
    """Somebody tidied the DNS records up."""
    await settle(ground)
    Vendors(mail_domain="failed").serve(ground)
    return Planted(IDS)


async def route_broken(ground: Ground) -> Planted:
    """The route is gone."""
    await settle(ground)
    ground.services.answer("GET", ROUTE, Reply(404, {"error": "not found"}))
    return Planted(IDS)


async def failing_in_code(ground: Ground) -> Planted:
    """The route answers, and our own code fails on one sign-up in ten."""
    await settle(ground)
    logs.write(ground, [logs.line(60 * each, ROUTE, 500, "TypeError: plan is undefined") for each in range(12, 0, -1)])
    return Planted(IDS)


async def route_lost(ground: Ground) -> Planted:
    """The deployment of forty minutes ago has no such route any more."""
    await settle(ground)
    lately = deployment("dpl_42", "Routes by folder", ago(minutes=40))
    Vendors(Vercel([lately, *Vercel().deployments], "dpl_42")).serve(ground)
    ground.services.answer("GET", ROUTE, Reply(404, {"error": "not found"}))
    return Planted(IDS)


async def platform_down(ground: Ground) -> Planted:
    """Nothing of the platform answers."""
    await settle(ground)
    Vendors(health_status=503).serve(ground)
    ground.services.answer("GET", ROUTE, Reply(503, {"error": "unavailable"}))
    return Planted(IDS)


async def bounced(ground: Ground) -> Planted:
    """The confirmation came back."""
    await settle(ground)
    rows = [{"id": "m1", "to": [NEWCOMER], "subject": "Confirm your address", "last_event": "bounced"}]
    ground.services.answer("GET", "/resend/emails", Reply(200, {"object": "list", "data": rows}, token=True))
    async with desk_of(ground) as desk:
        await _tried(desk, "created", 1)
    return Planted(IDS)


async def failing(ground: Ground) -> Planted:
    """Two sign-ups in three fail at Supabase Auth, which answers all the same."""
    await settle(ground)
    async with desk_of(ground) as desk:
        await desk.connection.execute(
            "INSERT INTO signup_attempts (email, ip, outcome, created_at)"
            " SELECT 'person' || n || '@example.test', '203.0.113.' || n,"
            " CASE WHEN n % 3 = 0 THEN 'created' ELSE 'auth_error' END, now() - make_interval(mins => n)"
            " FROM generate_series(1, 30) AS n"
        )
    return Planted(IDS)


async def not_sent(ground: Ground) -> Planted:
    """The confirmation never went out; the mail service is well again."""
    return await _ended(ground, "mail_error")


async def failed_at_auth(ground: Ground) -> Planted:
    """Supabase Auth failed on it, and is well again."""
    return await _ended(ground, "auth_error")


async def invalid(ground: Ground) -> Planted:
    """The form refused what was typed."""
    return await _ended(ground, "invalid")


async def _ended(ground: Ground, outcome: str) -> Planted:
    await settle(ground)
    async with desk_of(ground) as desk:
        await _tried(desk, outcome, 2)
    return Planted(IDS)


async def _tried(desk: Desk, outcome: str, times: int, ip: str = "198.51.100.9") -> None:
    await desk.connection.execute(
        "INSERT INTO signup_attempts (email, ip, outcome, created_at)"
        " SELECT $1, $2, $3, now() - make_interval(mins => n) FROM generate_series(1, $4::integer) AS n",
        NEWCOMER,
        ip,
        outcome,
        times,
    )


async def _block(desk: Desk, subject: str, hits: int, *, minutes: int) -> None:
    await desk.connection.execute(
        "INSERT INTO rate_limits (route, subject, hits, max_hits, window_start, blocked_until)"
        " VALUES ($1, $2, $3, $4, $5, $6)",
        ROUTE,
        subject,
        hits,
        ALLOWED,
        desk.now - timedelta(minutes=10),
        desk.now + timedelta(minutes=minutes),
    )


FAULTS: dict[str, Fault] = {
    "signup_blocked": blocked,
    "signup_script": script,
    "auth_down": auth_down,
    "mail_down": mail_down,
    "mail_domain_lost": domain_lost,
    "signup_route_broken": route_broken,
    "signup_failing_in_code": failing_in_code,
    "signup_route_lost_in_deployment": route_lost,
    "platform_and_signup_down": platform_down,
    "confirmation_bounced": bounced,
    "signups_failing": failing,
    "confirmation_not_sent": not_sent,
    "signup_failed_at_auth": failed_at_auth,
    "signup_invalid": invalid,
}
