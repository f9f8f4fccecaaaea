"""Numbers and times as people read them, everywhere the same. Unknown is None and shows as "unknown", never as 0.

A template gives "" for what it does not find: that is unknown, too.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django import template
from django.utils import formats, timezone
from django.utils.html import format_html

from llm_admin.choices import ErrorKind

if TYPE_CHECKING:
    from django.utils.safestring import SafeString

    from llm_admin.models import Workspace

register = template.Library()

UNKNOWN = "unknown"
SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥", "INR": "₹"}
NANO = Decimal(10) ** 9
MINUTE, HOUR, DAY = 60, 3600, 86400


@register.filter
def cost(nano: int | None, workspace: Workspace | None = None) -> str:
    """US nano-dollars in the workspace's currency: `{{ run.cost_nano|cost:request.workspace }}`."""
    if not isinstance(nano, int):
        return UNKNOWN
    currency = workspace.currency if workspace else "USD"
    rate = workspace.currency_rate if workspace else Decimal(1)
    return money(Decimal(nano) / NANO * rate, currency)


def money(amount: Decimal, currency: str = "USD") -> str:
    """Two decimals from 1 on; below, three significant digits without useless zeros: $0.00042, $0.50."""
    sign = "-" if amount < 0 else ""
    return f"{sign}{SYMBOLS.get(currency, currency + ' ')}{_digits(abs(amount))}"


def _digits(amount: Decimal) -> str:
    if amount >= 1 or amount == 0:
        return f"{amount:,.2f}"
    text = f"{amount:.{2 - amount.adjusted()}f}".rstrip("0")
    whole, _, decimals = text.partition(".")
    return f"{whole}.{decimals:0<2}"


@register.filter
def duration(ms: float | None) -> str:
    if not isinstance(ms, int | float):
        return UNKNOWN
    if ms < 999.5:
        return f"{ms:.0f} ms"
    seconds = ms / 1000
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    seconds = round(seconds)
    if seconds < HOUR:
        return f"{seconds // MINUTE} min {seconds % MINUTE} s"
    return f"{seconds // HOUR} h {seconds % HOUR // MINUTE} min"


@register.filter
def tokens(count: int | None) -> str:
    return f"{count:,}" if isinstance(count, int) else UNKNOWN


@register.filter
def in_out(row: Any) -> str:
    """Tokens of a run, a step or a log: "43 in, 81 out"."""
    if row.input_tokens is None and row.output_tokens is None:
        return UNKNOWN
    return f"{tokens(row.input_tokens)} in, {tokens(row.output_tokens)} out"


@register.filter
def exact_cost(nano: int | None, workspace: Workspace | None = None) -> str:
    """Every digit, for the hover over a rounded cost."""
    if not isinstance(nano, int):
        return ""
    rate, currency = (workspace.currency_rate, workspace.currency) if workspace else (Decimal(1), "USD")
    return f"{(Decimal(nano) / NANO * rate).normalize():f} {currency}"


@register.filter
def ago(moment: dt.datetime | None) -> SafeString | str:
    """<time>3 min ago</time>, the exact time on hover; None is "never"."""
    if not moment:
        return "never"
    local = timezone.localtime(moment)
    return format_html('<time datetime="{}" title="{}">{}</time>', local.isoformat(), exactly(moment), ago_text(moment))


def exactly(moment: dt.datetime) -> str:
    local = timezone.localtime(moment)
    return f"{formats.date_format(local, 'j M Y, H:i:s')} {local.tzname()}"


def ago_text(moment: dt.datetime, *, now: dt.datetime | None = None) -> str:
    seconds = int(((now or timezone.now()) - moment).total_seconds())
    if seconds < 0:
        return formats.date_format(timezone.localtime(moment), "j M Y, H:i")
    if seconds < 10:
        return "just now"
    for limit, unit, word in ((MINUTE, 1, "s"), (HOUR, MINUTE, "min"), (DAY, HOUR, "h")):
        if seconds < limit:
            return f"{seconds // unit} {word} ago"
    days = seconds // DAY
    if days < 30:
        return "1 day ago" if days == 1 else f"{days} days ago"
    return formats.date_format(timezone.localtime(moment), "j M Y")


@register.filter
def per_million(dollars: Decimal, workspace: Workspace | None = None) -> str:
    """A price in the workspace's currency: $0.15/M."""
    if workspace is None:
        return f"{money(dollars)}/M"
    return f"{money(dollars * workspace.currency_rate, workspace.currency)}/M"


@register.filter
def error_kind(value: str) -> str:
    """ "rate_limit" -> "Too many requests"; what an older or newer version wrote, as it is."""
    return ErrorKind(value).label if value in ErrorKind.values else value
