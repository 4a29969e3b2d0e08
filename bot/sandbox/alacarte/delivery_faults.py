"""What goes wrong when messages are sent (RB-002): a provider is down, refuses us, or a deploy broke the functions."""

from __future__ import annotations

from bot.sandbox.alacarte.platform import SEND_PATHS, SENDERS, committed, connected, often, said, secret_of
from bot.sandbox.programs import Answer
from bot.sandbox.sample import Fault, Ground, Planted
from bot.sandbox.services import Switch

FUNCTION = dict(zip(("whatsapp", "email", "sms"), SENDERS, strict=True))
PLACE = {"whatsapp": 3, "sms": 4, "email": 5}
COMMIT = ("4f2a91c", 38.0, "Jonas Weber: Template variables are optional")
OLDER = ("b81d03e", 95.0, "Priya Nair: Retry after a timeout of the provider")
REVERTED = "d90c44187e6a25b3f1084cc9a7be52603f19aa01"
_SENT = """
INSERT INTO messages (id, conversation_id, channel, direction, status, content, error_message, created_at)
SELECT md5('sent ' || $1 || $2 || n)::uuid, md5('conversation ' || ($4 + 3 * (n % 7)))::uuid, $1, 'out', $2,
       'Fault ' || n, $3, now() - make_interval(secs => 45 + n * 2280 / $5::integer)
FROM generate_series(1, $5::integer) AS n
"""


async def _send(ground: Ground, channel: str, failed: int, error: str, *, stuck: int = 0) -> None:
    """Messages of the last 40 minutes: failed with that error, or stuck since at least ten minutes ago."""
    async with connected(ground) as connection:
        await connection.execute(_SENT, channel, "failed", error, PLACE[channel], failed)
        await connection.execute(_SENT, channel, "sending", None, PLACE[channel], stuck)
        await connection.execute(
            "UPDATE messages SET created_at = created_at - interval '12 minutes'"
            " WHERE status = 'sending' AND content LIKE 'Fault %'"
        )


async def provider_down(ground: Ground) -> Planted:
    """Meta's page says so, and WhatsApp messages fail or stay in sending."""
    ground.services.statuses["meta"] = "major"
    await _send(ground, "whatsapp", 40, "503 Service Unavailable", stuck=10)
    said(ground, FUNCTION["whatsapp"], *often("error: graph.facebook.com answered 503 Service Unavailable"))
    return Planted()


async def provider_back(ground: Ground) -> Planted:
    """What `provider_down` ends with: Meta works again, and what was sent lately arrived."""
    ground.services.statuses["meta"] = "none"
    return await messages_flow(ground)


async def messages_flow(ground: Ground) -> Planted:
    """Whatever it was: the messages of the last quarter of an hour were delivered; the older ones stay as they are."""
    async with connected(ground) as connection:
        await connection.execute(
            "UPDATE messages SET status = 'delivered', error_message = NULL"
            " WHERE created_at > now() - interval '15 minutes' AND status IN ('failed', 'sending')"
        )
    return Planted()


async def rate_limited(ground: Ground) -> Planted:
    """Twilio takes no more."""
    await _send(ground, "sms", 30, "429 Too Many Requests (20429)")
    said(ground, FUNCTION["sms"], *often("error: twilio answered 429 Too Many Requests, message {n} is dropped"))
    return Planted()


async def few_failed(ground: Ground) -> Planted:
    """A third of the SMS failed, and they are few."""
    await _send(ground, "sms", 12, "30007 carrier violation")
    return Planted()


async def few_mails(ground: Ground) -> Planted:
    """A third of the mails failed, and they are few."""
    await _send(ground, "email", 12, "550 mailbox unavailable")
    return Planted()


async def key_replaced(ground: Ground) -> Planted:
    """Somebody deployed another key of Resend, which refuses it."""
    async with connected(ground) as connection:
        await connection.execute(
            "UPDATE secrets SET value = 're_mistyped', updated_at = now() - interval '50 minutes'"
            " WHERE name = 'RESEND_API_KEY'"
        )
    await _send(ground, "email", 40, "401 API key is invalid")
    said(ground, FUNCTION["email"], *often("error: resend answered 401 API key is invalid"))
    return Planted()


