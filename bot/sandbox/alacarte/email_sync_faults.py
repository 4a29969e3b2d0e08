"""What stops the sync of mailboxes (RB-007): the job, expired tokens, changed passwords, servers that do not answer."""

from __future__ import annotations

from typing import Any

from bot.sandbox.alacarte.platform import FUNCTIONS, connected, often, said
from bot.sandbox.sample import Fault, Ground, Planted
from bot.sandbox.services import Asked, Reply

SYNC, REFRESH, TEST = (f"/functions/v1/{name}" for name in ("email-sync", "oauth-refresh-tokens", "manual-imap-test"))
COMMAND = (
    f"SELECT net.http_post(url := '{FUNCTIONS}/email-sync', headers := jsonb_build_object('Authorization',"
    " 'Bearer ' || (SELECT decrypted_secret FROM vault.decrypted_secrets WHERE name = 'service_key')))"
)
PLACEHOLDER = (
    f"SELECT net.http_post(url := '{FUNCTIONS}/email-sync',"
    """ headers := '{"Authorization": "Bearer YOUR_ANON_KEY"}'::jsonb)"""
)
PASSWORDS = ("inbox10@example.test", "inbox11@example.test", "inbox12@example.test")
_SYNCED = """
UPDATE email_accounts SET last_sync_at = now()
WHERE is_active AND sync_enabled AND (oauth_token_expires_at IS NULL OR oauth_token_expires_at > now())
  AND email <> ALL($1::text[])
"""
_RUNS = """
INSERT INTO cron.job_run_details (jobid, status, return_message, start_time, end_time)
SELECT 1, $1, $2, now() - make_interval(mins => $3 + 5 * n), now() - make_interval(mins => $3 + 5 * n)
FROM generate_series(0, 11) AS n
"""


_RENAMED = """
DO $$
BEGIN
    IF to_regnamespace('{then}') IS NOT NULL THEN
        ALTER SCHEMA {then} RENAME TO {now};
    END IF;
END
$$
"""


async def settle(ground: Ground) -> None:
    """Every mailbox was synced two minutes ago by a job that runs every five."""
    await extensions_on(ground)
    async with connected(ground) as connection:
        await connection.execute(
            "UPDATE email_accounts SET last_sync_at = now() - interval '2 minutes', is_active = true,"
            " sync_enabled = true, oauth_token_expires_at ="
            " CASE WHEN email = ANY($1::text[]) THEN NULL ELSE now() + interval '20 days' END",
            list(PASSWORDS),
        )
        await connection.execute("TRUNCATE cron.job, cron.job_run_details")
    await _job(ground, COMMAND)
    await _ran(ground, "succeeded", None, 2)
    _answers(ground)


def _answers(ground: Ground, *, broken: tuple[str, ...] = (), reachable: bool = True) -> None:
    """How the three functions answer; mailboxes in `broken` are not synced."""

    async def synced(_: Asked) -> Any:
        async with connected(ground) as connection:
            done = await connection.execute(_SYNCED, list(broken))
        return {"synced": int(done.split()[-1])}

    async def refreshed(_: Asked) -> Any:
        async with connected(ground) as connection:
            done = await connection.execute(
                "UPDATE email_accounts SET oauth_token_expires_at = now() + interval '1 hour'"
                " WHERE oauth_token_expires_at < now()"
            )
        return {"refreshed": int(done.split()[-1])}

    tested = {"ok": True} if reachable else {"ok": False, "error": "connect ECONNREFUSED 203.0.113.7:993"}
    ground.services.answer("POST", SYNC, Reply(then=synced, token=True))
    ground.services.answer("POST", REFRESH, Reply(then=refreshed, token=True))
    ground.services.answer("POST", TEST, Reply(json=tested, token=True))


async def _job(ground: Ground, command: str, *, active: bool = True) -> None:
    async with connected(ground) as connection:
        await connection.execute("DELETE FROM cron.job")
        await connection.execute(
            "INSERT INTO cron.job (jobid, jobname, schedule, command, active)"
            " VALUES (1, 'sync-emails', '*/5 * * * *', $1, $2)",
            command,
            active,
        )


async def _ran(ground: Ground, status: str, message: str | None, since: int) -> None:
    """The last twelve runs all ended so, the newest so many minutes ago."""
    async with connected(ground) as connection:
        await connection.execute("TRUNCATE cron.job_run_details")
        await connection.execute(_RUNS, status, message, since)


async def _late(ground: Ground, where: str = "true", minutes: int = 45) -> None:
    async with connected(ground) as connection:
        await connection.execute(
            f"UPDATE email_accounts SET last_sync_at = now() - make_interval(mins => $1) WHERE {where}", minutes
        )


async def _account(ground: Ground, where: str) -> dict[str, str]:
    async with connected(ground) as connection:
        found = await connection.fetchval(f"SELECT id FROM email_accounts WHERE {where} ORDER BY email LIMIT 1")
    return {"account": str(found)}


async def healthy(ground: Ground) -> Planted:
    """Every mailbox is fresh."""
    return Planted(await _account(ground, "true"))


async def cron_missing(ground: Ground) -> Planted:
    """pg_cron is not switched on."""
    await job_missing(ground)
    async with connected(ground) as connection:
        await connection.execute(_RENAMED.format(then="cron", now="cron_off"))
    return Planted()


