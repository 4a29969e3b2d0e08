"""What goes wrong with SMS (RB-008): Twilio down, its limits, our account, wrong numbers, carriers that block."""

from __future__ import annotations

from bot.sandbox.alacarte.ground import PLANTED, run, settled, told
from bot.sandbox.alacarte.vendors import Vendors
from bot.sandbox.sample import Fault, Ground, Planted

# Every third conversation of the seed is one by SMS; these belong to two businesses.
_CONVERSATION = "md5('conversation ' || (1 + 60 * (n % 6) + 3 * (n % 2)))::uuid"


async def _messages(
    ground: Ground, status: str, times: int, error: str = "", *, content: str = "", late: int = 0
) -> None:
    """So many messages of the last half an hour, or of before that."""
    said = "NULL" if not error else f"'{error}'"
    await run(
        ground,
        "INSERT INTO messages (conversation_id, channel, direction, status, content, error_message, created_at)"
        f" SELECT {_CONVERSATION}, 'sms', 'out', '{status}', '{PLANTED}{content}', {said},"
        f" now() - make_interval(secs => 20 + {late} * 60 + n * 1800 / {times})"
        f" FROM generate_series(1, {times}) AS n",
    )


async def sms_rate_limited(ground: Ground) -> Planted:
    """Twilio refuses what is sent too fast."""
    lines = [(n / 2, "error: Twilio answered 429 Too Many Requests (20429)") for n in range(1, 40)]
    await settled(ground, Vendors(logs={"sms-send": lines}))
    await _messages(ground, "delivered", 60)
    await _messages(ground, "failed", 36, "429: 20429 Too Many Requests")
    return Planted()


async def sms_trial_account(ground: Ground) -> Planted:
    """The account is still a trial one, which sends to verified numbers only."""
    await settled(ground)
    await _messages(ground, "failed", 14, "400: 21608 The number is unverified; trial accounts cannot send to it")
    return Planted()


async def sms_invalid_numbers(ground: Ground) -> Planted:
    """A customer imported numbers without their country, and Twilio does not take them."""
    await settled(ground)
    await run(
        ground,
        "UPDATE conversations SET contact_address = replace(contact_address, '+1', '0') WHERE id IN"
        f" (SELECT {_CONVERSATION} FROM generate_series(0, 12, 2) AS n)",
    )
    await run(
        ground,
        "INSERT INTO messages (conversation_id, channel, direction, status, content, error_message, created_at)"
        f" SELECT {_CONVERSATION}, 'sms', 'out', 'failed', '{PLANTED}Hello',"
        " CASE WHEN n % 4 = 0 THEN '400: 21614 ''To'' number is not a valid mobile number'"
        " ELSE '400: 21211 Invalid ''To'' Phone Number' END, now() - make_interval(mins => n)"
        " FROM generate_series(2, 24, 2) AS n",
    )
    address = "SELECT contact_email FROM businesses WHERE id = (SELECT business_id FROM conversations"
    return Planted(await told(ground, owner=f"{address} WHERE id = md5('conversation 1')::uuid)"))


async def sms_carrier_blocked(ground: Ground) -> Planted:
    """Carriers filter a campaign with short links and without a way to opt out."""
    await settled(ground)
    await _messages(ground, "delivered", 20)
    await _messages(ground, "failed", 31, "30007 Message filtered", content="You WON a free prize! bit.ly/3xPrize")
    return Planted()


async def sms_opted_out(ground: Ground) -> Planted:
    """Messages to people who answered STOP: Twilio is right to refuse them."""
    await settled(ground)
    await _messages(ground, "delivered", 40)
    await _messages(ground, "failed", 5, "400: 21610 Attempt to send to unsubscribed recipient")
    return Planted()


async def sms_other_error(ground: Ground) -> Planted:
    """A code that has no branch of its own."""
    await settled(ground)
    await _messages(ground, "failed", 7, "30006 Landline or unreachable carrier")
    return Planted()


async def sms_stuck(ground: Ground) -> Planted:
    """Messages that stay in sending, without an error: sms-send does not run."""
    await settled(ground, Vendors(logs={"sms-send": ()}))
    await _messages(ground, "sending", 18, late=15)
    return Planted()


async def sms_stuck_at_twilio(ground: Ground) -> Planted:
    """The same, and sms-send runs: Twilio has taken them and says nothing more."""
    await settled(ground)
    await _messages(ground, "sending", 18, late=15)
    return Planted()


async def sms_twilio_down(ground: Ground) -> Planted:
    """Twilio reports an outage of SMS."""
    lines = [(n, "error: api.twilio.com answered 503 Service Unavailable") for n in range(1, 30)]
    await settled(ground, Vendors(components={("twilio", "SMS"): "major_outage"}, logs={"sms-send": lines}))
    await _messages(ground, "failed", 30, "503 Service Unavailable")
    return Planted()


async def sms_login_refused(ground: Ground) -> Planted:
    """Twilio refuses our credentials."""
    lines = [(n, "error: Twilio answered 401 (20003) Authenticate") for n in range(1, 30)]
    await settled(ground, Vendors(refused=("/twilio/2010-04-01/Accounts.json",), logs={"sms-send": lines}))
    await _messages(ground, "failed", 30, "401: 20003 Authenticate")
    return Planted()


SMS_FAULTS: dict[str, Fault] = {
    "sms_rate_limited": sms_rate_limited,
    "sms_trial_account": sms_trial_account,
    "sms_invalid_numbers": sms_invalid_numbers,
    "sms_carrier_blocked": sms_carrier_blocked,
    "sms_opted_out": sms_opted_out,
    "sms_other_error": sms_other_error,
    "sms_stuck": sms_stuck,
    "sms_stuck_at_twilio": sms_stuck_at_twilio,
    "sms_twilio_down": sms_twilio_down,
    "sms_login_refused": sms_login_refused,
}
