"""From documents to runbooks: what is resolved, what is refused, and where it says so."""

from __future__ import annotations

import json
from datetime import time, timedelta

import pytest

from bot.authoring.loader import load_runbook, load_system
from bot.authoring.problems import as_data, as_json, as_text, did_you_mean
from bot.domain.policy import ApprovalPolicy, QuietHours, StepUp
from bot.domain.runbook import Severity, UndoRule
from bot.domain.system import SecretRef
from tests.authoring.samples import RUNBOOK, SYSTEM, a_runbook, a_system, messages, read_runbook

pytestmark = pytest.mark.authoring


def test_system_is_resolved() -> None:
    """A system file gives databases by variable, groups, policies over each other, severities and templates."""
    system = a_system()
    assert system.databases["main"].act == SecretRef("SHOP_ACT")
    assert system.services["api"].headers == {"Authorization": SecretRef("SHOP_TOKEN")}
    assert system.default_policy == ApprovalPolicy(groups=("billing",))
    assert system.critical_policy == ApprovalPolicy(groups=("owners",), votes=2)
    assert system.severities[Severity.P1].escalate_after == timedelta(minutes=30)
    assert system.severities[Severity.P1].escalate_to == ("lead",)
    assert system.source == SYSTEM


def test_runbook_is_resolved() -> None:
    """A runbook gives its inputs, the edges of its checks, its findings in order and its actions with policies."""
    runbook = a_runbook()
    assert runbook.severity is Severity.P2
    assert runbook.resolve_within == timedelta(minutes=15)
    assert runbook.checks["account"].spec == {
        "query": "SELECT id, name, is_frozen FROM businesses WHERE id = :business_id",
        "expect": "one_row",
    }
    assert runbook.findings[0].propose == ("unfreeze",)
    assert runbook.findings[0].needs == {"account"}
    action = runbook.actions["unfreeze"]
    assert action.policy == ApprovalPolicy(groups=("billing",))
    assert action.verify_needs == {"account"}
    assert action.undo == UndoRule(automatic=True)
    assert runbook.source == RUNBOOK


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("critical", ApprovalPolicy(groups=("owners",), votes=2)),
        ("confirm", ApprovalPolicy(groups=("billing",), confirm=True)),
        ("owners", ApprovalPolicy(groups=("owners",))),
        ("{people: [U0A]}", ApprovalPolicy(people=("U0A",))),
        ("{votes: 2, requester_may_vote: true}", ApprovalPolicy(("billing",), votes=2, requester_may_vote=True)),
        ("{critical: true, group: billing}", ApprovalPolicy(groups=("billing",), votes=2)),
        ("{vote_lifetime: 5m}", ApprovalPolicy(("billing",), vote_lifetime=timedelta(minutes=5))),
        ("{request_lifetime: 2h}", ApprovalPolicy(("billing",), request_lifetime=timedelta(hours=2))),
        ("{group: on_call, backup: owners}", ApprovalPolicy(("on_call",), backup="owners")),
        (
            "{break_glass: owners, step_up: code}",
            ApprovalPolicy(("billing",), break_glass=("owners",), step_up=StepUp.CODE),
        ),
        (
            '{quiet_hours: {start: "22:00", end: "06:30", zone: Europe/Berlin}}',
            ApprovalPolicy(("billing",), quiet_hours=QuietHours(time(22), time(6, 30), "Europe/Berlin")),
        ),
    ],
)  # fmt: skip
def test_policy_is_written_over_the_systems(said: str, expected: ApprovalPolicy) -> None:
    """What an action says about approval stands over the system's default, or over its critical policy."""
    action = a_runbook(add=f"    approve: {said}\n").actions["unfreeze"]
    assert action.policy == expected
    assert action.critical == ("critical" in said)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("automatic", UndoRule(automatic=True)),
        ("{none: Because.}", UndoRule(reason="Because.")),
        ("{action: freeze}", UndoRule(action="freeze")),
    ],
)
def test_undo_is_resolved(said: str, expected: UndoRule) -> None:
    """An action is undone from what it saw before, by another action, or not, with the reason."""
    freeze = "  freeze: {sql: UPDATE businesses SET is_frozen = true WHERE id = :business_id, expect_rows: 1}\n"
    assert a_runbook(add=f"    undo: {said}\n{freeze}").actions["unfreeze"].undo == expected


def test_ended_session_is_not_undone_by_itself() -> None:
    """Only rows and indexes come back by themselves; an ended session does not."""
    kill = "  kill: {sql: SELECT pg_terminate_backend(1), expect_rows: 1}\n"
    assert a_runbook(add=kill).actions["kill"].undo == UndoRule()


def test_needs_come_from_texts_conditions_and_binds() -> None:
    """The graph's edges are read from templates, expressions, conditions and the names in statements."""
    checks = """
checks:
  a: {sql: SELECT 1}
  b: {compute: a.row.x}
  c: {stripe: {retrieve: customers, id: "{{ b.value }}"}}
  d: {when: c.ok, sql: SELECT 1 WHERE :a = :x, bind: {x: b.value}}
  e: {compute: "1"}
"""
    head = "id: RB-002\ntitle: Graph\nseverity: P3\nresolve_within: 1h\n"
    runbook, problems = read_runbook(head + checks)
    assert runbook is not None, as_text(problems)
    assert {key: set(check.needs) for key, check in runbook.checks.items()} == {
        "a": set(),
        "b": {"a"},
        "c": {"b"},
        "d": {"a", "b", "c"},
        "e": set(),
    }


