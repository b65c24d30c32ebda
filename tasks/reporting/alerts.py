"""The file of alerts in use."""

from pathlib import Path

from tasks.domain.errors import UsageError, unread_reason
from tasks.reporting.rules.stories.alerts import Alert, parse_alerts

_DEFAULT = Path(__file__).with_name("alerts.toml")


def load_alerts(path: str = "") -> tuple[Alert, ...]:
    """Read a shop's own alerts, or the default ones.

    Raises:
        UsageError: the file can't be read, or is not of the form.
    """
    try:
        return parse_alerts((Path(path) if path else _DEFAULT).read_text(encoding="utf-8"), path or str(_DEFAULT))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"--alerts {path} can't be read: {unread_reason(error)}.") from None
