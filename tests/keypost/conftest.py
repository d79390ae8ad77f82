import shutil
from collections.abc import Iterator

import pytest
from botocore.config import Config
from playwright.sync_api import Browser, sync_playwright

from cli.local.stack import LocalStack
from cli.stacks import Stack
from keypost.clients.mailer import Mailer
from keypost.use_cases.advance_order import Worker
from tests.builders import SHOP, Clock

BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        pytest.fail(f"there is no browser: `make debian` installs one, or install one of {', '.join(BROWSERS)}")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def worker(stack: Stack, local: LocalStack, clock: Clock) -> Worker:
    """Over the emulator's DynamoDB, SQS and SES, with a clock of its own."""
    client = local.session.session.client(
        "sesv2", endpoint_url=local.mailbox.url, config=Config(retries={"total_max_attempts": 1}, read_timeout=5)
    )
    return Worker(stack.store, stack.queue, Mailer(client, "test"), SHOP, clock)
