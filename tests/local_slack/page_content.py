"""Sample content for the page: the run card, a difference table, a thread, a modal with an inline error, a Home tab."""

from __future__ import annotations

import base64
from typing import Any

JSON = dict[str, Any]

ANA, BEN, CHLOE, BOT = "U0ANA", "U0BEN", "U0CHLOE", "U0BOT"
BASE_TS = 1795157400.0
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAoAAAAKCAYAAACNMs+9AAAAFUlEQVR42mNk+M9Qz0AEYBxVSF+FABJADveWkH6oAAAAAElFTkSuQmCC"
)


def plain(text: str) -> JSON:
    """A plain_text object."""
    return {"type": "plain_text", "text": text, "emoji": True}


def mrkdwn(text: str) -> JSON:
    """A mrkdwn object."""
    return {"type": "mrkdwn", "text": text}


def section(text: str, **more: Any) -> JSON:
    """A section of mrkdwn."""
    return {"type": "section", "text": mrkdwn(text), **more}


def button(action: str, text: str, **more: Any) -> JSON:
    """A button."""
    return {"type": "button", "action_id": action, "text": plain(text), "value": f"run-1:{action}", **more}


CONFIRM: JSON = {
    "title": plain("Approve this change?"),
    "text": mrkdwn("1 row of `businesses` changes. It can be undone."),
    "confirm": plain("Approve"),
    "deny": plain("Not yet"),
}
RUN_CARD: list[JSON] = [
    {"type": "header", "text": plain("RB-011 Subscription status not updating")},
    {
        "type": "context",
        "elements": [mrkdwn(":rotating_light: *P2* · 4 of 20 min · diagnosing → *deciding* → waiting")],
    },
    section("*Cause*\nStripe has an active *Starter* subscription; the database still says `past_due`."),
    section(
        "*Looked*\ndatabase 12 ms · Stripe 210 ms · webhook log 35 ms: *2 failed deliveries*",
        accessory=button("details", "Details"),
    ),
    section("*Fix*\nCopy the subscription from Stripe\n1 row of `businesses` is changed. Can be undone."),
    {
        "type": "table",
        "column_settings": [{}, {}, {"is_wrapped": True}],
        "rows": [
            [{"type": "raw_text", "text": word} for word in row]
            for row in (
                ("column", "before", "after"),
                ("subscription_tier", "free", "starter"),
                ("subscription_status", "past_due", "active"),
            )
        ],
    },
    {
        "type": "context",
        "elements": [mrkdwn(f"Waiting for 1 vote of <!subteam^S0BILLING>, asked by <@{ANA}> 1 min ago, until 14:32")],
    },
    {
        "type": "actions",
        "block_id": "vote",
        "elements": [
            button("approve", "Approve", style="primary", confirm=CONFIRM),
            button("deny", "Deny…", style="danger"),
            button("everything", "Show everything"),
        ],
    },
]
_COLUMNS = (
    "id",
    "business",
    "plan",
    "status",
    "amount",
    "currency",
    "period_start",
    "period_end",
    "attempts",
    "last_error",
)
WIDE_TABLE: JSON = {
    "type": "data_table",
    "caption": "Subscriptions that differ from Stripe",
    "rows": [
        [{"type": "raw_text", "text": word} for word in _COLUMNS],
        *[
            [
                {"type": "raw_number", "value": 1000 + row, "text": f"{1000 + row}"},
                *[{"type": "raw_text", "text": word} for word in (f"Business {row}", "starter", "past_due")],
                {"type": "raw_number", "value": 49.9 * row, "text": f"{49.9 * row:,.2f}"},
                *[
                    {"type": "raw_text", "text": word}
                    for word in ("EUR", "2026-11-01", "2026-12-01", f"{row}", "webhook timed out after 30 s")
                ],
            ]
            for row in range(1, 9)
        ],
    ],
}
HOME: list[JSON] = [
    {"type": "header", "text": plain("What waits for you")},
    section(
        "*RB-011* Copy the subscription from Stripe\nasked by <@U0ANA>, until 14:32", accessory=button("open", "Open")
    ),
    {"type": "divider"},
    {"type": "header", "text": plain("Open incidents")},
    section("*P2* <#C0INC> Subscription status not updating · 4 of 20 min"),
    {
        "type": "actions",
        "elements": [button("start", "Start a run", style="primary"), button("board", "All incidents")],
    },
]
START: JSON = {
    "id": "V1",
    "type": "modal",
    "title": plain("Start RB-011"),
    "submit": plain("Start"),
    "close": plain("Cancel"),
    "blocks": [
        section("*Subscription status not updating*\nDiagnoses first; nothing changes without an approval."),
        {
            "type": "input",
            "block_id": "business_id",
            "label": plain("Business"),
            "hint": plain("Find it in the admin page's address."),
            "element": {
                "type": "plain_text_input",
                "action_id": "value",
                "placeholder": plain("00000000-0000-0000-0000-000000000000"),
                "focus_on_load": True,
            },
        },
        {
            "type": "input",
            "block_id": "severity",
            "label": plain("Severity"),
            "element": {
                "type": "static_select",
                "action_id": "value",
                "options": [{"text": plain(name), "value": name} for name in ("P1", "P2", "P3")],
                "initial_option": {"text": plain("P2"), "value": "P2"},
            },
        },
        {
            "type": "input",
            "block_id": "also",
            "label": plain("Also"),
            "optional": True,
            "element": {
                "type": "checkboxes",
                "action_id": "value",
                "options": [
                    {
                        "text": mrkdwn("Open an incident channel"),
                        "description": plain("Invites the on-call people"),
                        "value": "channel",
                    },
                    {"text": mrkdwn("Tell *support*"), "value": "support"},
                ],
            },
        },
        {
            "type": "input",
            "block_id": "watchers",
            "label": plain("Watchers"),
            "optional": True,
            "element": {"type": "multi_users_select", "action_id": "value", "placeholder": plain("Nobody yet")},
        },
    ],
}
UUID_ERROR = "“42” is not a UUID. It looks like 6f1c2a9e-0b7d-4c55-9a1e-2f6d8b3c4d5e."


