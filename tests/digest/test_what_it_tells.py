"""What a digest counts and lists: which texts, who answered, and whether there is anything to say."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from bridge import clock
from bridge.store.digests import MOST_SHOWN
from bridge.types import Digest, MessageState
from tests.digest.conftest import DAY, HOUR, OTHER_PHONE, PHONE, THIRD_PHONE, Texts
from tests.store.conftest import later
from tests.store.steps import claim, finish, start

M = MessageState
SECOND = timedelta(seconds=1)


def numbers(digest: Digest) -> list[str]:
    return [text.number for text in digest.texts_listed]


async def test_every_text_of_these_days_is_counted_by_its_state(texts: Texts) -> None:
    fates = [M.DELIVERED, M.DELIVERED, M.SENT, M.UNKNOWN, M.FAILED, M.UNDELIVERED, M.EXPIRED, M.QUEUED]
    for place, state in enumerate(fates):
        await texts.text(f"+39333000010{place}", state, ago=(place + 1) * HOUR)
    told = await texts.told()
    assert told.states == {M.DELIVERED: 2, M.SENT: 1, M.UNKNOWN: 1, M.FAILED: 1, M.UNDELIVERED: 1, M.EXPIRED: 1,
                           M.QUEUED: 1}  # fmt: skip
    assert (told.texts, told.answered, told.unanswered, told.answers) == (8, 0, 4, 0)
    assert [text.state for text in told.texts_listed] == fates, "the newest first"
    assert [text.state for text in told.lost] == [M.UNKNOWN, M.FAILED, M.UNDELIVERED, M.EXPIRED]
    assert [text.state for text in told.silent] == [M.DELIVERED, M.DELIVERED, M.SENT, M.UNKNOWN]


async def test_a_text_stays_for_its_days_and_counts_from_when_it_was_sent(texts: Texts) -> None:
    await texts.text(PHONE, ago=3 * DAY - SECOND)
    await texts.text(OTHER_PHONE, ago=3 * DAY + SECOND)
    await texts.text(THIRD_PHONE, ago=HOUR, taken=60 * DAY)  # it was to leave later
    await texts.text("+393330000004", M.QUEUED, ago=-HOUR)  # it is to leave later
    assert numbers(await texts.told(days=3)) == [THIRD_PHONE, PHONE]
    assert numbers(await texts.told(days=4)) == [THIRD_PHONE, PHONE, OTHER_PHONE]


# What became of a text that was sent two hours ago, when the phone wrote, and whether the text counts as answered;
# None where no answer was to be expected.
ANSWERED = [
    (M.DELIVERED, 1 * HOUR, True),
    (M.DELIVERED, 2 * HOUR, True),  # in the same second
    (M.DELIVERED, 3 * HOUR, False),  # a word before the text is no answer to it
    (M.DELIVERED, None, False),
    (M.SENT, 1 * HOUR, True),
    (M.SENT, 3 * HOUR, False),
    (M.UNKNOWN, 1 * HOUR, True),
    (M.UNKNOWN, None, False),
    (M.FAILED, 1 * HOUR, None),
    (M.UNDELIVERED, None, None),
    (M.QUEUED, 1 * HOUR, None),
]


async def test_what_counts_as_answered(texts: Texts) -> None:
    phones = [f"+3933300003{place:02}" for place in range(len(ANSWERED))]
    for phone, (state, heard, _) in zip(phones, ANSWERED, strict=True):
        await texts.text(phone, state, ago=2 * HOUR)
        if heard is not None:
            await texts.answer("Sì", phone, ago=heard)
    told = await texts.told()
    silent = {text.number for text in told.silent}
    assert silent == {phone for phone, (_, _, answered) in zip(phones, ANSWERED, strict=True) if answered is False}
    assert {text.number for text in told.texts_listed if text.answered} >= {
        phone for phone, (_, _, answered) in zip(phones, ANSWERED, strict=True) if answered
    }
    assert (told.answered, told.unanswered, told.silent_phones) == (4, 4, 4)
    assert told.answers == 8, "every answer is told, whatever became of the text"


async def test_an_answer_is_one_to_all_texts_before_it(texts: Texts) -> None:
    for ago in (3, 2, 1):
        await texts.text(ago=ago * DAY)
    await texts.answer("Sì", ago=2 * DAY - HOUR)
    told = await texts.told()
    assert (told.answered, told.unanswered) == (2, 1)
    assert [text.answered for text in told.texts_listed] == [False, True, True]


async def test_who_did_not_answer_is_named_once_with_the_newest_text(texts: Texts) -> None:
    await texts.text(PHONE, ago=3 * DAY, subject="First", contact="Mario Rossi")
    await texts.text(PHONE, ago=DAY, subject="Reminder")
    await texts.text(OTHER_PHONE, ago=2 * DAY, subject="Results")
    await texts.text(OTHER_PHONE, M.FAILED, ago=HOUR, subject="Results again")
    told = await texts.told()
    assert [(text.number, text.subject, text.contact) for text in told.silent] == [
        (PHONE, "Reminder", "Mario Rossi"),
        (OTHER_PHONE, "Results", ""),
    ]
    assert (told.silent_phones, told.unanswered) == (2, 3)


async def test_a_phone_is_named_once_though_the_mailbox_has_changed_its_number(texts: Texts) -> None:
    await texts.text(PHONE, ago=3 * DAY, subject="From the old number")
    moved = replace(texts.room.mailbox, sender="+390200000009")
    await texts.text(PHONE, ago=DAY, subject="From the new number", mailbox=moved)
    told = await texts.told()
    assert [text.subject for text in told.silent] == ["From the new number"]
    assert (told.silent_phones, told.unanswered) == (1, 2)


async def test_lists_are_cut_and_counts_are_not(texts: Texts) -> None:
    for place in range(MOST_SHOWN + 2):
        await texts.text(f"+39333{place:07}", ago=HOUR + place * SECOND)
        await texts.text(f"+39334{place:07}", M.FAILED, ago=HOUR + place * SECOND)
    told = await texts.told()
    assert (len(told.silent), told.silent_phones, told.unanswered) == (MOST_SHOWN, MOST_SHOWN + 2, MOST_SHOWN + 2)
    assert (len(told.lost), told.states[M.FAILED]) == (MOST_SHOWN, MOST_SHOWN + 2)
    assert told.silent[0].number == "+393330000000", "the newest stay"


async def test_answers_are_told_with_what_they_answer(texts: Texts) -> None:
    await texts.text(contact="Mario Rossi", subject="Your visit", ago=2 * HOUR)
    await texts.answer("Sì, confermo", ago=HOUR)
    await texts.answer("Chi siete?", OTHER_PHONE, ago=HOUR / 2)  # a phone that nobody wrote to
    first, second = (await texts.told()).answers_listed
    assert (first.number, first.text, first.contact, first.subject) == (OTHER_PHONE, "Chi siete?", "", "")
    assert (second.number, second.text, second.contact, second.subject) == (
        PHONE, "Sì, confermo", "Mario Rossi", "Your visit",
    )  # fmt: skip


async def test_a_name_of_the_address_book_and_a_reference_are_told(texts: Texts) -> None:
    await texts.text(reference="case 7")
    found = await texts.digests.read(texts.span(), None, {PHONE: "Anna Bianchi"})
    assert found is not None
    assert [(text.contact, text.reference) for text in found.texts_listed] == [("Anna Bianchi", "case 7")]


async def test_what_the_bridge_answers_by_itself_is_no_text_of_the_mailbox(texts: Texts) -> None:
    """Else every phone that was answered so would seem to owe an answer."""
    await texts.text(ago=3 * HOUR)
    await texts.answer("HELP", ago=2 * HOUR)
    confirmation = await texts.text(ago=HOUR)
    assert (await texts.told()).unanswered == 1
    await texts.is_automatic(confirmation)
    told = await texts.told()
    assert (told.texts, told.answered, told.unanswered, told.silent) == (1, 1, 0, ())
    assert [text.at for text in told.texts_listed] == [texts.now - 3 * HOUR]


async def test_nobody_elses_texts_and_answers_are_in_it(texts: Texts) -> None:
    """The same phone writes with both; what it answered the one is no answer to the other."""
    desk = await texts.other_mailbox()
    await texts.text(subject="Of the clinic", ago=3 * HOUR)
    await texts.text(subject="Of the desk", ago=2 * HOUR, mailbox=desk)
    await texts.text(OTHER_PHONE, M.FAILED, subject="Of the desk", ago=2 * HOUR, mailbox=desk)
    await texts.answer("For the desk", ago=HOUR, mailbox=desk)
    clinic = await texts.told()
    assert [text.subject for text in (*clinic.texts_listed, *clinic.silent)] == ["Of the clinic"] * 2
    assert (clinic.texts, clinic.answered, clinic.unanswered, clinic.answers) == (1, 0, 1, 0)
    assert (clinic.answers_listed, clinic.lost) == ((), ())
    theirs = await texts.told(mailbox=desk)
    assert {text.subject for text in (*theirs.texts_listed, *theirs.lost)} == {"Of the desk"}
    assert (theirs.texts, theirs.answered, theirs.unanswered, theirs.answers) == (2, 1, 0, 1)
    assert [answer.text for answer in theirs.answers_listed] == ["For the desk"]


async def test_the_longest_answer_is_cut(texts: Texts) -> None:
    await texts.answer("x" * 5000, ago=HOUR)
    (answer,) = (await texts.told()).answers_listed
    assert answer.text == "x" * 1000


async def test_nothing_to_say_of_a_mailbox_that_did_nothing(texts: Texts) -> None:
    await texts.text(ago=11 * DAY)
    assert await texts.digests.read(texts.span(), None, {}) is None


TOLD = timedelta(hours=24)
"""The last digest was made a day ago."""


class TestNews:
    """There is something to say when something is new since the last digest."""

    async def test_what_was_told_and_has_not_changed_is_no_news(self, texts: Texts) -> None:
        for place, state in enumerate((M.DELIVERED, M.FAILED, M.SENT, M.UNKNOWN)):
            await texts.text(f"+39333000020{place}", state, ago=30 * HOUR)
        assert not await texts.has_news(told=TOLD)

    async def test_a_new_text_is(self, texts: Texts) -> None:
        await texts.text(ago=23 * HOUR)
        assert await texts.has_news(told=TOLD)

    async def test_a_text_that_was_taken_long_ago_and_left_since_is(self, texts: Texts) -> None:
        await texts.text(ago=23 * HOUR, taken=5 * DAY)
        assert await texts.has_news(told=TOLD)

    async def test_a_text_that_arrived_since_is(self, texts: Texts) -> None:
        message = await texts.text(PHONE, M.SENT, ago=30 * HOUR)
        await texts.receipt(message, M.DELIVERED, ago=HOUR)
        assert await texts.has_news(told=TOLD)

    async def test_a_failure_that_was_none_is(self, texts: Texts) -> None:
        message = await texts.text(PHONE, M.UNDELIVERED, ago=30 * HOUR)
        await texts.receipt(message, M.DELIVERED, ago=HOUR)
        assert await texts.has_news(told=TOLD)

    async def test_a_doubt_that_became_a_text_that_was_sent_is(self, texts: Texts) -> None:
        message = await texts.text(PHONE, M.UNKNOWN, ago=30 * HOUR)
        assert not await texts.has_news(told=TOLD)
        await texts.receipt(message, M.SENT, ago=HOUR)
        assert await texts.has_news(told=TOLD)

    async def test_the_outcome_of_a_try_is(self, texts: Texts) -> None:
        """The text was due long before the last digest, and could not leave until now."""
        texts.now = later(0)
        message = await texts.text(PHONE, M.QUEUED, ago=30 * HOUR)
        assert [each.sms.reference for each in await claim(texts.room)] == [message]
        assert await start(texts.room, message) == 1
        assert not await texts.has_news(told=TOLD)
        await finish(texts.room, message, M.SENT, at=0)
        assert await texts.has_news(told=TOLD)

    async def test_an_answer_is(self, texts: Texts) -> None:
        await texts.text(ago=30 * HOUR)
        await texts.answer("Sì")
        assert await texts.has_news(told=TOLD)

    async def test_an_answer_that_its_provider_told_late_is(self, texts: Texts) -> None:
        """It was written before the last digest, and came to us after it."""
        await texts.text(ago=40 * HOUR)
        await texts.answer("Sì", ago=30 * HOUR)
        assert await texts.has_news(told=TOLD)
        texts.now += TOLD * 2  # the next day it is none any more
        assert not await texts.has_news(told=timedelta(hours=1))

    async def test_an_answer_whose_provider_is_ahead_of_time_is(self, texts: Texts) -> None:
        """Dated later than the last digest, which it reached before: that one could not tell of it."""
        await texts.text(ago=40 * HOUR)
        await texts.answer("Sì", ago=-HOUR)
        texts.now = clock.now() + SECOND  # the last digest
        assert (await texts.told()).answers == 0
        texts.now += TOLD
        assert await texts.has_news(told=TOLD)
        assert (await texts.told()).answers == 1
        texts.now += TOLD  # the day after it is none any more
        assert not await texts.has_news(told=TOLD)
