"""What lawyers, mail servers and scanners put into a mail: disclaimers, banners, printing and virus lines; for `trim`.

A disclaimer is known by what it says, not by its place alone: a paragraph must speak of at least two of the matters
below, and must not be all there is. One sentence about confidentiality is somebody's own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from bridge.reading.layouts import RULE
from bridge.reading.quotes import Found

_SHORTEST = 60
"""Characters of a disclaimer; anything shorter is a sentence of its own."""
_LONGEST_BANNER = 600


def _words(listed: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in listed.split("|"))


_LEGAL = (
    # It is confidential.
    _words(
        """
        confidential | privileged | riservat | confidenzial | confidencial | vertrouwelijk | confidentiel |
        vertraulich | sigilos | poufn | luottamuksel | fortrolig | konfidenti
        """
    ),
    # It is meant for one person only.
    _words(
        """
        intended for | intended solely | intended only | intended recipient | addressee | named above |
        destinatari | geadresseerde | bestemd voor | uitsluitend voor | destinataire | usage exclusif |
        empfänger | destinatár | uso esclusivo | exclusivamente para | adressat
        """
    ),
    # Somebody else may have got it.
    _words(
        """
        in error | by mistake | per errore | erroneamente | por error | por engano | por erro | ten onrechte |
        abusievelijk | per abuis | par erreur | irrtümlich | versehentlich | fälschlich | av misstag | omylem
        """
    ),
    # He must tell and delete.
    _words(
        """
        notify the sender | inform the sender | contact the sender | notify us | delete it | delete this |
        delete the | destroy | avvisar | avvertir | comunicarlo | informarne | distrugger | cancellar |
        eliminar | elimin | notifiqu | notifíqu | avisar | verwijder | vernietig | afzender | l'expéditeur |
        supprim | détrui | absender | löschen | vernichten | remetente | apague
        """
    ),
    # He must not use it.
    _words(
        """
        dissemination | distribution | disclosure | copying | unauthorized | unauthorised | prohibited |
        divulga | diffusion | vietat | proibit | prohibid | verboden | niet toegestaan | openbaarmaking |
        interdit | weitergabe | untersagt | nicht gestattet
        """
    ),
    # The law says so.
    _words(
        """
        gdpr | 2016/679 | d.lgs | d. lgs | 196/2003 | rgpd | lopd | dsgvo | datenschutz | privacy policy | ley
        orgánica | trattamento dei dati | protección de datos | liable | liability | responsabilit |
        aansprakelijk | haftung
        """
    ),
)

_HEADINGS = _words(
    """
    disclaimer | confidentiality | avviso | nota di riservatezza | aviso | avertissement | vertraulichkeit |
    haftungsausschluss | privacy
    """
)
_LONGEST_HEADING = 45

_PRINT = _words("print | stamp | imprim | afdruk | druck")
_NATURE = _words("environment | ambiente | umwelt | milieu | environnement | planet | alberi | trees")
_SCANNED = _words(
    """
    virus-free | virus free | mail priva di virus | libre de virus | virusvrij | sans virus | virenfrei | auf
    viren geprüft | livre de vírus | www.avast.com | www.avg.com | scanned by mailscanner | has been checked for
    viruses | has been scanned | è stata controllata per individuare virus
    """
)
_LONGEST_LINE = 400
"""Characters of a paragraph about printing or viruses."""

_OUTSIDE = _words(
    """
    outside of the organi | outside the organi | outside your organi | outside our organi | outside of our organi
    | outside the company | outside of the company | [external] | external sender | external email | external
    e-mail | external source | proviene dall'esterno | mittente esterno | dall'esterno dell | remitente externo |
    fuera de la organización | fuera de su organización | correo externo | van buiten de organisatie | van buiten
    onze organisatie | van buiten uw organisatie | externe afzender | externe e-mail | expéditeur externe |
    extérieur de l'organisation | extérieur à l'organisation | außerhalb der organisation | außerhalb unserer
    organisation | externer absender | externen absender | fora da organização | fora da sua organização
    """
)
_SELDOM = _words(
    """
    you don't often get email from | you don’t often get email from | non si ricevono spesso messaggi | no suele
    recibir correo | u ontvangt niet vaak e-mail | vous n'obtenez pas souvent | nicht häufig e-mails | não costuma
    receber e-mail
    """
)

_PLACEHOLDER = re.compile(
    r"(?:\[(?:cid:|image:|logo|inline image|immagine|imagen|afbeelding|bild|photo)[^\]\n]{0,200}\]"
    r"|<image\d+\.\w{3,4}>|\u1427|\ufffc)+",
    re.IGNORECASE,
)
"""Where a mail program leaves a picture out of its plain text, and the mark of a tracker."""


def banner(lines: list[str]) -> Found:
    """Warnings that a mail server puts above a mail from outside."""
    end = 0
    for start, stop in _paragraphs(lines):
        text = " ".join(lines[start:stop]).casefold()
        if len(text) > _LONGEST_BANNER or not (_says(text, _OUTSIDE) or _says(text, _SELDOM)):
            break
        end = stop
    return (lines[end:], lines[:end]) if end and any(map(str.strip, lines[end:])) else None


def disclaimer(lines: list[str]) -> Found:
    """The last paragraphs, as far as they are disclaimers and the like; never all there is."""
    paragraphs = list(_paragraphs(lines))
    begin = len(lines)
    for start, stop in reversed(paragraphs[1:]):
        text = " ".join(line.strip() for line in lines[start:stop]).casefold()
        heads = begin < len(lines) and len(text) <= _LONGEST_HEADING and _says(text, _HEADINGS)
        if not (heads or _is_boilerplate(text)):
            break
        begin = start
    while 0 < begin < len(lines) and (not lines[begin - 1].strip() or RULE.fullmatch(lines[begin - 1].strip())):
        begin -= 1
    return (lines[:begin], lines[begin:]) if begin < len(lines) else None


def placeholders(lines: list[str]) -> Found:
    """Lines that only stand for a picture."""
    cut = [line for line in lines if _PLACEHOLDER.fullmatch(line.strip())]
    return ([line for line in lines if not _PLACEHOLDER.fullmatch(line.strip())], cut) if cut else None


def _is_boilerplate(text: str) -> bool:
    if len(text) <= _LONGEST_LINE and (_says(text, _SCANNED) or (_says(text, _PRINT) and _says(text, _NATURE))):
        return True
    return len(text) >= _SHORTEST and sum(_says(text, matter) for matter in _LEGAL) >= 2


def _says(text: str, words: tuple[str, ...]) -> bool:
    return any(word in text for word in words)


def _paragraphs(lines: list[str]) -> Iterator[tuple[int, int]]:
    """Where each run of lines begins and ends that no blank line and no rule parts."""
    start: int | None = None
    for index, line in enumerate([*lines, ""]):
        if line.strip() and not RULE.fullmatch(line.strip()):
            start = index if start is None else start
        elif start is not None:
            yield start, index
            start = None
