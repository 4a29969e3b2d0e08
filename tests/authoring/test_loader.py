"""From documents to runbooks: what is resolved, what is refused, and that nothing ever raises."""

from __future__ import annotations

from datetime import time, timedelta
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bot.authoring.loader import load_runbook, load_system, load_tree, reload_tree
from bot.authoring.problems import Level, as_data, as_json, as_text, did_you_mean
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
    assert yaml.safe_load(as_json(problems)) == as_data(problems)


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


def _write(folder: Path, **files: str) -> None:
    for name, text in files.items():
        target = folder / name.replace("__", "/")
        target.parent.mkdir(exist_ok=True)
        target.with_suffix(".yaml").write_text(text, encoding="utf-8")


def test_tree_reports_every_file_at_once(tmp_path: Path) -> None:
    """All problems of all files come together, and what is sound is in the catalogue all the same."""
    broken = RUNBOOK.replace("RB-001", "RB-002").replace("severity: P2", "severity: P9")
    _write(tmp_path, **{"shop__system": SYSTEM, "shop__RB-001": RUNBOOK, "shop__RB-002": broken, "shop__copy": RUNBOOK})
    _write(tmp_path, **{"alone__RB-009": RUNBOOK, "bad__system": "id: bad", "drills__x": ""})
    catalogue, problems = load_tree(tmp_path)
    assert [runbook.id for runbook in catalogue.list()] == ["RB-001"]
    assert {problem.file for problem in problems} == {
        "shop/RB-002.yaml",
        "shop/copy.yaml",
        "alone/system.yaml",
        "bad/system.yaml",
        "drills/system.yaml",
    }
    assert "«RB-001» is the id of shop/RB-001.yaml already." in messages(problems)


@pytest.mark.parametrize(
    ("leading", "said"),
    [
        ("RB-002, inputs: {business_id: business_id}", ""),
        ("RB-002", "RB-002 needs «business_id»."),
        ("RB-002, inputs: {business_id: business_id, busines: '1'}", "RB-002 has no input «busines»."),
        ("RB-003", "The system «shop» has no other runbook «RB-003»."),
        ("RB-001", "The system «shop» has no other runbook «RB-001»."),
        ("RB-009", "The system «shop» has no other runbook «RB-009»."),
        ("rb two", "This is not the id of a runbook."),
    ],
)
def test_a_step_leads_to_a_runbook_of_the_system(tmp_path: Path, leading: str, said: str) -> None:
    """Another runbook of the same system, with inputs that it has and all that it needs; else the line is named."""
    start = f"  next: {{title: Go on, runbook: {{start: {leading}}}}}\n"
    first = RUNBOOK.replace("actions:\n", f"actions:\n{start}", 1)
    other = SYSTEM.replace("id: shop", "id: other")
    second = RUNBOOK.replace("RB-001", "RB-002")
    _write(tmp_path, **{"shop__system": SYSTEM, "shop__RB-001": first, "shop__RB-002": second})
    _write(tmp_path, **{"other__system": other, "other__RB-009": RUNBOOK.replace("RB-001", "RB-009")})
    errors = [
        each for each in load_tree(tmp_path)[1] if each.level is Level.ERROR and each.path.startswith("actions.n")
    ]
    assert [each.message for each in errors] == ([said] if said else [])
    assert all(each.line == first.splitlines().index(start.rstrip()) + 1 for each in errors)


TRIAGE = """
inputs:
  business_id: {type: uuid, label: Business}
  email: {type: email, label: E-mail}
checks:
  by_email: {sql: "SELECT id FROM businesses WHERE email = :email"}
gives:
  business_id: [by_email.row.id]
"""


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("", "", ""),
        ("business_id: [", "busines: [", "There is no input «busines»."),
        ("[by_email.row.id]", "[by_mail.row.id]", "«by_mail» is neither an input nor a check."),
        ("[by_email.row.id]", "['by_email.row.']", "expected name or number"),
        ("SELECT id FROM businesses WHERE email = :email", "DELETE FROM businesses", "not a reading statement"),
        (":email", ":mail", "Nothing is bound to «:mail»."),
        ("sql:", "manual:", "A lookup asks nobody."),
        ("gives:", "give:", "«give» is not a field here."),
        ("type: email", "type: mail", "not one of"),
    ],
)
def test_triage_is_held_to_account(tmp_path: Path, old: str, new: str, said: str) -> None:
    """A system's lookups are read with it; what is wrong with them is said like what is wrong with a runbook."""
    text = TRIAGE.replace(old, new) if old else TRIAGE
    _write(tmp_path, **{"shop__system": SYSTEM, "shop__triage": text})
    catalogue, problems = load_tree(tmp_path)
    assert all(problem.file == "shop/triage.yaml" for problem in problems)
    if said:
        assert any(said in message for message in messages(problems)), as_text(problems)
        return
    assert problems == []
    lookups = catalogue.lookups["shop"]
    assert ([each.required for each in lookups.inputs], list(lookups.checks)) == ([False, False], ["by_email"])