async def net_missing(ground: Ground) -> Planted:
    """pg_net is not switched on: every run of the job fails."""
    await _late(ground)
    await _ran(ground, "failed", 'ERROR: schema "net" does not exist', 2)
    async with connected(ground) as connection:
        await connection.execute(_RENAMED.format(then="net", now="net_off"))
    return Planted()


async def extensions_on(ground: Ground) -> Planted:
    """What a person does about both; the next run of the job is a good one."""
    async with connected(ground) as connection:
        for name in ("cron", "net"):
            await connection.execute(_RENAMED.format(then=f"{name}_off", now=name))
    await _ran(ground, "succeeded", None, 0)
    return Planted()


async def job_missing(ground: Ground) -> Planted:
    """There is no job any more."""
    await _late(ground)
    async with connected(ground) as connection:
        await connection.execute("TRUNCATE cron.job, cron.job_run_details")
    return Planted()


async def job_made(ground: Ground) -> Planted:
    """What a person does about that."""
    await _job(ground, COMMAND)
    return Planted()


async def job_off(ground: Ground) -> Planted:
    """Somebody switched the job off."""
    await _late(ground)
    await _job(ground, COMMAND, active=False)
    await _ran(ground, "succeeded", None, 45)
    return Planted()


async def job_placeholder(ground: Ground) -> Planted:
    """The job sends a document's placeholder in place of a key; each run succeeds, for it only sends a request."""
    await _late(ground)
    await _job(ground, PLACEHOLDER)
    return Planted()


async def key_in_text(ground: Ground) -> Planted:
    """The job works, with its key in plain text."""
    await _job(ground, PLACEHOLDER.replace("YOUR_ANON_KEY", "eyJ" + "sample" * 8))
    return Planted()


async def job_fails(ground: Ground) -> Planted:
    """The job runs, and every run fails."""
    await _late(ground)
    await _ran(ground, "failed", "ERROR: permission denied for table decrypted_secrets", 2)
    return Planted()


async def scheduler_stopped(ground: Ground) -> Planted:
    """The job is there and switched on, and has not run for three quarters of an hour."""
    await _late(ground)
    await _ran(ground, "succeeded", None, 45)
    return Planted()


async def scheduler_runs(ground: Ground) -> Planted:
    """What a restart of the scheduler does about that."""
    await _ran(ground, "succeeded", None, 0)
    return Planted()


async def tokens_expired(ground: Ground) -> Planted:
    """Three tokens have expired."""
    where = "email IN ('inbox1@example.test', 'inbox2@example.test', 'inbox3@example.test')"
    await _late(ground, where, 90)
    async with connected(ground) as connection:
        await connection.execute(
            f"UPDATE email_accounts SET oauth_token_expires_at = now() - interval '80 minutes' WHERE {where}"
        )
    said(ground, "email-sync", *often("error: inbox: invalid_grant, token expired"))
    return Planted()


async def password_refused(ground: Ground) -> Planted:
    """A customer has changed the password of their mailbox."""
    where = f"email = '{PASSWORDS[0]}'"
    await _late(ground, where, 90)
    said(ground, "email-sync", *often("error: [AUTHENTICATIONFAILED] Authentication failed"))
    _answers(ground, broken=PASSWORDS[:1])
    return Planted(await _account(ground, where))


async def password_given(ground: Ground) -> Planted:
    """What the customer does about that, and the next run of the job."""
    _answers(ground)
    async with connected(ground) as connection:
        await connection.execute(_SYNCED, [])
    return Planted()


async def server_away(ground: Ground) -> Planted:
    """A customer's mail server refuses connections."""
    where = f"email = '{PASSWORDS[1]}'"
    await _late(ground, where, 60)
    said(ground, "email-sync", *often("error: connect ECONNREFUSED 203.0.113.7:993"))
    _answers(ground, broken=PASSWORDS[1:2], reachable=False)
    return Planted(await _account(ground, where))


async def server_flaky(ground: Ground) -> Planted:
    """The same, and it answers again."""
    planted = await server_away(ground)
    _answers(ground)
    return planted


async def server_back(ground: Ground) -> Planted:
    """What a corrected port does about it."""
    _answers(ground)
    return Planted()


async def only_late(ground: Ground) -> Planted:
    """Mailboxes are late, and nothing says why."""
    await _late(ground, "email < 'inbox3'", 20)
    return Planted()


async def account_off(ground: Ground) -> Planted:
    """The mailbox in question is not synced because somebody switched that off."""
    where = "email = 'inbox4@example.test'"
    await _late(ground, where, 4000)
    async with connected(ground) as connection:
        await connection.execute(f"UPDATE email_accounts SET sync_enabled = false WHERE {where}")
    return Planted(await _account(ground, where))


EMAIL_SYNC_FAULTS: dict[str, Fault] = {
    "email_healthy": healthy,
    "email_cron_missing": cron_missing,
    "email_net_missing": net_missing,
    "email_extensions_on": extensions_on,
    "email_job_missing": job_missing,
    "email_job_made": job_made,
    "email_job_off": job_off,
    "email_job_placeholder": job_placeholder,
    "email_job_fails": job_fails,
    "email_key_in_text": key_in_text,
    "email_scheduler_stopped": scheduler_stopped,
    "email_scheduler_runs": scheduler_runs,
    "email_tokens_expired": tokens_expired,
    "email_password_refused": password_refused,
    "email_password_given": password_given,
    "email_server_away": server_away,
    "email_server_flaky": server_flaky,
    "email_server_back": server_back,
    "email_only_late": only_late,
    "email_account_off": account_off,
}
