"""A change of more rows than anybody reads: all of it in the file, and whoever approves says how many they are."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pyotp
import pytest

from bot.cli.sandbox import populated
from bot.domain.approval import Choice, Person
from bot.domain.change import MOST_READ, rows_to_say
from bot.domain.run import ActionStatus
from bot.runs.factors import new_key
from bot.runs.proof import MISCOUNTED, Proof, number_typed
from bot.sandbox.postgres import Postgres
from bot.sandbox.slack.blocks import elements
from bot.slack.views.approval import approval_modal
from tests import builders as b
from tests.acceptance.conftest import Scene
from tests.cli.command import answered, runbook

pytestmark = pytest.mark.approval

RUNBOOK = """
id: RB-901
title: Everybody is thawed
severity: P2
resolve_within: 20m
checks:
  warm:
    title: Who is not frozen
    sql: SELECT count(*) AS customers FROM businesses WHERE NOT is_frozen
    expect: one_row
findings:
  thawed:
    when: warm.row.customers > 0
    say: "{{ warm.row.customers }} customers are not frozen."
    propose: [freeze]
actions:
  freeze:
    title: Freeze three hundred
    sql: |
      UPDATE businesses SET is_frozen = true, frozen_reason = repeat('Nobody pays. ', 50)
      WHERE name ~ '^Sample Business [0-9]+$' AND CAST(substring(name FROM '[0-9]+$') AS integer) <= 300
    max_rows: 1000
    approve: {group: billing, break_glass: leads}
    verify: warm.row.customers >= 0
"""
KEY = new_key()
FROZEN = "SELECT count(*) AS frozen FROM businesses WHERE is_frozen AND name LIKE 'Sample Business%'"


@pytest.fixture
def runbooks(tmp_path: Path) -> Path:
    """A tree with the one runbook."""
    return b.tree(tmp_path, RB_901=RUNBOOK)


@pytest.fixture
async def scene(postgres: Postgres, runbooks: Path) -> AsyncIterator[Scene]:
    """A request that waits: three hundred customers are frozen if somebody says so."""
    keys = {"SECOND_FACTOR_KEY": KEY}
    async with populated(postgres, rate_limits=False, runbooks=runbooks, overrides=keys) as sandbox:
        scene = Scene(sandbox)
        await scene.person("ana").types("/runbook RB-901")
        await scene.action_is("freeze", ActionStatus.REQUESTED)
        yield scene


async def frozen(scene: Scene) -> object:
    """How many are frozen."""
    return (await scene.sql(FROZEN))["frozen"]


async def test_the_number_is_said_by_who_approves(scene: Scene) -> None:
    """No Approve on the card; the form shows the statement and the first rows and says where the others are; a wrong
    number is told in the field and changes nothing, the right one is on record."""
    ben = scene.person("ben")
    card = await ben.sees("more than the card shows")
    assert "Approve…" not in [element.label for element in elements(card.raw["blocks"])]
    await ben.clicks("Show everything", card)
    await ben.modal()
    form = await ben.sees("These are not all rows")
    for said in ("UPDATE businesses SET is_frozen = true", "300 rows of businesses"):
        assert said in form.text
    await ben.clicks("Approve…")
    await ben.sees("How many rows does it change?")
    for wrong in ("299", "about 300", "300 rows", "-300", "1", "3e2"):
        assert await ben.submits(rows=wrong) == {"rows": MISCOUNTED}
    assert await frozen(scene) == 0
    assert await ben.submits(rows=" 300 ") == {}
    await scene.action_is("freeze", ActionStatus.DONE)
    assert await frozen(scene) == 300
    run = (await scene.shown()).run
    (cast,) = [line for line in await scene.sandbox.bot.desk.reads.audit(run_id=run.id) if line.kind == "vote.cast"]
    assert cast.data["rows"] == 300


async def test_no_way_around_the_number(scene: Scene) -> None:
    """A vote for without it is refused however it comes, also with the glass broken; a vote against needs none."""
    people = scene.sandbox.bot.desk.people
    request = (await scene.shown()).approvals["freeze"].request
    ben, chloe = Person("U0BEN"), Person("U0CHLOE")
    members = {"billing": frozenset({ben.id}), "leads": frozenset({chloe.id})}
    for proof in (None, Proof(), Proof(rows="30"), Proof(name="300")):
        ballot = await people.vote(request.id, request.digest, ben, Choice.APPROVE, members, proof=proof)
        assert (ballot.accepted, ballot.reasons) == (False, (MISCOUNTED,))
    ballot = await people.vote(
        request.id, request.digest, chloe, Choice.BREAK_GLASS, members, "Every customer is locked out"
    )
    assert (ballot.accepted, ballot.reasons) == (False, (MISCOUNTED,))
    assert await frozen(scene) == 0
    denied = await people.vote(request.id, request.digest, ben, Choice.DENY, members, "Not all of them")
    assert denied.accepted


async def test_the_number_on_a_terminal(scene: Scene, runbooks: Path) -> None:
    """A terminal shows every row, and asks for the number before the code."""
    env = {**scene.sandbox.world.environment(), "SECOND_FACTOR_KEY": KEY}
    env["RUNBOOKS_PATH"] = str(runbooks)
    address = re.search(r"otpauth://\S+", (await runbook("enrol", "U0BEN", env=env)).out)
    assert address is not None
    made = pyotp.parse_uri(address.group())
    assert isinstance(made, pyotp.TOTP)
    wrong = await answered("approve", "1", "--as", "U0BEN", typed=f"10\n{made.now()}", env=env)
    assert (wrong.code, MISCOUNTED in wrong.err) == (1, True)
    good = await answered("approve", "1", "--as", "U0BEN", typed=f"300\n{made.now()}", env=env)
    assert (good.code, good.err, good.out.count("is_frozen")) == (0, "", 301)
    await scene.action_is("freeze", ActionStatus.DONE)


def test_what_counts_as_more_than_anybody_reads() -> None:
    """One row more than the limit, also over the actions of one plan, and also where the preview does not hold them."""
    assert rows_to_say([b.preview(counts={"businesses": MOST_READ})]) is None
    assert rows_to_say([b.preview(counts={"businesses": MOST_READ, "users": 1})]) == MOST_READ + 1
    assert rows_to_say([b.preview(counts={"businesses": MOST_READ}), b.preview(counts={"users": 2})]) == MOST_READ + 2
    assert rows_to_say([]) is None


def test_a_form_without_all_of_it_has_no_approve_below_that() -> None:
    """Few rows that a form cannot show whole are approved on a terminal only: there is no number that says them."""
    shown = b.shown(approvals={b.KEY: b.approval(of=b.preview(b.change(note="x" * 200_000)))})
    assert "Approve" not in str(approval_modal(shown, b.KEY)["blocks"])


@pytest.mark.parametrize("typed", ["12,300", "12 300", "12.300", "12'300", "12\u202f300", " 12300 "])
def test_a_number_as_people_write_it(typed: str) -> None:
    """Marks between the digits do not matter."""
    assert number_typed(typed) == 12_300


@pytest.mark.parametrize("typed", ["", "-12300", "12300 rows", "1e3", "\u0661\u0662", "9" * 40])
def test_what_is_no_number(typed: str) -> None:
    """Anything else is none."""
    assert number_typed(typed) is None
