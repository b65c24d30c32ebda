"""Attributes of the conversations as dimensions of the figures."""

from dataclasses import dataclass

from tasks.domain.errors import UsageError

# Dimensions that every day has; an attribute of such a name would be mixed up with it.
BUILT_IN = frozenset(
    {
        "all",
        "accepted_negative",
        "channel",
        "hour",
        "issue_word",
        "model",
        "plan_theme",
        "plan_word",
        "prompt_version",
        "reason",
        "run",
        "theme",
        "turns",
    }
)

MOST = 20


@dataclass(frozen=True, slots=True)
class AttributeDimensions:
    """The attributes by which figures are broken down.

    Args:
        names: keys of `attributes`.
        min_count: a value with fewer conversations is counted together with its like.

    Raises:
        UsageError: a name is there twice or is that of a dimension which every day has, or there are too many.
    """

    names: tuple[str, ...] = ()
    min_count: int = 1

    def __post_init__(self) -> None:
        if taken := sorted(BUILT_IN & set(self.names)):
            raise UsageError(f"--dimensions: {', '.join(taken)} is always a dimension; name attributes only.")
        if len(set(self.names)) < len(self.names) or not all(self.names):
            raise UsageError(f"--dimensions: {', '.join(self.names)} names an attribute twice, or none.")
        if len(self.names) > MOST:
            raise UsageError(f"--dimensions: {len(self.names)} attributes are too many; name at most {MOST}.")


NO_ATTRIBUTES = AttributeDimensions()
