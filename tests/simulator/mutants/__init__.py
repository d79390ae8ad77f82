"""The simulator is tested, too: faults are put into the protocol, and it has to find each of them."""
