from __future__ import annotations

from typing import Any

from llm_admin.choices import ErrorKind
from llm_admin.exceptions import CallFailed
from llm_admin.runtime.retrievers import get_retriever
from llm_admin.runtime.steps.base import Step, StepContext, Values, as_text, put_in, value_at
from llm_admin.schemas.steps.retrieve import RetrieveStep


def build(spec: RetrieveStep) -> Step:
    async def run(values: Values, context: StepContext) -> list[dict[str, Any]]:
        query = put_in(spec.query, values) if spec.query.strip() else as_text(value_at("", values, context))
        try:
            retriever = get_retriever(spec.collection)
        except KeyError:
            raise CallFailed(ErrorKind.BAD_REQUEST, f"there is no collection “{spec.collection}” any more") from None
        passages = await retriever.search(query, count=spec.count)
        return [{"text": one.text, "source": one.source, "score": one.score} for one in passages]

    return run
