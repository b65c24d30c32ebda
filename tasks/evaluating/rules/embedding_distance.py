"""Distance of two texts by an embedding model: the platform's EMBEDDING-DISTANCE, as far as it is known.

The platform's own model is not known, so figures compare only where one model made them.
"""

from collections.abc import Sequence

import numpy as np

EMBEDDED_CHARACTERS = 1_000
"""Characters of a text that are embedded: its head, as much as Qianfan's own models read."""


def cosine_distance(one: Sequence[float], other: Sequence[float]) -> float:
    """1 minus the cosine: 0 for the same direction, 1 for none in common.

    Raises:
        ValueError: the vectors have different lengths.
    """
    if len(one) != len(other):
        raise ValueError(f"Embeddings of {len(one)} and {len(other)} numbers have no distance.")
    left, right = np.asarray(one, dtype=np.float64), np.asarray(other, dtype=np.float64)
    lengths = float(np.linalg.norm(left) * np.linalg.norm(right))
    return 1.0 - float(left @ right) / lengths if lengths else 1.0