def test_notice_takes_the_systems_template_and_waits_know_their_checks() -> None:
    """A notice carries the system's text so that its version is kept with it; a wait's condition is checked."""
    more = """  tell: {notify: a@b.test, via: email, template: paid, approve: confirm}
  hold: {wait: not account.row.is_frozen, at_most: 1h}
"""
    runbook = a_runbook(add=more)
    assert runbook.actions["tell"].spec["subject"] == "Thank you, {{ account.row.name }}"
    assert runbook.actions["tell"].needs == {"account"}
    assert runbook.actions["hold"].needs == {"account"}
    _, problems = read_runbook(add="  hold: {wait: acount.row}\n")
    assert "«acount» is neither an input nor a check." in messages(problems)


def test_version_is_the_hash_of_what_both_documents_say() -> None:
    """Comments and layout do not change a version; any word, any order and the system file do."""
    version = a_runbook().version
    assert len(version) == 64
    assert a_runbook(RUNBOOK + "\n# a comment\n").version == version
    assert (
        a_runbook(RUNBOOK.replace("{type: uuid, label: Business}", "\n    type: uuid\n    label: Business")).version
        == version
    )
    assert a_runbook(RUNBOOK.replace("Release the account", "Release it")).version != version
    assert a_runbook(RUNBOOK.replace("    expect_rows: 1\n", "") + "    expect_rows: 1\n").version != version
    other = a_system(SYSTEM.replace("The shop", "Our shop"))
    changed, _ = load_runbook(RUNBOOK, "x.yaml", other)
    assert changed is not None
    assert changed.version != version


def test_stored_documents_give_the_same_runbook_again() -> None:
    """What is stored with a run, its two texts, gives the very same version again."""
    runbook = a_runbook()
    again, problems = load_runbook(runbook.source, "RB-001.yaml", a_system(a_system().source))
    assert not problems
    assert again == runbook


def test_one_mistake_is_not_reported_wherever_it_is_mentioned() -> None:
    """An input with an error still lends its name, so the texts that use it are not in error too."""
    _, problems = read_runbook(RUNBOOK.replace("type: uuid", "type: uid").replace("severity: P2", "severity: P7"))
    assert {problem.path for problem in problems} == {"inputs.business_id.type", "severity"}


def test_problems_have_place_and_hint_in_every_rendering() -> None:
    """Text for terminals and data for machines say the same: file, line, path, message, hint and level."""
    _, problems = read_runbook(RUNBOOK.replace("propose: unfreeze", "propose: unfreez"))
    first = problems[0]
    assert (first.file, first.line, first.path) == ("shop/RB-001.yaml", 18, "findings.frozen.propose")
    assert as_text(problems).splitlines()[:2] == [
        "shop/RB-001.yaml:18: error at findings.frozen.propose: There is no action «unfreez».",
        "    Did you mean «unfreeze»?",
    ]
    assert as_data(problems)[0]["hint"] == "Did you mean «unfreeze»?"
    assert json.loads(as_json(problems)) == as_data(problems)


