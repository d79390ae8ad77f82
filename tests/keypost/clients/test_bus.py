import pytest
from botocore.stub import Stubber

from keypost.clients.bus import Bus
from keypost.core.errors import BusUnavailable
from tests.event_examples import examples
from tests.recorded_aws import client_of


def test_a_bus_that_takes_only_some_of_the_events_is_asked_again() -> None:
    client = client_of("events")
    with Stubber(client) as stub:
        stub.add_response("put_events", {"FailedEntryCount": 1, "Entries": [{"EventId": "1"}, {"ErrorCode": "Later"}]})

        with pytest.raises(BusUnavailable) as refused:
            Bus(client, "shop-events").put_all([examples()["order.served"], examples()["stock.low"]])

    assert refused.value.said.values == {"refused": 1, "count": 2}


def test_nothing_is_called_without_events() -> None:
    client = client_of("events")
    with Stubber(client):
        Bus(client, "shop-events").put_all([])
