"""The parts of the simulator's machine that play in no story."""

from threading import Thread

from tests.simulator.faults.machine import only_here


def test_a_thread_of_the_emulator_keeps_the_real_clock() -> None:
    heard: list[tuple[str, int]] = []
    sleep = only_here(
        lambda seconds: heard.append(("simulated", seconds)), lambda seconds: heard.append(("real", seconds))
    )
    other = Thread(target=sleep, args=(60,))

    sleep(1)
    other.start()
    other.join()

    assert heard == [("simulated", 1), ("real", 60)]
