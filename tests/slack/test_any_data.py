"""Whatever is in the data, every screen stays valid for Slack and nothing in it becomes mark-up."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass, field
from datetime import datetime, time
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from bot.blockkit import json_characters, validate_message, validate_view
from bot.domain.alert import Alert, AlertState, Tally, Tracked
from bot.domain.events import Happened
from bot.domain.months import Coming, Kept, Ticked
from bot.domain.months import Stands as ShownAs
from bot.domain.operations import Appointment, Every, Turn
from bot.domain.proof import Standing
from bot.domain.proof import Stands as Drilled
from bot.domain.run import ActionStatus, Conclusion, RunState
from bot.domain.system import System
from bot.runs.shown import RunShown
from bot.slack.verbs import Ref
from bot.slack.views import calendar, kit, start
from bot.slack.views import incident as incidents
from bot.slack.views.alerts import alert_message, alerts_message
from bot.slack.views.approval import approval_modal, approval_thread
from bot.slack.views.checks import check_detail, checks_modal
from bot.slack.views.home import Lobby, home_view
from bot.slack.views.kit import MESSAGE_BUDGET, Message
from bot.slack.views.plain import text_of
from bot.slack.views.question import answer_modal, report_modal
from bot.slack.views.run import run_card
from bot.slack.views.votes import deny_modal, edit_modal
from bot.slack.views.words import sentence
from tests import builders as b
from tests.slack import strategies as some

_MANY = settings(
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    max_examples=40 if settings().derandomize else settings().max_examples,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def fits(message: Message) -> None:
    """The message is valid, within the budget, and can be sent as UTF-8."""
    assert validate_message({"text": message.text, "blocks": message.blocks}) == []
    assert json_characters(message.blocks) <= MESSAGE_BUDGET
    json.dumps(message.blocks, ensure_ascii=False).encode("utf-8")
    message.text.encode("utf-8")


@given(some.runs_shown(), st.booleans())
@_MANY
def test_any_run_has_a_valid_card(shown: RunShown, attached: bool) -> None:
    """Failure mode 14: the card of any run, with text of any kind and size anywhere, is one Slack accepts."""
    fits(run_card(shown, attached=attached))


@given(some.runs_shown())
@_MANY
def test_any_run_has_valid_details(shown: RunShown) -> None:
    """Every thread message and form of any run is valid."""
    for key in shown.facts:
        fits(check_detail(shown, key))
    for key in shown.approvals:
        fits(approval_thread(shown, key))
        assert validate_view(approval_modal(shown, key)) == []
        assert validate_view(report_modal(shown, key)) == []
    for question in shown.questions:
        assert validate_view(answer_modal(shown, question)) == []
    assert validate_view(checks_modal(shown)) == []


@given(some.runs_shown(), some.text, some.moments)
@_MANY
def test_any_incident_and_home_are_valid(shown: RunShown, text: str, now: datetime) -> None:
    """Headline, status, summary, topic, Home, lists and the start form are valid for any run."""
    incident = shown.incident
    assert incident is not None
    lines = [Line("incident.noted", {"text": text}), Line("action.done", {"action": text, "headline": text})]
    fits(incidents.headline(incident, [shown] * 9, now))
    fits(incidents.status_of(incident, [shown], lines, now))
    fits(incidents.summary(incident, [shown], lines * 9, now))
    fits(incidents.open_incidents_message([incident] * 50, now))
    assert len(incidents.topic_text(incident, [shown], now)) <= 250
    assert (
        validate_view(home_view("U0BEN", Lobby([shown] * 12, (), [incident] * 20, (), (), [shown.run] * 12), now)) == []
    )
    assert validate_view(start.start_modal(shown.runbook, {text: text}, text, {text: text})) == []
    assert validate_view(start.message_modal([shown.runbook] * 120, text, text)) == []
    for message in (
        start.list_message([shown.runbook] * 130, {}),
        start.found_message(text, [shown.runbook] * 12),
        start.suggest_message(text, [shown.runbook]),
        start.runbook_message(shown.runbook),
        start.status_message([shown.run] * 60),
    ):
        fits(message)


@given(some.runs_shown(), some.text, some.moments)
@_MANY
def test_any_calendar_is_valid(shown: RunShown, text: str, now: datetime) -> None:
    """What a calendar says is valid for any run and any words, and no row of its table begins a formula."""
    many = (text,) * 60
    each = Appointment(text, text, Turn(Every.DAY, time(9)), text)
    fits(calendar.coming_message([Coming(text, each, b.NOW, "UTC", shown.run, many)] * 60, {}))
    fits(calendar.reminder_message(shown, many, [kit.person("U0ANA")]))
    fits(calendar.left_message(shown, 1, many))
    fits(calendar.ended_message(shown, [(text, text)] * 60, many))
    fits(calendar.failed_message(text, text, text))
    fits(calendar.elsewhere_message(System("shop", text), text, text, text, holder=text))
    fits(calendar.drill_message(shown.runbook, Drilled(Standing.NEVER), now))
    fits(calendar.drilled_message(text, text, passed=False))
    items = (Ticked(text, True, text, b.NOW), Ticked(text, False))
    kept = Kept(text, text, text, b.NOW, ShownAs.OPEN, 1, "", b.NOW, None, items, text)
    cells = list(csv.reader(io.StringIO(calendar.month_csv([kept], "UTC", {text: text}), newline="")))
    assert [len(row) for row in cells] == [12, 12, 12]
    assert not [cell for row in cells for cell in row if cell[:1] in ("=", "@", "+")]


@given(some.text, some.text, st.sampled_from(Happened))
def test_any_event_is_a_sentence(actor: str, text: str, kind: Happened) -> None:
    """Every kind of event, with any data, is a sentence out of which no mention or link comes."""
    about = dict.fromkeys(("action", "check", "reason", "text", "say", "headline", "error", "undo_of"), text)
    for data in (about, {}, {"findings": [{"say": text}], "to": [text], "by": [text], "reasons": [text]}):
        said = sentence({"kind": kind, "actor": actor, "data": data})
        assert said.strip()
        assert "<!" not in said
        assert "|" not in said.replace(text, "") or "<http" not in said


@dataclass(frozen=True)
class Line:
    """A recorded event."""

    kind: str
    data: dict[str, Any]
    actor: str = "U0ANA"
    at: datetime = field(default=b.NOW)
    seq: int = 1


HUGE = "🙂é\u202e<!channel>" * 200_000


def test_two_megabyte_cells_and_ten_thousand_rows() -> None:
    """A preview of 10,000 rows with 2 MB cells has a valid card, and every row is in its file; their number approves
    it."""
    rows = [b.change(number, note=f"note {number}") for number in range(9_999)] + [b.change(9_999, note=HUGE)]
    shown = b.shown(
        b.run(RunState.AWAITING_APPROVAL, b.action(ActionStatus.REQUESTED)),
        approvals={b.KEY: b.approval(of=b.preview(*rows))},
    )
    card = run_card(shown)
    fits(card)
    file, table = card.files
    assert file.content.count(b"\nbusinesses id = ") == 10_000
    assert table.content.count(b"\nbusinesses,id = ") == 30_000
    assert len(file.content) > 2_000_000
    assert validate_view(approval_modal(shown, b.KEY)) == []
    buttons = [
        each["action_id"]
        for block in approval_modal(shown, b.KEY)["blocks"]
        for each in block.get("elements", ())
        if "action_id" in each
    ]
    assert "approve" in buttons


def test_huge_facts_degrade_to_a_file() -> None:
    """Failure mode 15: a check's 10,000 rows show the first ones in a table, all of them in a CSV file."""
    rows = [{"id": number, "text": HUGE if number == 5 else "ok", "empty": ""} for number in range(10_000)]
    shown = b.shown(facts={"account": b.fact({"rows": rows, "count": len(rows)})})
    detail = check_detail(shown, "account")
    fits(detail)
    (file,) = detail.files
    assert file.name == "run-13-account.csv"
    assert file.content.count(b"\r\n") == 10_001


