"""How mail programs mark what they add, as data: one row for each language, used by `trim`.

A new language is a new row; a new mail program is mostly one more word in a row. The layouts are those that Gmail,
Outlook, Apple Mail and Thunderbird write.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Layout:
    """The words of one language."""

    language: str
    attributions: tuple[str, ...]
    """Patterns of the line above a quotation; `…` stands for a date or address, and whatever is around it."""
    sender: tuple[str, ...]
    """Labels that open the header block Outlook puts above a quoted mail."""
    labels: tuple[str, ...]
    """The other labels of that block."""
    separators: tuple[str, ...]
    """What stands between dashes above a quoted or forwarded mail."""
    openings: tuple[str, ...]
    """What Apple Mail writes above a forwarded one, with a colon."""
    devices: tuple[str, ...]
    """Patterns of the line that a phone's mail program puts under a mail."""


LAYOUTS = (
    Layout(
        "en",
        ("On … wrote:", "… wrote on …:"),
        ("From",),
        ("Sent", "Date", "To", "Cc", "Bcc", "Subject", "Reply-To", "Importance", "Attachments"),
        ("Original Message", "Forwarded message", "Reply message", "Original Appointment"),
        ("Begin forwarded message",),
        (
            "Sent from my …",
            "Sent from Outlook for …",
            "Sent from Mail for …",
            "Sent from Yahoo Mail …",
            "Get Outlook for …",
        ),
    ),
    Layout(
        "it",
        ("Il … ha scritto:", "… ha scritto il …:", "In data … ha scritto:"),
        ("Da", "Mittente"),
        ("Inviato", "Data", "A", "Cc", "Ccn", "Oggetto", "Rispondi a", "Priorità", "Allegati"),
        ("Messaggio originale", "Messaggio inoltrato"),
        ("Inizio messaggio inoltrato",),
        (
            "Inviato da iPhone",
            "Inviato da iPad",
            "Inviato dal mio …",
            "Inviato da Outlook per …",
            "Inviato da Posta per …",
            "Scarica Outlook per …",
            "Ottieni Outlook per …",
        ),
    ),
    Layout(
        "es",
        ("El … escribió:", "… escribió el …:"),
        ("De",),
        ("Enviado", "Enviado el", "Fecha", "Para", "CC", "CCO", "Asunto", "Responder a", "Importancia", "Adjuntos"),
        ("Mensaje original", "Mensaje reenviado"),
        ("Inicio del mensaje reenviado",),
        ("Enviado desde mi …", "Enviado desde Outlook para …", "Obtener Outlook para …"),
    ),
    Layout(
        "nl",
        ("Op … schreef …:", "Op … het volgende geschreven:", "… schreef op …:"),
        ("Van",),
        ("Verzonden", "Datum", "Aan", "CC", "BCC", "Onderwerp", "Antwoord aan", "Urgentie", "Bijlagen"),
        ("Oorspronkelijk bericht", "Doorgestuurd bericht"),
        ("Begin doorgestuurd bericht",),
        (
            "Verstuurd vanaf mijn …",
            "Verzonden vanaf mijn …",
            "Verzonden vanuit Outlook voor …",
            "Outlook voor … downloaden",
        ),
    ),
)

# An attribution names a day or an address; without either, "On reflection she wrote:" is somebody's own sentence.
_WHEN_OR_WHO = r"(?=.*(?:\d{1,2}[:.]\d{2}|\b\d{4}\b|\d{1,2}[/.-]\d{1,2}[/.-]\d{2}|\S@\S))"


def _alternatives(patterns: list[str], gap: str) -> str:
    return "|".join(gap.join(re.escape(piece) for piece in pattern.split("…")) for pattern in patterns)


ATTRIBUTION = re.compile(
    rf"{_WHEN_OR_WHO}(?:{_alternatives([p for layout in LAYOUTS for p in layout.attributions], '.+')})"
    # Gmail in languages it had no words for: "2017-02-05 13:29 GMT+02:00 Name <address>:".
    r"|\d{4}[-/]\d{1,2}[-/]\d{1,2}\b.*<\s*\S+@\S+>:",
    re.IGNORECASE,
)
"""A whole attribution, unwrapped onto one line without its quotation marks."""

SEPARATOR = re.compile(
    rf"[-_*]{{2,}} ?(?:{_alternatives([p for layout in LAYOUTS for p in layout.separators], '')}) ?[-_*]{{2,}}"
    rf"|(?:{_alternatives([p for layout in LAYOUTS for p in layout.openings], '')}):",
    re.IGNORECASE,
)
"""A line such as "-----Original Message-----" or Apple's "Begin forwarded message:"."""

SENDER_LABEL = re.compile(
    rf"\*?(?:{_alternatives([s for layout in LAYOUTS for s in layout.sender], '')})\*? ?:\*? ?\S.*"
)
"""The first line of a header block; some programs set the label in asterisks."""

LABEL = re.compile(rf"\*?({_alternatives([s for layout in LAYOUTS for s in layout.labels], '')})\*? ?:\*?(?: .*)?")
"""Every other line of it."""

RULE = re.compile(r"[_-]{5,}|\*{5,}|={5,}")
"""The line Outlook draws above a quoted mail."""

DEVICE = re.compile(
    rf"(?:{_alternatives([p for layout in LAYOUTS for p in layout.devices], '.{1,60}')})(?:<https?://[^>]*>)?\.?",
    re.IGNORECASE,
)
"""A whole line that a phone's mail program adds."""
