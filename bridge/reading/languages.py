"""How people and mail programs mark what is not the message, as data: one row for each language, used by `layouts`.

A new language is a new row; a new mail program is mostly one more phrase in a row. The phrases are those that Gmail,
Outlook, Apple Mail, Thunderbird, Yahoo and K-9 write. In a phrase `…` stands for anything on the line.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Language:
    """The phrases of one language, with bars between them."""

    code: str
    openings: str
    """How the line above a quotation begins, where it begins with the day."""
    wrote: str
    """What it says of the one who is quoted."""
    sender: str
    """Labels that open the header block which Outlook puts above a quoted mail."""
    subject: str
    """Its label for the subject, which hardly any such block is without."""
    labels: str
    """The other labels of that block."""
    originals: str
    """What stands between dashes above a quoted mail."""
    forwards: str
    """What stands between dashes, or before a colon, above a forwarded one."""
    devices: str
    """The line that the mail program of a phone puts under a mail."""
    sign_offs: str
    """The line above the name at the end of a letter."""


LANGUAGES = (
    Language(
        code="en",
        openings="On | At",
        wrote="wrote | writes",
        sender="From",
        subject="Subject",
        labels="Sent | Date | To | Cc | Bcc | Reply-To | Importance | Attachments | When | Where",
        originals="Original Message | Original message | Reply message | Original Appointment",
        forwards="Forwarded message | Forwarded Message | Begin forwarded message",
        devices="""
            Sent from my … | From my iPhone … | Sent from Outlook for … | Sent from Outlook Mobile | Sent from Mail for
            … | Sent from Mailbox … | Sent from Windows Mail | Sent from Yahoo Mail … | Sent from Samsung … | Sent from
            Proton Mail … | Sent from Gmail Mobile | Sent from a mobile device … | Sent from mobile device | Sent with
            Airmail | Sent with Spark | Sent with Proton Mail … | Sent via mobile | Sent via the Samsung Galaxy … | Get
            Outlook for …
        """,
        sign_offs="""
            Best regards | Kind regards | Warm regards | Kindest regards | Best wishes | With kind regards | Many thanks
            and best regards | Regards | Sincerely | Yours sincerely | Yours faithfully | Yours truly | Respectfully |
            Best | Cheers | Thanks | Many thanks | Thank you | Thanks and regards
        """,
    ),
    Language(
        code="it",
        openings="Il | In data",
        wrote="ha scritto | scrive",
        sender="Da | Mittente",
        subject="Oggetto",
        labels="Inviato | Inviata | Data | A | Cc | Ccn | Rispondi a | Priorità | Allegati",
        originals="Messaggio originale | Messaggio Originale",
        forwards="Messaggio inoltrato | Inizio messaggio inoltrato",
        devices="""
            Inviato da iPhone | Inviato da iPad | Inviato dal mio … | Inviato da smartphone … | Inviato da Outlook per …
            | Inviato da Posta per … | Inviato da Yahoo Mail … | Inviato da Libero Mail … | Scarica Outlook per … |
            Ottieni Outlook per …
        """,
        sign_offs="""
            Cordiali saluti | Distinti saluti | Cari saluti | Saluti | Un saluto | Un cordiale saluto | Un caro saluto |
            I migliori saluti | I più cordiali saluti | Grazie e cordiali saluti | Grazie e saluti | Ringraziando,
            cordiali saluti | Cordialmente | Grazie | Grazie mille | A presto | Buona giornata | Buon lavoro
        """,
    ),
    Language(
        code="es",
        openings="El | En",
        wrote="escribió | ha escrito",
        sender="De",
        subject="Asunto",
        labels="""
            Enviado | Enviado el | Fecha | Para | CC | CCO | Responder a | Importancia | Adjuntos
        """,
        originals="Mensaje original | Mensaje Original",
        forwards="Mensaje reenviado | Inicio del mensaje reenviado | Forwarded message",
        devices="""
            Enviado desde mi … | Enviado desde Outlook para … | Enviado desde Correo para … | Enviado desde Yahoo Mail …
            | Obtener Outlook para … | Obtén Outlook para … | Enviado con Proton Mail … | Enviado con Spark
        """,
        sign_offs="""
            Saludos | Un saludo | Saludos cordiales | Un cordial saludo | Cordiales saludos | Reciba un cordial saludo |
            Atentamente | Cordialmente | Gracias | Muchas gracias | Gracias y un saludo | Un abrazo
        """,
    ),
    Language(
        code="nl",
        openings="Op",
        wrote="schreef | geschreven",
        sender="Van",
        subject="Onderwerp",
        labels="Verzonden | Datum | Aan | CC | BCC | Antwoord aan | Urgentie | Bijlagen",
        originals="Oorspronkelijk bericht | Origineel bericht",
        forwards="Doorgestuurd bericht | Begin doorgestuurd bericht",
        devices="""
            Verstuurd vanaf mijn … | Verzonden vanaf mijn … | Verstuurd met Proton Mail … | Verzonden met BlackBerry … |
            Verzonden vanuit Outlook voor … | Verzonden vanuit Mail voor … | Verzonden vanuit Yahoo Mail … | Outlook
            voor … downloaden | Download Outlook voor …
        """,
        sign_offs="""
            Met vriendelijke groet | Met vriendelijke groeten | Vriendelijke groet | Vriendelijke groeten | Hartelijke
            groet | Hartelijke groeten | Met hartelijke groet | Groet | Groeten | Groetjes | Hoogachtend | Mvg | Bedankt
            | Dank u | Alvast bedankt
        """,
    ),
    Language(
        code="fr",
        openings="Le",
        wrote="a écrit | écrit",
        sender="De | Expéditeur",
        subject="Objet | Sujet",
        labels="""
            Envoyé | Envoyé le | Date | À | A | Pour | Cc | Cci | Répondre à | Importance | Pièces jointes
        """,
        originals="Message d'origine | Message d’origine | Message original",
        forwards="Message transféré | Début du message transféré | Début du message réexpédié",
        devices="""
            Envoyé de mon … | Envoyé depuis mon … | Envoyé à partir de mon … | Envoyé à partir de Yahoo Mail … | Envoyé
            à partir d'Outlook … | Envoyé à partir de Outlook … | Envoyé à partir d’Outlook … | Envoyé depuis Yahoo Mail
            … | Envoyé depuis l'application … | Envoyé depuis Outlook … | Envoyé à partir de Courrier … | Provenance :
            Courrier pour … | Télécharger Outlook pour … | Obtenez Outlook pour … | Obtenir Outlook pour …
        """,
        sign_offs="""
            Cordialement | Bien cordialement | Très cordialement | Bien à vous | Salutations | Salutations distinguées |
            Meilleures salutations | Sincères salutations | Cdlt | Merci | Bonne journée | Merci et bonne journée
        """,
    ),
    Language(
        code="de",
        openings="Am",
        wrote="schrieb | geschrieben",
        sender="Von",
        subject="Betreff",
        labels="Gesendet | Datum | An | Cc | Bcc | Antwort an | Wichtigkeit | Priorität | Anlagen",
        originals="Ursprüngliche Nachricht | Originalnachricht | Original-Nachricht | Antwort Nachricht",
        forwards="Weitergeleitete Nachricht | Anfang der weitergeleiteten Nachricht | Weitergeleitete E-Mail",
        devices="""
            Von meinem … gesendet | Von meinem iPhone … | Gesendet von meinem … | Gesendet von Outlook für … | Gesendet
            von Mail für … | Gesendet von Yahoo Mail … | Gesendet mit Proton Mail … | Von Yahoo Mail … gesendet |
            Gesendet mit der GMX … | Gesendet mit der WEB.DE … | Gesendet mit der mobilen … | Gesendet mit der Telekom …
            | Diese Nachricht wurde von meinem … gesendet | Von Samsung … gesendet | Holen Sie sich Outlook für … |
            Outlook für … beziehen | Outlook für … herunterladen
        """,
        sign_offs="""
            Mit freundlichen Grüßen | Mit freundlichen Grüssen | Mit freundlichem Gruß | Freundliche Grüße | Freundliche
            Grüsse | Viele Grüße | Beste Grüße | Liebe Grüße | Herzliche Grüße | Schöne Grüße | Gruß | Grüße |
            Hochachtungsvoll | MfG | LG | VG | Danke | Vielen Dank
        """,
    ),
    Language(
        code="pt",
        openings="Em | A | No dia",
        wrote="escreveu",
        sender="De",
        subject="Assunto",
        labels="Enviado | Enviada | Enviada em | Enviado em | Data | Para | Cc | Cco | Bcc | Anexos",
        originals="Mensagem original | Mensagem Original",
        forwards="""
            Mensagem reencaminhada | Mensagem encaminhada | Início da mensagem reencaminhada | Início da mensagem
            encaminhada
        """,
        devices="""
            Enviado do meu … | Enviado do Outlook para … | Enviado do Correio para … | Enviado a partir do meu … |
            Enviado via iPhone | Enviado via iPad | Enviado do Yahoo Mail … | Enviado do Email para … | Obter o Outlook
            para … | Obtenha o Outlook para …
        """,
        sign_offs="""
            Atenciosamente | Atentamente | Cumprimentos | Com os melhores cumprimentos | Melhores cumprimentos |
            Saudações | Cordialmente | Obrigado | Obrigada | Muito obrigado | Muito obrigada | Abraço | Abraços
        """,
    ),
    Language(
        code="sv",
        openings="Den",
        wrote="skrev",
        sender="Från",
        subject="Ämne",
        labels="Skickat | Datum | Till | Kopia | Prioritet | Bifogade filer",
        originals="Ursprungligt meddelande",
        forwards="Vidarebefordrat meddelande | Vidarebefordrat brev",
        devices="Skickat från min … | Skickat från Outlook för … | Hämta Outlook för …",
        sign_offs="Med vänliga hälsningar | Vänliga hälsningar | Hälsningar | Mvh",
    ),
    Language(
        code="da",
        openings="Den",
        wrote="skrev",
        sender="Fra",
        subject="Emne",
        labels="Sendt | Dato | Til | Cc | Kopi | Vedhæftede filer | Vedlegg",
        originals="Oprindelig meddelelse | Opprinnelig melding | Oprindelig besked",
        forwards="Videresendt meddelelse | Videresendt melding | Videresendt besked",
        devices="Sendt fra min … | Sendt fra Outlook … | Hent Outlook til … | Få Outlook for …",
        sign_offs="Med venlig hilsen | Venlig hilsen | Vennlig hilsen | Med vennlig hilsen | Hilsen | Mvh",
    ),
    Language(
        code="fi",
        openings="",
        wrote="kirjoitti",
        sender="Lähettäjä",
        subject="Aihe",
        labels="Lähetetty | Päivämäärä | Vastaanottaja | Kopio",
        originals="Alkuperäinen viesti",
        forwards="Välitetty viesti | Edelleenlähetetty viesti",
        devices="Lähetetty …stani | Lähetetty iPhonesta | Hanki Outlook …",
        sign_offs="Ystävällisin terveisin | Terveisin",
    ),
    Language(
        code="pl",
        openings="W dniu | Dnia",
        wrote="napisał(a) | napisał | napisała | pisze",
        sender="Od",
        subject="Temat",
        labels="Wysłano | Data | Do | DW | UDW | Załączniki",
        originals="Wiadomość oryginalna | Oryginalna wiadomość",
        forwards="Przekazana wiadomość | Wiadomość przekazana | Początek przekazanej wiadomości",
        devices="Wysłane z iPhone'a | Wysłane z mojego … | Wysłano z Outlooka … | Pobierz aplikację Outlook …",
        sign_offs="Pozdrawiam | Z poważaniem | Serdecznie pozdrawiam",
    ),
    Language(
        code="cs",
        openings="Dne | Dňa",
        wrote="napsal(a) | napsal | napsala | napísal(a) | napísal",
        sender="Od",
        subject="Předmět | Predmet",
        labels="Odesláno | Datum | Komu | Kopie | Odoslané",
        originals="Původní zpráva | Původní e-mail | Pôvodná správa",
        forwards="Přeposlaná zpráva | Preposlaná správa",
        devices="""
            Odesláno z iPhonu | Odesláno z mého … | Odoslané z iPhonu | Odoslané z môjho … | Stáhnout Outlook pro …
        """,
        sign_offs="S pozdravem | S přátelským pozdravem",
    ),
    Language(
        code="hu",
        openings="",
        wrote="ezt írta | írta",
        sender="Feladó",
        subject="Tárgy",
        labels="Elküldve | Dátum | Címzett | Másolatot kap",
        originals="Eredeti üzenet",
        forwards="Továbbított üzenet",
        devices="Az iPhone-ról küldve",
        sign_offs="Üdvözlettel | Tisztelettel",
    ),
    Language(
        code="ro",
        openings="În | Pe",
        wrote="a scris",
        sender="De la",
        subject="Subiect | Subiectul",
        labels="Trimis | Data | Către",
        originals="Mesaj original | Mesajul original",
        forwards="Mesaj redirecționat",
        devices="Trimis de pe …",
        sign_offs="Cu stimă | Toate cele bune",
    ),
    Language(
        code="ru",
        openings="",
        wrote="написал | написала | написал(а) | пишет | писал(а)",
        sender="От | От кого",
        subject="Тема",
        labels="Отправлено | Дата | Кому | Копия",
        originals="Исходное сообщение | Пересылаемое письмо",
        forwards="Пересылаемое сообщение | Перенаправленное сообщение | Начало переадресованного сообщения",
        devices="""
            Отправлено с iPhone | Отправлено с iPad | Отправлено с моего … | Отправлено из мобильной … | Отправлено из
            Outlook …
        """,
        sign_offs="С уважением | Спасибо",
    ),
    Language(
        code="uk",
        openings="",
        wrote="пише | написав | написала | написав(ла)",
        sender="Від | Від кого",
        subject="Тема",
        labels="Надіслано | Дата | Кому | Копія",
        originals="Вихідне повідомлення | Оригінальне повідомлення",
        forwards="Переслане повідомлення",
        devices="Надіслано з iPhone | Надіслано з мого … | Надіслано з Outlook …",
        sign_offs="З повагою | Дякую",
    ),
    Language(
        code="el",
        openings="Στις",
        wrote="έγραψε",
        sender="Από",
        subject="Θέμα",
        labels="Στάλθηκε | Ημερομηνία | Προς",
        originals="Αρχικό μήνυμα",
        forwards="Προωθημένο μήνυμα",
        devices="Στάλθηκε από το …",
        sign_offs="Με εκτίμηση",
    ),
    Language(
        code="tr",
        openings="",
        wrote="yazdı | şunları yazdı | şunu yazdı",
        sender="Gönderen | Kimden",
        subject="Konu",
        labels="Gönderildi | Gönderilme | Tarih | Kime | Bilgi",
        originals="Orijinal Mesaj | Özgün İleti",
        forwards="Yönlendirilmiş ileti | İletilen ileti",
        devices="iPhone'umdan gönderildi | iPhone’umdan gönderildi",
        sign_offs="Saygılarımla | İyi çalışmalar",
    ),
    Language(
        code="zh",
        openings="在 | 於 | 于",
        wrote="写道 | 寫道",
        sender="发件人 | 寄件者",
        subject="主题 | 主旨",
        labels="发送时间 | 寄件日期 | 日期 | 收件人 | 收件者 | 抄送",
        originals="原始邮件 | 原始郵件 | 原始訊息",
        forwards="转发的邮件 | 轉寄郵件",
        devices="发自我的 … | 发自我的… | 從我的 … 傳送 | 从我的 … 发送",
        sign_offs="",
    ),
    Language(
        code="ja",
        openings="",
        wrote="のメール | 書きました",
        sender="差出人",
        subject="件名",
        labels="送信日時 | 日時 | 宛先",
        originals="元のメッセージ",
        forwards="転送メッセージ | 転送されたメッセージ",
        devices="iPhoneから送信 | 私のiPhoneから送信",
        sign_offs="",
    ),
)
