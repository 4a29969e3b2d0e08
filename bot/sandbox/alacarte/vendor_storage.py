"""Supabase Storage as the sample system uses it: objects go and buckets close through its API alone."""

from __future__ import annotations

from typing import Any

from bot.sandbox.sample import Ground
from bot.sandbox.services import Asked, Reply


def serve(ground: Ground) -> None:
    """Answer the Storage API's calls, on the database's own tables of objects and buckets."""

    async def remove(asked: Asked) -> Any:
        """DELETE /object/{bucket} with the names under `prefixes`: the files and their rows go together."""
        names = list((asked.json or {}).get("prefixes", ()))
        return await _rows(
            ground,
            "DELETE FROM storage.objects WHERE bucket_id = $1 AND name = ANY($2::text[]) RETURNING bucket_id, name",
            asked.path.rpartition("/")[2],
            names,
        )

    async def change(asked: Asked) -> Any:
        """PUT /bucket/{id}: what is named is changed, the rest stays."""
        given = asked.json or {}
        await _rows(
            ground,
            "UPDATE storage.buckets SET public = $2, allowed_mime_types = $3::text[], updated_at = now()"
            " WHERE id = $1 RETURNING id",
            asked.path.rpartition("/")[2],
            bool(given.get("public")),
            given.get("allowed_mime_types"),
        )
        return {"message": "Successfully updated"}

    ground.services.answer("DELETE", "/storage/v1/object/{bucket}", Reply(then=remove, token=True))
    ground.services.answer("PUT", "/storage/v1/bucket/{id}", Reply(then=change, token=True))


async def _rows(ground: Ground, statement: str, *values: object) -> list[dict[str, Any]]:
    connection = await ground.database.connect()
    try:
        return [dict(row) for row in await connection.fetch(statement, *values)]
    finally:
        await connection.close()
