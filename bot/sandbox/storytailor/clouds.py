"""What Storytailor lives on, as it answers when all is well: AWS, Redis, OpenAI, ElevenLabs, Supabase, SendGrid."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.sandbox.programs import Answer
from bot.sandbox.sample import Ground
from bot.sandbox.services import OPERATIONAL, Reply

REDIS = "redis.storytailor.internal"
BUCKET = "storytailor-audio"
PAGES = ("openai", "elevenlabs", "supabase", "sendgrid")
NAMED = (
    "content-agent",
    "voice-synthesis-agent",
    "universal-agent",
    "alexa-handler",
    "mobile-gateway",
    "web-sdk-gateway",
)
OTHERS = (
    "router", "auth-agent", "commerce-agent", "library-agent", "character-agent", "emotion-agent", "safety-agent",
    "moderation-agent", "consent-agent", "notification-agent", "analytics-agent", "insights-agent", "image-agent",
    "video-agent", "pdf-agent", "translation-agent", "search-agent", "recommendation-agent", "referral-agent",
    "gift-agent", "webhook-agent", "export-agent", "deletion-agent", "scheduler", "session-agent", "smart-home-agent",
    "classroom-agent", "admin-api", "health-agent",
)  # fmt: skip
KEYS = {
    "OPENAI_KEY": "sk-sandbox-openai",
    "ELEVENLABS_KEY": "sandbox-elevenlabs",
    "SENDGRID_KEY": "SG.sandbox",
    "ALEXA_TOKEN": "Atza-sandbox",
}


def function(name: str) -> str:
    """The whole name of a production function."""
    return f"storytailor-{name}-production"


def install(ground: Ground) -> None:
    """The programs, for the first time."""
    for name in ("aws", "lambda-states", "redis-cli"):
        ground.programs.install(name)


def well(ground: Ground) -> None:
    """Everything answers as it should; whatever a fault has changed is put right."""
    services = ground.services
    services.switches.clear()
    ground.stripe.faults.clear()
    services.statuses.update(dict.fromkeys(PAGES, OPERATIONAL))
    services.answer("GET", "/openai/v1/models", Reply(json={"data": [{"id": "gpt-5.2"}]}))
    voices(ground, used=412_000, most=2_000_000)
    services.answer("GET", "/supabase/auth/v1/health", Reply(json={"name": "GoTrue", "version": "v2.183.0"}))
    services.answer("GET", "/sendgrid/v3/scopes", Reply(json={"scopes": ["mail.send"]}))
    for way in ("bounces", "blocks", "spam_reports"):
        services.answer("GET", f"/sendgrid/v3/suppression/{way}/{{email}}", Reply(json=[]))
    services.answer("GET", "/api/health", Reply(json={"status": "ok", "version": "2025.12.3"}))
    platforms(ground)
    services.answer("GET", "/alexa/v1/vendors", Reply(json={"vendors": [{"id": "storytailor"}]}))
    ground.programs.answer(Answer("redis-cli", ["-h", REDIS, "ping"], out="PONG\n"))
    head = {"ContentLength": 2_412_311, "ContentType": "audio/mpeg"}
    ground.programs.answer(
        Answer("aws", ["s3api", "head-object", "--bucket", BUCKET, "--key", "*"], out=json.dumps(head))
    )
    states(ground)
    for name in (*NAMED, *OTHERS):
        said(ground, name, f"INFO START RequestId: {name} Version: 118", "INFO done in 4211 ms")
    at = datetime.now(UTC) - timedelta(minutes=2)
    ground.log("app", f"{at:%Y-%m-%dT%H:%M:%SZ} INFO story ready in 41 s", f"{at:%Y-%m-%dT%H:%M:%SZ} INFO mail sent")
    ground.log("supabase", f"{at:%Y-%m-%dT%H:%M:%SZ} LOG checkpoint complete")


def states(ground: Ground, missing: tuple[str, ...] = (), **changed: dict[str, Any]) -> None:
    """The functions as AWS has them; `changed` by name with _ for -, `missing` are not there."""
    rows = []
    for name in (*NAMED, *OTHERS):
        row = {"FunctionName": function(name), "State": "Active", "LastUpdateStatus": "Successful", "StateReason": ""}
        modified = datetime.now(UTC) - timedelta(days=6)
        row |= {"LastModified": f"{modified:%Y-%m-%dT%H:%M:%S}.000+0000"} | changed.get(name.replace("-", "_"), {})
        if name not in missing:
            rows.append(row)
        arguments = ["lambda", "get-function-configuration", "--function-name", function(name)]
        gone = f"An error occurred (ResourceNotFoundException): Function not found: {function(name)}\n"
        answer = Answer("aws", arguments, err=gone, code=254) if name in missing else None
        ground.programs.answer(answer or Answer("aws", arguments, out=json.dumps(row)))
    ground.programs.answer(Answer("lambda-states", ["production"], out=json.dumps(rows)))


def said(ground: Ground, name: str, *lines: str, minutes_ago: int = 3) -> None:
    """What CloudWatch has of a function."""
    at = datetime.now(UTC) - timedelta(minutes=minutes_ago)
    text = "".join(f"{at:%Y-%m-%dT%H:%M:%S} {line}\n" for line in lines)
    arguments = ["logs", "tail", f"/aws/lambda/{function(name)}", "--since", "*", "--format", "short"]
    ground.programs.answer(Answer("aws", arguments, out=text))


def voices(ground: Ground, *, used: int, most: int, status: int = 200) -> None:
    """What ElevenLabs says of our account: looking at it makes no sound and costs nothing."""
    account = {"tier": "scale", "status": "active", "character_count": used, "character_limit": most}
    ground.services.answer(
        "GET",
        "/elevenlabs/v1/user/subscription",
        Reply(json=account) if status < 400 else Reply(status=status, json={"detail": {"status": "invalid_api_key"}}),
    )


def platforms(ground: Ground, **different: Any) -> None:
    """What our API says of each platform on our side of it."""
    said: dict[str, Any] = {"credentials_valid": True, "webhook": "ok", "missing_permissions": [], "least_build": 410}
    said |= {"webhook_url": "https://api.storytailor.test/hooks/platform", "webhook_last_good": "2 days ago"}
    said |= {"locales": ["en-US", "en-GB", "de-DE"]} | different
    ground.services.answer("GET", "/api/health/platforms/{platform}", Reply(json=said))


def environment(ground: Ground) -> dict[str, str]:
    """The variables of the system's file."""
    base = ground.services.url
    urls = {name.upper(): f"{base}/{name}" for name in ("api", "commerce", "voice", "consent", "supabase", "sendgrid")}
    urls |= {name.upper(): f"{base}/{name}" for name in ("openai", "elevenlabs", "alexa")}
    pages = {f"{name.upper()}_STATUS_URL": f"{base}/status/{name}" for name in PAGES}
    programs = {name.upper().replace("-", "_"): str(ground.programs.folder / name)
                for name in ("aws", "lambda-states", "redis-cli")}  # fmt: skip
    logs = {f"{name.upper()}_LOG": str(ground.logs / f"{name}.log") for name in ("app", "supabase")}
    made = {f"{name}_URL": url for name, url in urls.items()} | pages | programs | logs | KEYS
    made |= {"SUPABASE_KEY": f"Bearer {ground.services.token}", "AWS_ACCESS_KEY_ID": "AKIASANDBOX"}
    made |= {"AWS_SECRET_ACCESS_KEY": "sandbox-aws-secret", "SENDGRID_BEARER": f"Bearer {KEYS['SENDGRID_KEY']}"}
    return {f"STORYTAILOR_{name}": value for name, value in made.items()}
