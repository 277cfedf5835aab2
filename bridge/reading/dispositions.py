"""What the header of a part says it is: words, a file, the whole mail in a wrapper; used by `mime`.

Sources: RFC 2183 (disposition), RFC 8551 section 3.2 (S/MIME), and RFC 6109 for Italian certified mail (PEC), in which
the mail that somebody wrote travels as a file beside a letter of the provider's.
"""

from __future__ import annotations

from bridge.reading import headers
from bridge.reading.headers import ContentType, Fields

_PKCS7 = frozenset({"application/pkcs7-mime", "application/x-pkcs7-mime"})
_WRAPPED_MAIL = "smime.p7m"
_CERTIFIED_MAIL = "postacert.eml"
_CERTIFICATE = "daticert.xml"


def is_attachment(fields: Fields, kind: ContentType) -> bool:
    """Whether the part is a file, not words."""
    if kind.main == "multipart":
        return False
    disposition, parameters = headers.value_and_parameters(fields.token("content-disposition"))
    return disposition == "attachment" or "filename" in parameters or "name" in kind.parameters


def wraps_the_mail(fields: Fields, kind: ContentType) -> bool:
    """Whether S/MIME signed or encrypted the mail in this part. What bears a name of its own is a file that somebody
    signed, such as contract.pdf.p7m.
    """
    name = file_name(fields, kind)
    if name == _WRAPPED_MAIL:
        return kind.main == "application"
    return kind.type in _PKCS7 and (not name or "smime-type" in kind.parameters)


def is_certified(fields: Fields) -> bool:
    """Whether the header of a mail says that a provider of certified mail carries another one in it, or one that came
    from outside, which is an anomaly (`errore`).
    """
    return fields.line("x-trasporto").lower() in {"posta-certificata", "errore"}


def is_certified_mail(fields: Fields, kind: ContentType) -> bool:
    """Whether the part of a certified mail is the mail that somebody wrote."""
    return kind.type == "message/rfc822" and file_name(fields, kind) in {_CERTIFIED_MAIL, ""}


def is_certificate(fields: Fields, kind: ContentType) -> bool:
    """Whether the part of a certified mail tells machines of its journey."""
    return file_name(fields, kind) == _CERTIFICATE


def file_name(fields: Fields, kind: ContentType) -> str:
    """The name of the file in lower case; empty when the part is none."""
    _, parameters = headers.value_and_parameters(fields.token("content-disposition"))
    return (parameters.get("filename") or kind.parameters.get("name", "")).lower()
