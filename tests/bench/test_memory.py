"""How much memory the functions have, and that template.yaml gives them that."""

from typing import Any

from tests.bench import figures
from tests.bench.calls import FIGURES
from tests.bench.figures import Figure, read_measured
from tests.bench.memory import CALLS, calls_of, chosen, gb_seconds, reasons


def memory(template: dict[str, Any]) -> dict[str, int]:
    shared = template["Globals"]["Function"]["MemorySize"]
    resources = template["Resources"].items()
    functions = {name: each["Properties"] for name, each in resources if each["Type"] == "AWS::Serverless::Function"}
    return {name: function.get("MemorySize", shared) for name, function in functions.items()}


def test_the_template_gives_each_function_the_memory_that_its_calls_ask_for(template: dict[str, Any]) -> None:
    measured = read_measured(figures.MEASURED)
    asked = {name: calls_of(name, measured) for name in CALLS}

    assert memory(template).keys() == CALLS.keys()
    assert {
        name: size
        for name, size in memory(template).items()
        if (calls := asked[name]) is not None and size != chosen(calls)
    } == {}


def test_a_call_costs_least_with_512_mb_and_twice_that_is_for_invocations_of_some_sixty_calls() -> None:
    assert min((256, 512, 1024, 1769), key=lambda each: gb_seconds(each, 1)) == 512
    assert [chosen(calls) for calls in (0, 40, 60, 70)] == [512, 512, 512, 1024]


def test_every_figure_that_memory_is_chosen_by_is_measured() -> None:
    named = {known for known in CALLS.values() if isinstance(known, str)}

    assert named <= {f"calls/{name}" for name in FIGURES}


def test_the_page_says_how_long_a_function_starts_and_runs() -> None:
    measured = {
        each.name: each for each in (Figure("calls/worker", 6, "count"), Figure("cold/advance_orders", 1.0, "ratio"))
    }

    assert (
        "| AdvanceOrders | 415 | 6 | 201 ms, $0.67 | 127 ms, $0.85 | 117 ms, $1.56 | 108 ms, $2.49 | 512 |\n"
        in reasons(measured)
    )
    assert reasons({}) == ""
