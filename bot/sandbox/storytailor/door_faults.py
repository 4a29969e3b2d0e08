"""Why somebody cannot get in (ST-06) or get a new password (ST-05): consent, suspension, confirmation, mails, links."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

from bot.sandbox.services import Asked, Reply
from bot.sandbox.storytailor import agents
from bot.sandbox.storytailor.planting import Plant, Scene

BOUNCES = "/sendgrid/v3/suppression/bounces/{email}"
FULL = "452 4.2.2 The mailbox is full"
NONE_SUCH = "550 5.1.1 The email account that you tried to reach does not exist"
NOTED = """
INSERT INTO auth_events (user_id, kind, created_at, expires_at)
VALUES ($1, $2, now(), now() + make_interval(hours => $3::integer))
"""


async def door(scene: Scene) -> None:
    """An account in order, with Supabase, SendGrid and the consent agent ready to send."""
    services, user = scene.ground.services, scene.desk.family.id()

    async def accept(_asked: Asked) -> list[str]:
        services.answer("GET", BOUNCES, Reply(json=[]))
        return []

    sent = agents.then(scene.ground, NOTED, user, "confirmation_sent", 24)
    services.answer("POST", "/supabase/auth/v1/resend", Reply(then=sent, token=True))
    link = agents.then(scene.ground, NOTED, user, "recovery_requested", 1)
    services.answer("POST", "/supabase/auth/v1/recover", Reply(then=link, token=True))
    asked = agents.then(scene.ground, "UPDATE parental_consents SET requested_at = now() WHERE user_id = $1", user)
    services.answer("POST", "/consent/v1/requests/{user}/remind", Reply(then=asked, token=True))
    services.answer("DELETE", BOUNCES, Reply(then=accept))


async def account(scene: Scene, bounced: str = "", **columns: Any) -> None:
    """The account's row is different, and mails may have bounced."""
    await door(scene)
    await scene.desk.user(**columns)
    if bounced:
        said = [{"created": 1765000000, "email": scene.desk.family.email, "reason": bounced, "status": bounced[4:9]}]
        scene.ground.services.answer("GET", BOUNCES, Reply(json=said))


async def consent(scene: Scene, *, asked_hours_ago: int | None, confirmed: bool = True, **columns: Any) -> None:
    """A child's account, and how far its guardian's consent has come; None: no guardian is on file."""
    await account(scene, email_confirmed=confirmed)
    now = scene.desk.now
    await scene.desk.change("user_ages", birth_date=(now - timedelta(days=9 * 365)).date())
    if asked_hours_ago is not None:
        asked = now - timedelta(hours=asked_hours_ago)
        await scene.desk.row(
            "parental_consents", guardian_email="guardian@families.test", requested_at=asked, **columns
        )


async def withdrawn(scene: Scene) -> None:
    """The guardian agreed, and took it back."""
    await consent(scene, asked_hours_ago=900, verified=True, withdrawn_at=scene.desk.now - timedelta(days=2))


async def locked(scene: Scene) -> None:
    """Too many wrong passwords."""
    await door(scene)
    await scene.desk.event("locked", hours_ago=0.1, expires_at=scene.desk.now + timedelta(minutes=20))


async def supabase_down(scene: Scene) -> None:
    """Supabase does not answer."""
    await door(scene)
    scene.ground.services.answer("GET", "/supabase/auth/v1/health", Reply(status=503, json={"error": "down"}))


async def link(scene: Scene, kind: str, *, hours_ago: float, good_for: float = 1, detail: str | None = None) -> None:
    """How far the last attempt came, and until when its link is good, in hours."""
    await door(scene)
    now = scene.desk.now
    expires = now - timedelta(hours=hours_ago) + timedelta(hours=good_for)
    await scene.desk.event("recovery_requested", hours_ago=hours_ago + 0.01, expires_at=expires)
    if kind != "recovery_requested":
        await scene.desk.event(kind, hours_ago=hours_ago, expires_at=expires, detail=detail)


async def changed(scene: Scene) -> None:
    """The family has set a new password, just now."""
    await link(scene, "password_updated", hours_ago=0.001)


async def many_links(scene: Scene) -> None:
    """Somebody asks for link after link."""
    await door(scene)
    for count in range(6):
        await scene.desk.event("recovery_requested", hours_ago=0.1 * count, expires_at=scene.desk.now)


async def spam(scene: Scene) -> None:
    """They marked a mail as spam once."""
    await door(scene)
    said = [{"created": 1765000000, "email": scene.desk.family.email, "ip": "203.0.113.9"}]
    scene.ground.services.answer("GET", "/sendgrid/v3/suppression/spam_reports/{email}", Reply(json=said))


async def sendgrid_key_refused(scene: Scene) -> None:
    """SendGrid refuses the key."""
    await door(scene)
    scene.ground.services.answer("GET", "/sendgrid/v3/scopes", Reply(status=401, json={"errors": ["unauthorized"]}))


async def sendgrid_down(scene: Scene) -> None:
    """SendGrid reports an outage."""
    await door(scene)
    scene.ground.services.statuses["sendgrid"] = "major"


DOOR_FAULTS: dict[str, Plant] = {
    "door_open": door,
    "door_not_confirmed": partial(account, email_confirmed=False),
    "door_mailbox_full": partial(account, bounced=FULL, email_confirmed=False),
    "door_no_mailbox": partial(account, bounced=NONE_SUCH, email_confirmed=False),
    "door_suspended": partial(account, status="suspended", status_reason="chargeback of 14 November"),
    "door_suspended_for_safety": partial(account, status="suspended", status_reason="safety review"),
    "door_closed": partial(account, status="closed", status_reason="closed by the family"),
    "door_barred": partial(account, restrictions=["no_sign_in"]),
    "door_locked": locked,
    "supabase_down": supabase_down,
    "consent_given": partial(consent, asked_hours_ago=900, verified=True),
    "consent_waiting": partial(consent, asked_hours_ago=50),
    "consent_asked_today": partial(consent, asked_hours_ago=3),
    "consent_missing": partial(consent, asked_hours_ago=None),
    "consent_and_confirmation": partial(consent, asked_hours_ago=None, confirmed=False),
    "consent_withdrawn": withdrawn,
}
PASSWORD_FAULTS: dict[str, Plant] = {
    "password_forgotten": door,
    "password_changed": changed,
    "link_on_its_way": partial(link, kind="recovery_requested", hours_ago=0.2),
    "link_opened": partial(link, kind="recovery_opened", hours_ago=0.2),
    "link_expired": partial(link, kind="recovery_requested", hours_ago=30),
    "password_not_taken": partial(link, kind="password_update_failed", hours_ago=0.2, detail="password_history: P0001"),
    "reset_bounces": partial(account, bounced=FULL),
    "reset_reported_as_spam": spam,
    "many_links": many_links,
    "sendgrid_key_refused": sendgrid_key_refused,
    "sendgrid_down": sendgrid_down,
    "password_supabase_down": supabase_down,
    "password_of_suspended": partial(account, status="suspended", status_reason="safety review"),
}
