"""The answer to `preview@…`: what a receptionist reads before anybody is texted."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge import notices
from bridge.errors import MailRefusal, Reason, RecipientRefusal, Refusal
from bridge.notices.preview import MAX_CUT_LINES, MAX_LISTED, breaks_of, foreign_characters
from bridge.notices.wording import WORDINGS
from bridge.sms.encoding import encode
from bridge.types import (
    Cut,
    CutRule,
    Encoded,
    Language,
    Mailbox,
    MessageClass,
    NewMessage,
    Options,
    OutgoingMail,
    Preview,
    PreviewNotice,
    PreviewRefusal,
    Priority,
    Recipient,
    Submission,
    UnicodePolicy,
)
from tests.clinic import CLINIC
from tests.notices.grammar import check_lines, header_fields
from tests.notices.samples import DOMAIN, PHONE, read, subject_of, words
from tests.notices.test_notice_properties import POISON

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
FOR_EVER = datetime.max.replace(tzinfo=UTC)
TEXT = "Your visit is on Tuesday at 10:30."


def message(text: str = TEXT, number: str = PHONE, **changes: Any) -> NewMessage:
    """The SMS to one phone, as it would leave."""
    values: dict[str, Any] = {
        "recipient": Recipient(f"{number}@{DOMAIN}"),
        "number": number,
        "sender": CLINIC.sender,
        "gateway": "",
        "message_class": MessageClass.TRANSACTIONAL,
        "encoded": encode(text, UnicodePolicy.TRANSLITERATE),
        "due_at": NOW,
        "expires_at": None,
        "report_on": frozenset(),
    }
    return NewMessage(**(values | changes))


def refused(refusal: Refusal, address: str = f"12@{DOMAIN}") -> PreviewRefusal:
    return PreviewRefusal(address, refusal.reason, refusal.reply, refusal.sentence)


def shown(*messages: NewMessage, **changes: Any) -> Preview:
    """What a mail would come to; the clinic's short text to one phone unless told otherwise."""
    values: dict[str, Any] = {"login": CLINIC.login, "messages": messages or (message(),)}
    return Preview(**(values | changes))


def submission(text: str = TEXT, **changes: Any) -> Submission:
    """What was read in the mail."""
    values: dict[str, Any] = {
        "message_id": "<visit@example.test>",
        "fingerprint": "<visit@example.test>",
        "header_from": "clinic@example.test",
        "subject": "Visit",
        "references": (),
        "text": text,
        "cuts": (),
        "warnings": (),
        "options": Options(),
        "headers": b"",
    }
    return Submission(**(values | changes))


def cutting(rule: CutRule, text: str) -> Submission:
    """The mail, with a piece that is left out."""
    return submission(cuts=(Cut(rule, text),))


def answer(preview: Preview, *, language: Language = Language.ENGLISH, **changes: Any) -> bytes:
    """The mail that tells it, as it goes over the wire."""
    mailbox: Mailbox = replace(CLINIC, language=language)
    values: dict[str, Any] = {
        "notice_id": "preview.01",
        "to": "doctor@example.test",
        "mailbox": mailbox,
        "preview": preview,
        "message_id": "<visit@example.test>",
        "references": ("<first@example.test>",),
        "subject": "Visit",
        "created_at": NOW,
    }
    mail = notices.previewed(PreviewNotice(**(values | changes)), DOMAIN)
    assert (mail.envelope_from, mail.envelope_to) == ("", (values | changes)["to"])
    return mail.raw


def letter(preview: Preview, **changes: Any) -> str:
    """The words of that mail."""
    return words(read(OutgoingMail("", "", "", answer(preview, **changes))))


# ------------------------------------------------------------------------------------------------ the mail itself


