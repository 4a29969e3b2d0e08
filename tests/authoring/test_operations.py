"""A system's monitors, calendar and ladders: what is read, and what is said when they do not hold together."""

from __future__ import annotations

from datetime import time, timedelta
from pathlib import Path

import pytest

from bot.authoring.decisions import decisions
from bot.authoring.loader import load_tree
from bot.authoring.problems import as_text
from bot.domain.alert import Kind, Rule
from bot.domain.operations import Every, Rung, Turn, variables_of
from bot.domain.runbook import Severity
from bot.domain.system import SecretRef
from tests.authoring.samples import RUNBOOK, SYSTEM, messages

pytestmark = pytest.mark.authoring

MONITORS = """
checks:
  frozen: {sql: SELECT count(*) AS n FROM businesses WHERE is_frozen, expect: one_row}
monitors:
  many_frozen:
    title: Frozen businesses
    severity: P1
    every: 1m
    value: frozen.row.n
    warn: value > 5
    page: value > 10
    hold: 5m
    say: "{{ value }} businesses are frozen."
    runbook: RB-001
    inputs: {business_id: frozen.row.id}
  disk: {title: Disk, severity: P0, alert: DiskFull}
notes: [The source gives no time.]
"""
CALENDAR = """
zone: America/Toronto
appointments:
  first:
    {title: Look, every: month, day: first monday, at: "09:00", runbook: RB-001, inputs: {business_id: a}}
windows:
  upkeep:
    {title: Work, every: week, day: sunday, at: "02:00", lasts: 2h, announce_before: 2d, announce: paid, mutes: [disk]}
  emergency: {title: Emergency}
"""
LADDERS = """
ladders:
  urgent:
    title: Urgent
    severities: [P0, P1]
    runbooks: [RB-001]
    rungs: [{to: billing}, {to: [lead, owners], after: 15m}]
"""
ALERTS = """
sources:
  prometheus: {kind: alertmanager, token: {env: SHOP_TOKEN}}
  duty: {kind: pagerduty, hmac: [{env: SHOP_SECRET}, {env: SHOP_SECRET_NEXT}]}
stripe: {secrets: [{env: SHOP_EVENTS}, {env: SHOP_EVENTS_NEXT}]}
rules:
  - {match: {name: [Disk*, Inodes*], shard: 3, live: true}, severity: P1, by: [instance]}
  - {match: {team: "?ops"}, runbook: RB-001, inputs: {business_id: labels.business}}
  - {match: {severity: info}, open: false}
"""
WHOLE = {"monitors": MONITORS, "calendar": CALENDAR, "escalation": LADDERS, "alerts": ALERTS}


SHOP = f"{SYSTEM}channels: {{announcements: status}}\n"


def written(folder: Path, **files: str) -> Path:
    """A tree with the shop, its runbook and these files."""
    (folder / "shop").mkdir()
    for name, text in {"system": SHOP, "RB-001": RUNBOOK, **files}.items():
        (folder / "shop" / f"{name}.yaml").write_text(text)
    return folder


def test_what_is_watched_comes_round_and_is_asked(tmp_path: Path) -> None:
    """The four files are read into the operations of their system."""
    catalogue, problems = load_tree(written(tmp_path, **WHOLE))
    assert as_text(problems) == ""
    shop = catalogue.operations["shop"]
    many = shop.monitors["many_frozen"]
    assert (many.value, many.warn, many.page, many.hold) == (
        "frozen.row.n",
        "value > 5",
        "value > 10",
        timedelta(minutes=5),
    )
    assert (list(shop.checks), shop.monitors["disk"].alert) == (["frozen"], "DiskFull")
    assert shop.calendar.zone == "America/Toronto"
    assert shop.calendar.appointments["first"].turn == Turn(Every.MONTH, time(9), "first monday")
    assert (shop.calendar.windows["upkeep"].mutes, shop.calendar.windows["emergency"].turn) == (("disk",), None)
    urgent = shop.ladders["urgent"]
    assert urgent.severities == (Severity.P0, Severity.P1)
    assert urgent.rungs == (Rung(("billing",)), Rung(("lead", "owners"), timedelta(minutes=15)))
    intake = shop.intake
    assert (intake.sources["duty"].kind, intake.sources["duty"].secrets) == (
        Kind.PAGERDUTY,
        (SecretRef("SHOP_SECRET"), SecretRef("SHOP_SECRET_NEXT")),
    )
    assert intake.sources["prometheus"].tokens == (SecretRef("SHOP_TOKEN"),)
    assert intake.rules[0] == Rule(
        {"name": ("Disk*", "Inodes*"), "shard": ("3",), "live": ("true",)}, severity=Severity.P1, by=("instance",)
    )
    assert (intake.rules[1].inputs, intake.rules[2].opens) == ({"business_id": "labels.business"}, False)
    assert variables_of(shop) == {SecretRef("SHOP_TOKEN"), SecretRef("SHOP_SECRET"), SecretRef("SHOP_EVENTS")}
    assert "### Monitors, calendar, escalation\n\n- The source gives no time." in decisions(catalogue)


