"""What goes wrong with stored files (RB-015): the quota is used up, by rubbish or by files that are needed."""

from __future__ import annotations

from bot.sandbox.alacarte.ground import run, settled
from bot.sandbox.sample import Fault, Ground, Planted

MEGABYTE = 1024 * 1024
PAUSED = "application/x-uploads-paused"


async def _files(ground: Ground, bucket: str, number: int, megabytes: int, *, days: int) -> None:
    """So many files of a size, of that many days ago."""
    await run(
        ground,
        "INSERT INTO storage.objects (bucket_id, name, metadata, created_at)"
        f" SELECT '{bucket}', 'planted/' || md5('{bucket}' || n) || '.bin',"
        f" jsonb_build_object('size', {megabytes * MEGABYTE}, 'mimetype', 'application/octet-stream'),"
        f" now() - make_interval(days => {days}, mins => n) FROM generate_series(1, {number}) AS n",
    )


async def storage_full(ground: Ground) -> Planted:
    """Over the quota, mostly by temporary uploads that nobody removed; three of them are still used by messages."""
    await settled(ground)
    await _files(ground, "temp-uploads", 640, 120, days=120)
    await run(
        ground,
        "INSERT INTO message_attachments (message_id, bucket_id, object_name)"
        " SELECT md5('message 1')::uuid, bucket_id, name FROM storage.objects"
        " WHERE name LIKE 'planted/%' ORDER BY name LIMIT 3",
    )
    return Planted()


async def storage_full_of_use(ground: Ground) -> Planted:
    """Over the quota by attachments of the last days, with nothing old to remove."""
    await settled(ground)
    await _files(ground, "attachments", 400, 190, days=2)
    return Planted()


async def storage_filling(ground: Ground) -> Planted:
    """Over the alarm of 80 %, and not full yet."""
    await settled(ground)
    await _files(ground, "attachments", 400, 130, days=3)
    return Planted()


async def storage_too_many(ground: Ground) -> Planted:
    """More old uploads than one request can remove."""
    await settled(ground)
    await _files(ground, "temp-uploads", 1400, 40, days=100)
    return Planted()


async def storage_paused(ground: Ground) -> Planted:
    """There is room again, and uploads to a bucket are still paused."""
    await settled(ground)
    await run(ground, f"UPDATE storage.buckets SET allowed_mime_types = ARRAY['{PAUSED}'] WHERE id = 'attachments'")
    return Planted()


async def storage_sizes_unknown(ground: Ground) -> Planted:
    """Uploads that never ended: Storage knows no size of theirs."""
    await settled(ground)
    await run(
        ground,
        "INSERT INTO storage.objects (bucket_id, name, metadata)"
        " SELECT 'temp-uploads', 'planted/' || md5('unfinished ' || n), NULL FROM generate_series(1, 5) AS n",
    )
    return Planted()


STORAGE_FAULTS: dict[str, Fault] = {
    "storage_full": storage_full,
    "storage_full_of_use": storage_full_of_use,
    "storage_filling": storage_filling,
    "storage_too_many": storage_too_many,
    "storage_paused": storage_paused,
    "storage_sizes_unknown": storage_sizes_unknown,
}
