from keypost.core.instructions import Block, blocks
from keypost.core.product import Kind, Part, Step

DOWNLOAD = Step("Download and install it.", Part.INSTALL)
OPEN = Step("Open it.", Part.OPEN)
CLICK = Step("Click License.", Part.ACTIVATE)
ENTER = Step("Enter the code.", Part.ACTIVATE)
LOOK = Step("It says 365 days.", Part.CHECK)


def test_steps_of_one_part_that_follow_each_other_are_one_block() -> None:
    assert blocks([DOWNLOAD, OPEN, CLICK, ENTER, LOOK], Kind.NEW) == (
        Block(1, Part.INSTALL, (DOWNLOAD,), has_download=True, has_code=False),
        Block(2, Part.OPEN, (OPEN,), has_download=False, has_code=False),
        Block(3, Part.ACTIVATE, (CLICK, ENTER), has_download=False, has_code=True),
        Block(4, Part.CHECK, (LOOK,), has_download=False, has_code=False),
    )


def parts(steps: list[Step], kind: Kind = Kind.NEW) -> list[str]:
    """Each block as its part, with what stands in it, and a question mark where the product says nothing."""
    signs = ((" download", "has_download"), (" code", "has_code"))
    return [
        block.part + "".join(word for word, name in signs if getattr(block, name)) + ("" if block.steps else "?")
        for block in blocks(steps, kind)
    ]


def test_a_part_that_comes_back_later_is_a_block_of_its_own_and_the_first_has_the_code_and_the_download() -> None:
    steps = [CLICK, OPEN, ENTER, DOWNLOAD, OPEN, DOWNLOAD]

    assert parts(steps) == [
        "activate code", "open", "activate", "install download", "open", "install", "check?",
    ]  # fmt: skip


def test_what_one_sees_at_the_end_comes_last_in_one_block() -> None:
    assert blocks([LOOK, ENTER, LOOK], Kind.RENEWAL)[-1].steps == (LOOK, LOOK)


def test_a_new_customer_gets_the_download_first_when_no_step_is_about_it() -> None:
    assert parts([CLICK]) == ["install download?", "activate code", "check?"]


def test_a_renewal_gets_a_download_only_where_its_steps_have_one() -> None:
    assert parts([CLICK], Kind.RENEWAL) == ["activate code", "check?"]
    assert parts([DOWNLOAD, CLICK, LOOK], Kind.RENEWAL) == ["install download", "activate code", "check"]


def test_the_code_has_a_block_although_no_step_is_about_activating() -> None:
    assert parts([OPEN, LOOK]) == ["install download?", "open", "activate code?", "check"]
