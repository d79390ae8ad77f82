"""Ten tasks of an agent, each from the worklist on, by the keyboard alone, on a phone, in both languages, and without
a fault that axe finds on the way."""

import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, expect

from cli.local.stack import sample_codes
from keypost.core.mail import Fate, Told
from keypost.core.order import Hold, Order, Reason, waiting_for
from keypost.core.product import Line
from keypost.core.said import said
from tests.builders import loaded
from tests.keypost.support_desk.conftest import ESET, KASPERSKY, PHONE, PRODUCTS, Desk, now

OpenDesk = Callable[..., Desk]
_MOST_STOPS = 80
_FOREIGN_MONEY = Hold(said("other_currency", paid="USD", sold="EUR"))


class Agent:
    """Somebody at a keyboard, who reads the page in one language."""

    def __init__(self, desk: Desk, language: str) -> None:
        self.desk, self.page, self.language = desk, desk.page, language
        self.faults: list[tuple[str, str]] = []

    def say(self, english: str, dutch: str) -> str:
        return english if self.language == "en" else dutch

    def look(self) -> None:
        """What axe finds where the agent is now."""
        found = Axe().run(self.page, options={"resultTypes": ["violations"]}).response["violations"]
        self.faults += [(self.page.title(), f"{fault['id']}: {fault['nodes'][0]['html']}") for fault in found]

    def reach(self, target: Locator) -> None:
        """Go to something with the Tab key."""
        target.wait_for()
        for _ in range(_MOST_STOPS):
            if target.evaluate("element => element === document.activeElement"):
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"{target} is not within {_MOST_STOPS} stops of the keyboard")

    def press(self, role: str, english: str, dutch: str, *, within: Locator | None = None) -> None:
        name = re.compile(f"^{re.escape(self.say(english, dutch))}")
        self.reach((within or self.page).get_by_role(role, name=name).first)  # type: ignore[arg-type]
        self.page.keyboard.press("Enter")

    def write(self, english: str, dutch: str, text: str) -> None:
        self.reach(self.dialog.get_by_label(self.say(english, dutch)))
        self.page.keyboard.press("Control+A")
        self.page.keyboard.insert_text(text)

    @property
    def dialog(self) -> Locator:
        return self.page.get_by_role("dialog")

    def search(self, text: str) -> None:
        self.reach(self.page.locator("#wanted"))
        self.page.keyboard.insert_text(text)
        self.page.keyboard.press("Enter")

    def confirm(self, english: str, dutch: str) -> None:
        """Send the dialog, after a look at it."""
        self.look()
        self.press("button", english, dutch, within=self.dialog)
        expect(self.dialog).to_have_count(0)

    def reads(self, english: str, dutch: str) -> None:
        expect(self.page.locator("main")).to_contain_text(self.say(english, dutch))


def bounced(order: Order) -> Order:
    told = (Told(1, Fate.BOUNCED, now()),)
    order = replace(order, mails=tuple(replace(mail, told=told) for mail in order.mails))
    return waiting_for(order, Reason.ADDRESS, said("address_bounced"), now())


def release_a_held_order(agent: Agent) -> None:
    agent.press("link", "Release: order task-held", "Vrijgeven: bestelling task-held")
    agent.write("Reason", "Reden", "the amount is right")
    agent.confirm("Release", "Vrijgeven")
    agent.reads("the amount is right", "the amount is right")
    agent.desk.advance("task-held")
    assert loaded(agent.desk.stack.store, "task-held").licenses


def correct_an_address_that_bounced(agent: Agent) -> None:
    agent.press("link", "Change the address: order task-bounced", "Adres wijzigen: bestelling task-bounced")
    agent.write("New address", "Nieuw adres", "anna@elders.example")
    agent.confirm("Change", "Wijzigen")
    agent.reads("anna@elders.example", "anna@elders.example")
    assert agent.desk.advance("task-bounced").mails[-1].sent_to == "anna@elders.example"


def lift_the_block_of_an_address(agent: Agent) -> None:
    agent.press("link", "task-bounced", "task-bounced")
    agent.press("button", "Send again", "Opnieuw versturen")
    agent.confirm("Lift the block and send", "Blokkade opheffen en versturen")
    agent.reads("Sent again on request", "Op verzoek opnieuw verstuurd")


def import_codes_for_those_who_wait(agent: Agent) -> None:
    agent.press("link", "Import codes: order task-waits", "Codes importeren: bestelling task-waits")
    page = agent.page
    page.locator("svg.chart").first.wait_for()
    agent.reach(page.locator("#sku"))
    page.keyboard.type("ESET")
    agent.reach(page.locator("#codes"))
    page.keyboard.insert_text("\n".join(sample_codes(PRODUCTS[ESET], 2)))
    agent.press("button", "Check", "Controleren")
    agent.look()
    agent.press("button", "Import 2 codes", "2 codes importeren")
    agent.reads("2 codes imported", "2 codes geïmporteerd")
    assert len(agent.desk.advance("task-waits").licenses) == 2


def send_a_mail_again(agent: Agent) -> None:
    agent.search("task-fine")
    agent.press("button", "Send again", "Opnieuw versturen")
    agent.write("Reason", "Reden", "nothing came")
    agent.confirm("Send again", "Opnieuw versturen")
    agent.reads("nothing came", "nothing came")
    assert [mail.id for mail in agent.desk.advance("task-fine").mails] == ["purchase-1", "resend-1"]


