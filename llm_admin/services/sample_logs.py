"""Believable past runs, for demonstrations and load tests: through no model, straight into the tables."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from random import Random
from typing import Any, TypeVar

from django.db import transaction
from django.utils import timezone

from llm_admin.choices import CallStatus, ErrorKind, RunSource, StoreTexts
from llm_admin.exceptions import InvalidInput
from llm_admin.models import InteractionLog, InteractionText, Run, RunStep
from llm_admin.runtime.pricing import cost_nano
from llm_admin.schemas.usage import TokenUsage
from llm_admin.services.actors import Actor
from llm_admin.services.samples import rows
from llm_admin.services.samples.chance import Dice, Ending, falling
from llm_admin.services.samples.drafts import SampleCall, SampleRun
from llm_admin.services.samples.models import SampleModel, models_of
from llm_admin.services.samples.words import tokens_of
from llm_admin.services.samples.world import Script, Subject, people_of, subjects_of
from llm_admin.tenancy import workspace_scope

T = TypeVar("T")
MOST_LOGS, MOST_DAYS = 1_000_000, 3_650
CHUNK = 500  # runs in a transaction: a running console can write in between
WITH_TEXTS = 2_000  # the newest runs; the others say that their texts were not kept
SOURCES = [(RunSource.STUDIO, 60.0), (RunSource.CODE, 25.0), (RunSource.ADMIN, 10.0), (RunSource.COMMAND, 5.0)]
NOT_PARSED = 0.03  # of the workflow runs whose calls all succeeded and whose answer is read as JSON
JSON_TOKENS = 40
UNFINISHED = (CallStatus.CANCELLED, CallStatus.INTERRUPTED)


@dataclass(frozen=True)
class Counts:
    runs: int
    logs: int
    texts: int


def make_logs(*, actor: Actor, count: int, days: int, seed: int, now: dt.datetime | None = None) -> Counts:
    """`count` model calls of the last `days` days. The same seed gives the same ones, relative to now.

    They are of the workspace's own prompts, workflows, models and members.
    """
    actor.require("change_workspace")
    _check("count", count, MOST_LOGS)
    _check("days", days, MOST_DAYS)
    rng = Random(seed)  # noqa: S311 - nothing secret
    with workspace_scope(actor.workspace):
        with transaction.atomic():
            models = models_of(actor)
        subjects = subjects_of(actor, models, rng)
        maker = _Maker(Dice(rng, now or timezone.now(), days), models, subjects, people_of())
        made = sorted(maker.runs(count), key=lambda run: run.started_at)
        return _store(actor, made, rng)


def _check(name: str, value: int, most: int) -> None:
    if not 1 <= value <= most:
        raise InvalidInput(f"The number for “{name}” must be between 1 and {most:,}.")


class _Maker:
    def __init__(self, dice: Dice, models: list[SampleModel], subjects: list[Subject], people: list[Any]) -> None:
        self.dice, self.models = dice, models
        self.subjects, self.people = falling(subjects), falling(people or [None])

    def runs(self, count: int) -> Iterator[SampleRun]:
        """With `count` calls in all: the last run is cut short by a Stop if it would make more."""
        while count:
            run = self._run(count)
            count -= len(run.calls)
            yield run

    def _run(self, most: int) -> SampleRun:
        dice, started = self.dice, self.dice.moment()
        subject = dice.pick(self.subjects)
        script = subject.at(dice.age(started))
        source = dice.pick(SOURCES)
        by_person = source in (RunSource.STUDIO, RunSource.ADMIN) or dice.rng.random() < 0.5
        run = SampleRun(
            id=_uuid7(started, dice.rng),
            script=script,
            variant=dice.rng.randrange(len(script.variants)),
            model=subject.model if dice.rng.random() < 0.8 else dice.rng.choice(self.models),
            source=source,
            owner_id=dice.pick(self.people) if by_person else None,
            started_at=started,
        )
        self._call_in_turn(run, subject.tokens, most)
        return run

    def _call_in_turn(self, run: SampleRun, tokens: int, most: int) -> None:
        moment = run.started_at + dt.timedelta(milliseconds=self.dice.around(6, 0.4))
        for position, chat in enumerate(run.chats):
            last_that_fits = position + 1 == most < len(run.script.sites)
            ending = Ending(CallStatus.CANCELLED, ErrorKind.CANCELLED) if last_that_fits else self.dice.ending(moment)
            wanted = tokens if run.script.sites[position].keys is None else JSON_TOKENS
            call = self._call(run.model, position, moment, ending, tokens_of(chat), wanted)
            run.calls.append(call)
            moment = call.ended_at
            if ending.failed:
                break
        else:
            run.not_parsed = _reads_json(run.script) and self.dice.rng.random() < NOT_PARSED
        run.ended_at = moment + dt.timedelta(milliseconds=self.dice.around(4, 0.4))

    def _call(
        self, model: SampleModel, position: int, moment: dt.datetime, ending: Ending, sent: int, tokens: int
    ) -> SampleCall:
        dice, slow = self.dice, self.dice.slowness(moment)
        answered = max(1, round(dice.around(tokens, 0.45)))
        first = round(dice.around(model.first_ms * slow, 0.4))
        latency = first + round(answered * dice.around(model.token_ms * slow, 0.2))
        call = SampleCall(position, moment, ending, latency_ms=latency, answer_tokens=answered)
        if ending.seconds:
            call.latency_ms, call.answer_tokens = round(dice.rng.uniform(*ending.seconds) * 1000), 0
        elif ending.status in UNFINISHED:
            part = dice.rng.uniform(0.1, 0.9)
            call.latency_ms, call.answer_tokens = first + round((latency - first) * part), round(answered * part)
            call.first_token_ms = first
        else:
            call.first_token_ms = first
            self._price(call, model, sent, answered)
        return call

    def _price(self, call: SampleCall, model: SampleModel, sent: int, answered: int) -> None:
        price = model.price_at(call.created_at)
        call.input_tokens, call.output_tokens = sent, answered
        if price and price.cached_input is not None and self.dice.rng.random() < 0.2:
            call.cached_input_tokens = sent // 2
        call.price_id = price.id if price else None
        usage = TokenUsage(input=sent, output=answered, cached_input=call.cached_input_tokens)
        call.cost_nano = cost_nano(price, usage)


def _reads_json(script: Script) -> bool:
    return any(site.keys is not None for site in script.sites)


def _uuid7(moment: dt.datetime, rng: Random) -> uuid.UUID:
    """Run ids sort by time; this one belongs to a moment of the past, and to the seed."""
    milliseconds = int(moment.timestamp() * 1000)
    number = milliseconds << 80 | 0x7 << 76 | rng.getrandbits(12) << 64 | 0b10 << 62 | rng.getrandbits(62)
    return uuid.UUID(int=number)


def _store(actor: Actor, made: list[SampleRun], rng: Random) -> Counts:
    keeps = actor.workspace.store_texts == StoreTexts.MASKED
    texts_from = len(made) - WITH_TEXTS if keeps else len(made)
    numbered, logs, texts = iter(enumerate(made)), 0, 0
    while chunk := list(islice(numbered, CHUNK)):
        drafts = [rows.draft(actor.workspace, run, rng, with_texts=n >= texts_from) for n, run in chunk]
        with transaction.atomic():
            Run.objects.bulk_create([draft.run for draft in drafts])
            RunStep.objects.bulk_create([step for draft in drafts for step in draft.steps])
            stored = InteractionLog.objects.bulk_create([log for draft in drafts for log in draft.logs])
            kept = [text for draft in drafts for text in draft.linked_texts()]
            InteractionText.objects.bulk_create(kept)
        logs, texts = logs + len(stored), texts + len(kept)
    return Counts(runs=len(made), logs=logs, texts=texts)
