"""How long functions run with how much memory, from what two calls of boto3 took on AWS in a public measurement (Python
3.13, arm64, warm: cebert/aws-lambda-performance-benchmarks, December 2025)."""

TWO_CALLS = {128: 0.0750, 256: 0.0335, 512: 0.0159, 1024: 0.0136, 1769: 0.0115}  # seconds, by MB
OVER_BARE = 1.2  # what our code adds to bare boto3: the goal of the area `warm`
SES_WAITS = 0.06  # seconds more than another call that SES takes for a mail


def seconds(memory: int, calls: float, mails: float = 0, over_bare: float = OVER_BARE) -> float:
    """Of one warm invocation with so many calls of AWS, of which `mails` send a mail."""
    return over_bare * calls * TWO_CALLS[memory] / 2 + mails * SES_WAITS


def gb_seconds(memory: int, calls: float, mails: float = 0, over_bare: float = OVER_BARE) -> float:
    return seconds(memory, calls, mails, over_bare) * memory / 1024
