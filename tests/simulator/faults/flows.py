"""The stories of one order in which two crashes are played. docs/reliability.md names them."""

FLOWS = (
    "purchase",
    "two products",
    "waiting",
    "renewal",
    "renewal late",
    "refund",
    "refund before",
    "partly refunded",
    "canceled",
    "resend",
    "swap",
    "other address",
)
