"""`runbook audit`, `approvals` and `evidence` as an auditor types them: verdicts, exports, anchors and exit codes."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import stat
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from bot.domain.approval import ApprovalRequest, Choice, Person, RequestState, Vote
from bot.domain.change import Preview
from bot.domain.events import Event, Happened
from bot.domain.policy import ApprovalPolicy
from bot.domain.run import Run
from bot.domain.runbook import Severity
from bot.store import approvals, incidents, runs
from bot.store.approvals import Asked, StoredRequest
from bot.store.runs import Documents
from bot.store.session import Store
from tests.cli.command import Ended, runbook
from tests.conftest import ManualClock

pytestmark = pytest.mark.production

FORMULA = '=HYPERLINK("http://evil.example","click")'
RUN = "6b1f9f0e-0000-4000-8000-000000000001"


@dataclass
class Desk:
    """A database with a trail of four lines, an hour apart from three in the morning on, and how commands reach it."""

    store: Store
    url: str

    async def says(self, *words: str, env: Mapping[str, str] | None = None) -> Ended:
        """Run a command; whatever it prints, it is no traceback."""
        ended = await runbook(*words, env={"DATABASE_URL": self.url, **(env or {})})
        assert "Traceback" not in ended.err + ended.out
        return ended

    async def tamper(self, *statements: str) -> None:
        """Change the trail behind the trigger's back."""
        connection = await asyncpg.connect(self.url)
        for statement in ("ALTER TABLE audit DISABLE TRIGGER audit_kept", *statements):
            await connection.execute(statement)
        await connection.close()


@pytest.fixture
async def desk(store: Store, database: str, clock: ManualClock) -> Desk:
    """One run with an approved request, and four lines."""
    policy, preview = ApprovalPolicy(groups=("billing",)), Preview("1 row", {"statement": "SELECT 1"})
    async with store.transaction() as tx:
        await runs.keep_version(tx, Documents("v1", "RB-011", "alacarte", "id: RB-011", "id: alacarte"))
        now = tx.now
        title, within = "Subscription status not updating", timedelta(minutes=20)
        run = Run(RUN, 0, "RB-011", "v1", "alacarte", title, Severity.P2, within, None, {}, "U_ANA", now)
        await runs.insert(tx, run, "command:1")
        request = ApprovalRequest("a" * 8 + RUN[8:], RUN, "fix", "d" * 64, policy, "U_ANA", now, now + within)
        await approvals.insert(tx, StoredRequest(request, {"fix": Asked(request.digest, {"a": 1}, preview)}))
        for person, choice in (("U_BEN", Choice.APPROVE),):
            await approvals.add_vote(tx, request.id, Vote(Person(person, "ben"), choice, request.digest, now))
        await approvals.decide(tx, request.id, RequestState.APPROVED)
    for number, actor in enumerate(("U_ANA", FORMULA, "U_BEN", "bot")):
        async with store.transaction() as tx:
            event = Event(Happened.INCIDENT_NOTED, actor, {"text": f"naïve 😀 \u202e\u2028 {number}", "n": 1.5})
            tx.record(event, run_id=RUN if number == 1 else None)
        clock.pass_(hours=1)
    return Desk(store, database)


def checked(text: str) -> list[dict[str, Any]]:
    """The lines of an export, each with the hash that it says."""
    lines = [json.loads(line) for line in text.splitlines()]
    for line in lines:
        told = {name: line[name] for name in ("actor", "at", "data", "incident", "kind", "run")}
        body = json.dumps(told, sort_keys=True, ensure_ascii=False)
        assert hashlib.sha256(f"{line['previous']}\n{body}".encode()).hexdigest() == line["hash"]
    return lines


# -- verify and anchor -------------------------------------------------------------------------------------------------


async def test_verify_says_whether_the_trail_holds(desk: Desk) -> None:
    """It holds: 0. Edited: 1, with the first line that does not fit and how many do."""
    ended = await desk.says("audit", "verify")
    assert ended.code == 0
    assert ended.out.startswith("The audit trail holds: 4 lines, the newest ")
    await desk.tamper("UPDATE audit SET actor = 'U_EVE' WHERE seq = 3")
    ended = await desk.says("audit", "verify")
    said = "The audit trail is broken: «actor» of line 3 is not what was hashed. 2 lines before it fit.\n"
    assert (ended.code, ended.out) == (1, said)
    told = json.loads((await desk.says("audit", "verify", "--json")).out)
    assert (told["holds"], told["lines"], told["broken_at"], told["head"]["seq"]) == (False, 2, 3, 2)


