"""What is texted of the mails in a watched mailbox, and what is left as it is."""

from __future__ import annotations

import pytest

from bridge.types import Contact, Door, MessageState, Priority
from tests.mailbox_door.conftest import DONE, OTHER, PHONE, PROVIDER, Post, body

SPF = f"{PROVIDER}; spf=pass smtp.mailfrom=clinic@example.test"


async def test_a_mail_to_the_phone_s_address_is_texted_and_moved_away(post: Post) -> None:
    post.put(post.mail())
    await post.look()
    assert await post.texts() == [PHONE]
    assert post.inbox() == []
    assert post.done() == [post.mail()]
    assert post.box.flags(*DONE) == [set()], "nobody has read it"
    async with post.room.store.engine.connect() as connection:
        rows = (await connection.exec_driver_sql("SELECT door, report_to FROM submission")).all()
    assert [tuple(row) for row in rows] == [(Door.MAILBOX, "clinic@example.test")]


async def test_a_mail_that_somebody_has_read_stays_read(sqlite_post: Post) -> None:
    sqlite_post.put(sqlite_post.mail(), flags="FS")
    await sqlite_post.look()
    assert sqlite_post.box.flags(*DONE) == [{"\\Seen", "\\Flagged"}]


async def test_mails_for_no_phone_are_left_as_they_are(sqlite_post: Post) -> None:
    post = sqlite_post
    post.put(post.mail(post.address), post.mail("somebody@clinic.example", says=None), post.mail())
    await post.look()
    assert len(post.inbox()) == 2
    assert post.box.flags("INBOX") == [set(), set()]
    assert await post.notices() == []
    assert await post.texts() == [PHONE]


async def test_what_was_there_before_the_bridge_is_nobody_s_order(sqlite_post: Post) -> None:
    """A mailbox that was used for years may hold thousands of mails to phones."""
    post = sqlite_post
    before = Post(post.server, f"{post.user}-old", post.room)
    assert before.box.mails("INBOX") == [], "the account comes into being with its first login"
    before.put(before.mail(), before.mail(message_id="<2@x>"))
    await before.look()
    assert await before.texts() == []
    before.put(before.mail(message_id="<3@x>"))
    await before.look()
    assert await before.texts() == [PHONE]
    assert len(before.inbox()) == 2


async def test_several_phones_each_get_a_text(sqlite_post: Post) -> None:
    post = sqlite_post
    post.put(post.mail(f"Mario <{post.phone(PHONE)}>,\r\n {post.phone(OTHER, '+p=high')}, bob@clinic.example"))
    await post.look()
    assert await post.texts() == [PHONE, OTHER]
    views = await post.room.store.ledger.messages(state=None, number=OTHER, login=None, limit=1)
    assert views[0].priority == Priority.HIGH


async def test_one_phone_that_may_not_be_texted_is_reported_beside_the_others(sqlite_post: Post) -> None:
    post = sqlite_post
    post.put(post.mail(f"{post.phone()}, {post.phone('+15005550006')}"))
    await post.look()
    views = await post.room.store.ledger.messages(state=None, number=None, login=None, limit=10)
    assert {view.state for view in views} == {MessageState.QUEUED, MessageState.REFUSED}
    assert len(post.done()) == 1
    assert await post.notices() == [], "the report of failures tells of it, as at every door"


async def test_a_phone_has_the_name_that_the_mail_gives_it(sqlite_post: Post) -> None:
    sqlite_post.put(sqlite_post.mail(f'"Rossi, Mario" <{sqlite_post.phone()}>'))
    await sqlite_post.look()
    async with sqlite_post.room.store.engine.connect() as connection:
        names = (await connection.exec_driver_sql("SELECT contact FROM conversation")).scalars().all()
    assert names == ["Rossi, Mario"]


async def test_a_name_of_the_address_book_is_texted(sqlite_post: Post) -> None:
    post = sqlite_post
    await post.room.store.contacts.save([Contact("Mario Rossi", PHONE)])
    await post.room.store.directory.refresh()
    post.put(post.mail(f"{post.user}+mario.rossi@clinic.example"))
    await post.look()
    assert await post.texts() == [PHONE]


@pytest.mark.parametrize(
    ("says", "taken"),
    [
        pytest.param(SPF, True, id="the provider vouches for the way that it came"),
        pytest.param(f"{PROVIDER}; dkim=pass header.d=example.test", False, id="signed, and sent again by anybody"),
    ],
)
async def test_a_phone_in_bcc_counts_where_the_envelope_is_the_author_s(
    sqlite_post: Post, says: str, taken: bool
) -> None:
    post = sqlite_post
    post.put(post.mail("undisclosed-recipients:;", says=says, extra=f"Delivered-To: {post.phone()}\r\n"))
    await post.look()
    assert await post.texts() == ([PHONE] if taken else [])
    assert len(post.done() if taken else post.refused()) == 1
    assert ["Write the address of the phone into To." in body(mail) for mail in await post.notices()] == (
        [] if taken else [True]
    )


async def test_the_number_in_the_subject(sqlite_post: Post) -> None:
    post = sqlite_post
    post.put(post.mail(post.address, subject="+39 333 1234567: Your visit"))
    await post.look()
    assert await post.texts() == [], "the operator has not asked for that"
    post.put(post.mail(post.address, subject="+39 333 1234567: Your visit"))
    await post.look(subject_numbers=True)
    assert await post.texts() == [PHONE]


async def test_what_a_mail_would_send_is_told_once(sqlite_post: Post) -> None:
    post = sqlite_post
    post.put(post.mail(f"{post.user}+preview+393331234567@clinic.example"))
    await post.look()
    assert await post.texts() == []
    assert len(post.done()) == 1
    (told,) = await post.notices()
    assert (told.envelope_to, told.id.startswith("preview.")) == ("clinic@example.test", True)


async def test_a_decision_about_a_phone(sqlite_post: Post) -> None:
    post = sqlite_post
    post.put(post.mail(post.phone(options="+block")), post.mail(message_id="<2@x>"))
    await post.look()
    assert await post.texts() == []
    assert (len(post.done()), len(post.refused())) == (1, 1)
    assert post.room.store.directory.blocks(post.room.mailbox, PHONE)


async def test_a_decision_stands_alone(sqlite_post: Post) -> None:
    post = sqlite_post
    post.put(post.mail(f"{post.phone(options='+block')}, {post.phone(OTHER)}"))
    await post.look()
    assert await post.texts() == []
    assert post.room.store.directory.blocks(post.room.mailbox, PHONE) == []
    assert len(post.refused()) == 1


async def test_a_mail_of_several_megabytes_comes_in_pieces(sqlite_post: Post) -> None:
    post = sqlite_post
    attached = "\r\n".join(f"{number:076d}" for number in range(45_000))
    mail = (
        f"Authentication-Results: {PROVIDER}; dmarc=pass header.from=example.test\r\n"
        f"From: clinic@example.test\r\nTo: {post.phone()}\r\nMIME-Version: 1.0\r\n"
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nTomorrow at nine.\r\n--b\r\n"
        f"Content-Type: application/octet-stream\r\n\r\n{attached}\r\n--b--\r\n"
    ).encode()
    post.put(mail)
    await post.look(max_octets=10_000_000)
    assert len(mail) > 3 * 1_048_576
    assert await post.texts() == [PHONE]
    assert post.done() == [mail]
