"""What goes wrong with posts (WA-09), organisations (WA-10), quotas (WA-11) and messages (WA-12)."""

from __future__ import annotations

from bot.sandbox.sample import Fault, Ground, Planted
from bot.sandbox.services import Switch
from bot.sandbox.waooaw.desk import IDS, MEERA, execute, key
from bot.sandbox.waooaw.publisher import ACCOUNT, Publisher
from bot.sandbox.waooaw.state import settled

POST = key("deliverable meera instagram 1")
NAMED = {**IDS, "deliverable_id": str(POST), "youtube_goal_id": str(key("goal meera youtube"))}
FAILED = "UPDATE deliverables SET status = 'failed', publish_error = $2, published_at = NULL WHERE id = $1"
MESSAGE = """
INSERT INTO whatsapp_messages (customer_id, template_name, phone_number, status, error)
VALUES ($1, 'order_ready', $2, 'failed', $3)
"""
UPLOADS = """
INSERT INTO deliverables (goal_instance_id, customer_id, agent_id, status, platform, caption)
SELECT md5('run meera youtube 1')::uuid, md5('customer meera')::uuid, md5('agent meera')::uuid, 'published', 'youtube',
       'How we bake'
FROM generate_series(1, 7)
"""


def _post(name: str, about: str, error: str, change: str = "") -> tuple[str, Fault]:
    async def planted(ground: Ground) -> Planted:
        await settled(ground)
        await execute(ground, FAILED, POST, error)
        if change:
            await execute(ground, change)
        return Planted(NAMED)

    planted.__doc__ = about
    return name, planted


def _message(name: str, about: str, error: str, *, number: str = "+919800000001", change: str = "",
             publisher: dict[str, object] | None = None) -> tuple[str, Fault]:  # fmt: skip
    async def planted(ground: Ground) -> Planted:
        await settled(ground)
        await execute(ground, MESSAGE, MEERA, number, error)
        if change:
            await execute(ground, change)
        Publisher(ground, **(publisher or {})).serve()  # type: ignore[arg-type]
        return Planted(NAMED)

    planted.__doc__ = about
    return name, planted


def _changed(name: str, about: str, *changes: str, down: str = "", silent: str = "") -> tuple[str, Fault]:
    async def planted(ground: Ground) -> Planted:
        await settled(ground)
        for change in changes:
            await execute(ground, change)
        if down:
            ground.services.statuses[down] = "major"
        if silent:
            ground.services.switches[silent] = Switch(503)
        return Planted(NAMED)

    planted.__doc__ = about
    return name, planted


_ROW = f"WHERE id = '{POST}'"
_INSTAGRAM = f"WHERE customer_id = '{MEERA}' AND platform = 'instagram'"
_LINKEDIN = f"WHERE customer_id = '{MEERA}' AND platform = 'linkedin'"
_OWN = f"INSERT INTO youtube_projects (project, customer_id) VALUES ('meera-bakes', '{MEERA}')"

