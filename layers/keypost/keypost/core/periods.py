"""Days and periods of licenses. A day is a date in the shop's time zone. A period includes both its first and its last
day."""

from datetime import UTC, date, datetime, time, timedelta, tzinfo

DAILY_RULE = time(7)  # in the shop's time zone, so that no renewal or reminder is mailed at night


def local_day(moment: datetime, zone: tzinfo) -> date:
    return moment.astimezone(zone).date()


def midnight_of(day: date, zone: tzinfo) -> datetime:
    """The moment at which a day begins in this zone, in UTC."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def morning_of(day: date, zone: tzinfo) -> datetime:
    """The moment at which the daily rule acts on a day in this zone, in UTC."""
    return datetime.combine(day, DAILY_RULE, zone).astimezone(UTC)


def period_from(first_day: date, term_days: int) -> tuple[date, date]:
    """The first and the last day of a term: 365 days from 1 January end on 31 December."""
    return first_day, first_day + timedelta(days=term_days - 1)


def day_after(day: date) -> date:
    return day + timedelta(days=1)
