from keypost.clients.mailer import Pace


class Time:
    def __init__(self) -> None:
        self.now, self.slept = 100.0, 0.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.slept += seconds


def test_mails_leave_no_faster_than_the_pace() -> None:
    time = Time()
    pace = Pace(0.5, lambda: time.now, time.sleep)

    for _ in range(11):
        pace.wait()

    assert time.slept == 5


def test_who_comes_later_than_the_pace_does_not_wait_and_saves_nothing_up() -> None:
    time = Time()
    pace = Pace(0.5, lambda: time.now, time.sleep)
    pace.wait()

    time.now += 10
    pace.wait()
    assert time.slept == 0

    pace.wait()
    assert time.slept == 0.5