FAULTS: dict[str, Fault] = dict(
    (
        _post("hashtags_over", "WA-09: 34 hashtags.", "hashtag limit exceeded",
              f"UPDATE deliverables SET caption = repeat('#bread ', 34) {_ROW}"),
        _post("caption_too_long", "WA-09: a caption of 2,400 characters.", "caption too long",
              f"UPDATE deliverables SET caption = repeat('bread ', 400) {_ROW}"),
        _post("image_too_large", "WA-09: an image of 4000 x 4000 and 12 MB.", "media upload failed",
              f"UPDATE deliverables SET image_width = 4000, image_height = 4000, image_bytes = 12000000 {_ROW}"),
        _post("account_personal", "WA-09: the account is a personal one.", "unsupported account",
              f"UPDATE credentials SET account_kind = 'personal' {_INSTAGRAM}"),
        _post("against_policy", "WA-09: Instagram refuses the content.", "content policy violation"),
        _post("upload_failed", "WA-09: the upload broke off.", "media upload failed: timeout"),
        _changed("post_without_token", "WA-09: the token ran out before the upload.",
                 f"UPDATE deliverables SET status = 'failed', publish_error = '401' {_ROW}",
                 "UPDATE credentials SET status = 'expired', token_expires_at = now() - interval '1 day'"
                 f" {_INSTAGRAM}"),
        _changed("posts_while_meta_is_down", "WA-09: the upload failed while Meta has an outage.",
                 f"UPDATE deliverables SET status = 'failed', publish_error = 'media upload failed' {_ROW}",
                 down="meta"),
        _changed("youtube_failed", "WA-09: the post that failed is a video for YouTube.",
                 f"UPDATE deliverables SET platform = 'youtube', publish_error = 'quota exceeded' {_ROW}"),
        _changed("linkedin_failed", "WA-09: the post that failed is for LinkedIn.",
                 f"UPDATE deliverables SET platform = 'linkedin', publish_error = 'organization not found' {_ROW}"),
        _changed("whatsapp_failed", "WA-09: what failed is a WhatsApp message.",
                 f"UPDATE deliverables SET platform = 'whatsapp', publish_error = 'undeliverable' {_ROW}"),
        _changed("published_already", "WA-09: it is published.",
                 f"UPDATE deliverables SET status = 'published', external_id = 'ig_1', published_at = now() {_ROW}"),
        _changed("scope_missing", "WA-10: the customer did not grant the organisation.",
                 f"UPDATE credentials SET scopes = ARRAY['w_member_social'] {_LINKEDIN}"),
        _changed("other_page", "WA-10: another page is configured.",
                 f"UPDATE credentials SET account_id = '7700112' {_LINKEDIN}"),
        _changed("not_admin", "WA-10: connected well, and LinkedIn refuses all the same.",
                 f"UPDATE credentials SET last_error = 'ACCESS_DENIED', account_id = '7700111' {_LINKEDIN}"),
        _changed("page_in_order", "WA-10: the page is connected and works.",
                 f"UPDATE credentials SET account_id = '7700111' {_LINKEDIN}"),
        _changed("linkedin_expired", "WA-10: the token ran out.",
                 "UPDATE credentials SET status = 'expired', token_expires_at = now() - interval '1 day', account_id ="
                 f" '7700111' {_LINKEDIN}"),
        _changed("linkedin_down", "WA-10: LinkedIn has an outage.",
                 f"UPDATE credentials SET account_id = '7700111' {_LINKEDIN}", down="linkedin"),
        _changed("google_down", "WA-11: Google has an outage.", down="google"),
        _changed("whatsapp_expired", "WA-12: the token for WhatsApp ran out.",
                 "UPDATE credentials SET status = 'expired', token_expires_at = now() - interval '1 day' WHERE"
                 f" customer_id = '{MEERA}' AND platform = 'whatsapp'"),
        _changed("whatsapp_silent", "WA-12: WhatsApp does not answer about the account.",
                 silent=f"/graph/v19.0/{ACCOUNT}"),
        _changed("no_linkedin", "WA-10: never connected.", f"DELETE FROM credentials {_LINKEDIN}"),
        _changed("own_quota_used", "WA-11: seven uploads today in the customer's own project.", _OWN, UPLOADS),
        _changed("own_quota_used_by_hand", "WA-11: the same, and no goal uploads.", _OWN, UPLOADS,
                 f"UPDATE goals SET platform = 'facebook' WHERE id = '{key('goal meera youtube')}'"),
        _changed("shared_quota_used", "WA-11: seven uploads today in the project that all share.", UPLOADS),
        _changed("quota_unlimited", "WA-11: seven uploads, and no limit.", _OWN, UPLOADS,
                 "UPDATE youtube_projects SET units_per_day = -1 WHERE project = 'meera-bakes'"),
        _message("template_rejected", "WA-12: WhatsApp rejected the template.", "template not approved",
                 publisher={"templates": {"order_ready": {"status": "REJECTED", "rejected_reason": "INVALID_FORMAT"}}}),
        _message("template_sent_in", "WA-12: the template was mended and waits for WhatsApp's review.",
                 "template not approved", publisher={"templates": {"order_ready": {"status": "PENDING"}}}),
        _message("number_invalid", "WA-12: a number without its country.", "invalid phone number",
                 number="09800000001"),
        _message("quality_low", "WA-12: the quality rating has fallen.", "message undeliverable",
                 publisher={"quality": "RED"}),
        _message("never_opted_in", "WA-12: the recipient has not opted in.", "recipient has not opted in",
                 change=f"DELETE FROM whatsapp_opt_ins WHERE customer_id = '{MEERA}'"),
        _message("opted_out", "WA-12: the recipient has opted out.", "recipient has opted out",
                 change=f"UPDATE whatsapp_opt_ins SET opted_out_at = now() WHERE customer_id = '{MEERA}'"),
        _message("message_unexplained", "WA-12: nothing explains it.", "internal error"),
    )
)  # fmt: skip
