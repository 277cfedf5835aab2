"""What lawyers, mail servers and scanners put into a mail: disclaimers, banners, printing and virus lines; for `trim`.

A disclaimer is known by what it says, not by its place alone: a paragraph must speak of the mail itself and of at
least two of the matters below, and must not be all there is. One sentence about confidentiality is somebody's own, and
so is an appointment that is reserved and can be cancelled by answering.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from bridge.reading.layouts import RULE, is_reply_mark
from bridge.reading.learning import leads_on
from bridge.reading.quotes import Found

_SHORTEST = 60
"""Characters of a disclaimer; anything shorter is a sentence of its own."""
_LONGEST_BANNER = 600
_WIDEST = 100
"""Characters of a line that a program has broken."""


def _words(listed: str) -> tuple[str, ...]:
    return tuple(" ".join(word.split()).casefold() for word in listed.split("|"))


_MAIL = _words(
    """
    message | e-mail | email | mail | communication | transmission | attachment | messaggio | comunicazione | allegat |
    mensaje | correo | comunicación | adjunto | bericht | bijlage | courriel | pièces jointes | nachricht | anlage |
    anhang | mensagem | correio | anexo | comunicação | meddelande | besked | viesti | wiadomość | zpráva
    """
)
_CONFIDENTIAL = _words(
    """
    confidential | privileged | riservat | confidenzial | confidencial | vertrouwelijk | confidentiel | vertraulich |
    sigilos | poufn | luottamuksel | fortrolig | konfidenti
    """
)
_MEANT_FOR_ONE = _words(
    """
    intended for | intended solely | intended only | intended recipient | addressee | named above |
    destinatari | geadresseerde | bestemd voor | uitsluitend voor | destinataire | usage exclusif |
    empfänger | destinatár | uso esclusivo | exclusivamente para | adressat
    """
)
_ASTRAY = _words(
    """
    in error | by mistake | per errore | erroneamente | por error | por engano | por erro | ten onrechte |
    abusievelijk | per abuis | par erreur | irrtümlich | versehentlich | fälschlich | av misstag | omylem
    """
)
_TELL_AND_DELETE = _words(
    """
    notify the sender | inform the sender | contact the sender | notify us | delete it | delete this |
    delete the | destroy | avvisar | avvertir | comunicarlo | informarne | distrugger | cancellar |
    eliminar | elimin | notifiqu | notifíqu | avisar | verwijder | vernietig | afzender | l'expéditeur |
    supprim | détrui | absender | löschen | vernichten | remetente | apague
    """
)
_FORBIDDEN = _words(
    """
    dissemination | distribution | disclosure | copying | unauthorized | unauthorised | prohibited |
    divulga | diffusion | vietat | proibit | prohibid | verboden | niet toegestaan | openbaarmaking |
    interdit | weitergabe | untersagt | nicht gestattet
    """
)
_LAW = _words(
    """
    gdpr | 2016/679 | d.lgs | d. lgs | 196/2003 | rgpd | lopd | dsgvo | datenschutz | privacy policy | ley
    orgánica | trattamento dei dati | protección de datos | liable | liability | responsabilit |
    aansprakelijk | haftung
    """
)
_LEGAL = (_CONFIDENTIAL, _MEANT_FOR_ONE, _ASTRAY, _TELL_AND_DELETE, _FORBIDDEN, _LAW)
_PASSWORD = _words("password | passwort | kennwort | wachtwoord | mot de passe | contraseña | palavra-passe | senha")
"""What a sender warns of in his own words: no disclaimer speaks of it."""
_COMPANY = _words(
    """
    registered in | registered office | registered number | company number | company registration | vat no |
    sede legale | capitale sociale | cap. soc. | registro imprese | registro delle imprese | p.iva | p. iva | sitz der
    gesellschaft | registergericht | amtsgericht | handelsregister | geschäftsführer | ust-id | siège social | siret |
    au capital | registro mercantil | domicilio social | kvk | statutair | capital social | sede social
    """
)
"""What the law wants on the letters of a company; two of it, or a registration and its number."""
_SENDER = _words("the sender | mittente | remitente | afzender | expéditeur | absender | remetente")
"""What nobody calls himself."""
_WHO = (*_SENDER, *_words("sender | recognize | recognise"))

_CODE = re.compile(
    r"\b(?:pin|otp|code|codice|código|password|passwort|kennwort|wachtwoord|passe|senha|clave|contraseña)\b"
    r"\W{0,3}(?:(?:is|è|es|ist|est|é)\b)?\W{0,3}[0-9]{3}"
)
"""What such a text is sent for, if it holds one."""

_HEADINGS = _words(
    """
    disclaimer | confidentiality | avviso | nota di riservatezza | aviso | avertissement | vertraulichkeit |
    haftungsausschluss | privacy
    """
)
_LONGEST_HEADING = 45

_PRINT = _words("print | stamp | imprim | afdruk | drucken | ausdruck")
_NATURE = _words("environment | ambiente | umwelt | milieu | environnement | planet | alberi | trees")
_THINK = _words(
    "consider | think | pens | piens | denk | bedenk | necess | notwendig | nötig | nodig | respons | respect"
)
_VIRUS = _words("virus | viren | vírus | malware")
_SCANNED = _words(
    """
    scanned | checked | controllata | controllato | analizado | verificado | gecontroleerd | gescand | vérifié |
    analysé | geprüft | analisado
    """
)
_SCANNERS = _words("www.avast.com | www.avg.com | mailscanner")
_LIST_RULE = re.compile(r"[-=_]{5,60}")
_LIST = _words(
    """
    mailing list | mailinglist | google groups | googlegroups.com | listinfo | @lists. | @list. | mailman | lista di
    distribuzione | lista de correo | liste de diffusion | mailingliste | lista de discussão | yahoo! groups | groups.io
    """
)
_LEAVE = _words(
    """
    unsubscribe | listinfo | mailman | to leave this | stop receiving | you received this message because | you are
    receiving this because | disiscri | annullare l'iscrizione | cancelar la suscripción | darse de baja | afmelden |
    désinscri | désabonn | abmelden | abbestellen | austragen | cancelar a inscrição
    """
)
"""What the footer of a mailing list speaks of, and how to leave it; it holds an address, too."""
_LONGEST_LINE = 400
"""Characters of a paragraph about printing or viruses."""

_OUTSIDE = _words(
    """
    outside of the organi | outside the organi | outside your organi | outside our organi | outside of our organi |
    outside the company | outside of the company | outside of this company | originated outside | originated from
    outside | came from outside | comes from outside | sent from outside | external sender | external email | external
    e-mail | external source | external message | proviene dall'esterno | arriva dall'esterno | mittente esterno |
    dall'esterno dell'organi | dall'esterno dell'azienda | originata all'esterno | inviata dall'esterno | remitente
    externo | fuera de la organización | fuera de su organización | correo externo | procede de fuera | originado fuera
    | proviene de fuera | van buiten de organisatie | van buiten onze organisatie | van buiten uw organisatie | externe
    afzender | externe e-mail | afkomstig van buiten | komt van buiten | expéditeur externe | extérieur de
    l'organisation | extérieur à l'organisation | außerhalb der organisation | außerhalb unserer organisation |
    außerhalb ihrer organisation | externer absender | externen absender | provient de l'extérieur | von außerhalb |
    stammt von extern | kommt von extern | origem externa | de fora da empresa | fora da organização | fora da sua
    organização | remetente externo
    """
)
_CARE = _words(
    """
    click | link | attachment | caution | warning | careful | originat | attenzione | clicca | allegat | cautela |
    atención | precaución | enlace | adjunto | let op | waarschuwing | klik | bijlage | attention | cliqu | prudence |
    achtung | vorsicht | anhang | anhänge | warnung | atenção | cuidado | anexo | ligações
    """
)
_NUMBER = re.compile(r"(?<![\w/.@-])\d(?:[\d ./-]{3,20}\d|\d?[:.h]\d\d)(?![\w@])")
"""An hour, a day or a number to call, which no warning of a mail server holds."""
_TAGS = _words("[external] | [ext] | [extern] | [externe] | [esterno] | [externo]")
_SELDOM = _words(
    """
    you don't often get email from | you don’t often get email from | non si ricevono spesso messaggi | no suele
    recibir correo | u ontvangt niet vaak e-mail | vous n'obtenez pas souvent | nicht häufig e-mails | não costuma
    receber e-mail
    """
)

_PLACEHOLDER = re.compile(
    r"(?:\[(?:cid:|image:|inline image)[^\]\n]{0,200}\]"
    r"|\[(?:logo|immagine|imagen|image|afbeelding|bild|photo|foto)(?::? ?\d{0,3}| [^\]\s]{1,80}\.(?:png|jpe?g|gif))\]"
    r"|\[[^\]\n]{0,200}(?:automaticall?y generated|automaticamente|automáticamente|automatisch|automatiquement)"
    r"[^\]\n]{0,60}\]|!\[[^\]\n]{0,200}\]\([^)\s]{0,1000}\)|<image\d+\.\w{3,4}>|\u1427|\ufffc)+",
    re.IGNORECASE,
)
"""Where a mail program leaves a picture out of its plain text, and the mark of a tracker."""


def banner(lines: list[str]) -> Found:
    """Warnings that a mail server puts above a mail from outside, and a help desk's line for answers."""
    end = 0
    for start, stop in _paragraphs(lines):
        if end == 0 and is_reply_mark(lines[start].strip()):
            end = start + 1
            break
        if not _speaks_of_outside(_text(lines, start, stop)):
            break
        sentences = list(_sentences(lines, start, stop))
        last = next((place for place in reversed(sentences) if _warns(_text(lines, *place))), None)
        if last is None:
            break
        end = _end_of_warning(lines, *last)
        end = next((to for at, to in sentences if at == end and _is_advice(_text(lines, at, to))), end)
        if end < stop:
            break
    return (lines[end:], lines[:end]) if end and any(map(str.strip, lines[end:])) else None


