from __future__ import annotations

from llm_admin.choices import ErrorKind
from llm_admin.exceptions import CallFailed
from llm_admin.runtime.steps.base import Paused, Step, StepContext, Values, as_text, put_in, value_at
from llm_admin.schemas.records import ApprovalRequest
from llm_admin.schemas.steps.approval import ApprovalStep


def build(spec: ApprovalStep) -> Step:
    async def run(values: Values, context: StepContext) -> str:
        decision = context.run.decisions.get(context.path)
        if decision is None:
            context.run.recorder.approval_asked(_request(spec, values, context))
            raise Paused
        context.note = f"{'Approved' if decision.approved else 'Declined'} by {decision.by}" + (
            f": {decision.word}" if decision.word else ""
        )
        if not decision.approved:
            raise CallFailed(ErrorKind.DECLINED, context.note)
        return decision.text

    return run


def _request(spec: ApprovalStep, values: Values, context: StepContext) -> ApprovalRequest:
    text = put_in(spec.text, values) if spec.text.strip() else as_text(value_at("", values, context))
    return ApprovalRequest(
        path=context.path,
        step_id=spec.id,
        title=spec.heading,
        question=put_in(spec.question, values),
        text=text,
        role=spec.role,
        people=spec.people,
        hours=spec.hours,
        at_deadline=spec.at_deadline,
    )
