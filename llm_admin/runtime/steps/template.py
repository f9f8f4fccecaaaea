from __future__ import annotations

from llm_admin.runtime.steps.base import Step, StepContext, Values, put_in
from llm_admin.schemas.steps.template import TemplateStep


def build(spec: TemplateStep) -> Step:
    async def run(values: Values, context: StepContext) -> str:
        return put_in(spec.text, values)

    return run