def message(seconds: float, user: str, text: str = "", **more: Any) -> JSON:
    """A stored message, `seconds` after the base time."""
    return {"ts": f"{BASE_TS + seconds:.6f}", "user": user, "text": text, **more}


CHANNEL_MESSAGES: list[JSON] = [
    message(0, CHLOE, "A customer says they paid yesterday and are *still on the free tier* :thinking_face:"),
    message(20, CHLOE, "It is <https://admin.example.com/b/6f1c|this business>. <@U0ANA> can you have a look?"),
    message(
        70, ANA, "On it. Let me run the book:\n> `/runbook RB-011 business_id=6f1c2a9e-0b7d-4c55-9a1e-2f6d8b3c4d5e`"
    ),
    message(
        95,
        BOT,
        blocks=RUN_CARD,
        replies=3,
        reactions=[{"name": "eyes", "count": 2, "users": [ANA, CHLOE]}],
        pinned=True,
    ),
    message(130, BOT, "Only people of @billing may approve this. Ask <@U0BEN>.", ephemeral=True),
    message(
        160, BOT, "Here is everything that differs:", blocks=[section("Here is *everything* that differs:"), WIDE_TABLE]
    ),
    message(
        190, BEN, "Looks right to me.\n```UPDATE businesses SET subscription_tier = 'starter'\n WHERE id = '6f1c…';```"
    ),
    message(
        200,
        BOT,
        "The timeline so far",
        files=[
            {"id": "F1", "name": "timeline.png", "mimetype": "image/png", "size": 24_310, "url": "/_local/file/F1"},
            {
                "id": "F2",
                "name": "webhook-log.csv",
                "mimetype": "text/csv",
                "size": 1_843_200,
                "url": "/_local/file/F2",
            },
        ],
    ),
    message(240, BOT, blocks=[section("A block of the future:"), {"type": "hologram"}]),
]
THREAD: list[JSON] = [
    CHANNEL_MESSAGES[3],
    message(
        100,
        BOT,
        ":white_check_mark: *database* 12 ms: 1 row\n:white_check_mark: *Stripe* 210 ms: 1 active subscription",
    ),
    message(140, CHLOE, "Can I tell the customer something already?"),
    message(150, ANA, "Yes: _we found it and fix it within 20 minutes_."),
]
STATE: JSON = {
    "ok": True,
    "team": {"name": "Northwind Ops"},
    "users": [
        {"id": ANA, "name": "ana", "real_name": "Ana Lima", "title": "responder", "color": "9f69e7", "is_bot": False},
        {
            "id": BEN,
            "name": "ben",
            "real_name": "Ben Okoro",
            "title": "approver, billing",
            "color": "e0a729",
            "is_bot": False,
        },
        {
            "id": CHLOE,
            "name": "chloe",
            "real_name": "Chloe Martin",
            "title": "support",
            "color": "3c989f",
            "is_bot": False,
        },
        {"id": BOT, "name": "runbook", "real_name": "Runbook Bot", "title": "", "color": "2b6836", "is_bot": True},
    ],
    "channels": [
        {
            "id": "C0GEN",
            "name": "general",
            "topic": "",
            "is_private": False,
            "is_member": True,
            "unread": 0,
            "is_im": False,
        },
        {
            "id": "C0INC",
            "name": "inc-042-subscription",
            "topic": "P2 · deciding · 4 of 20 min · lead: Ana",
            "is_private": False,
            "is_member": True,
            "unread": 2,
            "is_im": False,
        },
        {
            "id": "C0SUP",
            "name": "support",
            "topic": "",
            "is_private": False,
            "is_member": True,
            "unread": 5,
            "is_im": False,
        },
        {
            "id": "C0BIL",
            "name": "billing-leads",
            "topic": "",
            "is_private": True,
            "is_member": True,
            "unread": 0,
            "is_im": False,
        },
        {
            "id": "C0RND",
            "name": "random",
            "topic": "",
            "is_private": False,
            "is_member": False,
            "unread": 0,
            "is_im": False,
        },
        {
            "id": "D0BEN",
            "name": "Ben Okoro",
            "topic": "",
            "is_private": True,
            "is_member": True,
            "unread": 1,
            "is_im": True,
            "im_user": BEN,
        },
    ],
    "commands": [
        {
            "command": "/runbook",
            "description": "Find, start and follow runbooks",
            "usage_hint": "list | search <symptom> | RB-011 business_id=…",
        },
        {"command": "/incident", "description": "Open and lead incidents", "usage_hint": "open | status | resolve"},
    ],
    "shortcuts": [
        {"callback_id": "run_on", "name": "Run a runbook on this", "type": "message"},
        {"callback_id": "start", "name": "Start a run", "type": "global"},
    ],
    "app": {"name": "Runbook Bot", "bot_user_id": BOT, "home_tab": True},
    "hint": ["/runbook list", "/runbook RB-011 business_id=6f1c2a9e-0b7d-4c55-9a1e-2f6d8b3c4d5e", "/incident open"],
}
