"""What became of the question who wrote a mail: the values that the checks hand to whoever let it in."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from bridge.access.domains import within


class Result(StrEnum):
    """The outcome of one check, in the words of RFC 8601 section 2.7."""

    PASS = "pass"
    FAIL = "fail"
    SOFTFAIL = "softfail"
    NEUTRAL = "neutral"
    NONE = "none"
    POLICY = "policy"
    """It is right, and not accepted all the same: `why` says what is wanting."""
    TEMPERROR = "temperror"
    PERMERROR = "permerror"


class Mechanism(StrEnum):
    """What can vouch for an author."""

    SPF = "spf"
    DKIM = "dkim"
    ARC = "arc"


class Doubt(StrEnum):
    """Why no author is recognised."""

    MALFORMED = "malformed"
    """Programs could read the mail in different ways."""
    SEVERAL_AUTHORS = "several_authors"
    UNVERIFIED = "unverified"
    """Nothing vouches for the author, and its domain leaves open what that means."""
    POLICY = "policy"
    """Nothing vouches for the author, and its domain says that such mail is forged."""
    DNS = "dns"
    """Nobody can say at the moment."""


class Policy(StrEnum):
    """What the domain of an author wants done with mail that nothing vouches for (RFC 9989 section 4.7)."""

    NONE = "none"
    QUARANTINE = "quarantine"
    REJECT = "reject"


@dataclass(frozen=True, slots=True)
class SpfCheck:
    """May this peer send for the domain of the envelope (RFC 7208)?"""

    result: Result
    domain: str
    """Of MAIL FROM, or of HELO where that is empty; in ASCII, lower case; empty when it is no domain."""
    anybody: bool = False
    """The domain lets half the Internet send for it (`+all`, or a network as large): that speaks for nobody."""
    why: str = ""


@dataclass(frozen=True, slots=True)
class DkimCheck:
    """Is the mail as the signer of one signature sent it (RFC 6376)?"""

    result: Result
    domain: str
    """The signer (`d=`); empty when the signature cannot be read."""
    selector: str = ""
    covers: frozenset[str] = frozenset()
    """Names of the header fields under the signature, in lower case. What is missing here, and the envelope, can be
    changed by whoever gets hold of the mail and sends it again (RFC 6376 section 8.6)."""
    why: str = ""


@dataclass(frozen=True, slots=True)
class DmarcCheck:
    """Does something that passed belong to the domain of the author (RFC 9989)?"""

    result: Result
    """NONE: the domain publishes no policy."""
    domain: str
    """Of the author."""
    policy: Policy = Policy.NONE
    aligned: frozenset[Mechanism] = frozenset()
    """What passed for the author's domain, also without a published policy."""
    signers: frozenset[str] = frozenset()
    """Whose signatures are among that (`d=`)."""
    why: str = ""


@dataclass(frozen=True, slots=True)
class ArcCheck:
    """What the last forwarders say that they saw when the mail reached them (RFC 8617)."""

    result: Result
    """POLICY: the chain was not looked at, because its last sealer is not trusted."""
    sealer: str = ""
    """Who closed the chain (`d=` of the last seal)."""
    vouches: bool = False
    """A trusted forwarder saw a mail of this author's domain that something spoke for."""
    covers: frozenset[str] = frozenset()
    """Names of the header fields under the last forwarder's signature, in lower case."""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Who wrote a mail, or why nobody knows."""

    author: str
    """The verified address of From, its domain in ASCII and lower case; empty when there is none."""
    doubt: Doubt | None = None
    """None exactly when `author` is known."""
    reply: str = ""
    """The SMTP answer to a mail whose author is not known; empty when it is."""
    spf: SpfCheck | None = None
    """The checks are None where the mail was too malformed to make them."""
    dkim: tuple[DkimCheck, ...] = ()
    dmarc: DmarcCheck | None = None
    arc: ArcCheck | None = None

    @property
    def vouching(self) -> frozenset[Mechanism]:
        """What speaks for the author."""
        aligned = frozenset() if self.dmarc is None else self.dmarc.aligned
        return aligned | {Mechanism.ARC} if self.arc is not None and self.arc.vouches else aligned

    @property
    def envelope_vouched(self) -> bool:
        """The peer may send for the author's domain, or is the trusted forwarder: so whom the mail goes to now is whom
        it was sent to. Without that anybody may have sent it again."""
        if Mechanism.SPF in self.vouching:
            return True
        forwarder = self.arc is not None and self.arc.vouches and self.arc.sealer
        passed = self.spf is not None and self.spf.result is Result.PASS and not self.spf.anybody and self.spf.domain
        return bool(forwarder and passed) and within(str(passed), str(forwarder))

    @property
    def covers(self) -> frozenset[str]:
        """Names of the header fields, in lower case, that nobody has changed since they were vouched for."""
        signers = frozenset() if self.dmarc is None else self.dmarc.signers
        signatures = (each for each in self.dkim if each.result is Result.PASS and each.domain in signers)
        sealed = self.arc.covers if self.arc is not None and self.arc.vouches else frozenset()
        return sealed.union(*(each.covers for each in signatures))
