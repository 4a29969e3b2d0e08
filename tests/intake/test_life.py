"""What becomes of an alert: counted, ended, flapping, late, again, and the button on one that opens nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.intake.conftest import Intake

pytestmark = pytest.mark.incidents

JOB = "Batch job late"


async def test_repeated_within_the_window(intake: Intake) -> None:
    """Counted without a word; after an hour it is said that it still fires, with its count."""
    for _ in range(5):
        await intake.job(JOB)
    incident = await intake.only()
    assert len(await intake.told(incident)) == 1
    assert await intake.count("SELECT count FROM alerts") == 5
    intake.clock.pass_(minutes=59)
    await intake.job(JOB)
    assert len(await intake.told(incident)) == 1
    intake.clock.pass_(minutes=1)
    await intake.job(JOB)
    assert (await intake.told(incident))[1:] == ["alert.continues {'count': 7, 'name': 'Batch job late'}"]
    assert len(await intake.open_ones()) == 1
    await intake.person("ana").sees(lambda seen: "1 alert, received 7 times; 1 still firing" in seen.text)


async def test_all_have_ended_is_said_once(intake: Intake) -> None:
    """Each end is noted, the last one says that none is left; the incident stays open until a person resolves it."""
    for instance in ("a", "b"):
        await intake.job(JOB, labels={"instance": instance})
    incident = await intake.only()
    intake.clock.pass_(minutes=1)
    await intake.job(JOB, labels={"instance": "a"}, status="resolved")
    assert (await intake.told(incident))[-1] == "alert.ended {'all': False, 'names': 'Batch job late'}"
    for _ in range(3):
        await intake.job(JOB, labels={"instance": "b"}, status="resolved")
    told = await intake.told(incident)
    assert told[-1] == "alert.ended {'all': True, 'names': 'Batch job late'}"
    assert [each for each in told if "'all': True" in each] == told[-1:]
    assert (await intake.only()).id == incident.id
    await intake.person("ana").sees(
        lambda seen: "2 alerts, received twice" in seen.text or "2 times; none" in seen.text
    )


async def test_out_of_order(intake: Intake) -> None:
    """An end that is older than the last beginning, and a beginning that is older than the last end, change nothing."""
    began = intake.clock.now()
    intake.clock.pass_(minutes=1)
    await intake.job(JOB, fingerprint="f", at=began.isoformat())
    await intake.job(JOB, fingerprint="f", at=(began - timedelta(seconds=1)).isoformat(), status="resolved")
    assert await intake.count("SELECT count(*) FROM alerts WHERE state = 'firing'") == 1
    incident = await intake.only()
    assert len(await intake.told(incident)) == 1
    await intake.job(JOB, fingerprint="f", at=(began + timedelta(seconds=30)).isoformat(), status="resolved")
    await intake.job(JOB, fingerprint="f", at=(began + timedelta(seconds=20)).isoformat())
    assert await intake.count("SELECT count(*) FROM alerts WHERE state = 'resolved' AND count = 2") == 1
    assert len(await intake.told(incident)) == 2


async def test_the_end_of_something_never_seen(intake: Intake) -> None:
    """It is kept and opens nothing; the beginning that is delivered after it, and is older, opens nothing either."""
    began = intake.clock.now()
    intake.clock.pass_(minutes=1)
    await intake.job(JOB, fingerprint="f", status="resolved")
    await intake.job(JOB, fingerprint="f", at=began.isoformat())
    assert await intake.open_ones() == []
    assert await intake.count("SELECT count(*) FROM alerts WHERE state = 'resolved'") == 1
    intake.clock.pass_(minutes=1)
    await intake.job(JOB, fingerprint="f")
    assert len(await intake.open_ones()) == 1


async def test_a_clock_that_is_ahead(intake: Intake) -> None:
    """What is dated in the future began now: it can end."""
    await intake.job(JOB, fingerprint="f", at="2031-01-01T00:00:00Z")
    await intake.job(JOB, fingerprint="f", status="resolved")
    assert await intake.count("SELECT count(*) FROM alerts WHERE state = 'resolved'") == 1


async def test_flapping(intake: Intake) -> None:
    """The fifth change within a quarter of an hour is said to be flapping, once; then nothing more is said until it has
    been calm for as long, and what it does then is said."""
    for turn in range(12):
        await intake.job(JOB, fingerprint="f", status="resolved" if turn % 2 else "firing")
        intake.clock.pass_(minutes=1)
    incident = await intake.only()
    told = await intake.told(incident)
    assert [each.split()[0] for each in told] == [
        "incident.reported",
        "alert.ended",
        "incident.reported",
        "alert.ended",
        "alert.flapping",
    ]
    await intake.job(JOB, fingerprint="f")
    intake.clock.pass_(minutes=14)
    assert await intake.sandbox.bot.sorter.sweep() == 0
    intake.clock.pass_(minutes=1)
    assert await intake.sandbox.bot.sorter.sweep() == 1
    assert await intake.sandbox.bot.sorter.sweep() == 0
    more = (await intake.told(incident))[len(told) :]
    assert more[0] == "alert.calm {'name': 'Batch job late', 'state': 'fires'}"
    assert [each.split()[0] for each in more[1:]] == ["incident.reported"]
    intake.clock.pass_(minutes=1)
    await intake.job(JOB, fingerprint="f", status="resolved")
    assert "'all': True" in (await intake.told(incident))[-1]


async def test_flapping_does_not_open_what_a_person_resolved(intake: Intake) -> None:
    """While it flaps its incident stays resolved; calm and firing, it is opened again."""
    for turn in range(5):
        await intake.job(JOB, fingerprint="f", status="resolved" if turn % 2 else "firing")
    incident = await intake.only()
    await intake.sandbox.bot.desk.incidents.resolve(incident.id, "U0ANA")
    for turn in range(1, 5):
        intake.clock.pass_(minutes=1)
        await intake.job(JOB, fingerprint="f", status="resolved" if turn % 2 else "firing")
    assert await intake.open_ones() == []
    intake.clock.pass_(minutes=15)
    assert await intake.sandbox.bot.sorter.sweep() == 1
    assert (await intake.only()).id == incident.id


async def test_firing_again_after_its_incident_was_resolved(intake: Intake) -> None:
    """Within half an hour the incident goes on; later it is a new one."""
    await intake.job(JOB, fingerprint="f")
    first = await intake.only()
    intake.clock.pass_(minutes=1)
    await intake.job(JOB, fingerprint="f", status="resolved")
    await intake.sandbox.bot.desk.incidents.resolve(first.id, "U0ANA")
    intake.clock.pass_(minutes=29)
    await intake.job(JOB, fingerprint="f")
    assert (await intake.only()).id == first.id
    assert [each.split()[0] for each in await intake.told(first)][-2:] == ["incident.reopened", "incident.reported"]
    await intake.sandbox.bot.desk.incidents.resolve(first.id, "U0ANA")
    await intake.job(JOB, fingerprint="f", status="resolved")
    intake.clock.pass_(minutes=31)
    await intake.job(JOB, fingerprint="f")
    assert (await intake.only()).id != first.id


async def test_still_firing_after_its_incident_was_resolved(intake: Intake) -> None:
    """Its sender is left five minutes to see that it is over; what goes on after them is not over."""
    began = intake.clock.now().isoformat()
    await intake.job(JOB, fingerprint="f", at=began)
    first = await intake.only()
    await intake.sandbox.bot.desk.incidents.resolve(first.id, "U0ANA")
    intake.clock.pass_(minutes=4)
    await intake.job(JOB, fingerprint="f", at=began)
    assert await intake.open_ones() == []
    intake.clock.pass_(minutes=1)
    await intake.job(JOB, fingerprint="f", at=began)
    assert (await intake.only()).id == first.id


async def test_severity_rises_with_what_joins(intake: Intake) -> None:
    """The same name, worse elsewhere: the incident becomes as severe as the worst of its alerts."""
    await intake.job(JOB, severity="warning", labels={"instance": "a"})
    assert (await intake.only()).severity == "P3"
    await intake.job(JOB, severity="critical", labels={"instance": "b"})
    assert (await intake.only()).severity == "P1"


async def test_an_alert_that_opens_nothing_has_a_button(intake: Intake) -> None:
    """Alerts of its name are one message where its system announces. Whoever presses the button has the form filled in,
    and an incident that begins with the alert and counts it from then on."""
    ana = intake.person("ana")
    await intake.job("Backup older than a day", title="Backup is <old>", text="Of *main*", severity="warning")
    card = await ana.sees(lambda seen: "Backup is <old>" in seen.text and "received once" in seen.text)
    assert card.channel is not None
    assert await intake.open_ones() == []
    await intake.job("Backup older than a day", title="Backup is <old>", severity="warning", labels={"of": "main"})
    await ana.sees(lambda seen: "received 2 times" in seen.text)
    assert sum("Backup is <old>" in seen.text for seen in ana.screen()) == 1
    await ana.clicks("Open an incident…")
    await ana.modal()
    assert await ana.submits() == {}
    await ana.sees(lambda seen: "2 alerts, received 2 times; 2 still firing" in seen.text)
    incident = await intake.only()
    assert (incident.title, incident.system, incident.severity) == ("Backup is <old>", "alacarte", "P3")
    assert incident.opened_by == "U0ANA"
    await ana.sees(lambda seen: f"{incident.label} is open about it." in seen.text)
    intake.clock.pass_(minutes=1)
    for labels in ({}, {"of": "main"}):
        await intake.job("Backup older than a day", title="Backup is <old>", status="resolved", labels=labels)
    assert "'all': True" in (await intake.told(incident))[-1]
