"""How people and mail programs mark what is not the message, as data: one row for each language, used by `layouts`.

A new language is a new row; a new mail program is mostly one more phrase in a row. The phrases are those that Gmail,
Outlook, Apple Mail, Thunderbird, Yahoo and K-9 write. In a phrase `…` stands for anything on the line. Here are the
seven in which disclaimers and banners are known as well; `further_languages` has the others.
"""

from __future__ import annotations

from bridge.reading.further_languages import FURTHER_LANGUAGES
from bridge.reading.phrases import Language

LANGUAGES = (
    Language(
        code="en",
        openings="On | At",
        wrote="wrote | writes",
        sender="From",
        subject="Subject",
        sent="Sent",
        labels="Date | To | Cc | Bcc | Reply-To | Reply To | Importance | Attachments | When | Where | On Behalf Of",
        originals="Original Message | Reply message | Original Appointment | Original e-mail | Original email",
        forwards="Forwarded message | Forwarded Message | Begin forwarded message",
        devices="""
            Sent from my … | From my iPhone … | Sent from Outlook for … | Sent from Outlook Mobile | Sent from Mail for
            … | Sent from Mailbox … | Sent from Windows Mail | Sent from Yahoo Mail … | Sent from Samsung … | Sent from
            Proton Mail … | Sent from Gmail Mobile | Sent from a mobile device … | Sent from mobile device | Sent with
            Airmail | Sent with Spark | Sent with Proton Mail … | Sent via mobile | Sent via the Samsung Galaxy … | Get
            Outlook for … | Sent from iPhone | Sent from iPad | Sent via BlackBerry … | Sent via Superhuman … | Sent
            from Superhuman | Sent from Fastmail … | Sent with Tuta … | Secured with Tuta … | Sent using Zoho Mail |
            Sent from Zoho Mail … | Sent from AOL … | Get the new AOL app … | Sent from Mail.ru … | Sent from BlueMail …
            | Get BlueMail … | Sent with BlueMail … | Sent with Mailspring … | Sent from Mailspring … | Sent from eM
            Client … | Sent from Spark | Sent from Thunderbird … | Sent from K-9 Mail … | Sent from Android
        """,
        sign_offs="""
            Best regards | Kind regards | Warm regards | Kindest regards | Best wishes | With kind regards | Many thanks
            and best regards | Regards | Sincerely | Yours sincerely | Yours faithfully | Yours truly | Respectfully |
            Best | Cheers | Thanks | Many thanks | Thank you | Thanks and regards | Thanks & Regards | Thanks again |
            All the best | All best | Warmly | Take care | Yours | With best regards | With kindest regards | Thank you
            and best regards | Warmest regards | Thank you very much | Best wishes and thanks
        """,
    ),
    Language(
        code="it",
        openings="Il | In data | Il giorno",
        wrote="ha scritto | scrive",
        sender="Da | Mittente",
        subject="Oggetto | Ogg",
        sent="Inviato | Inviata | Inviato il",
        labels="Data | A | Per | Cc | Ccn | Rispondi a | Priorità | Importanza | Allegati | Data invio",
        originals="Messaggio originale | Messaggio Originale",
        forwards="Messaggio inoltrato | Inizio messaggio inoltrato",
        devices="""
            Inviato da iPhone | Inviato da iPad | Inviato dal mio … | Inviato da smartphone … | Inviato da Outlook per …
            | Inviato da Posta per … | Inviato da Yahoo Mail … | Inviato da Libero Mail … | Scarica Outlook per … |
            Ottieni Outlook per … | Inviato con Proton Mail … | Inviato con Spark | Inviata dal mio … | Inviato dall'app
            … | Inviato da Android | Inviato da Tiscali Mail … | Inviato da Gmail … | Inviato da Spark … | Inviato da
            BlueMail … | Ottieni BlueMail …
        """,
        sign_offs="""
            Cordiali saluti | Distinti saluti | Cari saluti | Saluti | Un saluto | Un cordiale saluto | Un caro saluto |
            I migliori saluti | I più cordiali saluti | Grazie e cordiali saluti | Grazie e saluti | Ringraziando,
            cordiali saluti | Cordialmente | Grazie | Grazie mille | A presto | Buona giornata | Buon lavoro | Buona
            serata | Con i migliori saluti | Un saluto cordiale | Grazie e buona giornata | Con stima | Un abbraccio |
            La saluto cordialmente | Grazie, cordiali saluti | Molti cordiali saluti | Grazie per l'attenzione
        """,
    ),
    Language(
        code="es",
        openings="El | En",
        wrote="escribió | ha escrito",
        sender="De",
        subject="Asunto",
        sent="Enviado | Enviado el | Enviado a las",
        labels="Fecha | Para | CC | CCO | Responder a | Importancia | Adjuntos",
        originals="Mensaje original | Mensaje Original | Correo original",
        forwards="Mensaje reenviado | Inicio del mensaje reenviado | Forwarded message",
        devices="""
            Enviado desde mi … | Enviado desde Outlook para … | Enviado desde Correo para … | Enviado desde Yahoo Mail …
            | Obtener Outlook para … | Obtén Outlook para … | Enviado con Proton Mail … | Enviado con Spark | Enviado
            desde Android | Enviado desde Gmail … | Enviado desde BlueMail … | Enviado con BlueMail … | Obtén BlueMail …
            | Enviado a través de mi iPhone … | Enviado desde el iPhone … | Enviado desde el móvil | Enviado de Samsung
            Mobile
        """,
        sign_offs="""
            Saludos | Un saludo | Saludos cordiales | Un cordial saludo | Cordiales saludos | Reciba un cordial saludo |
            Atentamente | Cordialmente | Gracias | Muchas gracias | Gracias y un saludo | Un abrazo | Muchas gracias y
            un saludo | Saludos y gracias | Un saludo cordial | Quedo a su disposición | Sin otro particular
        """,
    ),
    Language(
        code="nl",
        openings="Op",
        wrote="schreef | geschreven",
        sender="Van",
        subject="Onderwerp | Betreft",
        sent="Verzonden | Verzonden op",
        labels="Datum | Aan | CC | BCC | Antwoord aan | Urgentie | Bijlagen",
        originals="Oorspronkelijk bericht | Origineel bericht",
        forwards="Doorgestuurd bericht | Begin doorgestuurd bericht",
        devices="""
            Verstuurd vanaf mijn … | Verzonden vanaf mijn … | Verstuurd met Proton Mail … | Verzonden met BlackBerry … |
            Verzonden vanuit Outlook voor … | Verzonden vanuit Mail voor … | Verzonden vanuit Yahoo Mail … | Outlook
            voor … downloaden | Download Outlook voor … | Verstuurd met Spark | Verzonden met Proton Mail … | Verstuurd
            vanuit Outlook … | Verzonden via BlackBerry … | Verzonden van mijn …
        """,
        sign_offs="""
            Met vriendelijke groet | Met vriendelijke groeten | Vriendelijke groet | Vriendelijke groeten | Hartelijke
            groet | Hartelijke groeten | Met hartelijke groet | Groet | Groeten | Groetjes | Hoogachtend | Mvg | Bedankt
            | Dank u | Alvast bedankt | Dank je wel | M.v.g | Met groet | Gr | Vr. gr | Fijne dag | Beste groeten
        """,
    ),
    Language(
        code="fr",
        openings="Le",
        wrote="a écrit | écrit",
        sender="De | Expéditeur",
        subject="Objet | Sujet | Obj",
        sent="Envoyé | Envoyé le | Envoyée | Envoye",
        labels="Date | À | A | Pour | Cc | Cci | Répondre à | Importance | Pièces jointes",
        originals="Message d'origine | Message d’origine | Message original | Message initial",
        forwards="Message transféré | Début du message transféré | Début du message réexpédié",
        devices="""
            Envoyé de mon … | Envoyé depuis mon … | Envoyé à partir de mon … | Envoyé à partir de Yahoo Mail … | Envoyé
            à partir d'Outlook … | Envoyé à partir de Outlook … | Envoyé à partir d’Outlook … | Envoyé depuis Yahoo Mail
            … | Envoyé depuis l'application … | Envoyé depuis Outlook … | Envoyé à partir de Courrier … | Provenance :
            Courrier pour … | Télécharger Outlook pour … | Obtenez Outlook pour … | Obtenir Outlook pour … | Envoyé avec
            Proton Mail … | Envoyé avec la messagerie sécurisée … | Envoyé avec Spark | Envoyé depuis un mobile … |
            Envoyé depuis Android … | Télécharger BlueMail … | Obtenir BlueMail …
        """,
        sign_offs="""
            Cordialement | Bien cordialement | Très cordialement | Bien à vous | Salutations | Salutations distinguées |
            Meilleures salutations | Sincères salutations | Cdlt | Merci | Bonne journée | Merci et bonne journée |
            Merci d'avance | Bonne réception | Bonne soirée | Bonne fin de journée | Amicalement | Bien amicalement |
            Cdt | Cordiales salutations | Avec mes remerciements | Sincèrement | Belle journée
        """,
    ),
    Language(
        code="de",
        openings="Am",
        wrote="schrieb | geschrieben",
        sender="Von",
        subject="Betreff",
        sent="Gesendet",
        labels="Datum | An | Cc | Bcc | Antwort an | Wichtigkeit | Priorität | Anlagen",
        originals="""
            Ursprüngliche Nachricht | Originalnachricht | Original-Nachricht | Antwort Nachricht | Original Nachricht
        """,
        forwards="Weitergeleitete Nachricht | Anfang der weitergeleiteten Nachricht | Weitergeleitete E-Mail",
        devices="""
            Von meinem … gesendet | Von meinem iPhone … | Gesendet von meinem … | Gesendet von Outlook für … | Gesendet
            von Mail für … | Gesendet von Yahoo Mail … | Gesendet mit Proton Mail … | Von Yahoo Mail … gesendet |
            Gesendet mit der GMX … | Gesendet mit der WEB.DE … | Gesendet mit der mobilen … | Gesendet mit der Telekom …
            | Diese Nachricht wurde von meinem … gesendet | Von Samsung … gesendet | Holen Sie sich Outlook für … |
            Outlook für … beziehen | Outlook für … herunterladen | Gesendet mit Spark | Gesendet mit BlueMail … |
            Gesendet vom iPhone … | Gesendet vom Handy … | Gesendet mit iPhone | Von unterwegs gesendet | Vom Handy
            gesendet | Diese E-Mail wurde von meinem … gesendet | BlueMail für … herunterladen
        """,
        sign_offs="""
            Mit freundlichen Grüßen | Mit freundlichen Grüssen | Mit freundlichem Gruß | Freundliche Grüße | Freundliche
            Grüsse | Viele Grüße | Beste Grüße | Liebe Grüße | Herzliche Grüße | Schöne Grüße | Gruß | Grüße |
            Hochachtungsvoll | MfG | LG | VG | Danke | Vielen Dank | Liebe Grüsse | Beste Grüsse | Viele Grüsse |
            Herzliche Grüsse | Schöne Grüsse | Grüsse | Mit besten Grüßen | Mit besten Grüssen | Mit lieben Grüßen |
            Vielen Dank und freundliche Grüße | Herzlichst | Beste Grüße und vielen Dank | Mit freundlichen Gruessen |
            Viele Gruesse | Besten Dank | Herzlichen Dank | Grüßle
        """,
    ),
    Language(
        code="pt",
        openings="Em | A | No dia",
        wrote="escreveu",
        sender="De",
        subject="Assunto",
        sent="Enviado | Enviada | Enviada em | Enviado em",
        labels="Data | Para | Cc | Cco | Bcc | Anexos",
        originals="Mensagem original | Mensagem Original",
        forwards="""
            Mensagem reencaminhada | Mensagem encaminhada | Início da mensagem reencaminhada | Início da mensagem
            encaminhada
        """,
        devices="""
            Enviado do meu … | Enviado do Outlook para … | Enviado do Correio para … | Enviado a partir do meu … |
            Enviado via iPhone | Enviado via iPad | Enviado do Yahoo Mail … | Enviado do Email para … | Obter o Outlook
            para … | Obtenha o Outlook para … | Enviado através do meu … | Enviado pelo meu … | Enviado pelo iPhone |
            Enviado com Proton Mail … | Baixe o Outlook para …
        """,
        sign_offs="""
            Atenciosamente | Atentamente | Cumprimentos | Com os melhores cumprimentos | Melhores cumprimentos |
            Saudações | Cordialmente | Obrigado | Obrigada | Muito obrigado | Muito obrigada | Abraço | Abraços | Att |
            Abs | Grato | Grata | Bem haja | Com os meus cumprimentos | Os melhores cumprimentos | Cumpts
        """,
    ),
    *FURTHER_LANGUAGES,
)
"""All of them."""
