"""How a logged cost was computed, line by line, or why it is unknown."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from llm_admin.choices import CallStatus
from llm_admin.models import DeploymentPrice, InteractionLog
from llm_admin.runtime.pricing import CostLine, cost_lines, rates_for, total_nano
from llm_admin.schemas.plans import PricePlan
from llm_admin.schemas.usage import TokenUsage
from llm_admin.services import prices

SHORT = {
    "input": "in",
    "cached_input": "cached",
    "cache_write": "written to the cache",
    "output": "out",
    "reasoning": "reasoning",
    "per_request": "request",
}
KINDS = {
    "input": "Input",
    "cached_input": "Input, read from the provider's cache",
    "cache_write": "Input, written to the provider's cache",
    "output": "Output",
    "reasoning": "Output, for reasoning",
    "per_request": "The request itself",
}
ENDED_EARLY = (CallStatus.CANCELLED, CallStatus.INTERRUPTED)


@dataclass(frozen=True)
class Line:
    """In dollars, exactly. `rate` is per million tokens, or for the one request."""

    name: str
    short: str
    count: int
    rate: Decimal
    amount: str
    is_tokens: bool

    @property
    def rate_text(self) -> str:
        return prices.dollars(self.rate) if self.is_tokens else f"{prices.dollars(self.rate)} each"


@dataclass(frozen=True)
class Computed:
    """`why`: of an unknown cost. `notes`: what there is to know about the lines beside themselves."""

    lines: list[Line]
    price: DeploymentPrice | None
    source: str = ""
    total: str = ""
    why: str = ""
    notes: tuple[str, ...] = ()


def usage_of(log: InteractionLog) -> TokenUsage:
    return TokenUsage(
        input=log.input_tokens,
        output=log.output_tokens,
        cached_input=log.cached_input_tokens,
        cache_write=log.cache_write_tokens,
        reasoning=log.reasoning_tokens,
    )


def explain(log: InteractionLog) -> Computed:
    """The log's price is loaded with it."""
    price = log.price if log.price_id else None
    source = prices.source_text(price) if price else ""
    if log.cached:
        words = "This answer was given again from the cache: no model was asked, so it cost nothing."
        return Computed([], price, source, notes=(words,))
    plan = prices.plan_of(price) if price else None
    lines = cost_lines(plan, usage_of(log))
    if log.cost_nano is None or lines is None or plan is None:
        return Computed([], price, source, why=_why(log, price))
    total = prices.dollars(Decimal(total_nano(lines)) / Decimal(10) ** 9)
    return Computed([_line(line) for line in lines], price, source, total, notes=tuple(_notes(log, plan, lines)))


def _why(log: InteractionLog, price: DeploymentPrice | None) -> str:
    if log.cost_nano is not None:
        return "The price it was computed with is not there any more."
    if log.status in ENDED_EARLY:
        return "The cost is unknown: the call ended early, before the provider said how many tokens it took."
    if log.input_tokens is None or log.output_tokens is None:
        if log.status == CallStatus.FAILED:
            return "The cost is unknown: the call failed before the provider said how many tokens it took."
        return "The cost is unknown: the provider did not say how many tokens this took."
    if price is None:
        return "The cost is unknown: there was no price for this model at the time of the call."
    return "The cost is unknown: it was not computed when the call ended."


def _line(line: CostLine) -> Line:
    amount = prices.dollars(line.nano / Decimal(10) ** 9)
    is_tokens = line.kind != "per_request"
    return Line(KINDS[line.kind], SHORT[line.kind], line.count, line.rate, amount, is_tokens)


def _notes(log: InteractionLog, plan: PricePlan, lines: list[CostLine]) -> list[str]:
    found = []
    tier = rates_for(plan, log.input_tokens or 0).above
    if tier:
        found.append(f"The call has more than {tier:,} input tokens, so the rates of long calls hold for all of it.")
    if total_nano(lines) != log.cost_nano:
        found.append("The stored cost is not this sum: the price or the counts were changed after the call.")
    return found
