"""What goes wrong with calls (RB-009): a customer's credits, our credentials at Twilio, or Twilio itself."""

from __future__ import annotations

from bot.sandbox.alacarte.ground import run, settled, told
from bot.sandbox.alacarte.vendors import ACCOUNTS, Vendors
from bot.sandbox.sample import Fault, Ground, Planted

CALLER = "md5('business 5')::uuid"


async def _caller(ground: Ground) -> Planted:
    return Planted(await told(ground, business_id=f"SELECT {CALLER}"))


async def voice_in_order(ground: Ground) -> Planted:
    """Nothing is wrong with this customer's calls."""
    await settled(ground)
    return await _caller(ground)


async def voice_credits_low(ground: Ground) -> Planted:
    """The credits of one customer are used up, and call-outbound says so."""
    lines = [(minutes, "error: Insufficient credits") for minutes in (22, 9, 3)]
    await settled(ground, Vendors(logs={"call-outbound": lines}))
    await run(ground, f"UPDATE businesses SET voice_credits_balance = 0.35 WHERE id = {CALLER}")
    return await _caller(ground)


async def voice_credits_bought(ground: Ground) -> Planted:
    """Calls were refused for want of credits, and the customer has bought some since."""
    await settled(ground, Vendors(logs={"call-outbound": [(31, "error: Insufficient credits")]}))
    return await _caller(ground)


async def voice_blocked(ground: Ground) -> Planted:
    """The same, and outgoing calls are blocked already."""
    planted = await voice_credits_low(ground)
    await run(ground, f"UPDATE businesses SET outbound_calls_blocked_at = now() WHERE id = {CALLER}")
    return planted


async def voice_topped_up(ground: Ground) -> Planted:
    """The customer has bought credits, and outgoing calls are still blocked."""
    await settled(ground)
    await run(
        ground,
        "UPDATE businesses SET voice_credits_balance = 25, outbound_calls_blocked_at = now() - interval '1 day'"
        f" WHERE id = {CALLER}",
    )
    return await _caller(ground)


async def voice_login_refused(ground: Ground) -> Planted:
    """The token was rotated at Twilio and not here."""
    lines = [(minutes, "error: Twilio answered 401 (20003) Authenticate") for minutes in range(2, 30, 3)]
    await settled(ground, Vendors(refused=(ACCOUNTS,), logs={"call-outbound": lines}))
    return Planted()


async def voice_secret_missing(ground: Ground) -> Planted:
    """One of the two secrets is gone."""
    lines = [(minutes, "error: TWILIO_AUTH_TOKEN is not set") for minutes in range(2, 30, 3)]
    await settled(ground, Vendors(logs={"call-outbound": lines}))
    await run(ground, "DELETE FROM secrets WHERE name = 'TWILIO_AUTH_TOKEN'")
    return Planted()


async def voice_twilio_down(ground: Ground) -> Planted:
    """Twilio reports an outage of Voice."""
    lines = [(minutes, "error: api.twilio.com timed out after 30 s") for minutes in range(1, 20)]
    down = {("twilio", "Programmable Voice"): "major_outage"}
    await settled(ground, Vendors(components=down, logs={"call-outbound": lines}))
    return Planted()


async def voice_timeouts(ground: Ground) -> Planted:
    """Calls time out, and Twilio's page is green."""
    lines = [(minutes, "error: api.twilio.com timed out after 30 s") for minutes in range(1, 20)]
    await settled(ground, Vendors(logs={"call-outbound": lines}))
    return Planted()


VOICE_FAULTS: dict[str, Fault] = {
    "voice_in_order": voice_in_order,
    "voice_credits_low": voice_credits_low,
    "voice_credits_bought": voice_credits_bought,
    "voice_blocked": voice_blocked,
    "voice_topped_up": voice_topped_up,
    "voice_login_refused": voice_login_refused,
    "voice_secret_missing": voice_secret_missing,
    "voice_twilio_down": voice_twilio_down,
    "voice_timeouts": voice_timeouts,
}