async def test_an_anchor_shows_that_the_newest_lines_are_gone(desk: Desk, tmp_path: Path) -> None:
    """`audit anchor` appends a line a time; without it a shortened trail holds, with it it does not."""
    file = tmp_path / "anchors.jsonl"
    env = {"AUDIT_ANCHOR": str(file)}
    for _ in range(2):
        ended = await desk.says("audit", "anchor", env=env)
        assert ended.code == 0
        assert ended.out.startswith("Anchored 4 lines, the newest ")
    heads = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert [head["seq"] for head in heads] == [4, 4]
    assert heads[0]["at"] == "2026-11-21T06:00:00+00:00"
    ended = await desk.says("audit", "verify", "--anchor", str(file))
    assert ended.code == 0
    assert ended.out.endswith("2 anchors agreed with it.\n")
    await desk.tamper("DELETE FROM audit WHERE seq = 4")
    assert (await desk.says("audit", "verify")).code == 0
    ended = await desk.says("audit", "verify", "--anchor", str(file))
    assert ended.code == 1
    assert "line 4 is missing: the anchor saw 4 lines" in ended.out


async def test_anchors_that_are_none(desk: Desk, tmp_path: Path) -> None:
    """A file that is missing or is no file of anchors, an address that is none, no address: a sentence each."""
    wrong = tmp_path / "wrong.jsonl"
    wrong.write_text('{"seq": 1, "hash": "x"}\n{"seq": "two"}\n', encoding="utf-8")
    ended = await desk.says("audit", "verify", "--anchor", str(wrong))
    assert (ended.code, ended.err) == (2, f"Line 2 of {wrong} is not an anchor.\n")
    ended = await desk.says("audit", "verify", "--anchor", "/nowhere/at/all")
    assert (ended.code, ended.err) == (2, "/nowhere/at/all cannot be read: No such file or directory.\n")
    ended = await desk.says("audit", "anchor")
    assert (ended.code, ended.err.splitlines()[0]) == (3, "AUDIT_ANCHOR is not set.")
    ended = await desk.says("audit", "anchor", env={"AUDIT_ANCHOR": "http://example.com/x"})
    assert ended.code == 3
    assert "AUDIT_ANCHOR: it has to be a file or an https:// address" in ended.err
    ended = await desk.says("audit", "anchor", env={"AUDIT_ANCHOR": "/nowhere/at/all"})
    sentence = "The anchor cannot be written to /nowhere/at/all: No such file or directory."
    assert (ended.code, ended.err.strip()) == (3, sentence)


# -- export ------------------------------------------------------------------------------------------------------------


async def test_an_export_is_exact(desk: Desk, tmp_path: Path) -> None:
    """Every line comes out with its hashes, to standard output or whole into a file of its owner's own."""
    ended = await desk.says("audit", "export", "--since", "2026-11-21")
    assert ended.code == 0
    lines = checked(ended.out)
    assert [line["seq"] for line in lines] == [1, 2, 3, 4]
    assert lines[0]["previous"] == "0" * 64
    assert [line["previous"] for line in lines[1:]] == [line["hash"] for line in lines[:-1]]
    assert lines[1]["data"] == {"text": "naïve 😀 \u202e\u2028 1", "n": 1.5}
    file = tmp_path / "trail.jsonl"
    written = await desk.says("audit", "export", "--since", "2026-11-21", "--output", str(file))
    assert written.out == f"4 lines written to {file}.\n"
    assert file.read_text(encoding="utf-8") == ended.out
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert os.listdir(tmp_path) == [file.name]


@pytest.mark.parametrize(
    ("words", "seqs"),
    [
        ("--since 2026-11-21T04:00Z", [2, 3, 4]),
        ("--since 2026-11-21T05:00:00+01:00 --until 2026-11-21T06:00", [2, 3]),
        ("--since 2026-11-20 --until 2026-11-21", [1, 2, 3, 4]),
        ("--since 2026-11-01 --until 2026-11-20", []),
        ("--since 2026-11-22", []),
        ("--since 2026-11-21 --run 1", [2]),
    ],
)
async def test_an_export_is_of_a_time(desk: Desk, words: str, seqs: list[int]) -> None:
    """A day counts from its start to its end, a time exactly, both in UTC; `--run` keeps only its lines."""
    ended = await desk.says("audit", "export", *words.split())
    assert ended.code == 0
    assert [line["seq"] for line in checked(ended.out)] == seqs


