"""Why a story is not read aloud, or not as it should be (ST-02): the plan, ElevenLabs, the file, the voice."""

from __future__ import annotations

import json
from datetime import timedelta

from bot.sandbox.programs import Answer
from bot.sandbox.services import Asked, Reply
from bot.sandbox.storytailor import agents, clouds
from bot.sandbox.storytailor.families import ADEYEMI
from bot.sandbox.storytailor.planting import Ids, Plant, Scene
from bot.sandbox.stripe.wire import Json

TITLE = "The lighthouse that learned to sing"
STORE = """
INSERT INTO audio_files (id, story_id, s3_key, format, voice, status)
VALUES (gen_random_uuid(), $1::uuid, 'audio/' || $1::uuid || '.mp3', 'mp3', 'aria', 'ready')
"""


async def well(scene: Scene) -> Ids:
    """A story that was read, and a voice agent that reads others when it is asked."""
    story = await scene.desk.story("new", TITLE)
    await scene.desk.audio("new")

    async def read(_asked: Asked) -> Json:
        await agents.run(scene.ground, "DELETE FROM audio_files WHERE story_id = $1", story)
        await agents.run(scene.ground, STORE, story)
        in_s3(scene, 2_104_551)
        return {"status": "ready"}

    scene.ground.services.answer("POST", "/voice/v1/stories/{story}/audio", Reply(then=read, token=True))
    return {"story": str(story), "other": str(ADEYEMI.id("last"))}


def in_s3(scene: Scene, size: int | None) -> None:
    """How large the files in S3 are; None: there are none."""
    arguments = ["s3api", "head-object", "--bucket", clouds.BUCKET, "--key", "*"]
    gone = "An error occurred (404) when calling the HeadObject operation: Not Found\n"
    head = json.dumps({"ContentLength": size, "ContentType": "audio/mpeg"})
    scene.ground.programs.answer(
        Answer("aws", arguments, err=gone, code=254) if size is None else Answer("aws", arguments, out=head)
    )


async def not_in_plan(scene: Scene) -> None:
    """A Free family, whose plan has no such voices."""
    await scene.desk.reset("free")


async def never_read(scene: Scene) -> Ids:
    """The newest story was never read."""
    ids = await well(scene)
    await scene.desk.connection.execute("DELETE FROM audio_files WHERE story_id = $1", scene.desk.family.id("new"))
    return ids


async def failed(scene: Scene) -> Ids:
    """Reading it failed."""
    ids = await well(scene)
    await scene.desk.audio("new", status="failed", s3_key=None, error="elevenlabs 500")
    return ids


async def keeps_failing(scene: Scene) -> Ids:
    """Reading it failed yesterday, and again today."""
    ids = await failed(scene)
    before = "INSERT INTO audio_files (story_id, status, error, created_at) VALUES ($1, 'failed', 'elevenlabs 500', $2)"
    await scene.desk.connection.execute(before, scene.desk.family.id("new"), scene.desk.now - timedelta(days=2))
    return ids


async def read_before(scene: Scene) -> Ids:
    """A story of three days ago that was read again an hour ago."""
    ids = await well(scene)
    await scene.desk.change("stories", "owner", created_at=scene.desk.now - timedelta(days=3))
    await scene.desk.audio("new", created_at=scene.desk.now - timedelta(hours=1))
    return ids


async def missing(scene: Scene) -> Ids:
    """It was read, and the file is gone."""
    ids = await well(scene)
    in_s3(scene, None)
    return ids


async def empty(scene: Scene) -> Ids:
    """The file holds next to nothing."""
    ids = await well(scene)
    in_s3(scene, 412)
    return ids


async def strange_format(scene: Scene) -> Ids:
    """The file is one that not every device plays."""
    ids = await well(scene)
    await scene.desk.audio("new", format="ogg")
    return ids


async def no_story(scene: Scene) -> None:
    """No story is finished."""
    await scene.desk.change("stories", "owner", status="failed", error="timeout after 60 s")


async def retired(scene: Scene) -> Ids:
    """The voice they chose is not offered any more."""
    ids = await well(scene)
    await scene.desk.user(voice_preference="pixie")
    return ids


async def never_chosen(scene: Scene) -> Ids:
    """They never chose a voice."""
    ids = await well(scene)
    await scene.desk.user(voice_preference=None)
    return ids


async def key_refused(scene: Scene) -> Ids:
    """ElevenLabs refuses the key."""
    ids = await well(scene)
    clouds.voices(scene.ground, used=0, most=1, status=401)
    return ids


async def no_credit(scene: Scene) -> Ids:
    """The month at ElevenLabs is used up."""
    ids = await well(scene)
    clouds.voices(scene.ground, used=2_000_000, most=2_000_000)
    return ids


async def inactive(scene: Scene) -> Ids:
    """The last deployment of the voice agent failed."""
    ids = await well(scene)
    clouds.states(scene.ground, voice_synthesis_agent={"State": "Failed", "LastUpdateStatus": "Failed"})
    return ids


async def fails(scene: Scene) -> Ids:
    """The voice agent runs out of time."""
    ids = await well(scene)
    clouds.said(scene.ground, "voice-synthesis-agent", *(["ERROR Task timed out after 30.00 seconds"] * 4))
    return ids


async def down(scene: Scene) -> Ids:
    """ElevenLabs reports an outage."""
    ids = await well(scene)
    scene.ground.services.statuses["elevenlabs"] = "critical"
    return ids


VOICE_FAULTS: dict[str, Plant] = {
    "voices_well": well,
    "voices_not_in_plan": not_in_plan,
    "story_never_read": never_read,
    "reading_failed": failed,
    "reading_keeps_failing": keeps_failing,
    "story_read_again": read_before,
    "audio_missing": missing,
    "audio_empty": empty,
    "audio_format": strange_format,
    "no_finished_story": no_story,
    "voice_retired": retired,
    "voice_never_chosen": never_chosen,
    "elevenlabs_key_refused": key_refused,
    "elevenlabs_no_credit": no_credit,
    "elevenlabs_down": down,
    "voice_agent_inactive": inactive,
    "voice_agent_fails": fails,
}
