"""The whole sandbox on loopback: a PostgreSQL with the sample system, local Stripe, local services and local Slack."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bot.sandbox.alacarte import Alacarte, build, settle, subscription_check
from bot.sandbox.postgres import Postgres
from bot.sandbox.services import LocalServices, MailSink
from bot.sandbox.slack.server import LocalSlack
from bot.sandbox.stripe import LocalStripe

WORKSPACE = {
    "team": {"name": "A La Carte Chat", "domain": "alacarte"},
    "users": [
        {"name": "ana", "real_name": "Ana Lima", "title": "On-call engineer"},
        {"name": "ben", "real_name": "Ben Okoro", "title": "Billing lead"},
        {"name": "chloe", "real_name": "Chloe Martin", "title": "Database lead"},
        {"name": "dev", "real_name": "Dev Patel", "title": "Engineering manager"},
        {"name": "eve", "real_name": "Eve Sato", "title": "Support"},
    ],
    "usergroups": [
        {"handle": "on-call", "name": "On call", "users": ["ana"]},
        {"handle": "billing-approvers", "name": "Billing approvers", "users": ["ben", "dev"]},
        {"handle": "database-approvers", "name": "Database approvers", "users": ["chloe", "dev"]},
        {"handle": "leads", "name": "Leads", "users": ["ben", "chloe", "dev"]},
    ],
    "channels": [
        {"name": "general", "bot": True},
        {"name": "support", "purpose": "Customers' questions", "bot": True},
    ],
}


@dataclass(frozen=True, slots=True)
class World:
    """Everything the bot talks to; `database` is the name of the bot's own database."""

    postgres: Postgres
    alacarte: Alacarte
    stripe: LocalStripe
    services: LocalServices
    mail: MailSink
    slack: LocalSlack
    database: str

    def environment(self) -> Mapping[str, str]:
        """The variables a bot needs to live in this world."""
        return {
            "DATABASE_URL": self.postgres.url(self.database),
            "SLACK_BOT_TOKEN": self.slack.bot_token,
            "SLACK_APP_TOKEN": self.slack.app_token,
            "SLACK_SIGNING_SECRET": self.slack.signing_secret,
            "SLACK_API_URL": self.slack.base_url,
            "PORT": "0",
            "ALACARTE_READ_URL": self.alacarte.read_url,
            "ALACARTE_ACT_URL": self.alacarte.act_url,
            "ALACARTE_STRIPE_KEY": self.stripe.key,
            "ALACARTE_STRIPE_URL": self.stripe.url,
            "ALACARTE_FUNCTIONS_URL": self.services.url,
            "ALACARTE_FUNCTIONS_TOKEN": f"Bearer {self.services.token}",
            "ALACARTE_SMTP_HOST": self.mail.host,
            "ALACARTE_SMTP_PORT": str(self.mail.port),
        }


@asynccontextmanager
async def opened(
    postgres: Postgres,
    manifest: Path,
    *,
    template: str | None = None,
    port: int = 0,
    rate_limits: bool = True,
    hints: tuple[str, ...] = (),
) -> AsyncIterator[World]:
    """A world of its own on a running server: fresh databases, the bot's a copy of `template` or empty; everything is
    gone when the block is left."""
    name = uuid.uuid4().hex[:10]
    async with AsyncExitStack() as stack:
        slack = LocalSlack(WORKSPACE, manifest, port=port, rate_limits=rate_limits, hints=hints)
        await stack.enter_async_context(slack)
        stripe = await stack.enter_async_context(LocalStripe())
        mail = await stack.enter_async_context(MailSink())
        alacarte = await build(postgres, name=f"alacarte_{name}")
        stack.push_async_callback(alacarte.drop)
        await settle(alacarte, stripe)
        services = await stack.enter_async_context(LocalServices(check=subscription_check(alacarte, stripe)))
        database = f"bot_{name}"
        await postgres.create_database(database, template)
        stack.push_async_callback(postgres.drop_database, database)
        yield World(postgres, alacarte, stripe, services, mail, slack, database)