def _end_of_warning(lines: list[str], start: int, stop: int) -> int:
    """Where a warning ends that has no full stop: what goes on in it begins with no capital."""
    for at in range(start + 1, stop):
        goes_on = lines[at].lstrip()[:1].islower() or leads_on([lines[at - 1]])
        if not goes_on and _warns(_text(lines, start, at)):
            return at
    return stop


def _is_advice(text: str) -> bool:
    """Whether this is the second sentence of a warning, which says whom to trust."""
    return len(text) <= _LONGEST_LINE and _says(text, _CARE) and _says(text, _WHO)


def disclaimer(lines: list[str]) -> Found:
    """The last paragraphs, as far as they are disclaimers and the like; never all there is."""
    paragraphs = list(_paragraphs(lines))
    begin = len(lines)
    for index in range(len(paragraphs) - 1, -1, -1):
        start, stop = paragraphs[index]
        text = _text(lines, start, stop)
        heads = begin < len(lines) and _is_heading(text)
        if not (heads or _is_boilerplate(text) or _is_list_footer(lines, start, text)):
            above = _text(lines, *paragraphs[index - 1]) if index and begin == len(lines) else ""
            if _names_company(text) and _is_boilerplate(above):
                continue
            break
        first = start if heads else _first_of_it(lines, start, stop)
        if first == paragraphs[0][0]:
            break
        begin = first
        if first > start:
            break
    while 0 < begin < len(lines) and (not lines[begin - 1].strip() or RULE.fullmatch(lines[begin - 1].strip())):
        begin -= 1
    return (lines[:begin], lines[begin:]) if begin < len(lines) else None


