"""Step types of other packages: equal to ours in the editor, in validation, in runs and in library files."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from llm_admin.runtime.steps import STEP_BUILDERS
from llm_admin.runtime.steps.base import Step
from llm_admin.schemas.steps import STEP_SPECS, StepSpec

Builder = Callable[[Any], Step]


def register_step(spec: type[StepSpec]) -> Callable[[Builder], Builder]:
    """Joins a step type's spec to its builder, in your AppConfig.ready():

    @register_step(ShoutStep)
    def build(spec: ShoutStep):
        async def run(values, context):
            return values[spec.source].upper()
        return run
    """
    kind = spec.model_fields["type"].default
    if not isinstance(kind, str) or not kind:
        raise ImproperlyConfigured(f'{spec.__name__} needs a field `type: Literal["name"] = "name"`.')

    def add(builder: Builder) -> Builder:
        STEP_SPECS.register(kind, spec)
        STEP_BUILDERS.register(kind, builder)
        return builder

    return add
