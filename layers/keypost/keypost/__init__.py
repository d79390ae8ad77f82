"""Keypost: a paid order becomes a license in the customer's mailbox."""

import gc
import os

# What is made while Lambda loads a function stays for ever: looking for garbage in it is in vain, and takes a twentieth
# of a cold start. `wiring.warm` ends this.
if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    gc.disable()
