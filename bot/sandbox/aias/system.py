"""The sample system as the sandbox takes it: its faults by name, its health, its variables and its approvers."""

from __future__ import annotations

from bot.sandbox.aias import scripts
from bot.sandbox.aias.faults import FAULTS
from bot.sandbox.aias.health import settle
from bot.sandbox.aias.vendors import PAGES
from bot.sandbox.sample import Ground, SampleSystem


def _environment(ground: Ground) -> dict[str, str]:
    url, token = ground.services.url, f"Bearer {ground.services.token}"
    made = {f"AIAS_{page.upper()}_STATUS_URL": f"{url}/status/{page}" for page in PAGES}
    made |= {f"AIAS_{name.upper()}_PROGRAM": ground.programs.install(name) for name in scripts.PROGRAMS}
    for name in ("vercel", "resend", "sentry", "supabase-admin", "supabase"):
        variable = name.upper().replace("-", "_")
        made[f"AIAS_{variable}_URL"] = f"{url}/{name}"
        if name != "sentry":
            made[f"AIAS_{variable}_TOKEN"] = token
    return made | {
        "AIAS_APP_URL": url,
        "AIAS_ADMIN_TOKEN": token,
        "AIAS_STATUS_POST_URL": f"{url}/hooks/status",
        "AIAS_FOLDER": str(ground.programs.folder),
        "AIAS_API_LOG": str(ground.logs / "api.log"),
        "AIAS_DATABASE_LOG": str(ground.logs / "database.log"),
    }


SYSTEM = SampleSystem(
    id="aias",
    faults=FAULTS,
    settle=settle,
    environment=_environment,
    usergroups=(
        {"handle": "aias-platform", "name": "AIAS platform approvers", "users": ["ben", "chloe", "dev"]},
        {"handle": "aias-billing", "name": "AIAS billing approvers", "users": ["ben", "dev"]},
        {"handle": "aias-database", "name": "AIAS database approvers", "users": ["chloe", "dev"]},
        {"handle": "aias-security", "name": "AIAS security team", "users": ["ben", "chloe", "dev"]},
    ),
)
