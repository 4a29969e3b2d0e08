"""Forms, threads, incident messages and the Home tab as golden files, and what people must find in them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.authoring.loader import catalogue_at
from bot.blockkit import validate_message, validate_view
from bot.cli.drills import SHIPPED
from bot.domain.alert import Alert, AlertState, Tally, Tracked
from bot.domain.escalation import Climb
from bot.domain.incident import IncidentState, Suggestion
from bot.domain.insight import Resolution
from bot.domain.items import Item, ItemState
from bot.domain.monitoring import Standing as Stand
from bot.domain.monitoring import State, Watched
from bot.domain.months import Coming
from bot.domain.operations import Appointment, Every, Monitor, Rung, Turn
from bot.domain.proof import Proven, Standing, Stands
from bot.domain.run import CheckRun, CheckStatus
from bot.domain.runbook import Input, InputType, Severity
from bot.domain.system import System
from bot.domain.timeline import timeline
from bot.slack.verbs import Ref
from bot.slack.views import calendar, incident_forms, kit, start, telling
from bot.slack.views import incident as incidents
from bot.slack.views import items as item_views
from bot.slack.views.alerts import alert_message, alerts_message
from bot.slack.views.approval import approval_modal, approval_thread
from bot.slack.views.checks import check_detail, checks_modal
from bot.slack.views.home import Lobby, home_view
from bot.slack.views.kit import Message
from bot.slack.views.plain import text_of
from bot.slack.views.proven import proven_head, proven_line
from bot.slack.views.question import answer_modal, report_modal
from bot.slack.views.votes import deny_modal, edit_modal
from tests import builders as b

GOLDEN = Path(__file__).parent.parent / "golden"
STATES = b.states()

ALERT = Tracked(
    "jobs",
    "alacarte",
    Alert(
        "f",
        "Backup",
        "Backup is <old> & *bold*",
        AlertState.FIRING,
        b.NOW,
        severity="warning",
        text="The last one is of <!channel> Monday.",
        url="https://backup.example.test/?a=1&b=2",
    ),
    AlertState.FIRING,
    b.NOW,
    b.NOW,
    b.NOW,
    3,
    id=7,
)


@dataclass(frozen=True)
class Line:
    """A recorded event."""

    kind: str
    actor: str
    data: dict[str, Any] = field(default_factory=dict)
    at: datetime = b.NOW
    seq: int = 1


TIMELINE = [
    Line("incident.opened", "U0ANA", {"title": "Subscription status not updating"}, b.START),
    Line("run.requested", "U0ANA", {"runbook": "RB-011"}, b.START),
    Line("check.ended", "bot", {"check": "account", "status": "done", "summary": "1 row"}),
    Line("findings.concluded", "bot", {"findings": [{"key": "webhook_missed", "say": b.CONCLUSION.say}]}),
    Line("approval.requested", "bot", {"action": b.KEY, "headline": "1 row of businesses changes"}),
    Line("approval.granted", "bot", {"action": b.KEY, "by": ["U0BEN"]}),
    Line("action.done", "bot", {"action": b.KEY, "headline": "1 row of businesses changed"}),
    Line("action.verified", "bot", {"action": b.KEY}),
    Line("incident.resolved", "U0ANA", {"minutes": 6.0}),
]
CORRECTED = [
    *(replace(line, seq=place) for place, line in enumerate(TIMELINE, 1)),
    Line("incident.noted", "U0ANA", {"text": "Stripe is <down>"}, b.START, 10),
    Line("incident.marked", "U0BEN", {"message": "C1:1", "author": "U0CHLOE", "text": "It began at 3"}, b.START, 11),
    Line("incident.entry_corrected", "U0BEN", {"entry": 10, "text": "Stripe was slow"}, b.NOW, 12),
    Line("incident.entry_corrected", "U0ANA", {"entry": 10, "text": "Stripe was slow until 3:10"}, b.NOW, 13),
    Line("incident.marked", "U0BEN", {"message": "C1:2", "author": "U0CHLOE", "text": "A joke"}, b.START, 14),
    Line("incident.unmarked", "U0BEN", {"message": "C1:2"}, b.NOW, 15),
]
OTHER = b.incident(id="10000000-0000-4000-8000-000000000002", number=8, channel="C0INC008")
AROUND = incidents.Around((OTHER,), (replace(OTHER, number=9, channel=None, state=IncidentState.RESOLVED),), None)
SUGGESTED = b.incident(
    opened_by="bot",
    digest_due=b.NOW + timedelta(minutes=10),
    suggestions=(Suggestion("RB-004", {"business_id": "b1"}, "the pool is <exhausted>"), Suggestion("RB-011")),
)
RESOLVED = b.incident(state=IncidentState.RESOLVED, resolved_at=b.START + timedelta(minutes=6))
UNTAKEN = b.incident(acknowledged_by="", acknowledged_at=None)
CALLED = [kit.group("S0LEADS"), kit.t("engineering manager (manager@example.com)")]
ITEMS = [
    Item(1, "i", "Watch the <disk> of the importer", "bot", b.START),
    Item(2, "i", "Alert when webhooks stop", "bot", b.START, "U0BEN", (b.NOW - timedelta(days=2)).date()),
    Item(3, "i", "Write it down", "U0ANA", b.START, "U0ANA", None, ItemState.DONE, "U0ANA", b.NOW),
]
STANDING = Stand(
    "shop",
    Monitor("pool", "Connections taken", Severity.P1, unit="%", page="value > 90", runbook="RB-004"),
    Watched("shop", "pool", State.PAGING, b.START, "94", "94 % are taken", b.NOW, b.NOW),
)
RESOLUTIONS = [
    Resolution(Severity.P0, 1, 2_400.0, 0, (1.6,)),
    Resolution(Severity.P2, 4, 900.0, 3, (0.1, 0.5, 0.9, 2.4)),
]
SHOP, BAKERY = System("shop", "The shop"), System("bakery", "The bakery")
REF = Ref(run=b.RUN_ID, action=b.KEY)
FORM = tuple(Input(kind.value, kind, kind.value.title(), choices=("a", "b")) for kind in InputType)
ROWS = [{"id": number, "event": f"evt_{number}", "ok": number % 2 == 0, "at": b.START} for number in range(4)]
MANY = b.shown(
    replace(b.run(), checks={"webhooks": CheckRun("webhooks", CheckStatus.DONE, "4 rows", changed="was 2, now 4")}),
    facts={"webhooks": b.fact({"rows": ROWS, "count": 4})},
)

DAY = timedelta(days=1)
PROVEN = Proven(
    Stands(Standing.GOOD, b.NOW - 2 * DAY, b.NOW - 2 * DAY, "22 of 22 branches as expected"),
    Stands(Standing.GOOD, b.NOW - timedelta(hours=6), b.NOW - timedelta(hours=6), "9 of 9 checks answered"),
    b.NOW,
)
STALE = Proven(
    Stands(Standing.CHANGED, b.NOW - 12 * DAY, b.NOW - 12 * DAY),
    Stands(Standing.FAILED, b.NOW - timedelta(hours=6), b.NOW - DAY, "«What Stripe says»: <Stripe> does not answer."),
    b.NOW,
)
UNPROVEN = Proven(
    Stands(Standing.UNRECORDED), Stands(Standing.OUT_OF_REACH, detail="no probe is declared for business_id"), b.NOW
)

LEFT = ("Go through the <alerts>", "«Backups» could not be read")
MORNING = Appointment("daily", "The daily round", Turn(Every.DAY, time(9)), "RB-CAL")
DAILY = Coming("shop", MORNING, b.START + DAY, "America/Toronto", b.run(), LEFT)
WEEKLY = Coming("shop", replace(MORNING, title="The weekly <round>"), b.START + 2 * DAY, "America/Toronto")

VIEWS = {
    "approval": approval_modal(STATES["awaiting_approval"], b.KEY),
    "deny": deny_modal(REF, "Copy the subscription from Stripe"),
    "edit": edit_modal(REF, "We are sorry", "Dear customer"),
    "answer": answer_modal(STATES["asking"], b.question()),
    "answer_form": answer_modal(STATES["asking"], b.question(options=(), form=FORM)),
    "report": report_modal(STATES["waiting_for_report"], b.KEY),
    "checks": checks_modal(MANY),
    "start": start.start_modal(b.runbook(), {}, "C0INC007"),
    "start_proven": start.start_modal(b.runbook(), {}, "C0INC007", proven=PROVEN),
    "message": start.message_modal([b.runbook()], "A customer is still on the free tier", "C0INC007"),
    "escalate": incident_forms.escalate_modal(Ref(incident="i")),
    "note": incident_forms.note_modal(Ref(incident="i")),
    "open": incident_forms.open_modal({each.id: each for each in (SHOP, BAKERY)}, "Nobody gets any message", "P0"),
    "correct": incident_forms.correct_modal(Ref(incident="i"), timeline(CORRECTED), {}),
    "update": incident_forms.update_modal(
        REF, "status", telling.update_text("The shop", RESOLVED, [], b.NOW), "no name"
    ),
    "item_taken": item_views.take_modal(ITEMS[0], "U0ANA", b.NOW),
    "item_added": item_views.add_modal(Ref(incident="i")),
    "home": home_view(
        "U0BEN",
        Lobby([STATES["awaiting_approval"]], ITEMS[1:2], [b.incident()], [STANDING], RESOLUTIONS, [b.run()]),
        b.NOW,
    ),
    "home_empty": home_view("U0BEN", Lobby(), b.NOW),
}
MESSAGES = {
    "thread_approval": approval_thread(STATES["awaiting_approval"], b.KEY),
    "thread_check": check_detail(MANY, "webhooks"),
    "thread_check_row": check_detail(b.shown(facts={"account": b.fact()}), "account"),
    "thread_check_failed": check_detail(STATES["failed_check"], "stripe"),
    "incident_headline": incidents.headline(b.incident(), [STATES["awaiting_approval"]], b.NOW),
    "incident_untaken": incidents.headline(UNTAKEN, [], b.NOW, Climb(1, Rung(("engineering_manager", "cto")), b.NOW)),
    "alerts": alerts_message(
        [
            Tally("HighLatency", "prometheus", 30, 12, 412, b.NOW, b.NOW, "https://prometheus.example.test/g?a=1&b=2"),
            Tally("*Backup* <old>", "jobs", 1, 0, 1, b.NOW, b.NOW),
            *(Tally(f"Name {n}", "prometheus", 2, 2, 10 - n // 2, b.NOW, b.NOW) for n in range(14)),
        ]
    ),
    "alert": alert_message(ALERT, None),
    "alert_ended_in_incident": alert_message(
        replace(ALERT, state=AlertState.RESOLVED, incident=b.incident().id), b.incident()
    ),
    "incident_at_the_top": incidents.headline(UNTAKEN, [], b.NOW),
    "incident_called": incidents.escalation(
        UNTAKEN, [STATES["awaiting_approval"]], CALLED, "", timedelta(minutes=4), b.NOW
    ),
    "incident_called_by_hand": incidents.escalation(
        b.incident(), [], CALLED, "The <largest> customer is down", timedelta(0), b.NOW
    ),
    "incident_nobody_there": incidents.escalation(UNTAKEN, [], CALLED[:1], "", timedelta(0), b.NOW, reached=False),
    "incident_unreached": telling.unreached_message("CTO", "mail", "The mail server does not answer."),
    "incident_status": incidents.status_of(b.incident(), [STATES["done"]], TIMELINE, b.NOW),
    "incident_summary": incidents.summary(RESOLVED, [STATES["done"]], TIMELINE, b.NOW),
    "incident_around": incidents.headline(SUGGESTED, [STATES["awaiting_approval"]], b.NOW, None, AROUND),
    "incident_digest": telling.digest(
        SUGGESTED, [STATES["awaiting_approval"]], CORRECTED[2:], b.NOW, {"U0BEN": "Ben <Okoro>"}
    ),
    "incident_newcomer": telling.where_we_are(b.incident(), [STATES["awaiting_approval"]], CORRECTED, b.NOW),
    "incident_timeline": telling.timeline_message(b.incident(), [STATES["done"]], CORRECTED),
    "incident_update": telling.update_message(b.incident(), "We are <on> it.\nNext update at 4.", "U0ANA"),
    "incident_merged": telling.merged_message(b.incident(), OTHER),
    "incident_assigned": telling.assigned_message("U0BEN", "U0ANA", b.incident()),
    "items": item_views.items_message(b.incident(), ITEMS, b.NOW),
    "items_none": item_views.items_message(b.incident(), [], b.NOW),
    "item_late": item_views.reminder_message(RESOLVED, ITEMS[1], b.NOW),
    "item_of_nobody": item_views.reminder_message(RESOLVED, ITEMS[0], b.NOW),
    "incident_list": incidents.open_incidents_message([b.incident()], b.NOW),
    "runbook_list": start.list_message([b.runbook()], {}),
    "runbook_found": start.found_message("free tier", [b.runbook()]),
    "runbook_suggested": start.suggest_message("RB-01", [b.runbook()]),
    "runbook_unknown": start.suggest_message("xyz", []),
    "runbook_list_stale": start.list_message([b.runbook()], {}, {"RB-011": STALE}),
    "runbook_list_unproven": start.list_message([b.runbook()], {}, {"RB-011": UNPROVEN}),
    "runbook_shown": start.runbook_message(b.runbook()),
    "runbook_shown_stale": start.runbook_message(b.runbook(), STALE),
    "run_status": start.status_message([b.run()]),
    "help": start.help_message(),
    "calendar": calendar.coming_message([DAILY, WEEKLY], {"shop": SHOP}),
    "calendar_empty": calendar.coming_message([], {}),
    "calendar_reminder": calendar.reminder_message(STATES["asking"], LEFT, [kit.group("S0ONCALL")]),
    "calendar_left": calendar.left_message(STATES["asking"], 12, LEFT),
    "calendar_ended": calendar.ended_message(STATES["done"], [("Read the report", "U0ANA"), ("Backups", "")], LEFT),
    "calendar_failed": calendar.failed_message("The daily round", "which: «yearly» is not a choice.", "09:00"),
    "calendar_elsewhere": calendar.elsewhere_message(SHOP, "RB-CAL The daily round", "operations", "is archived"),
    "calendar_direct": calendar.elsewhere_message(SHOP, "RB-CAL The daily round", "", "no channel", holder="U0ANA"),
    "calendar_drill": calendar.drill_message(b.runbook(), STALE.drill, b.NOW),
    "calendar_drilled": calendar.drilled_message("RB-011", "22 of 22 branches as expected", passed=True),
}


def golden(name: str, payload: Any, request: pytest.FixtureRequest) -> None:
    """Compare with a golden file, or write it."""
    path = GOLDEN / f"{name}.json"
    written = json.dumps(payload, indent=1, ensure_ascii=False) + "\n"
    if request.config.getoption("--golden", default=False):
        path.write_text(written, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == written


@pytest.mark.parametrize("name", sorted(VIEWS))
def test_golden_view(name: str, request: pytest.FixtureRequest) -> None:
    """Each form is exactly what its golden file says, and valid for Slack."""
    assert validate_view(VIEWS[name]) == []
    golden(f"view_{name}", VIEWS[name], request)


@pytest.mark.parametrize("name", sorted(MESSAGES))
def test_golden_message(name: str, request: pytest.FixtureRequest) -> None:
    """Each message is exactly what its golden file says, and valid for Slack."""
    message = MESSAGES[name]
    payload = {"text": message.text, "blocks": message.blocks}
    assert validate_message(payload) == []
    golden(f"message_{name}", {**payload, "files": [file.name for file in message.files]}, request)


def said(message: Message) -> str:
    """A message in plain words."""
    return text_of(message.blocks)


def test_show_everything_shows_the_exact_statement_and_its_values() -> None:
    """The form has the statement, every bound value, the digest, and Approve beside them."""
    text = text_of(VIEWS["approval"]["blocks"])
    for part in ("UPDATE businesses\nSET subscription_tier = :tier", "tier = starter", f"business_id = {b.BUSINESS}"):
        assert part in text
    assert "ab" * 32 in text
    assert [e["action_id"] for e in VIEWS["approval"]["blocks"][-1]["elements"]][:2] == ["approve", "deny"]


def test_the_summary_answers_every_question() -> None:
    """Cause, change, who asked, who approved, verification, time against the target and follow-ups are all there."""
    text = said(MESSAGES["incident_summary"])
    for part in (
        "6 of 20 min, within the target",
        b.CONCLUSION.say,
        "1 row of businesses changed · asked by @U0ANA · approved by @U0BEN · verified",
        "Alert when webhook success falls below 99 %",
        "was approved by @U0BEN",
    ):
        assert part in text
    whole = incidents.plain_summary(MESSAGES["incident_summary"])
    assert "What our database says» was read: 1 row" in whole


def test_an_unverified_change_is_not_called_verified() -> None:
    """The summary says "not verified" of a change whose check never came to hold."""
    text = said(incidents.summary(RESOLVED, [STATES["unverified"]], TIMELINE, b.NOW))
    assert "not verified" in text
    assert "· verified" not in text


def test_a_missed_target_is_said() -> None:
    """An incident over its target says by how much."""
    late = replace(RESOLVED, resolved_at=b.START + timedelta(minutes=50))
    assert "50 min, 30 min over the target of 20 min" in said(incidents.summary(late, [], [], b.NOW))


def test_the_topic_says_what_is_waited_for() -> None:
    """The topic names the incident, the target and who is waited for."""
    text = incidents.topic_text(b.incident(), [STATES["awaiting_approval"]], b.NOW)
    assert text.startswith("INC-2026-11-21-007 · P2 · open · ")
    assert "target 14:20 UTC" in text
    assert "run 13 waits for approval" in text


def test_an_empty_result_shows_no_empty_fields() -> None:
    """No rows is said once, not as an empty list beside it."""
    nothing = b.fact({"rows": [], "row": None, "count": 0, "more": False}, summary="no rows")
    said = text_of(check_detail(b.shown(facts={"webhooks": nothing}), "webhooks").blocks)
    assert "rows" not in said.replace("no rows", "")
    assert "[]" not in said


def test_an_answer_is_shown_without_its_envelope() -> None:
    """Of what a service answered a person reads its JSON once, and not its headers; what is no JSON is read as text."""
    answer = {"status": 200, "ok_status": True, "latency_ms": 12.5, "headers": {"server": "nginx"}, "text": '{"a": 1}'}

    def told(value: dict[str, Any]) -> str:
        return text_of(check_detail(b.shown(facts={"stripe": b.fact(value)}), "stripe").blocks)

    said = {"json": told({**answer, "json": {"a": 1}}), "text": told(answer)}
    assert "nginx" not in said["json"] + said["text"]
    assert ("text  " in said["json"], "text  " in said["text"]) == (False, True)
    assert "latency ms" in said["json"].replace("_", " ")


@pytest.mark.parametrize(
    ("standing", "drill", "live"),
    [
        (Standing.GOOD, "drill 4 days ago", "live checks 4 days ago"),
        (Standing.OLD, "⚠ last drilled 4 days ago", "⚠ live checks last passed 4 days ago"),
        (
            Standing.FAILED,
            "⚠ drill failed 5 min ago, last passed 4 days ago: it did",
            "⚠ live checks failed 5 min ago, last passed 4 days ago: it did",
        ),
        (
            Standing.CHANGED,
            "⚠ changed since it was drilled 4 days ago",
            "⚠ changed since its live checks passed 4 days ago",
        ),
        (Standing.NEVER, "⚠ never drilled", "⚠ live checks never passed"),
        (Standing.UNRECORDED, "no drill on record", "no live check on record"),
        (Standing.OUT_OF_REACH, "no drill on record", "live checks cannot be tried: it did."),
    ],
)
def test_every_standing_has_its_words(standing: Standing, drill: str, live: str) -> None:
    """The line says of both kinds when and what; it warns of exactly what is stale."""
    good = Stands(Standing.GOOD, b.NOW, b.NOW)
    stands = Stands(standing, b.NOW - timedelta(minutes=5), b.NOW - 4 * DAY, "it did.")
    assert proven_line(Proven(stands, good, b.NOW)) == f"Last proven: {drill} · live checks just now"
    assert proven_line(Proven(good, stands, b.NOW)) == f"Last proven: drill just now · {live}"
    assert ("⚠" in drill, "⚠" in live) == (standing.stale, standing.stale)
    quiet = {"RB-011": PROVEN, "RB-012": UNPROVEN}
    head = proven_head({**quiet, "RB-013": Proven(good, stands, b.NOW)})
    assert head == ("⚠ 1 not proven as they stand: `/runbook show` says why." if standing.stale else "")


def test_a_list_of_all_shipped_runbooks_is_whole_when_all_are_stale() -> None:
    """The marks take no runbook off the list."""
    catalogue = catalogue_at(SHIPPED)
    stale = {each.id: STALE for each in catalogue}
    message = start.list_message(catalogue.list(), catalogue.systems, stale)
    text = said(message)
    assert [each.id for each in catalogue if f"{each.id} {each.title}" not in text] == []
    assert text.count("⚠") == len(catalogue) + 1
    assert validate_message({"text": message.text, "blocks": message.blocks}) == []
