"""The archive about a run: what was approved, by whom, having seen what, and everything in it can be checked."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from typing import Any

import pytest
import yaml

from bot.domain.run import ActionStatus, RunState
from bot.evidence.archive import archive
from bot.evidence.case import case_of
from bot.evidence.entries import entries
from bot.store.guard import guard
from tests.acceptance.conftest import Scene
from tests.evidence.conftest import PASSWORD

pytestmark = pytest.mark.production

ENTRIES = {
    "README.txt",
    "transcript.md",
    "votes.csv",
    "requests.json",
    "effects.json",
    "facts.json",
    "runbook.yaml",
    "system.yaml",
    "audit.jsonl",
    "chain.json",
    "manifest.json",
}


async def the_story(scene: Scene) -> str:
    """Ana asks; her own yes is refused; the row changes, so that Ben's yes is void; asked again, he approves. The
    business's id."""
    ana, ben = scene.person("ana"), scene.person("ben")
    planted = await scene.plant("webhook_missed")
    await ana.types(f"/runbook RB-011 business_id={planted.business_id}")
    await scene.action_is("copy_from_stripe", ActionStatus.REQUESTED)
    await ana.clicks("Approve")
    await ana.sees("somebody else has to approve it")
    await scene.change("UPDATE businesses SET subscription_status = 'unpaid' WHERE id = $1", planted.business_id)
    await ben.clicks("Approve")
    await ana.sees("not what would happen now")
    await scene.action_is("copy_from_stripe", ActionStatus.REQUESTED)
    await ben.clicks("Approve")
    await scene.action_is("copy_from_stripe", ActionStatus.DONE)
    # The run goes on with another runbook in the same incident, which waits for a vote of its own.
    await scene.led_to("RB-005", RunState.AWAITING_APPROVAL)
    return str(planted.business_id)


async def archived(scene: Scene) -> dict[str, bytes]:
    """The entries of the archive about the newest run, out of the zip file."""
    run = (await scene.shown()).run
    case = await case_of(scene.sandbox.bot.store, run.number)
    made = archive(entries(case))
    assert made == archive(entries(await case_of(scene.sandbox.bot.store, run.number)))
    with zipfile.ZipFile(io.BytesIO(made)) as opened:
        assert opened.namelist() == sorted(opened.namelist())
        return {name: opened.read(name) for name in opened.namelist()}


def digest(data: Any) -> str:
    """SHA-256 of canonical JSON, as the archive's README says."""
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def rows(data: bytes) -> list[dict[str, str]]:
    """A CSV file as a spreadsheet reads it."""
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"))))


async def test_the_archive_of_a_run(scene: Scene) -> None:
    """A whole run under a login that can only append: what is asked of the archive is in it, and it proves itself."""
    async with scene.sandbox.bot.store.reading() as connection:
        found = await guard(connection)
    assert (found.superuser, found.beyond, found.becomes_owner) == (False, (), False)
    business = await the_story(scene)
    made = await archived(scene)
    previews = sorted(name for name in made if name.startswith("previews/"))
    assert set(made) == {*ENTRIES, *previews}

    requests = json.loads(made["requests.json"])
    assert [each["state"] for each in requests] == ["voided", "approved"]
    assert [each["asked_by"] for each in requests] == ["U0ANA", "U0ANA"]
    assert "not what would happen now" in requests[0]["reason"]
    assert len({each["digest"] for each in requests}) == 2
    for each in requests:
        assert digest(each["material"]) == each["digest"]
        assert each["digest_holds"]
        assert each["material"]["spec"] == each["parts"][0]["spec"]
        assert each["material"]["policy"] != {}
        preview = made[each["preview"]].decode()
        assert preview.endswith(f"Digest: {each['digest']}\n")
        assert "Exactly this is done" in preview
    assert "unpaid" in made[requests[1]["preview"]].decode()
    assert "unpaid" not in made[requests[0]["preview"]].decode()

    votes = rows(made["votes.csv"])
    assert [(vote["person"], vote["choice"], vote["counted"][:3].strip(": ")) for vote in votes] == [
        ("U0ANA", "approve", "no"),
        ("U0BEN", "approve", "yes"),
        ("U0BEN", "approve", "yes"),
    ]
    assert "somebody else has to approve it" in votes[0]["counted"]
    assert [vote["digest"] for vote in votes[1:]] == [each["digest"] for each in requests]

    effects = json.loads(made["effects.json"])
    assert [effect["state"] for effect in effects if effect["action"] == "copy_from_stripe"] == ["done"]
    assert effects[0]["receipt"]["changes"][0]["before"]["subscription_status"] == "unpaid"
    facts = json.loads(made["facts.json"])
    assert {"account", "stripe"} <= {fact["check"] for fact in facts}
    assert all(digest(fact["fact"]) == fact["sha256"] for fact in facts)
    assert yaml.safe_load(made["runbook.yaml"])["id"] == "RB-011"
    assert yaml.safe_load(made["system.yaml"])["id"] == "alacarte"

    told = made["transcript.md"].decode()
    order = ["started RB-011", "was read", "Found: ", "does not count", "no longer holds", "was done", "verified"]
    places = [told.index(words) for words in order]
    assert places == sorted(places)
    assert business in told
    assert "@U0BEN is ben" in told
    assert "subscription\\_status before the change is unpaid, not past\\_due" in told
    assert "approved by @U0BEN; voided, " in told
    assert f"Digest {requests[1]['digest']}" in told