async def key_revoked(ground: Ground) -> Planted:
    """The key is the one we know, and Resend takes it no more."""
    planted = await key_replaced(ground)
    await _key_right(ground)
    ground.services.switches["/resend/domains"] = Switch(401)
    return planted


async def key_renewed(ground: Ground) -> Planted:
    """What a person does about both: the right key is deployed, and e-mail goes out again."""
    ground.services.switches.pop("/resend/domains", None)
    await _key_right(ground)
    return await messages_flow(ground)


async def _key_right(ground: Ground) -> None:
    async with connected(ground) as connection:
        await connection.execute(
            "UPDATE secrets SET value = $1 WHERE name = 'RESEND_API_KEY'", secret_of(ground, "RESEND_API_KEY")
        )


async def payload_malformed(ground: Ground) -> Planted:
    """Meta does not like what we send, and nothing was deployed."""
    await _send(ground, "whatsapp", 40, "(#131009) Parameter value is not valid")
    said(ground, FUNCTION["whatsapp"], *often("error: (#131009) Parameter value is not valid: template.language"))
    return Planted()


async def recent_deploy(ground: Ground) -> Planted:
    """One commit, and since then whatsapp-send ends with a TypeError."""
    await _send(ground, "whatsapp", 40, "TypeError: cannot read properties of undefined (reading 'variables')")
    said(
        ground,
        FUNCTION["whatsapp"],
        *often("TypeError: cannot read properties of undefined (reading 'variables')", over=36),
    )
    committed(ground, SEND_PATHS, COMMIT)
    _revertible(ground, COMMIT[0])
    return Planted({"commit": COMMIT[0]})


async def two_deploys(ground: Ground) -> Planted:
    """The same, and an older commit that may be it as well."""
    planted = await recent_deploy(ground)
    committed(ground, SEND_PATHS, COMMIT, OLDER)
    _revertible(ground, OLDER[0])
    return planted


async def clone_dirty(ground: Ground) -> Planted:
    """The same, and the bot's clone has something in it that nobody committed."""
    planted = await recent_deploy(ground)
    ground.programs.answer(Answer("git", ("status", "--porcelain"), " M supabase/functions/whatsapp-send/index.ts\n"))
    return planted


async def unexplained(ground: Ground) -> Planted:
    """SMS stay in sending, and nothing says why."""
    await _send(ground, "sms", 1, "unknown", stuck=30)
    return Planted()


async def all_channels(ground: Ground) -> Planted:
    """Every channel fails with the same error of our own."""
    for channel in FUNCTION:
        await _send(ground, channel, 40, "remaining connection slots are reserved")
    return Planted()


async def healthy(ground: Ground) -> Planted:
    """Nothing is wrong."""
    return Planted()


def _revertible(ground: Ground, short: str) -> None:
    """Reverting the commit makes one that is not pushed yet; pushing makes it the remote's."""
    ahead = ("log", "--format=%h %s", "origin/main..HEAD")
    pushed = (
        Answer("git", ahead),
        Answer("git", ("ls-remote", "origin", "refs/heads/main"), f"{REVERTED}\trefs/heads/main\n"),
    )
    reverted = (
        Answer("git", ("rev-parse", "HEAD"), f"{REVERTED}\n"),
        Answer("git", ahead, f'{REVERTED[:7]} Revert "{short}"\n'),
        Answer("git", ("push", "origin", "HEAD:main"), err="main -> main\n", then=pushed),
    )
    ground.programs.answer(Answer("git", ("revert", "--no-edit", short), f"[main {REVERTED[:7]}]\n", then=reverted))


DELIVERY_FAULTS: dict[str, Fault] = {
    "delivery_healthy": healthy,
    "delivery_provider_down": provider_down,
    "delivery_provider_back": provider_back,
    "delivery_flows": messages_flow,
    "delivery_rate_limited": rate_limited,
    "delivery_few_failed": few_failed,
    "delivery_few_mails": few_mails,
    "delivery_key_replaced": key_replaced,
    "delivery_key_revoked": key_revoked,
    "delivery_key_renewed": key_renewed,
    "delivery_payload_malformed": payload_malformed,
    "delivery_recent_deploy": recent_deploy,
    "delivery_two_deploys": two_deploys,
    "delivery_clone_dirty": clone_dirty,
    "delivery_unexplained": unexplained,
    "delivery_all_channels": all_channels,
}
