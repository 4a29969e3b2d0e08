"""`runbook doctor`: what is missing before the bot can work, each with the way to mend it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import stripe
import yaml
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from bot.authoring.catalogue import Catalogue
from bot.authoring.loader import catalogue_at
from bot.cli.examined import Examined
from bot.cli.groups import groups
from bot.domain.operations import Operations, variables_of
from bot.domain.system import SecretRef, System, variables
from bot.errors import BotError, Misconfigured, Unavailable
from bot.settings import Settings, SlackMode, read_settings
from bot.store.guard import Guard, guard
from bot.store.migrate import require_head
from bot.store.session import engine_of


async def examine(environment: Mapping[str, str], manifest: Path) -> list[Examined]:
    """Look at everything the bot depends on."""
    try:
        settings = read_settings()
    except BotError as error:
        return [Examined("settings", False, str(error), error.hint)]
    findings = [_settings(settings)]
    findings += await _database(settings)
    slack = await _slack(settings, manifest)
    findings += slack
    try:
        catalogue = catalogue_at(settings.runbooks_path)
    except BotError as error:
        return [*findings, Examined("runbooks", False, str(error), error.hint)]
    findings += _systems(catalogue, environment)
    if all(each.ok for each in slack):
        operated = [system for system in catalogue.systems.values() if _set_up(system, environment)]
        findings += await groups(settings, catalogue, operated)
    return findings


def _settings(settings: Settings) -> Examined:
    wanted = {"DATABASE_URL": settings.database_url, "SLACK_BOT_TOKEN": settings.slack_bot_token}
    if settings.slack_mode is SlackMode.SOCKET:
        wanted["SLACK_APP_TOKEN"] = settings.slack_app_token
    else:
        wanted["SLACK_SIGNING_SECRET"] = settings.slack_signing_secret
    missing = [name for name, value in wanted.items() if not value.get_secret_value()]
    if missing:
        return Examined("settings", False, f"{', '.join(missing)} not set", "docs/settings.md says where to get each.")
    return Examined("settings", True, f"complete for {settings.slack_mode} mode")


async def _database(settings: Settings) -> list[Examined]:
    url = settings.database_url.get_secret_value()
    if not url:
        return [Examined("database", False, "DATABASE_URL is not set", "Point it at a PostgreSQL 14 or newer.")]
    engine = engine_of(url)
    try:
        at = await require_head(engine)
    except Unavailable as error:
        return [Examined("database", False, str(error), error.hint)]
    except Misconfigured as error:
        return [Examined("migrations", False, str(error), error.hint)]
    else:
        async with engine.connect() as connection:
            kept = trail(await guard(connection))
        return [Examined("database", True, f"answers, at revision {at}"), kept]
    finally:
        await engine.dispose()


def trail(found: Guard) -> Examined:
    """Whether the bot's own login can only read the audit trail and append to it."""
    mend = "docs/audit.md has the statements for whoever runs the database."
    if not found.kept:
        return Examined("audit trail", False, "the trigger that keeps it is missing or switched off", mend)
    if found.superuser:
        said = f"kept by its trigger alone: {found.login} is a superuser, whom no privilege binds"
        return Examined("audit trail", True, said)
    if not (found.reads and found.appends):
        return Examined("audit trail", False, f"{found.login} may not read it and append to it", mend)
    if found.becomes_owner:
        said = (
            f"{found.login} owns it and could change it"
            if found.owner == found.login
            else (f"{found.login} can act as its owner {found.owner} and could change it")
        )
        return Examined("audit trail", False, said, mend)
    if found.beyond:
        return Examined("audit trail", False, f"{found.login} has {', '.join(found.beyond)} on it", mend)
    notes = [f"{found.login} can only read it and append to it"]
    notes += ["but it may make roles, and with them itself the owner"] if found.makes_roles else []
    notes += ["but it owns the schema and could drop the trail as a whole"] if found.drops else []
    return Examined("audit trail", True, "; ".join(notes))