def test_it_stands_in_the_thread_and_no_machine_answers_it() -> None:
    raw = answer(shown())
    check_lines(raw)
    fields = {name.lower(): value for name, value in header_fields(raw)}
    assert fields["from"] == f"SMS preview <postmaster@{DOMAIN}>"
    assert fields["to"] == "doctor@example.test"
    assert fields["subject"] == "Re: Visit"
    assert fields["message-id"] == f"<preview.01@{DOMAIN}>"
    assert fields["in-reply-to"] == "<visit@example.test>"
    assert fields["references"] == "<first@example.test> <visit@example.test>"
    assert fields["auto-submitted"] == "auto-replied"
    assert fields["x-auto-response-suppress"] == "All"
    assert fields["date"] == "Sun, 22 Nov 2026 09:00:00 +0100"


def test_the_same_values_give_the_same_bytes() -> None:
    assert answer(shown()) == answer(shown())


@pytest.mark.parametrize(
    ("language", "subject"),
    [
        (Language.ENGLISH, "What your mail would send"),
        (Language.ITALIAN, "Che cosa invierebbe la Sua email"),
        (Language.SPANISH, "Qué enviaría su correo"),
        (Language.DUTCH, "Wat uw e-mail zou verzenden"),
    ],
)
def test_a_mail_without_subject(language: Language, subject: str) -> None:
    mail = read(OutgoingMail("", "", "", answer(shown(), language=language, subject="")))
    assert subject_of(mail) == subject


@settings(max_examples=150, deadline=None)
@given(subject=POISON, contact=POISON, text=POISON, cut=POISON, address=POISON, message_id=POISON, warning=POISON)
def test_nothing_that_a_mail_holds_begins_a_header_or_breaks_a_line(
    subject: str, contact: str, text: str, cut: str, address: str, message_id: str, warning: str
) -> None:
    preview = shown(
        message(text, contact=contact),
        message(text, "", recipient=Recipient(address)),
        refused=(refused(RecipientRefusal(Reason.UNKNOWN_ALIAS, f'"{contact}" is nobody.'), address),),
        submission=submission(cuts=(Cut(CutRule.SIGNATURE, cut),), warnings=(warning,)),
    )
    raw = answer(preview, subject=subject, message_id=message_id, references=(message_id, "<a@b>"))
    check_lines(raw)
    known = {"from", "to", "subject", "date", "message-id", "in-reply-to", "references", "auto-submitted"}
    more = {"x-auto-response-suppress", "mime-version", "content-type", "content-transfer-encoding"}
    assert {name.lower() for name, _ in header_fields(raw)} <= known | more


def test_the_page_for_users_shows_one_as_it_is() -> None:
    page = (Path(__file__).parents[2] / "docs" / "preview.md").read_text(encoding="utf-8")
    to_anna = message("Your visit is on Tuesday at 10:30 👋", contact="Anna Rossi")
    preview = shown(to_anna, submission=cutting(CutRule.SIGNATURE, "-- \nThe clinic\nVia Roma 1"))
    assert page.split("```text\n")[1].split("```")[0] == letter(preview)


# --------------------------------------------------------------------------------------------- the first sentence


@pytest.mark.parametrize(
    ("preview", "first"),
    [
        pytest.param(shown(), "This mail would send 1 SMS to +39 333 123 4567.", id="one phone"),
        pytest.param(
            shown(message(contact="Anna Rossi")),
            "This mail would send 1 SMS to Anna Rossi (+39 333 123 4567).",
            id="a phone with a name",
        ),
        pytest.param(shown(message("a" * 161)), "This mail would send 2 SMS to +39 333 123 4567.", id="a long text"),
        pytest.param(
            shown(message("a" * 161), message("a" * 161, "+393471234567")),
            "This mail would send 4 SMS in all, to 2 phones.",
            id="a long text to two phones",
        ),
        pytest.param(shown(message(number="")), "This mail would be 1 SMS; no phone was named.", id="the text alone"),
        pytest.param(
            shown(refused=(refused(RecipientRefusal(Reason.MALFORMED_NUMBER, "Too short.")),)),
            "This mail would send 1 SMS to +39 333 123 4567. Recipients refused: 1.",
            id="one phone, and one that is none",
        ),
        pytest.param(Preview(CLINIC.login), "This mail would not be texted to anybody.", id="nobody"),
    ],
)
def test_the_first_sentence_says_what_would_happen(preview: Preview, first: str) -> None:
    assert letter(preview).rstrip("\n").split("\n\n")[:2] == [first, "This was only a trial: nothing has been sent."]


