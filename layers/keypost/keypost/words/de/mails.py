"""What the mails to customers say in German, with the same codes and fields in every language. A kind of mail has texts
of its own, which begin with its name; those that begin otherwise stand in several kinds.

Of a pair, the second text is said of several. A part in [brackets] is left out where one of its values is not known.
What stands between *asterisks* is emphasized. A field such as {guide} is a link: the sentence ends with it, and without
a full stop. A subject names no order, whose number follows by itself where there is room."""

MAILS = {
    # What every mail begins and ends with.
    "letter_greeting": "Guten Tag {name}!",
    "letter_greeting_nobody": "Guten Tag!",
    "letter_stuck": "Klappt etwas nicht, oder haben Sie eine Frage?",
    "letter_question": "Haben Sie eine Frage?",
    "letter_reach": "Antworten Sie einfach auf diese E-Mail, oder schreiben Sie an {address}; wir helfen Ihnen gern.",
    "letter_reach_by_phone": "Antworten Sie einfach auf diese E-Mail, schreiben Sie an {address}, oder rufen Sie uns"
    " an: {phone}; wir helfen Ihnen gern.",
    "letter_spam": "Warten Sie auf eine E-Mail von uns? Sehen Sie bitte zuerst im Spam-Ordner nach. Ist sie auch dort"
    " nicht, melden Sie sich bei uns, und wir senden sie noch einmal.",
    "letter_keep": "Bewahren Sie diese E-Mail auf: Sie brauchen den Code noch einmal, wenn Sie das Gerät wechseln.",
    "letter_again": "Haben Sie diese E-Mail später nicht mehr? {resend}",
    "letter_again_link": "Fordern Sie sie noch einmal an",
    "letter_not_asked": "Wenn Sie das nicht gewünscht haben, melden Sie sich bitte sofort bei uns.",
    "letter_closing": "Mit freundlichen Grüßen",
    # A product, its codes and its steps.
    "product_days": ("1 Tag", "{count} Tage"),
    "product_size": ("{days}, 1 Gerät pro Lizenz", "{days}, {count} Geräte pro Lizenz"),
    "product_codes": ("Ihr Aktivierungscode:", "Ihre {count} Aktivierungscodes, einer pro Lizenz:"),
    "product_besides": "Gut zu wissen",
    "product_devices_one": "Der Code gilt für {devices} Geräte: Geben Sie auf jedem davon denselben Code ein.",
    "product_devices_many": "Jeder Code gilt für {devices} Geräte.",
    "product_running": "Läuft bei Ihnen noch eine Lizenz von {vendor}, beginnt die neue Laufzeit ({days}), wenn diese"
    " endet: Es geht kein Tag verloren.",
    "product_running_wait": (
        (
            "Läuft bei Ihnen noch eine Lizenz von {vendor}, geben Sie den Code erst ein, wenn diese abgelaufen ist:"
            " Sonst verfallen die Tage, die von ihr noch übrig sind."
        ),
        (
            "Läuft bei Ihnen noch eine Lizenz von {vendor}, geben Sie einen Code erst ein, wenn diese abgelaufen ist:"
            " Sonst verfallen die Tage, die von ihr noch übrig sind."
        ),
    ),
    "product_now_one": (
        (
            "Sie können den Code jetzt eingeben. Läuft Ihre jetzige Lizenz noch, beginnt die neue Laufzeit ({days}),"
            " wenn diese endet: Es geht kein Tag verloren."
        ),
        (
            "Sie können den Code jetzt eingeben, auf jedem Gerät, auf dem Sie das Programm benutzen. Läuft Ihre"
            " jetzige Lizenz noch, beginnt die neue Laufzeit ({days}), wenn diese endet: Es geht kein Tag verloren."
        ),
    ),
    "product_now_many": "Sie können die Codes jetzt eingeben: einen pro Lizenz, auf jedem Gerät dieser Lizenz. Läuft"
    " eine Lizenz noch, beginnt ihre neue Laufzeit ({days}), wenn sie endet: Es geht kein Tag verloren.",
    "product_later_one": "Geben Sie den Code am *{first_day:day}* ein, dem ersten Tag Ihres neuen Zeitraums, oder so"
    " bald wie möglich danach. Geben Sie ihn früher ein, verfallen die Tage, die von Ihrer jetzigen Lizenz noch übrig"
    " sind.",
    "product_later_many": "Geben Sie die Codes am *{first_day:day}* ein, dem ersten Tag Ihres neuen Zeitraums, oder"
    " so bald wie möglich danach: einen pro Lizenz. Geben Sie einen Code früher ein, verfallen die Tage, die von"
    " dieser Lizenz noch übrig sind.",
    "product_other_program": (
        (
            "Das ist ein anderes Programm als bisher. Installieren Sie es, und geben Sie den Code am *{first_day:day}*"
            " ein, dem ersten Tag Ihres neuen Zeitraums, oder so bald wie möglich danach."
        ),
        (
            "Das ist ein anderes Programm als bisher. Installieren Sie es, und geben Sie die Codes am"
            " *{first_day:day}* ein, dem ersten Tag Ihres neuen Zeitraums, oder so bald wie möglich danach: einen pro"
            " Lizenz."
        ),
    ),
    "product_period": "Zeitraum nach unseren Unterlagen: *{first_day:day} bis {last_day:day}*",
    "product_installed": "Sie brauchen nichts zu installieren: {product} ist schon auf Ihrem Gerät. Gibt es eine"
    " neuere Version, holt das Programm sie von selbst.",
    "product_other_device": "Falls Sie jetzt ein anderes Gerät benutzen: {download}",
    "product_download": "{product} herunterladen",
    "product_skip": "Ist {product} schon auf diesem Gerät, können Sie diesen Schritt überspringen.",
    "product_platforms": "Oder wählen Sie die Version für Ihr Gerät:",
    "product_guide": "Möchten Sie mehr Hilfe? {guide}",
    "product_guide_link": "Zur Anleitung für {product}",
    "platform_windows": "Windows",
    "platform_macos": "Mac",
    "platform_android": "Android",
    "platform_ios": "iPhone und iPad",
    "platform_linux": "Linux",
    "step_install": "Herunterladen und installieren",
    "step_open": "Das Programm öffnen",
    "step_activate": ("Mit Ihrem Code aktivieren", "Mit Ihren Codes aktivieren"),
    "step_check": "Hat es geklappt?",
    "made_install": "Laden Sie {product} herunter, und installieren Sie es.",
    "made_activate": "Geben Sie den Code ein, wenn das Programm nach einem Aktivierungscode fragt.",
    "made_check": "Das Programm zeigt, ob der Code angenommen wurde und wie viele Tage Ihre Lizenz noch läuft.",
    # The file with many codes.
    "list_attached": "Alle Codes stehen auch in der angehängten Datei, die sich mit einem Tabellenprogramm öffnen"
    " lässt.",
    "list_file": "aktivierungscodes-{order}.csv",
    "list_separator": ";",
    "list_product": "Produkt",
    "list_code": "Aktivierungscode",
    "list_license": "Lizenz",
    "list_first_day": "Erster Tag",
    "list_last_day": "Letzter Tag",
    # The box for the administration.
    "box_title": "Für Ihre Unterlagen",
    "box_order": "Bestellung",
    "box_product": "Produkt",
    "box_goods": "{quantity} \N{MULTIPLICATION SIGN} {product}",
    "box_period": "Zeitraum nach unseren Unterlagen",
    "box_days": "{first_day:day} bis {last_day:day}",
    "box_paid": "Für die Bestellung bezahlt",
    "box_payment": "[{amount:money} am ]{on:day}",
    "box_nothing": "nichts",
    "box_returned": "Davon erstattet",
    "box_amount": "{amount:money}",
    "box_remark": "Diese Übersicht ist keine Rechnung.",
    # After a purchase.
    "purchase_subject": ("Aktivierungscode für {products}", "Aktivierungscodes für {products}"),
    "purchase_preheader": (
        "In dieser E-Mail: Download-Link, Ihr Aktivierungscode und die Schritte zum Aktivieren.",
        "In dieser E-Mail: Download-Link, Ihre Aktivierungscodes und die Schritte zum Aktivieren.",
    ),
    "purchase_heading": ("Ihr Aktivierungscode", "Ihre Aktivierungscodes"),
    "purchase_thanks": "Vielen Dank für Ihre Zahlung der Bestellung {order}.",
    "purchase_given": "Das ist die Bestellung {order}, für die Sie nichts bezahlen.",
    "purchase_moved": "Wie gewünscht läuft diese Lizenz jetzt auf Ihren Namen (Bestellung {order}). Nach unseren"
    " Unterlagen gilt sie bis zum {last_day:day}.",
    "purchase_all": (
        (
            "Alles, was Sie brauchen, steht in dieser E-Mail: der Download-Link, Ihr Aktivierungscode und die Schritte"
            " zum Aktivieren."
        ),
        (
            "Alles, was Sie brauchen, steht in dieser E-Mail: für jedes Produkt der Download-Link, die"
            " Aktivierungscodes und die Schritte zum Aktivieren."
        ),
    ),
    "purchase_to_come": "Zurzeit nicht auf Lager und darum nicht in dieser E-Mail: {goods}. Wir senden es, sobald es"
    " eintrifft. Sie brauchen nichts zu tun und nicht noch einmal zu bestellen oder zu bezahlen.",
    # At a renewal.
    "renewal_subject": ("Ihr neuer Code für {products}", "Ihre neuen Codes für {products}"),
    "renewal_preheader_installed": "Neuer Zeitraum ab dem {first_day:day}. Sie brauchen nichts zu installieren.",
    "renewal_preheader": "Neuer Zeitraum ab dem {first_day:day}. Bitte installieren Sie das neue Programm.",
    "renewal_heading": ("Ihr neuer Aktivierungscode", "Ihre neuen Aktivierungscodes"),
    "renewal_paid": (
        "Die Verlängerung Ihrer Lizenz (Bestellung {order}) ist bezahlt. Hier ist Ihr neuer Aktivierungscode.",
        "Die Verlängerung Ihrer Lizenzen (Bestellung {order}) ist bezahlt. Hier sind Ihre neuen Aktivierungscodes.",
    ),
    "renewal_given": (
        "Die Verlängerung Ihrer Lizenz (Bestellung {order}) ist veranlasst. Hier ist Ihr neuer Aktivierungscode.",
        "Die Verlängerung Ihrer Lizenzen (Bestellung {order}) ist veranlasst. Hier sind Ihre neuen Aktivierungscodes.",
    ),
    "renewal_calendar": "Angehängt ist eine Datei für Ihren Kalender, mit dem ersten Tag Ihres neuen Zeitraums.",
    "renewal_file": "neuer-zeitraum.ics",
    "renewal_event": "Neuer Zeitraum: {product}",
    "renewal_event_wait": "Den neuen Code eingeben: {product}",
    # Codes sent again.
    "resend_subject": ("Erneut: Ihr Code für {products}", "Erneut: Ihre Codes für {products}"),
    "resend_preheader": (
        "Der Download-Link, Ihr Aktivierungscode und die Schritte zum Aktivieren, noch einmal.",
        "Der Download-Link, Ihre Aktivierungscodes und die Schritte zum Aktivieren, noch einmal.",
    ),
    "resend_heading": ("Noch einmal Ihr Aktivierungscode", "Noch einmal Ihre Aktivierungscodes"),
    "resend_asked": (
        (
            "Wie gewünscht sind hier noch einmal die Angaben zur Bestellung {order}: der Download-Link, Ihr"
            " Aktivierungscode und die Schritte zum Aktivieren."
        ),
        (
            "Wie gewünscht sind hier noch einmal die Angaben zur Bestellung {order}: der Download-Link, Ihre"
            " Aktivierungscodes und die Schritte zum Aktivieren."
        ),
    ),
    "resend_same": "Es sind dieselben wie in unserer E-Mail vom {earlier:day}: Es gibt keinen neuen Code.",
    "resend_entered": (
        "Wenn Sie den Code schon eingegeben haben, brauchen Sie nichts zu tun.",
        "Wenn Sie die Codes schon eingegeben haben, brauchen Sie nichts zu tun.",
    ),
    "resend_not_asked": "Haben Sie das nicht gewünscht? Dann melden Sie sich bitte: Antworten Sie auf diese E-Mail.",
    # A code in place of one that did not work.
    "replacement_subject": ("Ersatzcode für {products}", "Ersatzcodes für {products}"),
    "replacement_preheader": (
        "Dieser Code ersetzt den, der nicht funktioniert hat.",
        "Diese Codes ersetzen die, die nicht funktioniert haben.",
    ),
    "replacement_heading": ("Ihr Ersatz für den Aktivierungscode", "Ihr Ersatz für die Aktivierungscodes"),
    "replacement_sorry": (
        (
            "Es tut uns leid, dass der Aktivierungscode aus der Bestellung {order} nicht funktioniert hat. Hier ist"
            " ein Ersatz, für denselben Zeitraum. Den früheren Code können Sie wegwerfen."
        ),
        (
            "Es tut uns leid, dass {count} Aktivierungscodes aus der Bestellung {order} nicht funktioniert haben. Hier"
            " ist Ersatz, jeweils für denselben Zeitraum. Die früheren Codes können Sie wegwerfen."
        ),
    ),
    "replacement_others": "Ihre anderen Codes gelten weiterhin.",
    # Before a license ends that nobody has renewed.
    "reminder_subject": "{products} verlängern?",
    "reminder_preheader": "Nach unseren Unterlagen läuft Ihre Lizenz bis zum {last_day:day}.",
    "reminder_preheader_many": "Nach unseren Unterlagen läuft die erste Lizenz bis zum {last_day:day}.",
    "reminder_heading": ("Möchten Sie Ihre Lizenz verlängern?", "Möchten Sie Ihre Lizenzen verlängern?"),
    "reminder_about": (
        (
            "Das ist eine Erinnerung an die Lizenz aus der Bestellung {order}. Wenn Sie rechtzeitig verlängern, läuft"
            " Ihre Software ohne Unterbrechung weiter."
        ),
        (
            "Das ist eine Erinnerung an die Lizenzen aus der Bestellung {order}. Wenn Sie rechtzeitig verlängern,"
            " läuft Ihre Software ohne Unterbrechung weiter."
        ),
    ),
    "reminder_ends": (
        "Nach unseren Unterlagen läuft Ihre Lizenz für {product} bis zum *{last_day:day}*.",
        "Nach unseren Unterlagen laufen Ihre {count} Lizenzen für {product} bis zum *{last_day:day}*.",
    ),
    "reminder_in_program": "Das Programm zeigt, wie viele Tage noch übrig sind: Lief beim Aktivieren noch eine andere"
    " Lizenz, sind es mehr.",
    "reminder_button": "{product} verlängern",
    "reminder_by_answer": "Wenn Sie verlängern möchten, antworten Sie auf diese E-Mail.",
    "reminder_done": "Haben Sie schon verlängert, oder möchten Sie das nicht, brauchen Sie nichts zu tun.",
    "reminder_stop": "Sie bekommen diese Erinnerung, weil Sie bei uns eine Lizenz gekauft haben. Auch ohne"
    " Erinnerungen senden wir Ihnen weiterhin alles, was Sie bezahlen. {stop}",
    "reminder_stop_link": "Erinnerungen beenden",
    # Paid, and the codes come later.
    "waiting_subject": ("Code folgt: {products}", "Codes folgen: {products}"),
    "waiting_preheader": (
        "Wir senden Ihnen den Code, sobald er eintrifft. Sie brauchen nichts zu tun.",
        "Wir senden Ihnen die Codes, sobald sie eintreffen. Sie brauchen nichts zu tun.",
    ),
    "waiting_heading": ("Ihr Aktivierungscode folgt", "Ihre Aktivierungscodes folgen"),
    "waiting_thanks": "Vielen Dank: Ihre Zahlung der Bestellung {order} ist eingegangen. Sie gilt für:",
    "waiting_given": "Wir senden Ihnen die Bestellung {order}, für die Sie nichts bezahlen. Sie umfasst:",
    "waiting_goods": "{quantity} \N{MULTIPLICATION SIGN} {product}[, ab dem {first_day:day}]",
    "waiting_why": (
        (
            "Der Aktivierungscode ist zurzeit nicht auf Lager. Wir bestellen ihn für Sie und senden ihn an diese"
            " E-Mail-Adresse, sobald er eintrifft. Sie brauchen nichts zu tun und nicht noch einmal zu bestellen oder"
            " zu bezahlen."
        ),
        (
            "Die Aktivierungscodes sind zurzeit nicht auf Lager. Wir bestellen sie für Sie und senden sie an diese"
            " E-Mail-Adresse, sobald sie eintreffen. Sie brauchen nichts zu tun und nicht noch einmal zu bestellen"
            " oder zu bezahlen."
        ),
    ),
    # A renewal that is paid long before its codes come.
    "paid_ahead_subject": "Verlängerung bezahlt: {products}",
    "paid_ahead_preheader": (
        "Ihre Zahlung ist eingegangen. Sie brauchen nichts zu tun: Der Code folgt.",
        "Ihre Zahlung ist eingegangen. Sie brauchen nichts zu tun: Die Codes folgen.",
    ),
    "paid_ahead_heading": "Ihre Verlängerung ist bezahlt",
    "paid_ahead_thanks": "Vielen Dank: Ihre Zahlung der Bestellung {order} ist eingegangen. Sie gilt für die"
    " Verlängerung von:",
    "paid_ahead_goods": (
        (
            "{count} \N{MULTIPLICATION SIGN} {product}, neuer Zeitraum ab dem {first_day:day}. Den Aktivierungscode"
            " senden wir voraussichtlich am {mail_on:day}."
        ),
        (
            "{count} \N{MULTIPLICATION SIGN} {product}, neuer Zeitraum ab dem {first_day:day}. Die Aktivierungscodes"
            " senden wir voraussichtlich am {mail_on:day}."
        ),
    ),
    "paid_ahead_nothing": (
        (
            "Sie bekommen den Code per E-Mail an diese Adresse. Sie brauchen nichts zu tun und nicht noch einmal zu"
            " bestellen oder zu bezahlen."
        ),
        (
            "Sie bekommen die Codes per E-Mail an diese Adresse. Sie brauchen nichts zu tun und nicht noch einmal zu"
            " bestellen oder zu bezahlen."
        ),
    ),
    "paid_ahead_address": "Werden Sie diese E-Mail-Adresse dann nicht mehr benutzen? Antworten Sie auf diese E-Mail,"
    " und nennen Sie uns Ihre neue.",
    # All the money was returned.
    "refunded_subject": "Ihre Bestellung wurde erstattet",
    "refunded_preheader": "Der volle Betrag wurde Ihnen zurückerstattet.",
    "refunded_heading": "Ihre Bestellung wurde erstattet",
    "refunded_whole": "Wir haben Ihnen den vollen Betrag der Bestellung {order} erstattet. Bis das Geld auf Ihrem"
    " Konto ist, können einige Werktage vergehen.",
    "refunded_sent": (
        (
            "Der Aktivierungscode, den wir Ihnen gesendet haben, gilt nicht mehr. Bitte benutzen Sie ihn nicht mehr:"
            " Wir lassen ihn sperren, und dann funktioniert das Programm damit nicht mehr."
        ),
        (
            "Die Aktivierungscodes, die wir Ihnen gesendet haben, gelten nicht mehr. Bitte benutzen Sie sie nicht"
            " mehr: Wir lassen sie sperren, und dann funktioniert das Programm damit nicht mehr."
        ),
    ),
    "refunded_to_come": "Was von dieser Bestellung noch folgen sollte, senden wir nicht mehr.",
    "refunded_unsent": "Von dieser Bestellung wurde kein Aktivierungscode gesendet, und es folgt auch keiner.",
    "refunded_renews": "Läuft Ihre bisherige Lizenz noch, gilt sie bis zu ihrem letzten Tag.",
    "refunded_question": "Stimmt das nicht, oder haben Sie eine Frage?",
    # Notices of what was done on request.
    "address_changed_subject": "Neue E-Mail-Adresse für Ihre Bestellung",
    "address_changed_preheader": "E-Mails zu dieser Bestellung gehen jetzt an eine andere Adresse.",
    "address_changed_heading": "Die E-Mail-Adresse Ihrer Bestellung wurde geändert",
    "address_changed_what": "Wie gewünscht haben wir die E-Mail-Adresse der Bestellung {order} geändert. E-Mails zu"
    " dieser Bestellung, auch Aktivierungscodes, gehen jetzt an eine andere Adresse und nicht mehr an diese.",
    "sent_elsewhere_subject": "Codes an eine andere Adresse gesendet",
    "sent_elsewhere_preheader": "Das geschah einmal: Andere E-Mails zu Ihrer Bestellung kommen weiterhin hierher.",
    "sent_elsewhere_heading": "Ihre Codes wurden an eine andere Adresse gesendet",
    "sent_elsewhere_what": "Wie gewünscht haben wir die Aktivierungscodes der Bestellung {order} einmal an eine"
    " andere E-Mail-Adresse gesendet. An Ihrer Bestellung hat sich nichts geändert: Andere E-Mails dazu kommen"
    " weiterhin an diese Adresse.",
    "license_moved_subject": "Ihre Lizenz wurde übertragen",
    "license_moved_preheader": "Wie gewünscht läuft eine Lizenz aus Ihrer Bestellung jetzt auf einen anderen Namen.",
    "license_moved_heading": "Eine Lizenz läuft jetzt auf einen anderen Namen",
    "license_moved_what": "Wie gewünscht haben wir die Lizenz {license} aus der Bestellung {order} auf einen anderen"
    " Kunden übertragen. Der Aktivierungscode gehört jetzt diesem Kunden, und E-Mails zu dieser Lizenz kommen nicht"
    " mehr zu Ihnen.",
}
