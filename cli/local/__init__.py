"""The whole system on this machine: the unmodified template, deployed to an AWS emulator on loopback."""
