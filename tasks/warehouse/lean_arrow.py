"""Arrow in no more memory than a day needs.

pyarrow imports pandas, where that is installed, at the first list that becomes an array, since it might be a column of
a data frame. That takes 45 MB and a third of a second in every process; nothing here makes data frames. `to_pandas`
looks for pandas once more and works as ever.
"""

import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType

import pyarrow as pa


class _NoPandas:
    """A finder that ends the search for pandas."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        if name == "pandas":
            raise ModuleNotFoundError(name)
        return None


def use_less_memory() -> None:
    """Let pyarrow do without pandas, and give back what a large day's batches no longer use."""
    # Arrow's own allocator keeps it.
    pa.set_memory_pool(pa.system_memory_pool())
    sys.meta_path.insert(0, _NoPandas)
    try:
        pa.array([""])
    finally:
        sys.meta_path.remove(_NoPandas)
