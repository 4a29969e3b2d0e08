"""How far a runbook is proven, decided over what is on record: every standing, its edges, and what is no warning."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.proof import Proof, ProofKind, Proven, Standing, out_of_reach, proven
from bot.domain.runbook import Check, Input, InputType, Probe, Runbook, Severity
from bot.domain.triage import Lookups

pytestmark = pytest.mark.runbooks

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
DAY = timedelta(days=1)
LOOKS = {"account": Check("account", "The account", "sql", {})}
ASKED = Input("business_id", InputType.UUID, "Business")


def a_runbook(id: str = "RB-011", version: str = "v2", checks: Mapping[str, Check] = LOOKS, *inputs: Input) -> Runbook:
    """A runbook of the shop."""
    within = timedelta(minutes=20)
    return Runbook(id, "Title", "shop", version, Severity.P2, within, checks=checks, inputs=inputs)


def tried(
    kind: ProofKind, ago: timedelta, *, passed: bool = True, version: str = "v2", last: timedelta | None = None
) -> Proof:
    """A try of RB-011, so long ago; one that failed may have passed before."""
    before = ago if passed else last
    passed_at = None if before is None else NOW - before
    return Proof("RB-011", "shop", version, kind, passed, NOW - ago, "said", passed_at)


def of(*proofs: Proof, runbook: Runbook | None = None) -> Proven:
    """How RB-011 stands."""
    return proven([runbook or a_runbook()], {}, proofs, NOW)["RB-011"]


@pytest.mark.parametrize(("kind", "days"), [(ProofKind.DRILL, timedelta(days=30)), (ProofKind.LIVE, timedelta(days=3))])
def test_a_proof_grows_old(kind: ProofKind, days: timedelta) -> None:
    """A drill is good for thirty days, live checks for three; a second more, and it warns."""
    for ago, standing in ((days, Standing.GOOD), (days + timedelta(seconds=1), Standing.OLD)):
        found = of(tried(kind, ago))
        stands = found.drill if kind is ProofKind.DRILL else found.live
        assert (stands.standing, stands.last_passed) == (standing, NOW - ago)
        assert found.stale is (standing is Standing.OLD)


def test_another_version_proves_nothing_of_this_one() -> None:
    """What passed with another version is said as changed since, however young; what passed with this one counts."""
    other = tried(ProofKind.DRILL, DAY, version="v1")
    found = of(other).drill
    assert (found.standing, found.last_passed) == (Standing.CHANGED, NOW - DAY)
    assert of(other, tried(ProofKind.DRILL, 2 * DAY)).drill.standing is Standing.GOOD


def test_a_failure_says_when_it_last_passed() -> None:
    """The last try counts, and when any version last passed is still known."""
    before = tried(ProofKind.LIVE, 9 * DAY, version="v1")
    found = of(before, tried(ProofKind.LIVE, DAY, passed=False, last=2 * DAY)).live
    assert (found.standing, found.tried, found.detail) == (Standing.FAILED, NOW - DAY, "said")
    assert found.last_passed == NOW - 2 * DAY
    assert of(before, tried(ProofKind.LIVE, DAY, passed=False)).live.last_passed == NOW - 9 * DAY
    assert of(tried(ProofKind.LIVE, DAY, passed=False)).live.last_passed is None


def test_never_warns_only_where_others_are_proven() -> None:
    """On a fresh installation nothing warns; once a neighbour of the same system is drilled, what never was does."""
    found = of()
    assert (found.unrecorded, found.stale) == (True, False)
    runbooks = [a_runbook(), a_runbook("RB-012")]
    found = proven(runbooks, {}, [tried(ProofKind.DRILL, DAY)], NOW)["RB-012"]
    assert (found.drill.standing, found.live.standing) == (Standing.NEVER, Standing.UNRECORDED)
    assert (found.unrecorded, found.stale) == (False, True)
    other = Proof("XX-01", "elsewhere", "v", ProofKind.LIVE, True, NOW, "", NOW)
    assert of(other).live.standing is Standing.UNRECORDED


def test_a_version_that_only_ever_failed_proves_nothing() -> None:
    """Another version was tried and failed: this one never passed."""
    assert of(tried(ProofKind.DRILL, DAY, passed=False, version="v1")).drill.standing is Standing.NEVER


@pytest.mark.parametrize(
    ("runbook", "lookups", "why"),
    [
        (a_runbook(), Lookups(), ""),
        (a_runbook("RB-011", "v2", {}), Lookups(), "it has no checks that look by themselves"),
        (
            a_runbook("RB-011", "v2", {"who": Check("who", "Who?", "ask", {})}),
            Lookups(),
            "it has no checks that look by themselves",
        ),
        (a_runbook("RB-011", "v2", LOOKS, ASKED), Lookups(), "no probe is declared for business_id"),
        (a_runbook("RB-011", "v2", LOOKS, Input("n", InputType.TEXT, "N", required=False)), Lookups(), ""),
        (
            a_runbook("RB-011", "v2", LOOKS, Input("business_id", InputType.TEXT, "B", probe=Probe("x"))),
            Lookups(),
            "",
        ),
        (
            a_runbook("RB-011", "v2", LOOKS, ASKED),
            Lookups((Input("business_id", InputType.UUID, "B", probe=Probe(env="X")),)),
            "",
        ),
    ],
)
def test_what_can_be_tried_without_a_person(runbook: Runbook, lookups: Lookups, why: str) -> None:
    """Without needed inputs, or with a probe for each, its own or the system's; and with something to look at."""
    assert out_of_reach(runbook, lookups) == why
    found = proven([runbook], {"shop": lookups}, [tried(ProofKind.LIVE, DAY)], NOW)["RB-011"]
    assert found.live.standing is (Standing.OUT_OF_REACH if why else Standing.GOOD)
    assert not found.stale
