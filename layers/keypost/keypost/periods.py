"""Days and periods of licenses. A day is a date in the shop's time zone; a period holds both its ends."""

from datetime import date, datetime, timedelta, tzinfo


def local_day(moment: datetime, zone: tzinfo) -> date:
    return moment.astimezone(zone).date()


def period_from(first_day: date, term_days: int) -> tuple[date, date]:
    """The first and the last day of a term: 365 days from 1 January end on 31 December."""
    return first_day, first_day + timedelta(days=term_days - 1)
