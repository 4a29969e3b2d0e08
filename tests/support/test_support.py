"""Eve of support sees what is wrong and nobody's data; somebody on call takes it up."""

from __future__ import annotations

import json

import pytest

from bot.domain.run import ActionStatus, RunState
from bot.sandbox.slack import membership
from bot.sandbox.slack.faults import Fault
from bot.slack.verbs import Ref, Verb
from commands.standing import REFUSED
from commands.support import supported
from tests.acceptance.conftest import PATIENCE
from tests.support.conftest import Desk

pytestmark = pytest.mark.main_job

HANDS_OFF = "With support rights you can look and not act"


async def test_from_an_address_to_the_cause_without_seeing_it(desk: Desk) -> None:
    """Eve triages by address and starts RB-011: the finding is right, the address is nowhere in Slack but in the file
    of the restricted channel, she cannot choose the action, ana can, and ben approves what the card shows whole."""
    planted = await desk.plant("webhook_missed")
    row = await desk.sql("SELECT contact_email FROM businesses WHERE id = $1", planted.business_id)
    email = str(row["contact_email"])
    eve, ana, ben = (desk.person(name) for name in ("eve", "ana", "ben"))
    await eve.types(f"/runbook triage {email}")
    await eve.clicks("Start RB-011", within=PATIENCE)
    run = await desk.action_is("copy_from_stripe", ActionStatus.OFFERED)
    assert run.support
    card = await eve.sees(lambda seen: "personal data is masked" in seen.text and "can take this up" in seen.text)
    assert "the database still says past_due" in card.text
    await eve.sees("contact_email  •••", PATIENCE)
    await eve.clicks("Run this…")
    await eve.sees(HANDS_OFF)
    assert (await desk.shown()).run.actions["copy_from_stripe"].status is ActionStatus.OFFERED
    assert [line["reason"][: len(HANDS_OFF)] for line in await desk.lines("support.refused")] == [HANDS_OFF]
    await ana.clicks("Run this…")
    await desk.action_is("copy_from_stripe", ActionStatus.REQUESTED)
    await ben.clicks("Approve")
    await desk.action_is("copy_from_stripe", ActionStatus.DONE)
    # What else the finding proposes goes on by itself in no support run.
    await ana.clicks("Close")
    await desk.run_is(RunState.DONE)
    await eve.sees("What was changed", PATIENCE)
    await ana.sees("is whole in a file in #incident-evidence", PATIENCE)
    assert email not in desk.transcript()
    assert any(email in text for text in desk.evidence().values())


async def test_a_finding_that_prints_everything(leaky: Desk) -> None:
    """Names and addresses in a sentence, through aliases, functions and computed texts, are masked; what the sentence
    compares and counts stays true; the rows are capped in Slack and whole in the restricted file."""
    known = await leaky.people()
    await leaky.asked(known.emails[0], known.emails[-1])
    eve = leaky.person("eve")
    card = await eve.sees("is reached at", PATIENCE)
    assert "••• is reached at ••• (•••, ••• <•••>); ••• was another one, of" in card.text
    count = (await leaky.sql("SELECT count(*) AS n FROM businesses WHERE name !~ '[6-9][0-9]|[0-9]{3}'"))["n"]
    assert isinstance(count, int)
    assert f"of {count}." in card.text
    await eve.sees(f"… and {count - 10} more rows.", PATIENCE)
    await eve.clicks("Show everything")
    await eve.modal()
    await leaky.person("ana").sees("is whole in a file in #incident-evidence", PATIENCE)
    known.are_hidden_in(leaky.transcript())
    files = leaky.evidence()
    table = next(text for name, text in files.items() if "-others-" in name)
    assert [email for email in known.emails if email not in table] == []
    assert known.emails[0] in next(text for name, text in files.items() if "-whole-" in name)
    # The record keeps what it always keeps.
    assert known.emails[0] in json.dumps(await leaky.lines("findings.concluded"))
    assert [line.get("support") for line in await leaky.lines("run.requested")] == [True]


