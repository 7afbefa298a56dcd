"""Six-field NCRONTAB schedules, and their next occurrence."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

_MONTHS = "january february march april may june july august september october november december"
_DAYS = "sunday monday tuesday wednesday thursday friday saturday"
# Long enough for 29 February on a given day of the week.
_HORIZON = timedelta(days=366 * 41)


class BadSchedule(ValueError):
    """Says which part of the expression is invalid."""


@dataclass(frozen=True)
class _Field:
    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()

    def parse(self, text: str) -> frozenset[int]:
        """Every value that *text* (a list of ranges with steps) allows."""
        values: set[int] = set()
        for part in text.split(","):
            values.update(self._part(part))
        return frozenset(values)

    def _part(self, part: str) -> range:
        span, slash, step_text = part.partition("/")
        step = self._step(step_text, part) if slash else 1
        if span == "*":
            return range(self.low, self.high + 1, step)
        first, dash, last = span.partition("-")
        start = self._value(first, part)
        if dash:
            end = self._value(last, part)
        else:
            # Documented: NCrontab; "5/10" means from 5 to the end in steps of 10.
            end = self.high if slash else start
        if end < start:
            raise BadSchedule(f"{self.name}: the range {part!r} must rise")
        return range(start, end + 1, step)

    def _step(self, text: str, part: str) -> int:
        if not text.isdecimal() or int(text) < 1:
            raise BadSchedule(f"{self.name}: {part!r} has no step of 1 or more")
        return int(text)

    def _value(self, text: str, part: str) -> int:
        if text.isdecimal() and self.low <= int(text) <= self.high:
            return int(text)
        # Documented: NCrontab; a name may be shortened to any prefix of three letters or more.
        if len(text) >= 3:
            for number, name in enumerate(self.names, self.low):
                if name.startswith(text.lower()):
                    return number
        raise BadSchedule(f"{self.name}: {part!r} must be within {self.low} to {self.high}")


_FIELDS = (
    _Field("second", 0, 59),
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day", 1, 31),
    _Field("month", 1, 12, tuple(_MONTHS.split())),
    _Field("day of week", 0, 6, tuple(_DAYS.split())),
)


@dataclass(frozen=True)
class Schedule:
    """A parsed expression: {second} {minute} {hour} {day} {month} {day-of-week}, in UTC."""

    seconds: frozenset[int]
    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]

    @property
    def within_minutes(self) -> bool:
        """Whether it occurs more than once in every minute."""
        wide = (self.minutes, self.hours, self.days, self.months, self.weekdays)
        every = [len(field.parse("*")) for field in _FIELDS[1:]]
        return [len(values) for values in wide] == every and len(self.seconds) > 1

    def next_after(self, moment: datetime) -> datetime:
        """The first occurrence later than *moment*."""
        start = moment.astimezone(UTC).replace(microsecond=0) + timedelta(seconds=1)
        day = start.date()
        while day <= start.date() + _HORIZON:
            if self._on(day):
                found = self._time_on(day, start)
                if found is not None:
                    return found
            day += timedelta(days=1)
        raise BadSchedule("the schedule never occurs")

    def _on(self, day: date) -> bool:
        # Documented: NCrontab; day and day of week must both match, unlike in Unix cron.
        weekday = day.isoweekday() % 7
        return day.day in self.days and day.month in self.months and weekday in self.weekdays

    def _time_on(self, day: date, start: datetime) -> datetime | None:
        for hour in sorted(self.hours):
            for minute in sorted(self.minutes):
                for second in sorted(self.seconds):
                    moment = datetime(
                        day.year, day.month, day.day, hour, minute, second, tzinfo=UTC
                    )
                    if moment >= start:
                        return moment
        return None


def parse(expression: str) -> Schedule:
    """Parse *expression*. Raises BadSchedule with the reason."""
    parts = expression.split()
    if len(parts) != len(_FIELDS):
        raise BadSchedule(
            f"a schedule has six fields here, not {len(parts)} (the real host also accepts five, "
            "and a time span such as 00:05:00)"
        )
    schedule = Schedule(*(field.parse(part) for field, part in zip(_FIELDS, parts, strict=True)))
    schedule.next_after(datetime(2024, 1, 1, tzinfo=UTC))
    return schedule
