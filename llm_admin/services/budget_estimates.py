"""What a call will use, before it is made: what it asks by its size, what is answered by what was answered before."""

from __future__ import annotations

from typing import NamedTuple

from llm_admin.choices import BudgetUnit, CallStatus
from llm_admin.models import InteractionLog
from llm_admin.runtime.pricing import cost_nano
from llm_admin.schemas.plans import ModelPlan
from llm_admin.schemas.records import CallStart
from llm_admin.schemas.usage import MOST_TOKENS, TokenUsage
from llm_admin.services import catalogue

BYTES_A_TOKEN = 4  # of UTF-8: four letters of English, or about one Chinese character
TOKENS_A_MESSAGE = 4  # beside its text
USUAL_ANSWER = 1_000  # tokens, where nothing is known
WINDOW = 1_000  # the newest calls of the prompt among which those of the version are looked for
LOOKED_AT = 200
FEWEST = 3


class Estimate(NamedTuple):
    """`money` in nano-dollars; None where no price is known."""

    tokens: int
    money: int | None

    def amount(self, unit: str) -> int | None:
        return {BudgetUnit.CALLS: 1, BudgetUnit.TOKENS: self.tokens, BudgetUnit.MONEY: self.money}[BudgetUnit(unit)]


def estimate(start: CallStart, model: ModelPlan) -> Estimate:
    """In the writer's thread. Of several places at which the model runs, the dearest: any may have to answer."""
    asked, answered = _asked(start), _answered(start)
    usage = TokenUsage(input=asked, output=answered)
    costs = [cost for place in model.deployments if (cost := cost_nano(place.price, usage)) is not None]
    return Estimate(asked + answered, max(costs, default=None))


def _asked(start: CallStart) -> int:
    texts = sum(len(str(message.get("content", "")).encode(errors="replace")) for message in start.messages)
    return -(-texts // BYTES_A_TOKEN) + TOKENS_A_MESSAGE * len(start.messages)


def _answered(start: CallStart) -> int:
    """At most what the settings allow; else as long as nine of ten answers to this version were."""
    most = start.parameters.get("max_tokens")
    if not isinstance(most, int):
        return _usual(start) or USUAL_ANSWER
    return min(_usual(start) or most, most, MOST_TOKENS)


def _usual(start: CallStart) -> int | None:
    prompt_id = start.prompt_id
    if prompt_id is None or start.prompt_version_id is None:
        return None
    key = ("usual answer", start.prompt_version_id, start.model_id)
    return catalogue.cached(key, lambda: _ninth_of_ten(start, prompt_id))


def _ninth_of_ten(start: CallStart, prompt_id: int) -> int | None:
    newest = InteractionLog._base_manager.filter(prompt_id=prompt_id).order_by("-created_at").values("pk")
    rows = InteractionLog._base_manager.filter(
        pk__in=newest[:WINDOW],
        prompt_version_id=start.prompt_version_id,
        model_id=start.model_id,
        status=CallStatus.SUCCEEDED,
        cached=False,
        output_tokens__isnull=False,
    )
    newest_lengths = rows.order_by("-created_at").values_list("output_tokens", flat=True)[:LOOKED_AT]
    lengths = sorted(length for length in newest_lengths if length is not None)
    return lengths[round((len(lengths) - 1) * 0.9)] if len(lengths) >= FEWEST else None