def test_versions_of_runbooks_do_not_depend_on_them(tmp_path: Path) -> None:
    """A new threshold voids no approval that is being waited for."""
    bare, _ = load_tree(written(tmp_path))
    (tmp_path / "shop" / "monitors.yaml").write_text(MONITORS)
    full, _ = load_tree(tmp_path)
    assert [each.version for each in bare] == [each.version for each in full]


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("monitors", "SELECT count(*) AS n FROM businesses WHERE is_frozen", "DELETE FROM businesses", "not a reading"),
        ("monitors", "{sql: SELECT count(*) AS n FROM businesses WHERE is_frozen,", "{manual: Look,", "asks nobody"),
        ("monitors", "value: frozen.row.n", "value: frosen.row.n", "«frosen» is neither an input nor a check."),
        ("monitors", "    page: value > 10\n", "", "Nothing says when this monitor alerts."),
        ("monitors", "alert: DiskFull", "alert: DiskFull, page: 'true'", "no value and no threshold here"),
        ("monitors", "runbook: RB-001", "runbook: RB-002", "The system «shop» has no runbook «RB-002»."),
        ("monitors", "{business_id: frozen", "{busines: frozen", "RB-001 has no input «busines»."),
        ("monitors", "{{ value }}", "{{ values }}", "«values» is neither"),
        ("monitors", "severity: P1", "severity: P9", "«P9» is not one of P0, P1, P2, P3."),
        ("monitors", "  frozen: {", "  idle: {sql: SELECT 1 AS n}\n  frozen: {", "No monitor reads «idle»."),
        ("calendar", "America/Toronto", "America/Torronto", "There is no time zone «America/Torronto»."),
        ("calendar", "first monday", "fifth monday", "«fifth monday» is no day"),
        ("calendar", "day: sunday", "day: 1", "is no day of what comes round every week."),
        ("calendar", ", inputs: {business_id: a}", "", "RB-001 needs «business_id»."),
        ("calendar", "announce: paid", "announce: payed", "There is no template «payed»."),
        ("calendar", "mutes: [disk]", "mutes: [disc]", "There is no monitor «disc»."),
        ("calendar", 'day: sunday, at: "02:00", ', "day: sunday, ", "has both every: and at:"),
        ("escalation", "to: billing", "to: biling", "There is no contact or group «biling»."),
        ("escalation", "[{to: billing}", "[{to: billing, after: 1h}", "asked later than this one"),
        ("escalation", "    severities: [P0, P1]\n    runbooks: [RB-001]\n", "", "for nothing"),
        ("escalation", "runbooks: [RB-001]", "runbooks: [RB-007]", "has no runbook «RB-007»"),
        ("monitors", "alert: DiskFull", "alert: DiskFull, say: '{{ frozen }}'", "«frozen» is neither"),
        ("alerts", "kind: alertmanager", "kind: nagios", "«nagios» is not one of"),
        ("alerts", "kind: pagerduty", "kind: stripe", "Stripe has an address of its own."),
        ("alerts", ", token: {env: SHOP_TOKEN}", "", "either a token or secrets that it signs with"),
        ("alerts", "{env: SHOP_TOKEN}", "{env: SHOP_TOKEN}, hmac: {env: X}", "either a token or secrets"),
        ("alerts", "token: {env: SHOP_TOKEN}", "hmac: {env: SHOP_TOKEN}", "Alertmanager signs nothing."),
        ("alerts", "kind: pagerduty, hmac", "kind: sentry, token", "Sentry sends no token."),
        ("alerts", "{env: SHOP_SECRET}, ", "{env: SHOP_SECRET}, {env: A}, ", "at most 2"),
        ("alerts", "secrets: [{env: SHOP_EVENTS}, {env: SHOP_EVENTS_NEXT}]", "secrets: []", "at least 1"),
        ("alerts", "runbook: RB-001", "runbook: RB-002", "The system «shop» has no runbook «RB-002»."),
        ("alerts", "runbook: RB-001", "system: shp, runbook: RB-001", "There is no system «shp»."),
        ("alerts", "runbook: RB-001, ", "", "There are inputs and no runbook that takes them."),
        ("alerts", "{business_id: labels", "{busines: labels", "RB-001 has no input «busines»."),
        ("alerts", "labels.business", "lables.business", "«lables» is neither"),
        ("alerts", 'match: {team: "?ops"}', "match: {}", "at least 1"),
        ("alerts", "severity: info", "severity: {is: info}", "This must be text."),
        ("alerts", ", severity: P1, by", ", severity: P1, bye", "«bye» is not a field here."),
    ],
)
def test_what_does_not_hold_together_is_said(tmp_path: Path, file: str, old: str, new: str, said: str) -> None:
    """Each mistake is one problem of its file, and the other files are read all the same."""
    text = WHOLE[file].replace(old, new)
    assert text != WHOLE[file]
    catalogue, problems = load_tree(written(tmp_path, **{**WHOLE, file: text}))
    assert any(said in each for each in messages(problems)), as_text(problems)
    about = {each.file for each in problems}
    assert f"shop/{file}.yaml" in about
    # A window that mutes a monitor has the monitor's file to thank for it.
    assert about <= {f"shop/{file}.yaml", *(["shop/calendar.yaml"] if file == "monitors" else [])}
    assert len(catalogue) == 1


def test_a_source_has_one_address(tmp_path: Path) -> None:
    """Two systems with a source of the same name: said at the line of the second."""
    written(tmp_path, alerts=ALERTS)
    bakery = tmp_path / "bakery"
    bakery.mkdir()
    (bakery / "system.yaml").write_text("id: bakery\ntitle: The bakery\n")
    (bakery / "alerts.yaml").write_text("sources:\n  duty: {kind: generic, token: {env: BAKERY}}\n")
    _, problems = load_tree(tmp_path)
    (found,) = problems
    assert (found.file, found.line, found.path) == ("shop/alerts.yaml", 4, "sources.duty")
    assert found.message == "«duty» is a source of bakery already."


def test_nowhere_to_post(tmp_path: Path) -> None:
    """An alert that is only posted needs a channel."""
    written(tmp_path, system=SYSTEM, alerts=ALERTS)
    _, problems = load_tree(tmp_path)
    assert messages(problems) == ["There is no channel that the alert is posted to."]
