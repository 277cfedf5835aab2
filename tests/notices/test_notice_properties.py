"""Whatever senders, phones and networks write, a notice stays one well-formed mail."""

from __future__ import annotations

from email.utils import getaddresses

from hypothesis import given, settings
from hypothesis import strategies as st

from bridge import notices
from bridge.errors import Reason
from bridge.types import EarlierText, Language, Match, MessageState, Ret
from tests.notices import grammar
from tests.notices.samples import DOMAIN, HOSTNAME, KEY, SENT, a_reply, a_report, line, parts, read

POISON = st.text(
    st.one_of(st.characters(), st.sampled_from("\r\n\0\t:;<>=?\u2028\u202e\ud800")),
    max_size=300,
)
STATES = st.sampled_from(
    [state for state in MessageState if state not in {MessageState.HELD, MessageState.QUEUED, MessageState.SENDING}]
)


@settings(max_examples=150, deadline=None)
@given(
    state=STATES,
    reason=st.none() | st.sampled_from(Reason),
    language=st.sampled_from(Language),
    ret=st.none() | st.sampled_from(Ret),
    poison=st.lists(POISON, min_size=10, max_size=10),
    gateway=st.just("") | POISON.map(str.strip).filter(bool),
    headers=st.binary(max_size=2_000),
)
def test_a_report_is_well_formed(
    state: MessageState,
    reason: Reason | None,
    language: Language,
    ret: Ret | None,
    poison: list[str],
    gateway: str,
    headers: bytes,
) -> None:
    subject, text, diagnostic, detail, message_id, reference, envid, orcpt, own, contact = poison
    hostile = line(
        state,
        reason=reason,
        text=text,
        diagnostic=diagnostic,
        detail=detail,
        orcpt=f"rfc822;{orcpt}",
        gateway=gateway,
        reference=own,
        contact=contact,
    )
    made = notices.report(
        a_report(
            hostile,
            language=language,
            ret=ret,
            subject=subject,
            message_id=message_id,
            references=(message_id, subject),
            reference=reference,
            envid=envid,
            headers=headers,
        ),
        HOSTNAME,
        DOMAIN,
    )
    grammar.check_lines(made.raw)
    grammar.header_fields(made.raw)
    _, recipients = grammar.delivery_status(made.raw)
    assert len(recipients) == 1
    assert [part.get_content_type() for part in parts(read(made))][:2] == ["text/plain", "message/delivery-status"]


@settings(max_examples=150, deadline=None)
@given(
    number=POISON,
    text=POISON,
    subject=POISON,
    message_id=POISON,
    candidates=st.lists(POISON, max_size=3),
    match=st.sampled_from(Match),
    language=st.sampled_from(Language),
    contact=POISON,
    our_number=POISON,
    earlier=st.lists(st.builds(EarlierText, POISON, st.just(SENT), st.booleans()), max_size=3),
    stopped=st.booleans(),
    for_all=st.booleans(),
)
def test_a_reply_is_well_formed(
    number: str,
    text: str,
    subject: str,
    message_id: str,
    candidates: list[str],
    match: Match,
    language: Language,
    contact: str,
    our_number: str,
    earlier: list[EarlierText],
    *,
    stopped: bool,
    for_all: bool,
) -> None:
    made = notices.reply(
        a_reply(
            number=number,
            text=text,
            subject=subject,
            in_reply_to=message_id,
            references=(subject, message_id),
            candidates=tuple(candidates),
            match=match,
            language=language,
            contact=contact,
            sender=our_number,
            earlier=tuple(earlier),
            stopped=stopped,
            for_all=for_all,
        ),
        DOMAIN,
        KEY,
    )
    grammar.check_lines(made.raw)
    names = [name for name, _ in grammar.header_fields(made.raw)]
    ((_, sender),) = getaddresses([read(made)["From"]])
    assert sender.endswith(f"@{DOMAIN}")
    assert not {"Bcc", "Cc"} & set(names)
    assert getaddresses([read(made)["Reply-To"]])[0][1] == sender
    assert len(parts(read(made))) == 2
