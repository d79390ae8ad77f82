"""Kind: a file of codes as distributors and Excel make it. Each line of the parametrized tests is one habit."""

from datetime import date

import pytest

from cli.local.stack import LocalStack
from cli.stacks import Stack
from keypost.core.errors import InvalidInput
from keypost.inputs.stock_file import StockFile, read_stock_file
from tests.builders import NOW, PRODUCT, SKU, code
from tests.functions.support_calls import call

TODAY = NOW.date()
YEAR_END = date(2027, 12, 31)
ZERO_WIDTH, SOFT, LRM, JOINER = "\u200b", "\u00ad", "\u200e", "\u2060"


@pytest.fixture(scope="session")
def local(in_process: LocalStack) -> LocalStack:
    """Nothing here needs a deployed function."""
    return in_process


def read(content: str | bytes, sku: str | None = SKU) -> StockFile:
    file = content if isinstance(content, bytes) else content.encode()
    find = dict.fromkeys((SKU, SKU.lower()), PRODUCT)
    return read_stock_file(file, find.get, sku, None, TODAY)


def taken(content: str | bytes, sku: str | None = SKU) -> list[tuple[str, str | None, date | None]]:
    found = read(content, sku)
    assert found.faults == []
    return [(each.new.code, each.new.batch, each.new.activate_before) for each in found.found]


@pytest.mark.parametrize(
    "content",
    [
        f"sep=;\ncode;batch\n{code(1)};B-1\n",  # fast-excel #327, PowerShell #7776, PapaParse #951
        f'"sep=,"\r\ncode,batch\r\n{code(1)},B-1\r\n',
        f"code\tbatch\n{code(1)}\tB-1\n",
        f"code\tbatch\n{code(1)}\tB-1\n".encode("utf-16"),
        b"\xfe\xff" + f"code\tbatch\n{code(1)}\tB-1\n".encode("utf-16-be"),
        f"code;batch\n{code(1)};B-1\n".encode("utf-16-le"),
        f"\ufeffcode,batch\n{code(1)},B-1\n",
        f"Levering van 12 november;;\n\nActivation Code;Batch;\n{code(1)};B-1;\n",
        f"Activatiecode;Levering\n{code(1)};B-1\n",
        f"Licentiecode;Partij;po_number;Prijs\n{code(1)};B-1;4711;€ 12,50\n",
        f";Activation Code;;batch\n1;{code(1)};x;B-1\n",
        f'code, "batch"\n{code(1)}, "B-1"\n',
        f"ACTIVATION_CODE|Batch\n{code(1)}|B-1\n",
        f"License Key;Activation Code;batch\n0123ABCD-0123-4567-89AB-0123456789AB;{code(1)};B-1\n",
        f"code;batch\n\n{code(1)};B-1\n;;\n",
        f"Activation codes (25 characters);Batch [text]\n{code(1)};B-1\n",
        f"License Keys;Aantal;Batch\n{code(1)};1;B-1\n",
        f"Registratiecode;Batch\r{code(1)};B-1\r",
        f"Codes\n\nActivation Code;Batch\n{code(1)};B-1\n",
        f"Code\nProduct;Activation Code;Batch\n1;{code(1)};B-1\n",
        f'code;batch\n="{code(1)}";="B-1"\n',
        f'="Code","Batch"\n"=""{code(1)}""","=""B-1"""\n',
        f'"code;batch"\n"{code(1)};B-1"\n',
        f'code;batch\n"{code(1)};B-1"\n',
        f"code;batch\n{code(1)};B-1\n".encode("utf-32"),
        f'code;batch;notes; more\n{code(1)};B-1;"a; b";x\n',
    ],
)
def test_a_file_is_understood_however_it_is_made(content: str | bytes) -> None:
    assert taken(content) == [(code(1), "B-1", None)]


@pytest.mark.parametrize(
    "written",
    [
        *("2027-12-31", "31-12-2027", "31/12/2027", "31.12.2027", "2027-12-31 00:00:00", "31-12-2027 00:00"),
        *("46752", "46752,0", "20271231", "2027/12/31", "31 december 2027", "31-dec-2027", "vrijdag 31 december 2027"),
        *("31-12-2027 23:59:59", "31\u201112\u20112027", "31 \u2013 12 \u2013 2027", "31\u00a0december\u00a02027"),
        *("December 31, 2027", "Dec 31st 2027", "31-dec-27", "31 dec. '27", "vr 31 dez 27", '=""31-12-2027""'),
        *("12/31/2027 11:59 PM", "31-12-2027 11:59 pm", "2027-12-31T23:59:59+01:00", "12/31/2027 12:00:00 a.m."),
    ],
)
def test_the_last_day_is_read_as_people_and_excel_write_it(written: str) -> None:
    assert taken(f'code;Vervaldatum\n{code(1)};"{written}"\n') == [(code(1), None, YEAR_END)]


@pytest.mark.parametrize(
    "column", ["Expires on", "Activation deadline", "Uiterste datum van activering", "Geldig t.e.m."]
)
def test_a_last_day_is_not_lost_by_what_its_column_is_called(column: str) -> None:
    assert taken(f"code;{column}\n{code(1)};31-12-2027\n") == [(code(1), None, YEAR_END)]