@pytest.mark.parametrize("text", [text for text in some.NASTY if text.strip()])
def test_nothing_in_data_becomes_markup(text: str) -> None:
    """Failure mode 16: mrkdwn made of data holds no mention, link, code span or hidden character of the data's own."""
    run = b.run(title=text, reason=text, conclusions=(Conclusion("x", text),))
    incident = b.incident(title=text, channel=None, channel_name=text)
    surfaces = [
        *start.status_message([run]).blocks,
        *incidents.open_incidents_message([incident], b.NOW).blocks,
        *incidents.status_of(incident, [b.shown(run)], [Line("incident.noted", {"text": text})], b.NOW).blocks,
    ]
    said = json.dumps(_mrkdwn(surfaces), ensure_ascii=False)
    for forbidden in ("<!channel", "<!here", "<#C1", "<!subteam", "<https", "`", "\u202e", "\u200b", "\\u0000", "\x1b"):
        assert forbidden not in said


def _mrkdwn(value: Any) -> list[str]:
    """Every mrkdwn text in some blocks."""
    if isinstance(value, dict):
        own = [value["text"]] if value.get("type") == "mrkdwn" else []
        return own + [text for each in value.values() for text in _mrkdwn(each)]
    return [text for each in value for text in _mrkdwn(each)] if isinstance(value, list) else []


def test_emoji_stay_and_hidden_characters_show() -> None:
    """Families, flags and skin tones survive whole; controls and direction marks turn into visible signs."""
    family = "👩\u200d👩\u200d👧\u200d👦"
    run = b.run(conclusions=(Conclusion("x", f"{family} 🇩🇪 👍🏽 a\x00b \u202ereversed"),))
    said = text_of(run_card(b.shown(run)).blocks)
    assert f"{family} 🇩🇪 👍🏽 a␀b \N{REPLACEMENT CHARACTER}reversed" in said


def test_forms_keep_what_was_typed() -> None:
    """Deny asks for a reason, Edit begins with the text there is; both carry their reference."""
    ref = Ref(run=b.RUN_ID, request="r")
    assert validate_view(deny_modal(ref, HUGE)) == []
    edit = edit_modal(ref, "Sorry", "Dear customer,\nwe are sorry.")
    assert validate_view(edit) == []
    assert edit["blocks"][1]["element"]["initial_value"] == "Dear customer,\nwe are sorry."
    assert Ref.decode(edit["private_metadata"]) == ref


@given(some.text, some.text, some.text, some.moments, st.integers(0, 10**12), st.sampled_from(AlertState))
@_MANY
def test_any_alert_is_valid(name: str, text: str, url: str, now: datetime, count: int, state: AlertState) -> None:
    """An alert with text of any kind in it, and the counts of many, are valid."""
    alert = Alert(name or "f", name, text, state, now, text, {name: text}, text, f"https://{url}")
    tracked = Tracked(name, name, alert, state, now, now, now, count, id=count)
    fits(alert_message(tracked, None))
    fits(alert_message(tracked, b.incident()))
    fits(alerts_message([Tally(name, text, count, count, count, now, now)] * 30))