@pytest.mark.parametrize(
    ("language", "first", "second"),
    [
        (Language.ITALIAN, "Questa email invierebbe 1 SMS a +39 333 123 4567.", "Era solo una prova:"),
        (Language.SPANISH, "Este correo enviaría 1 SMS a +39 333 123 4567.", "Era solo una prueba:"),
        (Language.DUTCH, "Deze e-mail zou 1 sms verzenden naar +39 333 123 4567.", "Dit was alleen een proef:"),
    ],
)
def test_it_speaks_the_language_of_the_mailbox(language: Language, first: str, second: str) -> None:
    said = letter(shown(), language=language)
    assert said.startswith(f"{first}\n\n{second}")


# ---------------------------------------------------------------------------------------------------- the text


@pytest.mark.parametrize(
    ("text", "framed"),
    [
        pytest.param("One line.", "│One line.│", id="one line"),
        pytest.param("Dear Anna,\n\nsee you.", "│Dear Anna,│\n││\n│see you.│", id="an empty line"),
        pytest.param("a  b \n c", "│a  b │\n│ c│", id="blanks inside, behind and in front"),
        pytest.param("Più tardi: 10 €", "│Più tardi: 10 €│", id="accents"),
    ],
)
def test_the_text_stands_between_bars_exactly(text: str, framed: str) -> None:
    assert f"The text, exactly as the phone shows it:\n\n{framed}\n" in letter(shown(message(text))) + "\n"


@given(text=st.text(alphabet="ab €\n👋", min_size=1, max_size=400))
def test_the_frame_gives_the_text_back(text: str) -> None:
    framed = letter(shown(message(text))).split("shows it:\n\n")[1].split("\n\n")[0].rstrip("\n").split("\n")
    assert "\n".join(line.removeprefix("│").removesuffix("│") for line in framed) == message(text).encoded.text


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        pytest.param(
            "a" * 100,
            ["SMS: 1", "Alphabet: basic (at most 160 characters in one SMS, 153 in each of several)",
             "Characters left: 60"],
            id="one SMS",
        ),
        pytest.param(
            "See you 👋",
            ["SMS: 1", "Alphabet: large (at most 70 characters in one SMS, 67 in each of several)",
             "Characters left: 60", "Not in the basic alphabet: “👋” (character 9)"],
            id="an emoji that costs room, but no SMS",
        ),
        pytest.param(
            "a" * 80 + "👋",
            ["SMS: 2", "Alphabet: large (at most 70 characters in one SMS, 67 in each of several)",
             "Characters left: 52", "Not in the basic alphabet: “👋” (character 81)",
             "With ordinary characters instead, 1 SMS would do."],
            id="an emoji that costs an SMS",
        ),
        pytest.param(
            "€" * 81,
            ["SMS: 2", "Alphabet: basic (at most 160 characters in one SMS, 153 in each of several)",
             "Characters left: 143", "Counts as two characters: “€” (character 1)",
             "With ordinary characters instead, 1 SMS would do."],
            id="a character of two septets",
        ),
        pytest.param(
            "Ωșțăîâ",
            ["SMS: 1", "Alphabet: large (at most 70 characters in one SMS, 67 in each of several)",
             "Characters left: 64",
             "Not in the basic alphabet: “ș” (character 2), “ț” (character 3), “ă” (character 4), “î” (character 5), "
             "“â” (character 6)"],
            id="several letters",
        ),
    ],
)  # fmt: skip
def test_what_a_text_costs_and_why(text: str, lines: list[str]) -> None:
    said = letter(shown(message(text)))
    assert "\n".join([f"To: {'+39 333 123 4567'}", *lines, "Shown as sender: +39 02 0000 0001\n"]) in said