async def _slack(settings: Settings, manifest: Path) -> list[Examined]:
    token = settings.slack_bot_token.get_secret_value()
    if not token:
        return [Examined("slack", False, "no bot token", "Install the app and copy the Bot User OAuth Token.")]
    web = AsyncWebClient(token, base_url=settings.slack_api_url)
    web.proxy = None
    try:
        answer = await web.auth_test()
    except SlackApiError as error:
        return [Examined("slack", False, f"refuses the token: {error.response['error']}", "Reinstall the app.")]
    except (SlackClientError, OSError, TimeoutError):
        return [Examined("slack", False, "does not answer", "Is slack.com reachable from here?")]
    declared = _scopes(manifest)
    headers = {name.lower(): value for name, value in answer.headers.items()}
    granted = {scope.strip() for scope in headers.get("x-oauth-scopes", "").split(",")}
    missing = [scope for scope in declared if scope not in granted]
    found = [Examined("slack", True, f"talks to {answer['team']} as {answer['user']}")]
    if missing:
        mend = "Update the app from app_manifest.yml and reinstall it."
        found.append(Examined("scopes", False, f"missing {', '.join(missing)}", mend))
    else:
        found.append(Examined("scopes", True, f"all {len(declared)} granted"))
    return found


def _scopes(manifest: Path) -> list[str]:
    scopes: list[str] = yaml.safe_load(manifest.read_text(encoding="utf-8"))["oauth_config"]["scopes"]["bot"]
    return scopes


def _set_up(system: System, environment: Mapping[str, str]) -> bool:
    """Whether this place operates the system: whoever operates one of the shipped systems need not operate the
    others."""
    wanted = [ref.env for ref in variables(system)]
    return not wanted or any(environment.get(name) for name in wanted)


def _systems(catalogue: Catalogue, environment: Mapping[str, str]) -> list[Examined]:
    found = [Examined("runbooks", True, f"{len(catalogue)} of {len(catalogue.systems)} systems")]
    for system in catalogue.systems.values():
        missing = sorted(ref.env for ref in variables(system) if not environment.get(ref.env))
        if not _set_up(system, environment):
            found.append(Examined(system.id, True, "not set up here: none of its variables is set"))
            continue
        if missing:
            mend = f"runbooks/{system.id}/system.yaml says what each is for."
            found.append(Examined(system.id, False, f"not set: {', '.join(missing)}", mend))
        found += _alerts(system.id, catalogue.operations.get(system.id, Operations()), environment)
        found += _stripe(system, environment)
    return found


def _alerts(system: str, operations: Operations, environment: Mapping[str, str]) -> list[Examined]:
    """Whether its sources of alerts have their secrets; one without any is a source that is not used here."""
    wanted = sorted(ref.env for ref in variables_of(operations))
    missing = [name for name in wanted if not environment.get(name)]
    if not missing or len(missing) == len(wanted):
        return []
    said = f"nobody is let in for want of: {', '.join(missing)}"
    return [Examined(f"{system} alerts", False, said, f"runbooks/{system}/alerts.yaml says what each is for.")]


def _stripe(system: System, environment: Mapping[str, str]) -> list[Examined]:
    """Which mode the key is of, and whether Stripe takes it. The key itself is never said."""
    key = environment.get(system.stripe.key.env, "") if system.stripe is not None else ""
    if system.stripe is None or not key:
        return []
    kind, _, rest = key.partition("_")
    mode = "live" if rest.startswith("live_") else "test" if rest.startswith("test_") else "unknown"
    restricted = "a restricted" if kind == "rk" else "an unrestricted"
    base = system.stripe.base
    address = environment.get(base.env, "") if isinstance(base, SecretRef) else base
    addresses: Any = {"api": address} if address else {}
    try:
        stripe.StripeClient(key, base_addresses=addresses, max_network_retries=0).v1.balance.retrieve()
    except stripe.AuthenticationError:
        return [Examined(f"{system.id} stripe", False, "refuses the key", f"Renew {system.stripe.key.env}.")]
    except stripe.StripeError as error:
        return [Examined(f"{system.id} stripe", False, f"does not answer ({type(error).__name__})", "Is it reachable?")]
    return [Examined(f"{system.id} stripe", True, f"takes {restricted} {mode}-mode key")]