def swap_one_code_of_many(agent: Agent) -> None:
    order = loaded(agent.desk.stack.store, "task-many")
    wanted = order.licenses[-1]
    agent.search("task-many")
    agent.page.locator("#resend").wait_for()
    agent.press("button", "Licences", "Licenties")
    agent.reach(agent.page.get_by_label(agent.say("Last characters of the code", "Laatste tekens van de code")))
    agent.page.keyboard.insert_text(wanted.code[-5:])
    agent.press("button", f"Replace the code of {wanted.id}", f"De code van {wanted.id} vervangen")
    agent.reach(agent.dialog.get_by_role("radio").first)
    agent.page.keyboard.press("Space")
    agent.confirm("Replace code", "Code vervangen")
    agent.reads("New code", "Nieuwe code")
    assert loaded(agent.desk.stack.store, "task-many").license(wanted.id) != wanted


def look_at_the_mail_that_a_customer_got(agent: Agent) -> None:
    agent.search("task-fine")
    agent.press("button", "Show e-mail: codes of the purchase", "E-mail tonen: codes van de aankoop")
    expect(agent.dialog.frame_locator("iframe").locator("code")).to_contain_text("…")
    agent.look()
    agent.press("button", "Close", "Sluiten", within=agent.dialog)
    expect(agent.dialog).to_have_count(0)


def hold_an_order_that_is_about_to_be_served(agent: Agent) -> None:
    agent.press("link", "task-waits", "task-waits")
    agent.press("button", "Hold", "Vasthouden")
    agent.write("Reason", "Reden", "the customer asked to wait")
    agent.confirm("Hold", "Vasthouden")
    agent.reads("the customer asked to wait", "the customer asked to wait")
    assert loaded(agent.desk.stack.store, "task-waits").hold.by_person


def send_all_that_came_back_today_again(agent: Agent) -> None:
    agent.desk.change("task-fine", came_back)
    agent.press("link", "E-mails", "E-mails")
    agent.press("button", "Send all failed e-mails again", "Alle mislukte e-mails opnieuw versturen")
    agent.confirm("Send all failed e-mails again", "Alle mislukte e-mails opnieuw versturen")
    agent.reads("1 e-mail is being sent again", "1 e-mail wordt opnieuw verstuurd")


def came_back(order: Order) -> Order:
    told = (Told(1, Fate.RETURNED, now()),)
    return replace(order, mails=tuple(replace(mail, told=told) for mail in order.mails))


def find_a_customer_on_the_telephone(agent: Agent) -> None:
    agent.search("hoogenband")
    expect(agent.page.locator("#order")).to_have_text(re.compile("task-phone$"))
    agent.press("button", "Timeline", "Tijdlijn")
    expect(agent.page.locator("#timeline")).to_be_focused()
    agent.look()
    agent.page.go_back()
    agent.page.go_back()
    agent.reads("Action needed", "Actie nodig")


TASKS = (
    release_a_held_order,
    correct_an_address_that_bounced,
    lift_the_block_of_an_address,
    import_codes_for_those_who_wait,
    send_a_mail_again,
    swap_one_code_of_many,
    look_at_the_mail_that_a_customer_got,
    hold_an_order_that_is_about_to_be_served,
    send_all_that_came_back_today_again,
    find_a_customer_on_the_telephone,
)


@pytest.mark.drill
@pytest.mark.parametrize("language", ["nl", "en"])
@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.__name__.replace("_", " "))
def test_an_agent_does_it_from_the_worklist_with_the_keyboard_on_a_phone(
    desk: OpenDesk, task: Callable[[Agent], None], language: str
) -> None:
    locale = {"nl": "nl-NL", "en": "en-GB"}[language]
    at = desk(
        is_in=False, locale=locale, viewport=PHONE, is_mobile=True, color_scheme={"nl": "light", "en": "dark"}[language]
    )
    at.sold("task-held", hold=_FOREIGN_MONEY)
    at.sold("task-waits", Line(ESET, 2), stocked=False)
    at.sold("task-fine")
    at.sold("task-many", Line(KASPERSKY, 30))
    at.sold("task-phone", name="Elisabeth van den Hoogenband", email="inkoop@bedrijf.example")
    at.sold("task-bounced", email="weg@bedrijf.example")
    at.change("task-bounced", bounced)
    list(at.stack.store.add_codes(KASPERSKY, sample_codes(PRODUCTS[KASPERSKY], 1), "batch-2", None))
    agent = Agent(at, language)
    at.page.locator("#key").wait_for()
    at.page.keyboard.insert_text(at.key)
    at.page.keyboard.press("Enter")
    at.page.get_by_role("link", name="task-held", exact=True).wait_for()
    agent.look()

    task(agent)

    agent.look()
    assert agent.faults == []
    assert at.page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]


def test_axe_would_find_a_fault(desk: OpenDesk) -> None:
    agent = Agent(desk(), "en")
    agent.page.evaluate("document.querySelector('main').append(document.createElement('button'))")

    agent.look()

    assert [fault.partition(":")[0] for _, fault in agent.faults] == ["button-name"]
