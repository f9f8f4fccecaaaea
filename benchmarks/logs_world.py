"""Two workspaces with what logs name: models, deployments with prices, prompts with versions, workflows, people."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

VERSIONS = 4
CONNECTIONS = ("Europe", "America", "Asia")
STEPS = (3, 2, 4, 1, 3, 5, 2, 3, 2, 4, 3, 1, 2, 3, 2)  # prompts that a workflow uses


@dataclass(frozen=True)
class Place:
    """A deployment: nano-dollars per token in and out; None where nobody knows a price."""

    id: int
    price_id: int | None
    nano_in: int | None
    nano_out: int | None


@dataclass(frozen=True)
class Model:
    id: int
    first_ms: int
    token_ms: float
    places: list[Place]


@dataclass(frozen=True)
class Workspace:
    """`prompts`: id and its versions'; the last prompt, model and person are hardly ever used."""

    id: int
    share: float
    models: list[Model] = field(default_factory=list)
    prompts: list[tuple[int, list[int]]] = field(default_factory=list)
    workflows: list[tuple[int, list[int]]] = field(default_factory=list)  # positions of its prompts
    users: list[int] = field(default_factory=list)


def build() -> list[Workspace]:
    """In an empty, migrated database: 95 % of the calls will be the default workspace's."""
    from llm_admin.services import workspaces

    small = workspaces.create(slug="small", name="Small")
    sizes = {"models": 10, "prompts": 50, "workflows": 15, "users": 100}
    return [
        _fill(workspaces.default(), 0.95, **sizes),
        _fill(small, 0.05, models=3, prompts=6, workflows=2, users=8),
    ]


def _fill(workspace: Any, share: float, *, models: int, prompts: int, workflows: int, users: int) -> Workspace:
    from django.db import transaction

    from llm_admin.tenancy import workspace_scope

    made = Workspace(workspace.pk, share)
    with transaction.atomic(), workspace_scope(workspace):
        made.models.extend(_model(workspace, n, last=n == models - 1) for n in range(models))
        rows = [_prompt(workspace, n) for n in range(prompts)]
        made.prompts.extend((prompt.pk, versions) for prompt, versions in rows)
        made.users.extend(_people(workspace, users))
        slugs = [prompt.slug for prompt, _ in rows]
        for n in range(workflows):
            used = [(n * 3 + step * 7) % (prompts - 1) for step in range(STEPS[n])]
            made.workflows.append((_workflow(workspace, n, [slugs[one] for one in used]), used))
    return made


def _model(workspace: Any, n: int, *, last: bool) -> Model:
    """Every other one has two deployments; the first one's second place has no price."""
    from llm_admin.models import Connection, Deployment, DeploymentPrice, LanguageModel

    connection, _ = Connection.objects.get_or_create(workspace=workspace, name=CONNECTIONS[n % 3], provider="fake")
    row = LanguageModel.objects.create(workspace=workspace, alias=f"model-{n}", name=f"Model {n}")
    places = []
    for at in range(1 if last or n % 2 else 2):
        place = Deployment.objects.create(
            model=row, connection=connection, provider_model=f"demo:words={20 + n}", priority=at + 1
        )
        if n == 0 and at == 1:
            places.append(Place(place.pk, None, None, None))
            continue
        dollars = (0.1 * (n + 1), 0.4 * (n + 1))
        price = DeploymentPrice.objects.create(
            deployment=place, input_per_million=f"{dollars[0]:.1f}", output_per_million=f"{dollars[1]:.1f}"
        )
        places.append(Place(place.pk, price.pk, round(dollars[0] * 1000), round(dollars[1] * 1000)))
    return Model(row.pk, first_ms=180 + 70 * n, token_ms=4 + 2.5 * n, places=places)


def _prompt(workspace: Any, n: int) -> tuple[Any, list[int]]:
    from llm_admin.schemas.prompts import MessageSpec, PromptSpec, declare
    from llm_admin.services import actors, prompts

    actor = actors.system(workspace)

    def spec(number: int) -> PromptSpec:
        return declare(PromptSpec(messages=[MessageSpec(text=f"Prompt {n}, version {number}: {{{{topic}}}}")]))

    prompt = prompts.create(actor=actor, name=f"Prompt {n}", spec=spec(1), slug=f"prompt-{n}")
    later = [prompts.save_version(prompt, actor=actor, spec=spec(number)) for number in range(2, VERSIONS + 1)]
    return prompt, [prompt.versions.get(number=1).pk, *(version.pk for version in later)]


def _workflow(workspace: Any, n: int, slugs: list[str]) -> int:
    from llm_admin.schemas.workflows import WorkflowSpec
    from llm_admin.services import actors, workflows

    steps = [{"type": "llm", "id": f"answer_{at}", "prompt": slug}
             for at, slug in enumerate(slugs)]  # fmt: skip
    spec = WorkflowSpec.model_validate({"inputs": [{"name": "topic", "type": "text"}], "steps": steps})
    return workflows.create(actor=actors.system(workspace), name=f"Workflow {n}", spec=spec, slug=f"flow-{n}").pk


def _people(workspace: Any, count: int) -> list[int]:
    from django.contrib.auth import get_user_model

    from llm_admin.models import Membership

    User = get_user_model()
    rows = [User(username=f"{workspace.slug}-{n}", is_staff=True, password="!") for n in range(count)]
    people = User.objects.bulk_create(rows)
    Membership.objects.bulk_create([Membership(workspace=workspace, user=one, role="author") for one in people])
    return [one.pk for one in people]
