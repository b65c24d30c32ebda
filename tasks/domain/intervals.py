"""The project's one confidence interval of a proportion."""

NORMAL_95 = 1.959963984540054
"""Standard errors on either side that leave out five per cent of a normal distribution."""


def wilson_interval(part: float, whole: float, standard_errors: float = NORMAL_95) -> tuple[float, float]:
    """Return Wilson's score interval of `part` in `whole`, 95 % by default; all of [0, 1] where `whole` is nothing.

    Source: E. B. Wilson, Probable inference, the law of succession, and statistical inference, 1927.
    """
    if not whole:
        return 0.0, 1.0
    z2 = standard_errors**2
    center = part + z2 / 2
    half = standard_errors * (part * (whole - part) / whole + z2 / 4) ** 0.5
    return max(0.0, (center - half) / (whole + z2)), min(1.0, (center + half) / (whole + z2))