@pytest.mark.parametrize(
    ("text", "policy", "found"),
    [
        pytest.param("“a” 👋", UnicodePolicy.TRANSLITERATE, {"👋": 5}, id="quotes would have been replaced"),
        pytest.param("“a”", UnicodePolicy.ALLOW, {"“": 1, "”": 3}, id="quotes are kept"),
        pytest.param("👨‍👩‍👧", UnicodePolicy.ALLOW, {"👨": 1, "👩": 3, "👧": 5}, id="joiners are not named"),
        pytest.param("a\u200bb", UnicodePolicy.ALLOW, {"\u200b": 2}, id="but where nothing else is to blame"),
        pytest.param("plain", UnicodePolicy.ALLOW, {}, id="nothing"),
    ],
)
def test_the_characters_that_are_to_blame(text: str, policy: UnicodePolicy, found: dict[str, int]) -> None:
    assert foreign_characters(encode(text, policy), policy) == found


def test_a_character_that_nobody_sees_is_named_by_its_code() -> None:
    hidden = message(encoded=encode("a\u200bb", UnicodePolicy.ALLOW))
    asked = submission(options=Options(unicode=UnicodePolicy.ALLOW))
    assert "Not in the basic alphabet: U+200B (character 2)\n" in letter(shown(hidden, submission=asked))


def test_where_one_sms_ends_and_the_next_begins() -> None:
    encoded = Encoded("", message().encoded.encoding, 0, ("Bring your papers\n", "and a pen."), 0)
    assert breaks_of(encoded) == ["1/2: Bring your papers↵│and a pen."]
    said = letter(shown(message("word " * 40)))
    assert "Where one SMS ends and the next begins; the phone puts them together:\n  1/2: …" in said
    assert "Where one SMS ends" not in letter(shown())


def test_phones_with_the_same_text_share_it() -> None:
    anna, luca = message(contact="Anna"), message(number="+393471234567", contact="Luca")
    said = letter(shown(anna, luca))
    assert "To:\n  Anna (+39 333 123 4567)\n  Luca (+39 347 123 4567)\nSMS: 1\n" in said
    assert said.count(TEXT) == 1
    assert letter(shown(anna, replace(luca, flash=True))).count(TEXT) == 2


def test_many_phones_are_counted_and_not_all_named() -> None:
    said = letter(shown(*(message(number=f"+39333{n:07}") for n in range(MAX_LISTED + 7))))
    assert said.count("\n  +39 333 ") == MAX_LISTED
    assert "\n  and 7 more\n" in said


# -------------------------------------------------------------------------------------------- what the mail asks for


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        pytest.param({"flash": True}, "The phone shows it at once and does not keep it (flash).", id="flash"),
        pytest.param({"priority": Priority.HIGH}, "It leaves before other messages (high priority).", id="priority"),
        pytest.param({"message_class": MessageClass.PROMOTIONAL}, "Kind: promotional", id="class"),
        pytest.param({"due_at": NOW + timedelta(hours=2)}, "To be sent: 22 November 2026, 11:00", id="later"),
        pytest.param({"expires_at": NOW + timedelta(days=1)}, "Valid until: 23 November 2026, 09:00", id="expires"),
        pytest.param({"expires_at": FOR_EVER}, "Valid until: 30 December 9999, 01:00", id="ever"),
        pytest.param({"reference": "AB12"}, "Your reference: AB12", id="reference of the phone"),
    ],
)  # fmt: skip
def test_what_is_asked_for_is_told_in_the_hour_of_the_mailbox(changes: dict[str, Any], line: str) -> None:
    assert f"\n{line}\n" in letter(shown(message(**changes)))
    assert line not in letter(shown())


def test_the_reference_of_the_whole_mail_counts_where_the_phone_has_none() -> None:
    whole = submission(options=Options(reference="whole"))
    assert "\nYour reference: whole\n" in letter(shown(submission=whole))
    assert "\nYour reference: own\n" in letter(shown(message(reference="own"), submission=whole))


# ------------------------------------------------------------------------------------------- what is left out


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("rule", list(CutRule))
def test_every_rule_has_a_name_in_every_language(language: Language, rule: CutRule) -> None:
    name = WORDINGS[language].say(f"preview.rule.{rule.name.lower()}")
    assert f"\n\n{name}:\n  - The clinic\n" in letter(shown(submission=cutting(rule, "The clinic")), language=language)