def _first_of_it(lines: list[str], start: int, stop: int) -> int:
    """Where in a paragraph that is boilerplate the boilerplate begins: HTML parts blocks by no blank line."""
    sentences = list(_sentences(lines, start, stop))
    texts = [_text(lines, *place) for place in sentences]
    for say in (_is_boilerplate, _speaks_of_itself):
        first = next((index for index, text in enumerate(texts) if say(text)), None)
        if first is not None:
            while first and (_speaks_of_itself(texts[first - 1]) or _is_heading(texts[first - 1])):
                first -= 1
            return sentences[first][0]
    return start


def placeholders(lines: list[str]) -> Found:
    """Lines that only stand for a picture."""
    cut = [line for line in lines if _PLACEHOLDER.fullmatch(line.strip())]
    return ([line for line in lines if not _PLACEHOLDER.fullmatch(line.strip())], cut) if cut else None


def _is_boilerplate(text: str) -> bool:
    if len(text) <= _LONGEST_LINE and _is_footer(text):
        return True
    if len(text) < _SHORTEST or not _says(text, _MAIL) or _CODE.search(text) or _says(text, _PASSWORD):
        return False
    said = [matter for matter in _LEGAL if _says(text, matter)]
    claims = _CONFIDENTIAL in said or _FORBIDDEN in said or len(said) >= 3
    addresses = any(matter in said for matter in (_MEANT_FOR_ONE, _ASTRAY, _FORBIDDEN))
    return len(said) >= 2 and ((claims and addresses) or (_ASTRAY in said and _says(text, _SENDER)))


