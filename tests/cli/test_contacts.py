"""`bridge contacts`: the address book, kept while the bridge runs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.commands import Done, run
from tests.cli.conftest import configured, copied
from tests.road.demo_process import DOMAIN, LOGIN, DemoProcess, compose, eventually

MARIO, JOSE, NEW = "+393331234567", "+393471234567", "+393471234568"
Book = Callable[..., Done]


@pytest.fixture(scope="module")
def empty_book(tables: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An installation whose only mailbox is in Italy."""
    config = copied(tables, configured(tmp_path_factory.mktemp("empty")))
    add = ("mailbox", "add", "reception@clinic.example", "--sender", "+390200000042", "--network", "10.0.0.0/8")
    assert run(*add, "--config", config).code == 0
    return config


@pytest.fixture(scope="module")
def filled_book(empty_book: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with two contacts and a group."""
    config = copied(empty_book, configured(tmp_path_factory.mktemp("filled")))
    book = contacts_of(config)
    assert book("add", "Mario Rossi", "333 1234567").code == 0
    assert book("add", "José García", JOSE).code == 0
    assert book("group", "Pazienti di oggi", "--add", "mario.rossi", "--add", "JOSE_GARCIA").code == 0
    return config


def contacts_of(config: Path) -> Book:
    """`bridge contacts` on an installation that does not run."""

    def command(*arguments: object, stdin: bytes = b"") -> Done:
        return run("contacts", *arguments, "--config", config, stdin=stdin)

    return command


@pytest.fixture
def book(config: Path, empty_book: Path) -> Book:
    return contacts_of(copied(empty_book, config))


@pytest.fixture
def filled(config: Path, filled_book: Path) -> Book:
    return contacts_of(copied(filled_book, config))


def kept(book: Book) -> dict[str, str]:
    return {each["name"]: each["number"] for each in book("list", "--json").document["contacts"]}


def groups(book: Book) -> dict[str, list[str]]:
    return {each["name"]: each["members"] for each in book("list", "--json").document["groups"]}


def test_a_new_contact_is_told_with_the_address_to_write_to(book: Book) -> None:
    done = book("add", "  José   García ", JOSE)
    assert (done.code, done.err) == (0, "")
    assert done.out == f"José García is +39 347 123 4567: a mail to jose.garcia@{DOMAIN} texts this phone.\n"
    assert kept(book) == {"José García": JOSE}


def test_the_same_command_again_changes_the_number_and_tells_the_old_one(filled: Book) -> None:
    assert filled("add", "Mario Rossi", NEW).out == "Mario Rossi was +39 333 123 4567 and is +39 347 123 4568 now.\n"
    assert kept(filled) == {"José García": JOSE, "Mario Rossi": NEW}
    assert groups(filled) == {"Pazienti di oggi": ["José García", "Mario Rossi"]}


def test_the_book_for_people(filled: Book) -> None:
    assert filled("list").out == (
        "José García  +39 347 123 4567\nMario Rossi  +39 333 123 4567\nPazienti di oggi  group of 2 contacts\n"
    )
    assert filled("show", "mario-rossi").out == "Mario Rossi  +39 333 123 4567\n  in Pazienti di oggi\n"
    assert filled("show", "pazienti.di.oggi").out == "José García  +39 347 123 4567\nMario Rossi  +39 333 123 4567\n"


def test_the_book_for_programs(filled: Book) -> None:
    assert filled("show", "MARIO.ROSSI", "--json").document == {
        "name": "Mario Rossi",
        "number": MARIO,
        "groups": ["Pazienti di oggi"],
    }
    assert filled("show", "pazienti di oggi", "--json").document == {
        "name": "Pazienti di oggi",
        "members": ["José García", "Mario Rossi"],
    }


def test_an_empty_book_says_how_to_begin(book: Book) -> None:
    assert book("list").out == "The address book is empty. Add a name with `bridge contacts add NAME NUMBER`.\n"
    assert book("list", "--json").document == {"contacts": [], "groups": []}


def test_contacts_join_and_leave_groups(filled: Book) -> None:
    group = ("group", "Pazienti di oggi")
    assert filled(*group, "--remove", "Mario Rossi").out == "Pazienti di oggi: José García.\n"
    assert filled(*group, "--remove", "José García").out == "Pazienti di oggi: nobody.\n"
    assert filled("show", "pazienti.di.oggi").out == (
        "Pazienti di oggi has no members. Add one with --add of `bridge contacts group`.\n"
    )
    assert filled(*group, "--add", "Mario Rossi", "--add", "Mario Rossi").out == "Pazienti di oggi: Mario Rossi.\n"


def test_who_is_removed_leaves_the_groups_too_and_a_group_leaves_its_members(filled: Book) -> None:
    assert filled("remove", "mario.rossi").out == "Mario Rossi is removed.\n"
    assert groups(filled) == {"Pazienti di oggi": ["José García"]}
    assert filled("remove", "pazienti-di-oggi").out == "Pazienti di oggi is removed.\n"
    assert (kept(filled), groups(filled)) == ({"José García": JOSE}, {})


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["add", "", MARIO], 2, "The name is empty. Give another name."),
        (["add", "333 1234567", MARIO], 2, "333 1234567 would be read as a telephone number. Give another name."),
        (["add", "118", MARIO], 2, "118 would be read as a telephone number. Give another name."),
        (["add", "p39 reparto", MARIO], 2, "p39 reparto would be read as a telephone number. Give another name."),
        (["add", "SMS=Mario", MARIO], 2, "SMS=Mario would be read as a telephone number. Give another name."),
        (["add", "Sms", MARIO], 2, "Sms is an address of the bridge itself. Give another name."),
        (["add", "preview", MARIO], 2, "preview is an address of the bridge itself. Give another name."),
        (["add", "a+b", MARIO], 2,
         "a+b holds a plus, and behind a plus an address has its options. Give another name."),
        (["add", "mario@rossi", MARIO], 2,
         'mario@rossi holds "@", which mail programs do not write in an address. Give another name.'),
        (["add", 'Mario "Rossi"', MARIO], 2,
         'Mario "Rossi" holds a quotation mark, which mail programs do not write in an address. Give another name.'),
        (["add", "Rossi, Mario", MARIO], 2,
         'Rossi, Mario holds ",", which mail programs do not write in an address. Give another name.'),
        (["add", "Mario\x07Rossi", MARIO], 2, "MarioRossi holds a character that cannot be seen. Give another name."),
        (["add", ". - .", MARIO], 2, ". - . has no letter and no digit. Give another name."),
        (["add", "x" * 65, MARIO], 2,
         f"{'x' * 64} has more than the 64 characters that an address can hold. Give another name."),
        (["add", "Anna", "12"], 2,
         '"12" is too short for a telephone number: write the number with its country code, like +393331234567.'),
        (["add", "Anna", "02 1234567"], 2, "+39 02 123 4567 is a landline, which gets no texts. Give a mobile number."),
        (["add", "Anna", "333 1234567", "--region", "Italia"], 2,
         "Italia is not a country code of two letters, such as IT."),
        (["add", "jose.garcia", MARIO], 1,
         "jose.garcia and José García, which the book has, are the same name in an address. Spell it as the book "
         "does."),
        (["add", "Pazienti di oggi", MARIO], 1, "Pazienti di oggi is the name of a group. Give another name."),
        (["group", "Mario Rossi", "--add", "José García"], 1,
         "Mario Rossi is a contact. Give the group another name."),
        (["group", "sms", "--add", "José García"], 2, "sms is an address of the bridge itself. Give another name."),
        (["group", "Oggi"], 2, "Name who joins with --add CONTACT, or who leaves with --remove CONTACT."),
        (["group", "Oggi", "--add", "Mario Rosi"], 1,
         "There is no contact and no group Mario Rosi. Did you mean Mario Rossi?"),
        (["group", "Oggi", "--add", "Pazienti di oggi"], 1,
         "Pazienti di oggi is a group, and a group has contacts as its members."),
        (["group", "Oggi", "--remove", "Mario Rossi"], 1, "There is no group Oggi. See `bridge contacts list`."),
        (["show", "Zzz"], 1, "There is no contact and no group Zzz. See `bridge contacts list`."),
        (["remove", "jose garcya"], 1, "There is no contact and no group jose garcya. Did you mean José García?"),
        (["import", "nowhere.csv"], 2, "nowhere.csv cannot be read: No such file or directory. Name a CSV file."),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, list) else "",
)  # fmt: skip
def test_every_complaint_says_why_and_changes_nothing(
    filled: Book, arguments: list[str], code: int, sentence: str
) -> None:
    before = filled("list", "--json").document
    done = filled(*arguments)
    assert (done.code, done.sentence) == (code, sentence)
    assert filled("list", "--json").document == before


def test_a_contact_that_is_not_in_the_group_cannot_leave_it(filled: Book) -> None:
    filled("add", "Anna Bianchi", NEW)
    done = filled("group", "Pazienti di oggi", "--remove", "Anna Bianchi")
    assert (done.code, done.sentence) == (
        1,
        "Anna Bianchi does not belong to Pazienti di oggi. See `bridge contacts show`.",
    )


def test_a_number_without_country_code_needs_a_country_where_mailboxes_are_in_several(book: Book, config: Path) -> None:
    add = ("mailbox", "add", "desk@clinic.example", "--sender", "+31612345678", "--network", "10.1.0.0/16")
    assert run(*add, "--region", "NL", "--config", config).code == 0
    assert book("add", "Anna", "333 1234567").sentence == (
        "333 1234567 has no country code, and no country is known for it. Name one with --region COUNTRY."
    )
    assert book("add", "Anna", "333 1234567", "--region", "it").code == 0
    assert book("add", "Bob", "00393471234567").code == 0
    assert kept(book) == {"Anna": MARIO, "Bob": JOSE}


def test_preview_knows_the_book(filled: Book, config: Path) -> None:
    mail = b"From: reception@clinic.example\r\nSubject: Visita\r\n\r\nDomani alle 9.\r\n"
    to = ("--to", "pazienti.di.oggi@sms.example.test", "--to", "mario.rosi@sms.example.test")
    document = run("preview", "-", *to, "--config", config, "--json", stdin=mail).document
    assert [message["number"] for message in document["messages"]] == [JOSE, MARIO]
    (refused,) = document["refused"]
    assert refused["reply"].endswith("Did you mean mario.rossi?")


# ------------------------------------------------------------------------------------------------ files

FILES = {
    "Excel in Italy": "Nome;Telefono;Gruppi\r\nMario Rossi;333 1234567;Oggi\r\n"
    "José García;347/1234567;Oggi;\r\n".encode("cp1252"),
    "Excel, UTF-8 with its mark": "\ufeffname;number;groups\r\nMario Rossi;3331234567;Oggi\r\n"
    "José García;0039 347 1234567;Oggi\r\n".encode(),
    "commas, groups in quotes": 'name,number,groups\nMario Rossi,+39 333 1234567,"Oggi"\n'
    '"José García",+393471234567,Oggi\n'.encode(),
    "no titles, no quotes": "Mario Rossi,+393331234567,Oggi\nJosé García,+393471234567,Oggi\n".encode(),
    "other columns, other order": "ID,Cellulare,Città,Nome,Gruppo\n1,393331234567,Roma,Mario Rossi,Oggi\n"
    "2,393471234567,Milano,José García,Oggi\n".encode(),
    "Unicode text": "Name\tNumber\tGroups\r\nMario Rossi\t'+393331234567\tOggi\r\n"
    'José García\t="+393471234567"\tOggi\r\n'.encode("utf-16"),
    "says its separator": "sep=;\r\nMario Rossi;+393331234567;Oggi\r\n\r\nJosé García;+393471234567;Oggi\r\n".encode(),
}


@pytest.mark.parametrize("content", FILES.values(), ids=FILES.keys())
def test_a_file_as_spreadsheets_write_it(book: Book, tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "people.csv"
    file.write_bytes(content)
    assert book("import", file).out == "2 contacts imported: 2 new, 0 known before.\n"
    assert kept(book) == {"José García": JOSE, "Mario Rossi": MARIO}
    assert groups(book) == {"Oggi": ["José García", "Mario Rossi"]}


def test_a_file_changes_who_is_there_and_leaves_the_others(filled: Book) -> None:
    content = f'Mario Rossi,{NEW},"Domani;Pazienti di oggi"\nAnna Bianchi,{MARIO}\n'.encode()
    assert filled("import", "-", stdin=content).out == "2 contacts imported: 1 new, 1 known before.\n"
    assert kept(filled) == {"Anna Bianchi": MARIO, "José García": JOSE, "Mario Rossi": NEW}
    assert groups(filled) == {"Domani": ["Mario Rossi"], "Pazienti di oggi": ["José García", "Mario Rossi"]}


def test_groups_may_stand_in_columns_of_their_own(book: Book) -> None:
    book("import", "-", stdin=b"Mario Rossi;+393331234567;Oggi;Domani\n")
    assert groups(book) == {"Domani": ["Mario Rossi"], "Oggi": ["Mario Rossi"]}


def test_every_mistake_of_a_file_is_told_with_its_line_and_nothing_is_written(filled: Book) -> None:
    content = (
        b"name;number;groups\n"
        b"Anna;3331234567;Oggi\n"
        b";3331234567\n"
        b'"Two\nLines";3331234567\n'
        b"Bob;12\n"
        b"Carla;3,93331E+11\n"
        b"Dino;+390212345678\n"
        b"ANNA;3471234567\n"
        b"jose garcia;3471234567\n"
        b"Pazienti di oggi;3471234567\n"
        b"Elio;3471234567;Mario Rossi;anna\n"
        b"Fabio;;preview\n"
        b"Gina;3471234567;oggi\n"
    )
    before = filled("list", "--json").document
    done = filled("import", "-", stdin=content)
    assert (done.code, done.out) == (1, "")
    assert done.err.splitlines() == [
        "Line 3: The name is empty. Give another name.",
        'Line 6: "12" is too short for a telephone number: write the number with its country code, like +393331234567.',
        "Line 7: 3,93331E+11 is what a spreadsheet left of a number. Set the column to text there, and fill it in "
        "again.",
        "Line 8: +39 02 1234 5678 is a landline, which gets no texts. Give a mobile number.",
        "Line 9: ANNA stands on line 2 already, spelt Anna. Leave one of them out.",
        "Line 10: jose garcia and José García, which the book has, are the same name in an address. Spell it as the "
        "book does.",
        "Line 11: Pazienti di oggi is the name of a group. Give another name.",
        "Line 12: Mario Rossi is the name of a contact. Give another name.",
        "Line 12: anna is the name of the contact on line 2. Give the group another name.",
        "Line 13: The number is missing. Write it with its country code, like +393331234567.",
        "Line 13: preview is an address of the bridge itself. Give another name.",
        "Line 14: The groups Oggi and oggi are the same name. Spell it in one way.",
        "Nothing was changed. Mend these lines and import it again.",
    ]
    assert filled("list", "--json").document == before


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "The file holds no contact. Each line has a name and a number."),
        (b"name;number\n", "The file holds no contact. Each line has a name and a number."),
        (b"PK\x03\x04\x00\x00\x81", "The file is no text. Save it as CSV, in UTF-8 if you can choose."),
        (b'A;+393331234567\n"B;+393331234567\n',
         "Line 2: a quotation mark is not closed or stands within a word. Mend it, or leave all quotation marks out."),
    ],
    ids=["empty", "titles alone", "a workbook", "open quotation mark"],
)  # fmt: skip
def test_what_is_no_file_of_contacts(book: Book, content: bytes, sentence: str) -> None:
    done = book("import", "-", stdin=content)
    assert (done.code, done.sentence) == (1, sentence)


# ------------------------------------------------------------------------------------ beside a running bridge


def test_a_running_bridge_knows_a_name_as_soon_as_it_is_added(demo: DemoProcess) -> None:
    def contacts(*arguments: str) -> None:
        done = run("contacts", *arguments, environ={"BRIDGE_DATA_DIR": str(demo.data_dir)})
        assert (done.code, done.err) == (0, "")

    def rcpt(name: str) -> int:
        with demo.smtp() as client:
            client.mail(LOGIN)
            return client.rcpt(f"{name}@{DOMAIN}")[0]

    assert rcpt("dr.bianchi") == 550
    contacts("add", "Dr Bianchi", "+393330006010")
    eventually(lambda: rcpt("dr.bianchi") == 250, patience=10)
    with demo.smtp() as client:
        client.send_message(compose(LOGIN, [f"dr.bianchi@{DOMAIN}"], "The results are here."))
    assert eventually(lambda: demo.phone("+393330006010"))[0]["text"] == "The results are here."
    contacts("remove", "dr.bianchi")
    eventually(lambda: rcpt("dr.bianchi") == 550, patience=10)