def test_tree_that_is_not_there(tmp_path: Path) -> None:
    """A folder that does not exist is a problem, not an exception."""
    catalogue, problems = load_tree(tmp_path / "nowhere")
    assert len(catalogue) == 0
    assert messages(problems) == ["There is no such folder."]


def test_reload_takes_what_changed_and_keeps_what_broke(tmp_path: Path) -> None:
    """Reloading takes changed and new files, drops deleted ones, and keeps a runbook whose file is broken now."""
    second, third = RUNBOOK.replace("RB-001", "RB-002"), RUNBOOK.replace("RB-001", "RB-003")
    _write(tmp_path, **{"shop__system": SYSTEM, "shop__RB-001": RUNBOOK, "shop__RB-002": second})
    catalogue, _ = load_tree(tmp_path)
    assert reload_tree(catalogue, tmp_path) == ((), [])
    _write(tmp_path, **{"shop__RB-001": RUNBOOK.replace("is frozen.", "is locked."), "shop__RB-003": third})
    (tmp_path / "shop" / "RB-002.yaml").unlink()
    assert reload_tree(catalogue, tmp_path)[0] == ("RB-001", "RB-002", "RB-003")
    _write(tmp_path, **{"shop__RB-001": "id: RB-001\n"})
    changed, problems = reload_tree(catalogue, tmp_path)
    assert changed == ()
    assert any(problem.level is Level.ERROR for problem in problems)
    assert [runbook.id for runbook in catalogue.list()] == ["RB-001", "RB-003"]


# -- nothing ever raises -----------------------------------------------------------------------------------------------

_WORDS = st.sampled_from(
    [
        "id",
        "title",
        "severity",
        "resolve_within",
        "inputs",
        "checks",
        "findings",
        "actions",
        "sql",
        "when",
        "say",
        "propose",
        "approve",
        "verify",
        "undo",
        "type",
        "account",
        "business_id",
        "compute",
        "ask",
        "manual",
        "notify",
        "wait",
        "stripe",
        "http",
        "P1",
        "20m",
        "true",
        "{{",
        "x",
        "}}",
        "automatic",
        "none",
        "query",
        "bind",
    ]
)
_LEAF = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 5), st.floats(allow_nan=False), _WORDS, st.text(max_size=10)
)
_TREE = st.recursive(
    _LEAF, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_WORDS, inner, max_size=5), max_leaves=25
)


@given(st.text(max_size=300) | st.binary(max_size=300))
def test_loaders_never_raise_on_arbitrary_text(text: str | bytes) -> None:
    """Any text gives a runbook or problems, and so does any system text."""
    runbook, problems = load_runbook(text, "x.yaml", a_system())
    assert runbook is not None or problems
    system, problems = load_system(text, "x.yaml")
    assert system is not None or problems


@given(_TREE, _TREE, _TREE, _TREE)
def test_loaders_never_raise_on_arbitrary_documents(
    inputs: object, checks: object, findings: object, actions: object
) -> None:
    """Any document with the right sections and anything in them gives a runbook or problems with lines."""
    head = {"id": "RB-001", "title": "Any", "severity": "P3", "resolve_within": "1h"}
    step = {
        "checks": {"a": checks, "b": {"sql": checks, "bind": inputs}},
        "actions": {"c": actions, "d": {"notify": actions}},
    }
    for body in (step, {"inputs": inputs, "checks": checks, "findings": findings, "actions": actions}):
        text = yaml.safe_dump({**head, **body}, allow_unicode=True)
        runbook, problems = load_runbook(text, "x.yaml", a_system())
        assert runbook is not None or problems
        assert all(1 <= problem.line <= text.count("\n") + 2 for problem in problems)


@given(st.integers(0, 40), st.integers(0, 40), _WORDS)
def test_loaders_never_raise_on_damaged_runbooks(line: int, other: int, word: str) -> None:
    """A runbook with lines lost, swapped or overwritten gives a runbook or problems."""
    lines = RUNBOOK.splitlines()
    first, second = line % len(lines), other % len(lines)
    lines[first], lines[second] = lines[second], f"{lines[first][: other % 20]}{word}"
    runbook, problems = load_runbook("\n".join(lines), "x.yaml", a_system())
    assert runbook is not None or problems
