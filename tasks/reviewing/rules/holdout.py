"""Hold out the conversations that no tuning trains on."""

HELD_OUT_SHARE = 0.2

_BUCKETS = 10_000


def is_held_out(content_hash: str) -> bool:
    """Return true where a conversation is kept for evaluation and never trained on."""
    return int(content_hash[:8], 16) % _BUCKETS < HELD_OUT_SHARE * _BUCKETS
