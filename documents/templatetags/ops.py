"""How operators read spans of time and memory."""

from datetime import timedelta

from django import template

register = template.Library()

_UNITS = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))


@register.filter
def span(value: timedelta) -> str:
    """`3 min 20 s`: the two largest units."""
    left = max(0, int(value.total_seconds()))
    parts: list[str] = []
    for size, unit in _UNITS:
        count, left = divmod(left, size)
        if count or parts:
            parts.append(f"{count} {unit}" if count else "")
        if len(parts) == 2:
            break
    return " ".join(part for part in parts if part) or "0 s"


@register.filter
def megabytes(kilobytes: int) -> str:
    return f"{kilobytes / 1000:.0f} MB" if kilobytes else ""