async def test_the_archive_proves_itself(scene: Scene) -> None:
    """The manifest has the sum of every other entry, every line of the trail its own hash, and the votes on the trail
    name the digests of the requests."""
    await the_story(scene)
    made = await archived(scene)
    manifest = json.loads(made["manifest.json"])
    others = {name: data for name, data in made.items() if name != "manifest.json"}
    assert manifest == {
        name: {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)} for name, data in others.items()
    }
    lines = [json.loads(line) for line in made["audit.jsonl"].splitlines()]
    for line in lines:
        told = {name: line[name] for name in ("actor", "at", "data", "incident", "kind", "run")}
        text = f"{line['previous']}\n{json.dumps(told, sort_keys=True, ensure_ascii=False)}"
        assert hashlib.sha256(text.encode()).hexdigest() == line["hash"]
    voted = [line["data"]["digest"] for line in lines if line["kind"] == "vote.cast"]
    assert voted == [each["digest"] for each in json.loads(made["requests.json"])]
    chain = json.loads(made["chain.json"])
    assert (chain["verified"], chain["lines_of_this_run"]) == (True, len(lines))
    assert chain["lines"] == chain["head"]["seq"] >= len(lines)
    assert b"The audit trail held" in made["README.txt"]


async def test_no_secret_is_in_the_archive(scene: Scene) -> None:
    """No token, key or password of the sandbox is in any entry."""
    await the_story(scene)
    world = scene.sandbox.world
    kept = [PASSWORD, world.postgres.password, world.stripe.key, world.services.token]
    kept += [world.slack.bot_token, world.slack.app_token, world.slack.signing_secret]
    kept += [url.split("@")[0].rpartition(":")[2] for url in (world.alacarte.read_url, world.alacarte.act_url)]
    assert all(len(secret) > 8 for secret in kept)
    made = await archived(scene)
    assert [name for name, data in made.items() for secret in kept if secret.encode() in data] == []


async def test_what_was_tampered_with_is_said(scene: Scene) -> None:
    """A stored statement that was changed after the vote no longer gives its digest, and a broken trail is not hidden:
    the archive is made all the same and says both."""
    await the_story(scene)
    admin = await scene.sandbox.world.postgres.connect(scene.sandbox.world.database)
    await admin.execute("UPDATE approvals SET parts = jsonb_set(parts, '{0,spec,query}', '\"DELETE\"')")
    await admin.execute("ALTER TABLE audit DISABLE TRIGGER audit_kept")
    await admin.execute("UPDATE audit SET body = 'nothing', kind = 'made.up' WHERE kind = 'vote.cast'")
    await admin.close()
    made = await archived(scene)
    assert [each["digest_holds"] for each in json.loads(made["requests.json"])] == [False, False]
    chain: Mapping[str, Any] = json.loads(made["chain.json"])
    assert not chain["verified"]
    assert made["README.txt"].count(b"ATTENTION") == 2
    assert "no words for: made.up" in made["transcript.md"].decode()
