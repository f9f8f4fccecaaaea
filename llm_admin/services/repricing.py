"""Past calls priced again with what is known now: a preview, then a job that works in small steps behind a cursor."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import Count, F, Min, Q, QuerySet, Sum
from django.utils import timezone

from llm_admin.choices import RUN_OPEN, RepricingStatus
from llm_admin.conf import settings
from llm_admin.exceptions import Conflict, InvalidInput, Problem
from llm_admin.jobs.local import LOCAL
from llm_admin.jobs.writer import WRITER
from llm_admin.models import BatchRow, Deployment, DeploymentPrice, InteractionLog, LanguageModel, Repricing, Run
from llm_admin.runtime.pricing import cost_nano
from llm_admin.services import log_minutes, prices
from llm_admin.services.computed import usage_of
from llm_admin.services.live import LIVE, executor_id
from llm_admin.tenancy import workspace_scope

if TYPE_CHECKING:
    from llm_admin.services.actors import Actor

STEP = 100  # logs in one transaction
PREVIEWED = 50_000  # of more logs, only the sums that the database has are shown beforehand


@dataclass
class Sums:
    """Of the logs that were looked at. Known costs in US nano-dollars; the unknown ones are counted."""

    logs: int = 0
    changed: int = 0
    old_nano: int = 0
    new_nano: int = 0
    unknown_before: int = 0
    unknown_after: int = 0
    complete: bool = True  # whether the new costs were computed

    def add(self, old: int | None, new: int | None, *, changed: bool) -> None:
        self.logs += 1
        self.changed += changed
        self.old_nano += old or 0
        self.new_nano += new or 0
        self.unknown_before += old is None
        self.unknown_after += new is None


@dataclass
class _Prices:
    """Every price of some deployments, the newest first, read once for many logs."""

    rows: dict[int, list[DeploymentPrice]] = field(default_factory=dict)
    plans: dict[int, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, deployments: Iterable[int]) -> _Prices:
        found = cls({pk: [] for pk in deployments})
        for row in DeploymentPrice._base_manager.filter(deployment__in=list(found.rows)):
            found.rows[row.deployment_id].append(row)
            found.plans[row.pk] = prices.plan_of(row)
        return found

    def again(self, log: InteractionLog) -> tuple[int | None, int | None]:
        """Price and cost as they would be written now; as they stand where nothing better is known."""
        row = prices.in_force(self.rows.get(log.deployment_id or 0, ()), log.created_at)
        cost = cost_nano(self.plans[row.pk], usage_of(log)) if row else None
        return (row.pk, cost) if row and cost is not None else (log.price_id, log.cost_nano)


def check_since(since: dt.datetime | None) -> dt.datetime:
    if since is None:
        raise InvalidInput([Problem(("since",), "Say since when, e.g. the day from which the price holds.")])
    if since.year < 2000:  # some databases hold no day much earlier in every time zone
        raise InvalidInput([Problem(("since",), "Choose a day after the year 2000.")])
    if since > timezone.now():
        raise InvalidInput([Problem(("since",), "This day has not begun yet: there are no calls to price again.")])
    return since


def preview(*, actor: Actor, deployments: Sequence[int], since: dt.datetime, whole: bool = False) -> Sums:
    """What `start` would do. `whole`: compute the new costs however many logs there are."""
    actor.require("change_deploymentprice")
    rows = _logs(actor.workspace.pk, deployments, since, timezone.now())
    counted = rows.aggregate(logs=Count("pk"), old=Sum("cost_nano"), known=Count("cost_nano"))
    if counted["logs"] > PREVIEWED and not whole:
        unknown = counted["logs"] - counted["known"]
        return Sums(counted["logs"], old_nano=counted["old"] or 0, unknown_before=unknown, complete=False)
    sums, known = Sums(), _Prices.of(deployments)
    for log in rows.order_by("pk").iterator(chunk_size=2_000):
        price, cost = known.again(log)
        sums.add(log.cost_nano, cost, changed=(price, cost) != (log.price_id, log.cost_nano))
    return sums


def start(*, actor: Actor, model: LanguageModel | None, deployments: Sequence[int], since: dt.datetime) -> Repricing:
    """Begins in the background. Raises Conflict while another one of the same model runs."""
    actor.require("change_deploymentprice")
    job = _new(actor, model, deployments, check_since(since))
    launch(job.pk)
    return job


def run(*, actor: Actor, model: LanguageModel | None, deployments: Sequence[int], since: dt.datetime) -> Repricing:
    """The same, here and now: for the command line."""
    actor.require("change_deploymentprice")
    job = _new(actor, model, deployments, check_since(since))
    while WRITER.write_sync(lambda: step(job.pk)):
        pass
    job.refresh_from_db()
    return job


def _new(actor: Actor, model: LanguageModel | None, deployments: Sequence[int], since: dt.datetime) -> Repricing:
    now = timezone.now()
    with workspace_scope(actor.workspace), transaction.atomic():
        if model is not None:  # of two that begin at once, the other waits here
            list(LanguageModel.objects.select_for_update().filter(pk=model.pk))
        ours = list(Deployment.objects.filter(pk__in=deployments).values_list("pk", flat=True))
        if not ours:
            raise InvalidInput([Problem(("deployments",), "Choose at least one place where the model runs.")])
        if Repricing.objects.filter(model=model, status=RepricingStatus.RUNNING).exists():
            raise Conflict("Calls of this model are being priced again already. Wait until that is done.")
        rows = _logs(actor.workspace.pk, ours, since, now)
        found = rows.aggregate(first=Min("pk"), total=Count("pk"))
        return Repricing.objects.create(
            workspace=actor.workspace,
            model=model,
            deployments=ours,
            since=since,
            until=now,
            last_log=(found["first"] or 1) - 1,
            total=found["total"],
            owner=actor.user,
            created_at=now,
        )


def _logs(workspace_id: int, deployments: Sequence[int], since: dt.datetime, until: dt.datetime) -> QuerySet[Any]:
    """Answers from our own cache cost nothing at any price."""
    rows = InteractionLog._base_manager.filter(workspace=workspace_id, created_at__gte=since, created_at__lt=until)
    return rows.filter(deployment__in=list(deployments), cached=False)


def launch(job_id: UUID) -> None:
    LOCAL.submit(_work(job_id))


async def _work(job_id: UUID) -> None:
    while not LIVE.stopping and await WRITER.write(lambda: step(job_id)):
        pass


def step(job_id: UUID) -> bool:
    """Some logs further, in the writer's thread; whether there may be more. Only for whoever has the lease."""
    now = timezone.now()
    free = Q(executor=executor_id()) | Q(lease_expires_at=None) | Q(lease_expires_at__lt=now)
    ours = Repricing._base_manager.filter(pk=job_id, status=RepricingStatus.RUNNING).filter(free)
    until = now + dt.timedelta(seconds=settings().LEASE_SECONDS)
    if not ours.update(executor=executor_id(), lease_expires_at=until):
        return False
    job = Repricing._base_manager.select_related("model").get(pk=job_id)
    rows = _logs(job.workspace_id, job.deployments, job.since, job.until)
    logs = list(rows.filter(pk__gt=job.last_log).order_by("pk")[:STEP])
    if not logs:
        _finish(job)
        return False
    _store(job, _price_again(job, logs), logs[-1].pk)
    return True