async def test_an_export_for_spreadsheets_is_harmless(desk: Desk, tmp_path: Path) -> None:
    """The same lines as CSV; no cell is run as a formula, and nothing hides or reorders text."""
    file = tmp_path / "trail.csv"
    await desk.says("audit", "export", "--since", "2026-11-21", "--format", "csv", "--output", str(file))
    raw = file.read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(raw.decode("utf-8-sig"))))
    exact = checked((await desk.says("audit", "export", "--since", "2026-11-21")).out)
    for row, line in zip(rows, exact, strict=True):
        assert json.loads(row["data"]) == line["data"]
        for name in ("at", "kind", "previous", "hash"):
            assert row[name] == line[name]
    assert rows[1]["actor"] == f"'{FORMULA}"
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row.values())
    assert "\u202e".encode() not in raw


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        ("audit export", 2, "Missing option '--since'"),
        ("audit export --since yesterday", 2, "«yesterday» is not a day or a time."),
        ("audit export --since 2026-02-30", 2, "«2026-02-30» is not a day or a time."),
        ("audit export --since 2026-11-21 --until 9999-12-31", 2, "«9999-12-31» is not a day or a time."),
        ("audit export --since 2026-11-21 --until 2026-11-20", 2, "«2026-11-21» is not before «2026-11-20»."),
        ("audit export --since 2026-11-21 --format xml", 2, "'xml' is not one of 'jsonl', 'csv'"),
        ("audit export --since 2026-11-21 --run 99", 2, "There is no run 99."),
        ("audit export --since 2026-11-21 --output /nowhere/x", 2, "/nowhere/x cannot be written: No such file"),
        ("approvals --since never", 2, "«never» is not a day or a time."),
        ("evidence 99", 2, "There is no run 99."),
        ("evidence 1 --output /nowhere/x.zip", 2, "/nowhere/x.zip cannot be written: No such file"),
        ("evidence x", 2, "Input should be a valid integer"),
    ],
)
async def test_a_mistake_gets_a_sentence(desk: Desk, words: str, code: int, sentence: str) -> None:
    """Each mistake ends with its exit code and a sentence, and nothing is printed as if it were a result."""
    ended = await desk.says(*words.split())
    assert sentence in " ".join(ended.err.replace("│", " ").split())
    assert (ended.code, ended.out) == (code, "")


@pytest.mark.parametrize("words", ["audit verify", "audit export --since 2026-11-21", "approvals", "evidence 1"])
async def test_without_a_database(words: str) -> None:
    """What is missing is said, and a database that does not answer."""
    ended = await runbook(*words.split())
    assert (ended.code, ended.err.splitlines()[0]) == (3, "DATABASE_URL is not set.")
    ended = await runbook(*words.split(), env={"DATABASE_URL": "postgresql://x:y@127.0.0.1:1/z"})
    assert (ended.code, ended.out) == (3, "")
    assert ended.err.startswith("The bot's database does not answer")


# -- approvals and evidence --------------------------------------------------------------------------------------------


async def test_approvals_are_listed(desk: Desk) -> None:
    """One line a request: when, run, action, state, who approved, digest."""
    ended = await desk.says("approvals")
    assert ended.out.splitlines()[1].split() == [
        "2026-11-21",
        "03:00",
        "1",
        "fix",
        "approved",
        "ben",
        "U_BEN",
        "dddddddddddd",
    ]
    told = json.loads((await desk.says("approvals", "--since", "2026-11-21", "--json")).out)
    assert [(each["run"], each["approved_by"]) for each in told] == [(1, [{"id": "U_BEN", "name": "ben"}])]
    assert (await desk.says("approvals", "--until", "2026-11-20")).out == "No approval was asked for.\n"


async def test_evidence_is_written(desk: Desk, tmp_path: Path) -> None:
    """An archive about the run; the same again is the same bytes; a broken trail is said and ends with 1."""
    file = tmp_path / "run.zip"
    ended = await desk.says("evidence", "1", "--output", str(file))
    assert (ended.code, ended.out) == (0, f"12 files about run 1 written to {file}.\n")
    first = file.read_bytes()
    with zipfile.ZipFile(file) as opened:
        assert opened.testzip() is None
        assert "previews/fix-dddddddddddd.txt" in opened.namelist()
        assert json.loads(opened.read("requests.json"))[0]["digest_holds"] is None
    await desk.says("evidence", "1", "--output", str(file))
    assert file.read_bytes() == first
    await desk.tamper("DELETE FROM audit WHERE seq = 1")
    ended = await desk.says("evidence", "1", "--output", str(file))
    assert (ended.code, ended.err) == (1, "The audit trail is broken: line 1 is missing.\n")
    assert file.read_bytes() != first


async def test_an_incident_is_exported(desk: Desk, tmp_path: Path) -> None:
    """As Markdown to standard output, as JSON into a file; one that is not there is a sentence."""
    async with desk.store.transaction() as tx:
        made = await incidents.insert(
            tx,
            id=RUN,
            system="alacarte",
            title="Nothing | arrives",
            severity=Severity.P1,
            target=timedelta(minutes=15),
            opened_by="U_ANA",
            prefix="inc",
        )
        tx.record(Event(Happened.INCIDENT_NOTED, "U_ANA", {"text": "It began at 3"}), incident_id=RUN)
    said = await desk.says("incident", "export", str(made.number))
    assert said.code == 0
    assert said.out.startswith(f"# Post-incident review: {made.label} Nothing \\| arrives")
    assert "It began at 3" in said.out
    told = await desk.says("incident", "export", str(made.number), "--json", "--output", str(tmp_path / "one.json"))
    assert told.code == 0
    written = json.loads((tmp_path / "one.json").read_text(encoding="utf-8"))
    assert written["title"] == "Nothing | arrives"
    assert [each["said"].endswith(" noted: It began at 3") for each in written["timeline"]] == [True]
    missing = await desk.says("incident", "export", "99")
    assert missing.code != 0
    assert "There is no incident 99." in missing.err
