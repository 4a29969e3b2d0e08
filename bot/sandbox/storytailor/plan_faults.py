"""What families want of their plans, and where the plan is not what they pay for (ST-07)."""

from __future__ import annotations

from bot.sandbox.services import Reply
from bot.sandbox.storytailor import agents
from bot.sandbox.storytailor.desk import price_of
from bot.sandbox.storytailor.planting import Plant, Scene, healthy


async def change_wanted(scene: Scene) -> None:
    """In good order on Individual; a change is asked for."""
    agents.commerce(scene.ground)


async def smaller_wanted(scene: Scene) -> None:
    """In good order on Family; a smaller plan is asked for."""
    await scene.desk.reset("family")
    agents.commerce(scene.ground)


async def agent_forgets_tier(scene: Scene) -> None:
    """The Commerce Agent changes the plan at Stripe and forgets our database."""
    agents.commerce(scene.ground, writes_tier=False)


async def commerce_agent_down(scene: Scene) -> None:
    """The Commerce Agent does not answer."""
    scene.ground.services.answer("GET", "/commerce/v1/subscriptions/preview", Reply(status=503, json={"error": "down"}))


async def ends(scene: Scene) -> None:
    """The subscription ends with its period already."""
    scene.desk.subscription("individual", cancel_at_period_end=True)


async def webhook_failed(scene: Scene) -> None:
    """Family at Stripe, Individual with us, because our webhook failed."""
    desk = scene.desk
    desk.subscription("family")
    await desk.webhook("customer.subscription.updated", desk.family.subscription_id, error="timeout: no connection")


async def webhook_missed(scene: Scene) -> None:
    """Family at Stripe, Individual with us, and our webhook never heard of it."""
    scene.desk.subscription("family")


async def payment_behind(scene: Scene) -> None:
    """The last payment did not go through."""
    desk = scene.desk
    desk.subscription("individual", status="past_due")
    desk.invoice(999, status="open", days_ago=2, attempt_count=1)
    await desk.change("subscriptions", status="past_due")


async def two_subscriptions(scene: Scene) -> None:
    """Two subscriptions run at Stripe at once."""
    desk = scene.desk
    desk.subscription("individual", id=f"{desk.family.subscription_id}_2", days_ago=4)


async def without_payment(scene: Scene) -> None:
    """Individual with us, nothing at Stripe."""
    desk = scene.desk
    desk.objects.discard(desk.family.subscription_id)


async def of_app_store(scene: Scene) -> None:
    """Individual, bought in an app store: no customer at Stripe."""
    desk = scene.desk
    desk.objects.forget_customer(desk.family.customer_id)
    await desk.user(stripe_customer_id=None)
    await desk.run("DELETE FROM subscriptions WHERE user_id = $1")


async def free_family(scene: Scene) -> None:
    """On Free, never paid."""
    await scene.desk.reset("free")


async def not_sold(scene: Scene) -> None:
    """Professional is not sold by the year any more."""
    await scene.desk.connection.execute("DELETE FROM plan_prices WHERE price_id = $1", price_of("professional", "year"))
    agents.commerce(scene.ground)


PLAN_FAULTS: dict[str, Plant] = {
    "plan_in_step": healthy,
    "plan_change_wanted": change_wanted,
    "smaller_plan_wanted": smaller_wanted,
    "agent_forgets_tier": agent_forgets_tier,
    "commerce_agent_down": commerce_agent_down,
    "plan_ends": ends,
    "plan_webhook_failed": webhook_failed,
    "plan_webhook_missed": webhook_missed,
    "plan_payment_behind": payment_behind,
    "two_subscriptions": two_subscriptions,
    "plan_without_payment": without_payment,
    "plan_of_app_store": of_app_store,
    "free_family": free_family,
    "plan_not_sold": not_sold,
}