def test_line_inside_a_long_text_is_found() -> None:
    """A mistake on the third line of a template is reported at that line of the file."""
    text = RUNBOOK.replace('"{{ account.row.name }} is frozen."', "|\n      a\n      {% set x = 1 %}")
    _, problems = read_runbook(text)
    (problem,) = problems
    assert "«set»" in problem.message
    assert text.splitlines()[problem.line - 1] == "      {% set x = 1 %}"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("{read: SHOP_READ, act: SHOP_ACT}", "{read: postgresql://user:secret@host/db}", "not written the way"),
        ("{slack: billing-approvers}", "{}", "The group is empty"),
        ("group: billing}", "group: biling}", "no group «biling»"),
        ("{group: owners, votes: 2}", "{group: owners, votes: 4}", "can never come together"),
        ("[lead]", "[leed]", "no contact or group «leed»"),
        ("{{ account.row.name }}", "{{ account.row.name ", "unexpected end"),
        ("id: shop", "id: The Shop", "not written the way"),
        ("{env: SHOP_API}", "https://me:secret@host", "not the plain address"),
        ("{env: SHOP_API}", "ftp://host", "not the plain address"),
        ("{env: SHOP_TOKEN}", "Bearer abc", "secret does not belong"),
        ("program: shopctl", "program: /bin/bash", "runs anything it is given"),
        ("program: shopctl", "program: bin/shopctl", "absolute path"),
        ('looks: [[status]], changes: [[restart, "*"]]', "looks: []", "allows no arguments"),
        ("looks: [[status]]", 'looks: [["*"]]', "cannot be open"),
        ("looks: [[status]]", 'looks: [["st*"]]', "cannot be open"),
        ("looks: [[status]]", 'looks: [[query, -c, "*"]]', "may be code"),
        ("looks: [[status]]", 'looks: [[query, "--eval=*"]]', "may be code"),
        ("looks: [[status]]", 'looks: [[query, "-xc*"]]', "may be code"),
        ("looks: [[status]]", 'looks: [[query, --token, "*"]]', "takes a secret"),
        ("looks: [[status]]", "looks: [[query, --db-password=abc]]", "takes a secret"),
        ("program: shopctl", "program: timeout", "runs anything it is given"),
        ("CTL_TOKEN: {env: CTL_TOKEN}", "CTL_TOKEN: abc", "secret does not belong"),
        ("{file: /var/log/web.log}", "{}", "Say where the log is"),
        ("{file: /var/log/web.log}", "{service: apy}", "no service «apy»"),
        ("{file: /var/log/web.log}", "{command: [shopctl, restart, web]}", "not declared to only look"),
        ("{file: /var/log/web.log}", "{command: [shopct, status]}", "no command «shopct»"),
        ("databases:", "database:", "«database» is not a field here"),
        ("on_call: {people: [U0A]}", "on_call: {}", "The group is empty"),
        ("on_call: {people: [U0A]}", "support: {group: bilings, mask: [email]}", "There is no group «bilings»"),
        ("on_call: {people: [U0A]}", "support: {group: billing, mask: [email]}", "approves changes"),
        ("on_call: {people: [U0A]}", "support: {group: helpdesk, mask: []}", "at least 1 item"),
        ("on_call: {people: [U0A]}", 'support: {group: helpdesk, mask: ["a b"]}', "«a b» is not written"),
        ("on_call: {people: [U0A]}", "support: {group: helpdesk, mask: [email], files: A b}", "«A b» is not written"),
        ("default: {group: billing}", "default: {group: billing, backup: leeds}", "no group «leeds»"),
        ("default: {group: billing}", "default: {group: billing, remind_after: 30m}", "expired already"),
        ("default: {group: billing}", "default: {group: billing, backup: owners, backup_after: 1h}", "expired already"),
        (
            "default: {group: billing}",
            'default: {group: billing, quiet_hours: {start: "22:00", end: "06:00", zone: Europe/Berln}}',
            "no time zone «Europe/Berln»",
        ),
        ("default: {group: billing}", "default: {group: billing, step_up: password}", "not one of none, code"),
    ],
)
def test_system_problems(old: str, new: str, said: str) -> None:
    """A system file is held to its form: no addresses with passwords, no empty groups, no impossible policies."""
    system, problems = load_system(SYSTEM.replace(old, new), "system.yaml")
    assert system is None
    assert any(said in message for message in messages(problems)), as_text(problems)


@pytest.mark.parametrize(
    ("section", "argv", "said"),
    [
        ("actions", '[shopctl, restart, "{{ inputs.shop }}"]', ""),
        ("actions", "[shopctl, destroy]", "may not be given these arguments"),
        ("actions", "[bash, -c, ls]", "no command «bash»"),
        ("checks", "[shopctl, status]", ""),
        ("checks", '[shopctl, restart, "{{ inputs.shop }}"]', "may not be given these arguments"),
    ],
)
def test_commands_are_what_the_system_declares(section: str, argv: str, said: str) -> None:
    """A change in a check, an undeclared word and an undeclared program are found before anything runs."""
    steps = f"{section}:\n  ctl:\n    title: Do it\n    command: {argv}\n"
    inputs = "inputs:\n  shop: {type: text, label: Shop}\n"
    head = "id: RB-001\ntitle: A\nseverity: P2\nresolve_within: 5m\n"
    runbook, problems = load_runbook(head + inputs + steps, "x.yaml", a_system(SYSTEM))
    if said:
        assert any(said in message for message in messages(problems)), as_text(problems)
        return
    assert runbook is not None, as_text(problems)


def test_a_severity_has_its_own_policy() -> None:
    """What the system says of a severity is what its runbooks' actions start from."""
    system = a_system(SYSTEM.replace("critical:", "severities: {P2: {group: owners, votes: 2}}\n  critical:", 1))
    runbook, _ = load_runbook(RUNBOOK, "x.yaml", system)
    assert runbook is not None
    assert runbook.actions["unfreeze"].policy == ApprovalPolicy(groups=("owners",), votes=2)


@pytest.mark.parametrize("said", ["confirm", "{group: billing, requester_may_vote: true}"])
def test_one_person_alone_is_warned_of(said: str) -> None:
    """An action that its requester could approve alone is loaded with a warning."""
    runbook, problems = read_runbook(RUNBOOK + f"    approve: {said}\n")
    assert runbook is not None
    assert messages(problems) == ["One person alone can ask for this and approve it."]


def test_hints_name_the_nearest_or_the_few() -> None:
    """A hint names what was probably meant, or everything when that is little, or nothing."""
    assert did_you_mean("acount", ["account", "stripe"]) == "Did you mean «account»?"
    assert did_you_mean("zzz", ["account", "stripe"]) == "Known here: account, stripe."
    assert did_you_mean("zzz", []) == ""