async def test_somebody_takes_it_up(leaky: Desk) -> None:
    """Ana asks for what eve's run proposes: the card is masked and has no Approve; ben, who may vote, reads all of it
    and approves there, eve reads the masked form. Each further action waits to be taken up, and eve, who started the
    run, confirms no message. What leads to another runbook leads to a masked run, and the review tells nobody."""
    known = await leaky.people()
    eve, ana, ben = (leaky.person(name) for name in ("eve", "ana", "ben"))
    await leaky.asked(known.emails[0], known.emails[-1])
    await ana.clicks("Run this…")
    await leaky.action_is("change", ActionStatus.REQUESTED)
    await eve.sees("Some of this is masked for support", surface="message")
    await eve.clicks("Show everything")
    form = json.dumps((await eve.modal()).payload, ensure_ascii=False)
    assert "only they approve it" in form
    assert '"Approve"' not in form
    await eve.closes()
    assert '"Approve"' not in leaky.transcript()
    await ben.clicks("Show everything")
    whole = json.dumps((await ben.modal()).payload, ensure_ascii=False)
    assert known.emails[0] in whole
    assert known.emails[-1] in whole
    await ben.clicks("Approve")
    await leaky.action_is("change", ActionStatus.DONE)
    await leaky.action_is("tell", ActionStatus.OFFERED)
    await eve.clicks("Run this…")
    await eve.sees(HANDS_OFF)
    await ana.clicks("Run this…")
    await leaky.action_is("tell", ActionStatus.REQUESTED)
    request = (await leaky.shown()).approvals["tell"].request
    ref = Ref(run=request.run, action="tell", request=request.id, digest=request.digest)
    assert "You asked for this" in await leaky.presses("eve", Verb.APPROVE, ref)
    await ana.clicks("Show everything")
    await ana.modal()
    await ana.clicks("Approve")
    await leaky.action_is("tell", ActionStatus.DONE)
    assert [mail.recipients for mail in leaky.sandbox.world.mail.mails] == [(known.emails[0],)]
    await leaky.action_is("next", ActionStatus.OFFERED)
    await ana.clicks("Run this…")
    await eve.sees("••• and others", PATIENCE)
    assert [run.support for run in await leaky.sandbox.bot.desk.reads.recent(2)] == [True, True]
    incident = (await leaky.shown()).incident
    assert incident is not None
    await eve.types("/incident resolve", str(incident.channel))
    await eve.sees("-review.md", PATIENCE)
    known.are_hidden_in(leaky.transcript(eve.id))
    assert ".zip" not in leaky.transcript().replace("evidence-run", "")


@pytest.mark.parametrize(
    ("verb", "key"),
    [
        (Verb.CHOOSE, "change"),
        (Verb.RETRY, "change"),
        (Verb.SKIP, "change"),
        (Verb.UNDO, "change"),
        (Verb.EDIT, "change"),
        (Verb.SCHEDULE, "change"),
        (Verb.REPORT, "change"),
        (Verb.SETTLE_HAPPENED, "change"),
        (Verb.SETTLE_NOT, "change"),
    ],
)
async def test_presses_of_others_in_her_hands(leaky: Desk, verb: Verb, key: str) -> None:
    """Whatever eve's hands make of a button that acts, in a run of ana's that waits for its approval, it is refused on
    record and nothing moves; also where the button names a run in which she might."""
    known = await leaky.people()
    await leaky.asked(known.emails[0], known.emails[-1], "ana")
    shown = await leaky.shown()
    assert not shown.run.support
    assert shown.incident is not None
    request = shown.approvals[key].request
    await leaky.person("eve").joins(str(shown.incident.channel))
    told = await leaky.presses("eve", verb, Ref(run=shown.run.id, action=key, request=request.id))
    assert told.startswith(REFUSED if verb is Verb.SKIP else HANDS_OFF)
    assert len([*await leaky.lines("support.refused"), *await leaky.lines("vote.refused")]) == 1
    assert (await leaky.shown()).approvals[key].request.state is request.state


async def test_groups_change_in_mid_run(leaky: Desk) -> None:
    """Who leaves support in mid-run has no more rights in that run than before; who comes on call may ask for its
    action and still not decide on it; the run stays masked for good."""
    known = await leaky.people()
    bot, space = leaky.sandbox.bot, leaky.sandbox.world.slack.space
    eve = leaky.person("eve")
    await leaky.asked(known.emails[0], known.emails[-1])
    membership.regroup(space, "helpdesk", ["U0DEV"])
    bot.desk.directory.invalidate()
    await eve.clicks("Run this…")
    await eve.sees(HANDS_OFF)
    membership.regroup(space, "on-call", ["U0ANA", "U0EVE"])
    bot.desk.directory.invalidate()
    await eve.clicks("Run this…")
    run = await leaky.action_is("change", ActionStatus.REQUESTED)
    assert run.support
    request = (await leaky.shown()).approvals["change"].request
    ref = Ref(run=run.id, action="change", request=request.id, digest=request.digest)
    assert "You asked for this" in await leaky.presses("eve", Verb.APPROVE, ref)
    await eve.clicks("Show everything")
    await eve.modal()
    known.are_hidden_in(leaky.transcript())