def _price_again(job: Repricing, logs: list[InteractionLog]) -> Sums:
    known, sums = _Prices.of(job.deployments), Sums()
    runs = {log.run_id for log in logs if log.run_id}
    still_open = set(Run._base_manager.filter(pk__in=runs, status__in=RUN_OPEN).values_list("pk", flat=True))
    changed = []
    for log in logs:
        old, (price, cost) = log.cost_nano, known.again(log)
        if log.run_id in still_open:  # it adds up its calls itself when it ends
            price, cost = log.price_id, old
        differs = (price, cost) != (log.price_id, old)
        sums.add(old, cost, changed=differs)
        if differs:
            log.price_id, log.cost_nano = price, cost
            changed.append(log)
    InteractionLog._base_manager.bulk_update(changed, ["price", "cost_nano"])
    log_minutes.changed(log.pk for log in changed)
    _add_up({log.run_id for log in changed if log.run_id})
    return sums


def _add_up(runs: set[Any]) -> None:
    """A run's total is the sum of its calls, unknown as soon as one of them is."""
    of_runs = InteractionLog._base_manager.filter(run__in=runs).order_by().values("run_id")
    totals = of_runs.annotate(cost=Sum("cost_nano"), calls=Count("pk"), known=Count("cost_nano"))
    costs: dict[Any, int | None] = {
        one["run_id"]: one["cost"] if one["calls"] == one["known"] else None for one in totals
    }
    Run._base_manager.bulk_update([Run(pk=pk, cost_nano=cost) for pk, cost in costs.items()], ["cost_nano"])
    rows = list(BatchRow._base_manager.filter(run__in=runs).only("run_id"))
    for row in rows:
        row.cost_nano = costs[row.run_id]
    BatchRow._base_manager.bulk_update(rows, ["cost_nano"])


def _store(job: Repricing, sums: Sums, last_log: int) -> None:
    """In the same transaction as the logs: after a crash it goes on exactly behind them."""
    added = {
        "done": sums.logs,
        "changed": sums.changed,
        "old_nano": sums.old_nano,
        "new_nano": sums.new_nano,
        "unknown_before": sums.unknown_before,
        "unknown_after": sums.unknown_after,
    }
    changes = {name: F(name) + amount for name, amount in added.items()}
    Repricing._base_manager.filter(pk=job.pk).update(last_log=last_log, **changes)


def _finish(job: Repricing) -> None:
    ended = {"status": RepricingStatus.FINISHED, "ended_at": timezone.now(), "executor": "", "lease_expires_at": None}
    Repricing._base_manager.filter(pk=job.pk).update(**ended)
    if job.owner_id and job.model is not None:
        LogEntry.objects.create(
            user_id=job.owner_id,
            content_type=ContentType.objects.get_for_model(LanguageModel),
            object_id=str(job.model_id),
            object_repr=str(job.model)[:200],
            action_flag=CHANGE,
            change_message=f"Priced calls since {timezone.localtime(job.since):%Y-%m-%d} again: {sentence(job)}",
        )


def sentence(job: Repricing) -> str:
    return f"{job.changed:,} of {job.done:,} calls have another cost now."


def abandoned() -> list[UUID]:
    """Jobs that nobody works on: their process died, or went down."""
    rows = Repricing._base_manager.filter(status=RepricingStatus.RUNNING)
    free = rows.filter(Q(lease_expires_at=None) | Q(lease_expires_at__lt=timezone.now()))
    return list(free.values_list("pk", flat=True)[:50])
