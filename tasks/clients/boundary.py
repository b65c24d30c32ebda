"""The limit of symbolic links in folders where others than the operator lay files."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tasks.clients.folder_faults import printable_path
from tasks.domain.errors import StoreRefused


@dataclass(frozen=True, slots=True)
class Boundary:
    """A folder (or a single file) that reading does not leave.

    Args:
        within: its real path.
    """

    within: Path

    @classmethod
    def of(cls, base: Path, place: Path) -> Self:
        """The boundary of what is read at `place`: itself where it lies in `base`, which a person named, or `base`."""
        named, widest = Path(os.path.realpath(place)), Path(os.path.realpath(base))
        return cls(named if named.is_dir() and named.is_relative_to(widest) else widest)

    def check(self, path: Path, shown: str) -> None:
        """Return if a path leads to a file inside.

        Raises:
            StoreRefused: it leads out; the message calls it as `shown`.
        """
        if not Path(os.path.realpath(path)).is_relative_to(self.within):
            within = printable_path(str(self.within))
            raise StoreRefused(
                f"{shown} is behind a symbolic link that leads out of {within}, and logs are read from there only. Lay "
                "a copy in its place, or name the folder that it leads to as --source; nothing was changed."
            )