async def test_who_is_support_when_slack_does_not_say(desk: Desk) -> None:
    """Nobody of the group but who approves or is on call is support; where the group is not known or Slack does not
    answer, everybody of whom it does not say so is."""
    bot, slack = desk.sandbox.bot, desk.sandbox.world.slack
    system = bot.desk.library.catalogue.systems["alacarte"]

    async def found() -> list[str]:
        bot.desk.directory.invalidate()
        names = ("ana", "ben", "chloe", "dev", "eve")
        return [name for name in names if await supported(system, desk.person(name).id, bot.desk)]

    assert await found() == ["eve"]
    membership.regroup(slack.space, "helpdesk", ["U0EVE", "U0BEN", "U0ANA"])
    assert await found() == ["eve"]
    membership.regroup(slack.space, "helpdesk", [])
    assert await found() == ["eve"]
    membership.regroup(slack.space, "leads", ["U0BEN"])
    assert await found() == ["eve"]
    slack.faults.plan(Fault("error", "usergroups.users.list", error="team_access_not_granted", times=200))
    assert await found() == ["ana", "ben", "chloe", "dev", "eve"]


@pytest.mark.parametrize("sharing", ["shared", "pending"])
async def test_a_channel_shared_with_others(desk: Desk, sharing: str) -> None:
    """In a channel shared with another organisation, or about to be, nobody starts or triages anything; elsewhere it is
    as ever."""
    planted = await desk.plant("webhook_missed")
    partner = desk.channel("with-partner")
    partner.sharing = "shared" if sharing == "shared" else "pending"
    ana = desk.person("ana")
    told = "This channel is shared with another organisation: nothing of A La Carte Chat is looked at from here."
    await ana.types(f"/runbook RB-011 business_id={planted.business_id}", partner.id)
    await ana.sees(told)
    await ana.types(f"/runbook triage business_id={planted.business_id}", partner.id)
    await ana.types("/runbook RB-011", partner.id)
    await ana.submits(business_id=str(planted.business_id))

    async def refused() -> bool | None:
        return True if len(await desk.lines("support.refused")) == 3 else None

    await desk.until(refused, "three refusals")
    assert not await desk.sandbox.bot.desk.reads.recent()
    assert await desk.lines("triage.done") == []
    await ana.types(f"/runbook RB-011 business_id={planted.business_id}")
    await desk.action_is("copy_from_stripe", ActionStatus.REQUESTED)


async def test_a_channel_that_the_bot_cannot_see(desk: Desk) -> None:
    """Of a private channel without the bot nobody can tell with whom it is shared: nothing is started there."""
    planted = await desk.plant("webhook_missed")
    space = desk.sandbox.world.slack.space
    hidden = membership.create(space, "hidden", "U0ANA", is_private=True)
    ana = desk.person("ana")
    await ana.types(f"/runbook RB-011 business_id={planted.business_id}", hidden.id)
    await ana.sees("cannot tell whether it is shared with another organisation")
    assert not await desk.sandbox.bot.desk.reads.recent()


@pytest.mark.parametrize("trouble", ["public", "shared", "away"])
async def test_the_restricted_channel_has_to_be_one(leaky: Desk, trouble: str) -> None:
    """Where the channel for full results is public, shared with others or without the bot, they are kept nowhere, and
    that is said."""
    known = await leaky.people()
    space, channel = leaky.sandbox.world.slack.space, leaky.channel("incident-evidence")
    if trouble == "public":
        channel.kind = "public"
    elif trouble == "shared":
        channel.sharing = "shared"
    else:
        channel.members.remove(space.bot_user)
    await leaky.asked(known.emails[0], known.emails[-1])
    await leaky.person("eve").sees("The whole result was kept nowhere: #incident-evidence is", PATIENCE)
    assert leaky.evidence() == {}
    known.are_hidden_in(leaky.transcript())