def _is_footer(text: str) -> bool:
    """Whether this is a line about printing or about viruses."""
    if _says(text, _PRINT) and _says(text, _NATURE) and _says(text, _THINK):
        return True
    if not _says(text, _VIRUS):
        return _says(text, _SCANNERS)
    return _says(text, _SCANNERS) or (_says(text, _SCANNED) and _says(text, _MAIL))


def _names_company(text: str) -> bool:
    """Whether this is how a company is registered; said of a paragraph below a disclaimer."""
    if len(text) > _LONGEST_LINE:
        return False
    said = sum(word in text for word in _COMPANY)
    return said >= 2 or (said == 1 and any(map(str.isdigit, text)))


def _is_list_footer(lines: list[str], start: int, text: str) -> bool:
    """Whether a mailing list put this below a rule; how to leave it without one may be somebody's own words."""
    above = next((lines[at].strip() for at in range(start - 1, max(start - 3, -1), -1) if lines[at].strip()), "")
    if not (lines[start].rstrip() == "--" or RULE.fullmatch(above) or _LIST_RULE.fullmatch(above)):
        return False
    return len(text) <= _LONGEST_BANNER and _says(text, _LIST) and ("@" in text or "://" in text or _says(text, _LEAVE))


def _speaks_of_itself(text: str) -> bool:
    return _says(text, _MAIL) and any(_says(text, matter) for matter in _LEGAL)


def _is_heading(text: str) -> bool:
    return len(text) <= _LONGEST_HEADING and _says(text, _HEADINGS)


def _speaks_of_outside(text: str) -> bool:
    return text.startswith(_TAGS) or _says(text, _SELDOM) or _says(text, _OUTSIDE)


def _warns(text: str) -> bool:
    if len(text) > _LONGEST_BANNER or not _speaks_of_outside(text):
        return False
    if _says(text, _SELDOM) or text.strip(" :") in _TAGS:
        return True
    return not _NUMBER.search(text) and _says(text, _CARE) and (_says(text, _MAIL) or text.startswith(_TAGS))


def _says(text: str, words: tuple[str, ...]) -> bool:
    return any(map(text.__contains__, words))


def _text(lines: list[str], start: int, stop: int) -> str:
    return (
        " ".join(line.strip() for line in lines[start:stop]).casefold().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    )


def _sentences(lines: list[str], start: int, stop: int) -> Iterator[tuple[int, int]]:
    """The lines of a paragraph as they were meant: one ends with its sentence, or where the next word had room."""
    width = max(len(line) for line in lines[start:stop])
    begin = start
    for index in range(start + 1, stop + 1):
        above = lines[index - 1].rstrip()
        ends = index == stop or above.endswith((".", "!", "?", "]")) or _is_whole(above, lines[index].lstrip())
        if ends or len(above) + 1 + len(lines[index].split(maxsplit=1)[0]) <= width:
            yield begin, index
            begin = index


def _is_whole(above: str, below: str) -> bool:
    """Whether no program has broken the text here: its lines are shorter, and HTML has a line for each block."""
    return len(above) > _WIDEST and not below[:1].islower()


def _paragraphs(lines: list[str]) -> Iterator[tuple[int, int]]:
    """Where each run of lines begins and ends that no blank line and no rule parts."""
    start: int | None = None
    for index, line in enumerate([*lines, ""]):
        if line.strip() and not RULE.fullmatch(line.strip()):
            start = index if start is None else start
        elif start is not None:
            yield start, index
            start = None
