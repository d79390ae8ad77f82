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


def test_a_part_that_comes_back_later_is_a_block_of_its_own_and_only_the_first_one_has_the_code() -> None:
    found = blocks([CLICK, OPEN, ENTER, DOWNLOAD, LOOK, DOWNLOAD], Kind.NEW)

    assert [(block.part, block.has_download, block.has_code) for block in found] == [
        (Part.ACTIVATE, False, True),
        (Part.OPEN, False, False),
        (Part.ACTIVATE, False, False),
        (Part.INSTALL, True, False),
        (Part.CHECK, False, False),
        (Part.INSTALL, False, False),
    ]


def test_a_new_customer_gets_the_download_first_when_no_step_is_about_it() -> None:
    assert blocks([CLICK], Kind.NEW) == (
        Block(1, Part.INSTALL, (), has_download=True, has_code=False),
        Block(2, Part.ACTIVATE, (CLICK,), has_download=False, has_code=True),
    )


def test_a_renewal_gets_a_download_only_where_its_steps_have_one() -> None:
    assert blocks([CLICK], Kind.RENEWAL) == (Block(1, Part.ACTIVATE, (CLICK,), has_download=False, has_code=True),)
    assert blocks([DOWNLOAD, CLICK], Kind.RENEWAL)[0].has_download


def test_the_code_stands_in_the_last_block_when_no_step_is_about_activating() -> None:
    assert [block.has_code for block in blocks([OPEN, LOOK], Kind.RENEWAL)] == [False, True]
