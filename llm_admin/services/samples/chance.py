"""The dice: when people work, how long models take, what goes wrong. One `Random` drives all, so a seed repeats it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from itertools import accumulate
from random import Random
from typing import TypeVar

from django.utils import timezone

from llm_admin.choices import CallStatus, ErrorKind

T = TypeVar("T")
HOUR = dt.timedelta(hours=1)
LATEST = dt.timedelta(minutes=3)  # before now, so that every sample call has ended
# How busy people are from midnight on, and from Monday on.
HOURS = (1, 1, 1, 1, 1, 2, 4, 9, 16, 22, 24, 22, 18, 21, 23, 22, 19, 13, 7, 5, 4, 3, 2, 1)
WEEKDAYS = (1.0, 1.1, 1.1, 1.05, 0.9, 0.22, 0.14)
BUSY_HOURS = range(9, 17)


@dataclass(frozen=True)
class Ending:
    """How a call ends. `seconds`: between which times it fails; None: while it answers."""

    status: CallStatus
    kind: ErrorKind | None = None
    detail: str = ""
    seconds: tuple[float, float] | None = None

    @property
    def failed(self) -> bool:
        return self.status != CallStatus.SUCCEEDED


def _failure(kind: ErrorKind, detail: str, seconds: tuple[float, float]) -> Ending:
    return Ending(CallStatus.FAILED, kind, detail, seconds)


SUCCESS = Ending(CallStatus.SUCCEEDED)
TOO_MANY = _failure(ErrorKind.RATE_LIMIT, "429: too many requests in this minute", (0.1, 0.4))
DOWN = _failure(ErrorKind.PROVIDER_DOWN, "503: the service is overloaded", (0.3, 5))
# Of ten thousand calls:
ENDINGS: tuple[tuple[Ending, int], ...] = (
    (TOO_MANY, 90),
    (DOWN, 50),
    (_failure(ErrorKind.TIMEOUT, "no answer in time", (60, 60.4)), 50),
    (_failure(ErrorKind.CONTEXT_TOO_LONG, "the messages are longer than the model takes", (0.2, 0.7)), 30),
    (_failure(ErrorKind.CONTENT_FILTER, "the provider's content filter stopped the answer", (0.6, 3)), 25),
    (_failure(ErrorKind.AUTHENTICATION, "401: this key is not accepted", (0.08, 0.3)), 10),
    (_failure(ErrorKind.BAD_REQUEST, "400: the request was refused", (0.08, 0.3)), 10),
    (Ending(CallStatus.CANCELLED, ErrorKind.CANCELLED), 110),
    (Ending(CallStatus.INTERRUPTED, ErrorKind.INTERRUPTED), 20),
)
TROUBLED: tuple[tuple[Ending, int], ...] = ((TOO_MANY, 1_800), (DOWN, 1_200))


class Dice:
    """Moments of the last `days`, more of them in working hours; one morning of them goes badly."""

    def __init__(self, rng: Random, now: dt.datetime, days: int) -> None:
        self.rng, self.now = rng, now
        self.begin = now - dt.timedelta(days=days)
        self._slots = range(days * 24)
        weights = [self._business(self.begin + n * HOUR) * (0.7 + 0.6 * n / len(self._slots)) for n in self._slots]
        self._cumulative = list(accumulate(weights))
        worst = self._draw_slot()
        self._trouble = range(worst, worst + 2)

    @staticmethod
    def _business(moment: dt.datetime) -> float:
        local = timezone.localtime(moment)
        return HOURS[local.hour] * WEEKDAYS[local.weekday()]

    def _draw_slot(self) -> int:
        return self.rng.choices(self._slots, cum_weights=self._cumulative)[0]

    def moment(self) -> dt.datetime:
        drawn = self.begin + (self._draw_slot() + self.rng.random()) * HOUR
        return min(drawn, self.now - LATEST * (1 + self.rng.random()))

    def age(self, moment: dt.datetime) -> float:
        """0 at the beginning of the time, 1 now."""
        return (moment - self.begin) / (self.now - self.begin)

    def in_trouble(self, moment: dt.datetime) -> bool:
        return (moment - self.begin) // HOUR in self._trouble

    def ending(self, moment: dt.datetime) -> Ending:
        left = self.rng.randrange(10_000)
        for ending, share in (*(TROUBLED if self.in_trouble(moment) else ()), *ENDINGS):
            left -= share
            if left < 0:
                return ending
        return SUCCESS

    def around(self, median: float, sigma: float) -> float:
        """Lognormal: times and lengths are never negative, and sometimes much longer."""
        return median * self.rng.lognormvariate(0, sigma)

    def slowness(self, moment: dt.datetime) -> float:
        """How much longer a call takes than in a quiet hour."""
        busy = 1.25 if timezone.localtime(moment).hour in BUSY_HOURS else 1.0
        return busy * 3 if self.in_trouble(moment) else busy

    def pick(self, options: list[tuple[T, float]]) -> T:
        return self.rng.choices([one for one, _ in options], [weight for _, weight in options])[0]


def falling(options: list[T]) -> list[tuple[T, float]]:
    """Weights as in real use: the second is picked half as often as the first, the third a third as often."""
    return [(one, 1 / position) for position, one in enumerate(options, start=1)]
