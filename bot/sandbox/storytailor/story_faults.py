"""Why stories are not made or not found (ST-01): the plan, the services, the account, the library."""

from __future__ import annotations

from datetime import timedelta

from bot.sandbox.services import Reply
from bot.sandbox.storytailor import clouds
from bot.sandbox.storytailor.plan_faults import payment_behind
from bot.sandbox.storytailor.planting import Ids, Plant, Scene, everybody

TITLE = "The dragon who was afraid of the dark"


async def plan_spent(scene: Scene) -> None:
    """A Free family has made the one story of the month."""
    desk = scene.desk
    await desk.reset("free")
    await desk.counted(1)
    await desk.story("new", TITLE)


async def counted_too_many(scene: Scene) -> Ids:
    """A Free family's only attempt failed, and was counted all the same."""
    desk = scene.desk
    await desk.reset("free")
    await desk.counted(1)
    await desk.story("new", TITLE, status="failed", error="timeout after 60 s")
    return {"library": str(desk.family.id("library"))}


async def plan_behind(scene: Scene) -> None:
    """Paid at Stripe, Free with us: the limit comes from the wrong plan."""
    desk = scene.desk
    await desk.user(tier="free")
    await desk.counted(1)
    await desk.story("new", TITLE)


async def hanging(scene: Scene) -> Ids:
    """A Free family's story has been in the making for two hours, and was counted."""
    desk = scene.desk
    await desk.reset("free")
    await desk.counted(1)
    story = await desk.story("new", TITLE, status="generating")
    # Two hours ago, and still in this month.
    await desk.run(
        "UPDATE stories SET created_at = now() - interval '2 hours', updated_at = now() - interval '2 hours'"
        " WHERE owner = $1 AND id = $2",
        story,
    )
    return {"story": str(story)}


async def hidden(scene: Scene) -> Ids:
    """The story is finished and not shown, and nobody hid it."""
    return {"story": str(await scene.desk.story("new", TITLE, visible=False))}


async def hidden_by_family(scene: Scene) -> Ids:
    """The family put the story away themselves."""
    return {"story": str(await scene.desk.story("new", TITLE, visible=False, hidden_by="family"))}


async def withheld(scene: Scene) -> Ids:
    """Moderation withholds the story: support must not show it."""
    return {"story": str(await scene.desk.story("new", TITLE, visible=False, hidden_by="moderation"))}


async def idea_refused(scene: Scene) -> None:
    """OpenAI refused the idea of the story."""
    await scene.desk.story("new", "(no title)", status="failed", error="content_policy_violation: prompt refused")


async def no_access(scene: Scene) -> Ids:
    """The family's own membership in its library was revoked by a clean-up."""
    revoked = scene.desk.now - timedelta(days=1)
    await scene.desk.change("library_members", revoked_at=revoked)
    return {"library": str(scene.desk.family.id("library"))}


async def suspended(scene: Scene) -> None:
    """The account is suspended for a chargeback."""
    await scene.desk.user(status="suspended", status_reason="chargeback, see finance")


async def restricted(scene: Scene) -> None:
    """The account is active, and barred from making stories."""
    await scene.desk.user(restrictions=["no_stories"])


async def not_confirmed(scene: Scene) -> None:
    """The e-mail address was never confirmed."""
    await scene.desk.user(email_confirmed=False)


async def function_inactive(scene: Scene) -> None:
    """The last deployment of the content agent failed, and the function is not active."""
    broken = {"State": "Failed", "LastUpdateStatus": "Failed", "StateReason": "image cannot be pulled"}
    clouds.states(scene.ground, content_agent=broken)


async def function_fails(scene: Scene) -> None:
    """The content agent is active and runs out of time on every story."""
    clouds.said(scene.ground, "content-agent", *(f"ERROR Task timed out after 60.0{n} seconds" for n in range(4)))


async def openai_key_refused(scene: Scene) -> None:
    """OpenAI refuses the key."""
    scene.ground.services.answer(
        "GET", "/openai/v1/models", Reply(status=401, json={"error": {"code": "invalid_api_key"}})
    )
    clouds.said(scene.ground, "content-agent", "WARN 401 invalid_api_key", "WARN 401 invalid_api_key")


async def openai_no_credit(scene: Scene) -> None:
    """The key is right, and our account at OpenAI is empty."""
    said = "WARN 429 insufficient_quota: You exceeded your current quota"
    clouds.said(scene.ground, "content-agent", *([said] * 5))


async def openai_down(scene: Scene) -> None:
    """OpenAI reports a major outage."""
    scene.ground.services.statuses["openai"] = "major"
    clouds.said(scene.ground, "content-agent", *(["ERROR 503 from OpenAI"] * 6))


STORY_FAULTS: dict[str, Plant] = {
    "healthy": everybody,
    "plan_spent": plan_spent,
    "counted_too_many": counted_too_many,
    "plan_behind": plan_behind,
    "story_payment_behind": payment_behind,
    "story_hanging": hanging,
    "story_hidden": hidden,
    "story_hidden_by_family": hidden_by_family,
    "story_withheld": withheld,
    "idea_refused": idea_refused,
    "library_lost": no_access,
    "account_suspended": suspended,
    "stories_restricted": restricted,
    "address_not_confirmed": not_confirmed,
    "content_agent_inactive": function_inactive,
    "content_agent_fails": function_fails,
    "openai_key_refused": openai_key_refused,
    "openai_no_credit": openai_no_credit,
    "openai_down": openai_down,
}