def test_a_sign_that_ends_a_line_elsewhere_ends_none_here() -> None:
    found = read(f"code;batch\n{code(1)};B\u20281\n{code(2)};B-2\n")

    assert [(each.line, each.new.batch) for each in found.found] == [(3, "B-2")]
    assert [(fault.line, fault.column) for fault in found.faults] == [(2, "batch")]


def test_the_day_stands_before_the_month_as_in_the_netherlands() -> None:
    assert taken(f"code;Geldig tot\n{code(1)};1-2-2028\n{code(2)};1/2/2028\n") == [
        (code(1), None, date(2028, 2, 1)),
        (code(2), None, date(2028, 2, 1)),
    ]


def test_where_the_month_stands_first_nobody_guesses() -> None:
    found = read(f"code,Expiry Date\n{code(1)},12/31/2027\n{code(2)},01/02/2028\n")

    assert [(each.new.code, each.new.activate_before) for each in found.found] == [(code(1), YEAR_END)]
    assert [(fault.line, fault.column, fault.reason.code) for fault in found.faults] == [
        (3, "Expiry Date", "activate_before_ambiguous")
    ]


@pytest.mark.parametrize("nothing", ["", "-", "n.v.t.", "N.V.T", "nvt", "n/a", "\u2013", "geen", "onbeperkt"])
def test_a_cell_that_says_there_is_nothing_says_nothing(nothing: str) -> None:
    assert taken(f"code;batch;vervaldatum\n{code(1)};{nothing};{nothing}\n") == [(code(1), None, None)]


@pytest.mark.parametrize("unfit", ["31-02-2027", "12345", "morgen", "31-12-27", "2027", "99999", "2027-13-01"])
def test_what_is_no_day_is_named_by_line_and_column(unfit: str) -> None:
    found = read(f"Code;Vervaldatum\n{code(1)};{unfit}\n{code(2)};31-12-2027\n")

    assert [(fault.line, fault.column, fault.reason.code) for fault in found.faults] == [
        (2, "Vervaldatum", "activate_before_not_a_day")
    ]
    assert len(found.found) == 1


@pytest.mark.parametrize("sign", [ZERO_WIDTH, SOFT, LRM, JOINER, "\ufeff"])
def test_a_sign_that_nobody_sees_is_left_out_of_a_code_and_named(sign: str) -> None:
    found = read(f"code\n{sign}{code(1)}\n{code(2)[:7]}{sign}{code(2)[7:]}\n")

    assert [each.new.code for each in found.found] == [code(1), code(2)]
    told = [(change.line, change.column, change.what.code, change.what.values["signs"]) for change in found.changes]
    assert told == [(line, "code", "unseen_dropped", (f"U+{ord(sign):04X}",)) for line in (2, 3)]


@pytest.mark.parametrize(
    "spelled",
    [code(1).lower(), code(1).replace("-", ""), code(1).replace("-", " - "), code(1).replace("-", "").lower()],
)
def test_a_code_in_another_spelling_is_taken_in_that_of_the_product_and_named(spelled: str) -> None:
    found = read(f"code\n{spelled}\n")

    assert [each.new.code for each in found.found] == [code(1)]
    assert [change.what.code for change in found.changes] == ["spelled_like_example"]


@pytest.mark.parametrize(
    "name", ["ALSO \u2013 nov", "Jan's levering", "\u20ac12", "\u201cnovember\u201d", "Köln (2)", "A/B & C"]
)
def test_a_batch_may_be_called_as_people_call_it(name: str) -> None:
    assert taken(f"code;batch\n{code(1)};{name}\n") == [(code(1), name, None)]


@pytest.mark.parametrize("name", ["=1+1", "@SUM(A1)", "-1+2", "+31", "x" * 65, "<b>"])
def test_a_batch_that_a_spreadsheet_would_run_is_named_by_its_cell(name: str) -> None:
    found = read(f"code;batch\n{code(1)};{name}\n")

    assert [(f.line, f.column, f.reason.code) for f in found.faults] == [(2, "batch", "batch_name_unfit")]


def test_a_file_of_a_windows_spreadsheet_keeps_its_euro_sign() -> None:
    assert taken(f"code;batch\n{code(1)};€12 \u201cnov\u201d\n".encode("cp1252")) == [
        (code(1), "€12 \u201cnov\u201d", None)
    ]


def test_no_line_is_lost_without_a_word() -> None:
    """Every line that holds something is a code or a fault."""
    lines = [code(1), "Totaal: 3", code(1).lower(), '"', "=1+1", f"{code(2)};B;x", code(3), "  "]
    found = read("code;batch\n" + "\n".join(lines))

    assert sorted([each.line for each in found.found] + [fault.line for fault in found.faults]) == [2, 3, 4, 5, 6, 7, 8]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("", "file_without_header"),
        (b"PK\x03\x04\x14\x00\x06\x00xl/workbook.xml", "file_is_no_text"),
        (b"%PDF-1.7\ncode;batch\n", "file_is_no_text"),
        (code(1), "file_without_header"),
        ("batch;sku\nB;S\n", "file_without_header"),
        ("code;code\nA;B\n", "column_twice"),
        (b"code\n\xef\xbf\xbd\n", "file_not_utf8"),
    ],
)
def test_what_is_no_file_of_codes_is_refused(content: str | bytes, why: str) -> None:
    with pytest.raises(InvalidInput, match=why):
        read(content)


