from __future__ import annotations

from llm_admin.choices import ErrorKind
from llm_admin.exceptions import CallFailed
from llm_admin.runtime.calls import Request, call_model
from llm_admin.runtime.outputs import check_answer
from llm_admin.runtime.prompts import Chat
from llm_admin.runtime.steps.base import Step, StepContext, Values, as_text, is_chat, put_in
from llm_admin.runtime.steps.prompt import filled
from llm_admin.schemas.plans import PromptPlan
from llm_admin.schemas.steps.llm import LLMStep


def build(spec: LLMStep) -> Step:
    async def run(values: Values, context: StepContext) -> str:
        chat, prompt = _source(spec, values, context)
        answer = await call_model(context.run, _request(spec, context, chat, prompt))
        if prompt:
            check_answer(prompt.spec, answer)
        return answer

    return run


def _source(spec: LLMStep, values: Values, context: StepContext) -> tuple[Chat, PromptPlan | None]:
    if spec.prompt:
        return filled(spec, values, context), context.prompt_of(spec.id)
    if spec.text:
        return [{"role": "user", "content": put_in(spec.text, values)}], None
    name = spec.messages_from or context.previous
    value = values.get(name)
    if is_chat(value):
        return value["messages"], context.prompt_of(name)  # type: ignore[index]
    return [{"role": "user", "content": as_text(value)}], None


def _request(spec: LLMStep, context: StepContext, chat: Chat, prompt: PromptPlan | None) -> Request:
    if not any(m["content"].strip() for m in chat):
        raise CallFailed(ErrorKind.BAD_REQUEST, "there is nothing to ask the model: the messages are empty")
    plan = context.run.plan
    own = prompt.spec if prompt else None
    alias = plan.model or spec.model or (own.model if own else None) or plan.default_model
    if not alias:
        raise CallFailed(ErrorKind.BAD_REQUEST, "no model is chosen, and the workspace has no default model")
    parameters = (own.call_parameters() if own else {}) | spec.parameters.given()
    return Request(path=context.path, alias=alias, chat=chat, parameters=parameters, prompt=prompt)