def test_a_signature_that_was_learned_says_so_and_no_other_cut_does() -> None:
    learned = "These lines ended several of your mails and count as your signature."
    assert learned in letter(shown(submission=cutting(CutRule.LEARNED_SIGNATURE, "Anna\nVia Roma 1")))
    assert learned not in letter(shown(submission=cutting(CutRule.SIGNATURE, "Anna\nVia Roma 1")))


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        pytest.param("-- \nAnna", ["--", "Anna"], id="short"),
        pytest.param("\n\nAnna\n", ["Anna"], id="empty lines around it"),
        pytest.param("\n".join("abcdefgh"), [*"abcdefgh"[:MAX_CUT_LINES], "[…]"], id="of many lines the first"),
        pytest.param("x" * 5000, ["x" * 400, "[…]"], id="of a long line the beginning"),
    ],
)
def test_what_is_left_out_is_shown_shortened(text: str, lines: list[str]) -> None:
    said = letter(shown(submission=cutting(CutRule.QUOTED_MAIL, text)))
    block = said.split("The mail you answered:\n")[1].rstrip("\n")
    assert block.split("\n") == [f"  - {line}" for line in lines]


def test_warnings_come_last() -> None:
    warned = submission(warnings=("1 attachment was left out: an SMS carries text only.",))
    note = "\n\nNote: 1 attachment was left out: an SMS carries text only.\n"
    assert letter(shown(submission=warned)).endswith(note)
    not_sent = shown(messages=(), refused=(refused(MailRefusal(Reason.EMPTY_TEXT, "No.")),), submission=warned)
    assert letter(not_sent).endswith(note)


# ------------------------------------------------------------------------------------------------ what is refused

TOO_LONG = MailRefusal(Reason.TOO_MANY_SEGMENTS, "This text needs 14 SMS and the limit is 6.")


def test_a_mail_that_is_refused_says_why_what_to_do_and_what_the_mail_program_would_have_seen() -> None:
    said = letter(
        shown(messages=(), refused=(refused(TOO_LONG, f"preview@{DOMAIN}"),), submission=submission("a" * 99))
    )
    assert said == (
        "This mail would not be texted to anybody.\n\n"
        "This was only a trial: nothing has been sent.\n\n"
        "The text is longer than a text message may be. Please shorten it and send it again.\n"
        "The bridge would answer your mail program:\n"
        "  552 5.3.4 This text needs 14 SMS and the limit is 6.\n\n"
        f"The text:\n\n│{'a' * 99}│\n"
    )


def test_those_who_are_refused_beside_others_are_named_with_their_reason() -> None:
    short = RecipientRefusal(Reason.MALFORMED_NUMBER, '"12" is too short.')
    fixed = RecipientRefusal(Reason.LANDLINE, "A landline.")
    said = letter(
        shown(refused=(refused(short), refused(fixed, f"+390236728100@{DOMAIN}"), refused(short, f"12@{DOMAIN}x")))
    )
    assert f"Would not be texted:\n  12@{DOMAIN}\n  12@{DOMAIN}x\nThis is not a possible telephone number." in said
    assert '\n  553 5.1.3 "12" is too short.\n' in said
    assert "Would not be texted:\n  +39 02 3672 8100\nThis is a landline" in said


def test_a_sentence_keeps_letters_that_the_wire_would_have_lost() -> None:
    unknown = RecipientRefusal(Reason.UNKNOWN_ALIAS, '"Müller" is no contact.')
    assert "M?ller" in unknown.reply
    assert '550 5.1.1 "Müller" is no contact.' in letter(shown(messages=(), refused=(refused(unknown),)))


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("reason", [TOO_LONG.reason, Reason.ENCRYPTED, Reason.EMPTY_TEXT, Reason.OPTED_OUT])
def test_every_language_explains_every_refusal_without_open_blanks(language: Language, reason: Reason) -> None:
    said = letter(shown(message("👋" * 80), refused=(refused(RecipientRefusal(reason, "No.")),)), language=language)
    assert WORDINGS[language].say(f"reason.{reason}.why") in said
    assert "{" not in said