def test_a_sku_in_lower_case_is_that_of_the_catalog(wired: Stack) -> None:
    file = f"Artikelnummer;Code\n{SKU.lower()};{code(1)}\nNOPE;{code(2)}\n"

    found = read(file, sku=None)

    assert [(each.new.sku, each.line) for each in found.found] == [(SKU, 2)]
    assert [(fault.line, fault.column, fault.reason.code) for fault in found.faults] == [
        (3, "Artikelnummer", "sku_not_in_catalog")
    ]
    _, said = call("POST", "/stock/{sku}", f"code,sku\n{code(1)},{SKU.lower()}\n", content_type="text/csv", sku=SKU)
    assert said["added"] == 1


def test_a_preview_tells_how_the_file_was_understood_and_writes_nothing(wired: Stack) -> None:
    content = (
        f"Levering november\nActivatiecode;Vervaldatum;po_number;;Partij\n"
        f"{code(1)};31-12-2027;4711;;ALSO\n{code(2).lower()};46752;4711;;ALSO\n{code(3)};morgen;4711;;ALSO\n"
    )

    _, said = call("POST", "/stock/{sku}?dry_run=true", content.encode("utf-16"), content_type="text/csv", sku=SKU)
    _, stock = call("GET", "/stock")

    assert said["understood"] == {
        "encoding": "UTF-16",
        "separator": ";",
        "header_line": 2,
        "columns": [
            {"place": 1, "name": "Activatiecode", "meaning": "code"},
            {"place": 2, "name": "Vervaldatum", "meaning": "activate_before"},
            {"place": 3, "name": "po_number", "meaning": None},
            {"place": 4, "name": "", "meaning": None},
            {"place": 5, "name": "Partij", "meaning": "batch"},
        ],
        "rows": [
            {"line": 3, "code": "…00001", "sku": SKU, "batch": "ALSO", "activate_before": "2027-12-31"},
            {"line": 4, "code": "…00002", "sku": SKU, "batch": "ALSO", "activate_before": "2027-12-31"},
        ],
        "changed": [
            {
                "line": 4,
                "reason": {
                    "code": "spelled_like_example",
                    "values": {},
                    "text": "written like the product's other codes: dashes or capitals were changed",
                },
                "column": "Activatiecode",
            }
        ],
        "changed_count": 1,
    }
    assert [(each["line"], each["column"]) for each in said["invalid"]] == [(5, "Vervaldatum")]
    assert (said["added"], stock["stock"][0]["free"]) == (2, 0)


@pytest.mark.parametrize(
    "content",
    [
        f"Code\n{code(1)} 31-12-2027\n",
        f"Code\n{code(1)};31-12-2027\n",
        f"Code\n{code(1)}\tB-1\n",
        f"Code;Vervaldatum\n{code(1)} / 31-12-2027;\n",
        f"Code;Vervaldatum\n31-12-2027, {code(1)};\n",
    ],
)
def test_a_code_with_more_in_its_cell_is_refused_with_what_to_do(content: str) -> None:
    found = read(content)

    assert found.found == []
    assert [(fault.line, fault.column, fault.reason.code) for fault in found.faults] == [(2, "Code", "code_with_more")]


def test_a_time_of_twelve_hours_says_that_the_month_may_stand_first() -> None:
    found = read(f"code,Expiry Date\n{code(1)},01/02/2028 12:00 AM\n{code(2)},01/02/2028 00:00\n")

    assert [(fault.line, fault.reason.code) for fault in found.faults] == [
        (2, "activate_before_ambiguous"),
        (3, "activate_before_ambiguous"),
    ]


@pytest.mark.parametrize("total", ["Totaal;1", "Eindtotaal;;1", "Total: 1 codes;", ";Aantal;1", "SUBTOTAL;1.000,00"])
def test_a_line_of_totals_is_called_one(total: str) -> None:
    found = read(f"code;batch;nr\n{code(1)};B-1;1\n\n{total}\n")

    assert [each.new.code for each in found.found] == [code(1)]
    assert [(fault.line, fault.reason.code) for fault in found.faults] == [(4, "line_is_a_total")]


def test_a_code_that_begins_like_a_total_is_no_total() -> None:
    found = read(f"code\nTotaal-{code(1)}\nSUM12-BBBBB-CCCCC-00003\n")

    assert [each.new.code for each in found.found] == ["SUM12-BBBBB-CCCCC-00003"]
    assert [(fault.line, fault.reason.code) for fault in found.faults] == [(2, "not_a_code_of")]


def test_a_file_that_was_cut_off_is_refused_whole() -> None:
    with pytest.raises(InvalidInput) as refused:
        read(f"code\n{code(1)}\n".encode("utf-16")[:-1])

    assert refused.value.said.code == "file_not_utf8"
