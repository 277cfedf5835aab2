"""Says what at the end of a text may be a signature; the store counts it, and what ends many mails is learned.

Whoever texts patients ends his mails with lines that are meant as well: how to cancel, what to bring, when the door is
open. So a candidate holds names and ways to reach somebody, and nothing that asks, tells or explains.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from bridge.reading.contacts import UNABBREVIATED, is_contact, reaches
from bridge.reading.layouts import TIME, is_sign_off

MOST_LINES = 8
FEWEST_LINES = 2
"""Lines of a candidate that are not blank."""

_LONGEST_LINE = 160
_LONGEST_NAME = 60
_MOST_WORDS = 6
"""Of a line that gives no way to reach somebody; a name, an office and a title have fewer."""
_WAYS = re.compile(
    r"(?:https?://|www\.)\S+|[^\s@<>]+@[^\s@<>]+|<[^<>]*>|\b[\w-]+\.(?:[a-z]{2,6})(?:/\S*)?(?=[\s,;)]|$)"
    r"|\(?\+?\(?\d[\d /.()-]{3,}\d",
    re.IGNORECASE,
)
"""Addresses and telephone numbers, which leave the words beside them."""
_LABEL = re.compile(
    r"\b(?:tel(?:\.|efono|éfono|efoon|efon|éphone|efone)?|ph(?:one)?|telephone|cell(?:\.|ulare)?|cel(?:\.|ular)?"
    r"|mob(?:\.|iles?|il)?|móvil|mobiel|mobiltelefon|telemóvel|handy|portable|gsm|fax|telefax|office|direct|ufficio|sede"
    r"|e-?mail|mail|web|website|site|sito|sitio|internet|skype|whatsapp|pec|p\.? ?iva|partita iva|c\.? ?f|vat|kvk|btw"
    r"|nif|cif|siret|ust-?id(?:nr)?|[tmewfpd])\b\.?(?: ?(?:no|nr|n)\b\.?)? ?[:.|)]?(?=[\s(+\d]|$)",
    re.IGNORECASE,
)
"""What may stand before such an address or number."""
_DATE = re.compile(r"(?<!\d)\d{1,2}[/.-]\d{1,2}[/.-]\d{2}")
_OTHER_LABEL = re.compile(r"\w[^\S\n]?:(?!//)")
_SENTENCE = re.compile(rf"\.{UNABBREVIATED}$|[!?]|[^\W\d_]{{4,}}\. +[A-ZÀ-Þ]")


def _words(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


_TELLING = _words(
    """
    i you your yours here we our us me my this these that those it is are be don't not no please if when before until
    call calling text reply answer confirm cancel bring take click press book see show come opt stop yes closed
    open opens free after only hours

    lei suo sua suoi sue vi ti tu tuo tua noi ci si è sono non per se quando prima dopo entro solo ore questo questa
    questi chiamare chiami chiama disdire disdetta annullare rispondere risponda rispondi confermare confermi conferma
    portare porti porta venire venga presentarsi presentare ricordi ricordarsi scrivere scriva prenotare prenoti digiuno
    serve chiuso aperto aperti chiusi sì orario orari

    su sus usted ustedes tú nosotros es está son si para cuando antes hasta desde sólo esta llame llamar llámenos
    cancelar anular responda responder conteste contestar confirmar confirme traer traiga venir presentar acuda recuerde
    reservar ayunas cerrado abierto horario sí horas

    uw u jij je wij we ons deze dit zijn niet als wanneer voor na tot bel bellen belt annuleren afzeggen antwoord
    antwoorden beantwoord bevestig bevestigen neem breng brengen meenemen kom komt nuchter gesloten geopend ja nee graag
    openingstijden uur

    vous votre vos nous notre je ce cette ces est sont ne pas quand avant après jusqu appelez appeler annuler répondez
    répondre confirmer confirmez apportez apporter venez merci prenez jeun fermé ouvert horaires oui non heures

    sie ihr ihre ihren ihrem ihnen wir uns unser unsere ich dies diese dieser ist sind nicht wenn bevor bis nach bitte
    rufen anrufen absagen absage stornieren antworten bestätigen bringen mitbringen kommen nüchtern geschlossen geöffnet
    sprechzeiten öffnungszeiten nein nur uhr

    seu seus suas você vocês nós é são depois até ligue ligar desmarcar confirme traga trazer venha comparecer lembre
    jejum fechado sim horário
    """
)
"""Words of somebody who says something, in seven languages."""
_LINKING = _words(
    """
    the a an from for to by with on in il lo gli la le un una uno da dal dalle alle con sul sulla los las el no por het
    een om naar met bij op les une par avec sur pour das dem den der die ein eine ab für vor um zum zur mit am im an os
    as um uma para rue avenue boulevard calle via viale piazza place rua straat laan
    """
)
"""Words that hold a phrase together. Streets have them, too."""
_JOINING = _words("and of at di de del della dei degli delle y van von und et du des e do da dos das d")
"""Words that hold a name together."""
_LEADING = _LINKING | _words(
    """
    presso a è sono al allo alla di del della via chiamare chiami chiama chiamate telefonare
    at is are of under call calling phone en es está llame llamar bij van bel bellen
    chez est appelez appeler bei zu nach von ist unter anrufen é na nas no nos ligue ligar
    """
)
"""Words after which the end of a sentence is missing."""
_OF_THE = re.compile(r"\b(?:de|van|von) (?:las?|los|les?|de[nr]?|het)\b|\b(?:de l|dell|d)'")
_FOLLOW = re.compile(
    r"\b(?:follow|visit|seguici|síguenos|visítenos|volg|bezoek|suivez|folgen|besuchen|siga)\b", re.IGNORECASE
)
_PAGE = re.compile(
    r"(?:https?://|\bwww\.)[^\s/]+/\S|\bmaps\.\S|goo\.gl|\b[\w-]+\.(?:com|it|es|nl|fr|de|pt|eu|net|org)/\S",
    re.IGNORECASE,
)
"""The address of a page, not of a house: to book, to find the way."""
_ON_BEHALF = re.compile(r"^(?:i\. ?[AV]\.|p\.p\.|ppa\.) ?", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d_][\w'-]*")


def candidate(text: str) -> str | None:
    """The last lines of `text`, of which all is cut that is known to be none of its words, if they may be a signature:
    below a blank line or a sign-off, with a telephone number, a mail or web address and no sentence. None when they
    are none. A street alone says where to go, a web page is to be opened, and what a line leads on to is its end.
    """
    lines = text.rstrip().split("\n")
    taken: list[str] = []
    for index in range(len(lines) - 1, 0, -1):
        line = " ".join(lines[index].split())
        if line:
            if len(taken) == MOST_LINES or is_sign_off(line) or not may_sign(line):
                return None
            taken.append(line)
        above = lines[index - 1]
        begins = bool(line) and (not above.strip() or is_sign_off(above))
        if begins and len(taken) >= FEWEST_LINES and any(map(reaches, taken)):
            if leads_on(lines[:index]) or any(map(_PAGE.search, taken)):
                return None
            says = any(each.strip() and not is_sign_off(each) for each in lines[:index])
            return "\n".join(reversed(taken)) if says else None
    return None


def leads_on(lines: Sequence[str]) -> bool:
    """Whether the last of these lines that says something is about what stands below it: it ends in a colon, or in a
    word that another must follow, such as "presso" and "call"."""
    last = next((line.rstrip() for line in reversed(lines) if line.strip()), "")
    if last.endswith(":"):
        return True
    words = _WORD.findall(last[-_LONGEST_LINE:])
    return bool(words) and last.endswith(words[-1]) and words[-1].casefold() in _LEADING and not is_sign_off(last)


def may_sign(line: str) -> bool:
    """Whether the line names somebody, or gives ways to reach him and nothing else."""
    if len(line) > _LONGEST_LINE or _SENTENCE.search(line) or TIME.search(line) or _DATE.search(line):
        return False
    bare = _LABEL.sub(" ", _WAYS.sub(" ", _ON_BEHALF.sub("", line)))
    if _OTHER_LABEL.search(bare) or (":" in bare and not is_contact(line)):
        return False
    words = _WORD.findall(_OF_THE.sub(" ", bare))
    if tells(bare):
        return False
    lower = [word for word in words if word[0].islower() and word not in _JOINING]
    if is_contact(line):
        return all(word in _LINKING for word in lower)
    if len(line) > _LONGEST_NAME or len(words) > _MOST_WORDS or any(char.isdigit() for char in line):
        return False
    return bool(words) and words[0][0].isupper() and not any(word in _LINKING for word in lower)


def tells(line: str) -> bool:
    """Whether the line has a word of somebody who says something, and is not about following him on the web."""
    return any(word.casefold() in _TELLING for word in _WORD.findall(line)) and not _FOLLOW.search(line)
