"""Arbitrary runs for property tests: nasty text everywhere, numbers and times at their ends, every state and status."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import strategies as st

from bot.domain.approval import Choice, Dismissed, Person, RequestState, Verdict, Vote
from bot.domain.change import Preview, Receipt, RowChange
from bot.domain.facts import Fact, FactStatus
from bot.domain.policy import ApprovalPolicy
from bot.domain.run import ActionRun, ActionStatus, CheckRun, CheckStatus, Conclusion, RunState
from bot.domain.runbook import Action, Check, Input, InputType, Severity
from bot.runs.shown import ApprovalShown, QuestionShown, RunShown
from bot.slack.views.text import neutral
from tests import builders as b

NASTY = (
    "<!channel> <!here> <@U0BEN> <#C1> <!subteam^S1>",
    "<https://evil.example|https://good.example>",
    "*bold* _it_ ~gone~ `code` ```block```",
    "\u202eabc\u202c \u2066x\u2069 \u200bzero\ufeff",
    "a\x00b\x07c\x1b[31mred\x7f",
    "👩\u200d👩\u200d👧\u200d👦🇩🇪🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f👍🏽é",
    "\ud800 lone \udfff",
    "مرحبا שלום",
    "x" * 5_000,
    '"' * 4_000,
    "\n" * 300,
    "👍🏽" * 2_000,
    "\\" * 2_000,
    "&" * 3_000,
    "",
    " ",
)


# By index: hypothesis prints a strategy's values, and these are long.
def _nasty(place: int) -> str:
    return NASTY[place]


text = st.integers(0, len(NASTY) - 1).map(_nasty) | st.text(max_size=30)
keys = st.one_of(st.sampled_from(("a", "b", b.KEY, "undo:x", "<!channel>")), st.text(min_size=1, max_size=20))
users = st.one_of(st.sampled_from(("U0ANA", "U0BEN", "bot", "")), text)
moments = st.datetimes(timezones=st.just(UTC)) | st.just(datetime.max.replace(tzinfo=UTC)) | st.just(b.NOW)
spans = st.timedeltas() | st.sampled_from((timedelta(0), timedelta(minutes=20), timedelta.max, timedelta.min))
values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(1, 3).map(lambda power: 10 ** (2_000 * power)),
    st.floats(),
    st.decimals() | st.just(Decimal("1E+999999")),
    text,
    st.binary(max_size=80),
    moments,
    spans,
    st.lists(text, max_size=3),
    st.dictionaries(text, st.integers() | text | st.floats(), max_size=3),
)
rows = st.dictionaries(text, values, max_size=5)
changes = st.builds(RowChange, text, rows, st.none() | rows, st.none() | rows, st.lists(text, max_size=2).map(tuple))
some = {"max_size": 4}
previews = st.builds(
    Preview,
    headline=text,
    payload=rows,
    changes=st.lists(changes, max_size=12).map(tuple),
    counts=st.dictionaries(text, st.integers(0, 10**12), max_size=3),
    lines=st.lists(text, max_size=10).map(tuple),
    warnings=st.lists(text, max_size=6).map(tuple),
    exact=st.booleans(),
    reversible=st.booleans(),
    undo=text,
)
policies = st.builds(
    ApprovalPolicy,
    groups=st.lists(text, max_size=3).map(tuple),
    people=st.lists(users, max_size=3).map(tuple),
    votes=st.integers(0, 9),
    confirm=st.booleans(),
)
people = st.builds(Person, users, text)
votes = st.builds(Vote, people, st.sampled_from(Choice), text, moments, text)
verdicts = st.builds(
    Verdict,
    st.sampled_from(RequestState),
    st.lists(votes, max_size=6).map(tuple),
    st.integers(0, 9),
    st.lists(st.builds(Dismissed, votes, text), max_size=4).map(tuple),
    st.lists(text, max_size=3).map(tuple),
)
requests = st.builds(
    b.request,
    id=text,
    digest=text,
    policy=policies,
    requested_by=users,
    requested_at=moments,
    expires_at=moments,
    state=st.sampled_from(RequestState),
)
approvals = st.builds(
    lambda request, shown, also, cast, verdict: ApprovalShown(
        replace(request, also=tuple(key for key in also if key != request.action)),
        {request.action: shown, **{key: preview for key, preview in also.items() if key != request.action}},
        cast,
        verdict,
    ),
    requests,
    previews,
    st.dictionaries(keys, previews, max_size=2),
    st.lists(votes, max_size=4).map(tuple),
    verdicts,
)
inputs = st.builds(
    Input,
    name=keys,
    type=st.sampled_from(InputType),
    label=text,
    help=text,
    required=st.booleans(),
    default=values,
    choices=st.lists(text, max_size=6, unique=True).map(tuple) | st.just(tuple(map(str, range(150)))),
    minimum=st.none() | st.floats(),
    maximum=st.none() | st.floats(),
)
forms = st.lists(inputs, max_size=4, unique_by=lambda field: neutral(field.name)[:250]).map(tuple)
options = st.dictionaries(st.sampled_from(("value", "label", "description")), text, max_size=3)
questions = st.builds(QuestionShown, keys, text, forms, st.lists(options, max_size=5).map(tuple))
checks = st.builds(CheckRun, keys, st.sampled_from(CheckStatus), text, text, spans, text, users)
actions = st.builds(
    ActionRun,
    keys,
    st.sampled_from(ActionStatus),
    st.none() | text,
    users,
    text,
    text,
    st.none() | moments,
    st.none() | moments,
    st.sampled_from(("", "x", b.KEY)),
    st.sampled_from(("", "undo:x")),
    text,
    st.booleans(),
)
facts = st.builds(
    Fact,
    st.sampled_from(FactStatus),
    st.one_of(rows, st.fixed_dictionaries({"rows": st.lists(rows, max_size=6), "count": st.integers()})),
    text,
    text,
    spans,
)


@st.composite
def runs_shown(draw: st.DrawFn) -> RunShown:
    """A run that no worker would ever make, but that data might."""
    acted = draw(st.lists(actions, max_size=9, unique_by=lambda action: action.key))
    looked = draw(st.lists(checks, max_size=30, unique_by=lambda check: check.key))
    specs = [Action(key, draw(text), draw(st.sampled_from(("sql", "notify"))), {}, b.POLICY) for key in ("a", b.KEY)]
    run = b.run(
        draw(st.sampled_from(RunState)),
        title=draw(text),
        runbook=draw(text),
        number=draw(st.integers(0, 10**9)),
        severity=draw(st.sampled_from(Severity)),
        resolve_within=draw(spans),
        requested_at=draw(moments),
        requested_by=draw(users),
        finished_at=draw(st.none() | moments),
        reason=draw(text),
        concluded=draw(st.booleans()),
        conclusions=tuple(draw(st.lists(st.builds(Conclusion, keys, text), max_size=9))),
        checks={check.key: check for check in looked},
        actions={action.key: action for action in acted},
        plan=tuple(action.key for action in acted[:4]),
    )
    known = [action.key for action in acted]
    return RunShown(
        run=run,
        runbook=b.runbook(
            title=draw(text),
            checks={check.key: Check(check.key, draw(text), "sql", {}) for check in looked[:4]},
            actions={spec.key: spec for spec in specs},
            inputs=draw(forms),
            follow_ups=tuple(draw(st.lists(text, max_size=3))),
        ),
        now=draw(moments),
        facts={check.key: draw(facts) for check in looked[:3]},
        approvals={key: draw(approvals) for key in known},
        receipts={key: draw(st.builds(Receipt, text, st.lists(changes, max_size=2).map(tuple))) for key in known[:2]},
        questions=tuple(draw(st.lists(questions, max_size=4, unique_by=lambda question: question.check))),
        reports={key: draw(questions) for key in known[:2]},
        incident=b.incident(title=draw(text), commander=draw(users), channel_name=draw(text)),
        previous=draw(st.none() | st.integers(1, 99)),
    )
