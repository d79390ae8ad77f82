"""What the mails to customers say in Dutch, with the same codes and fields in every language. A kind of mail has
texts of its own, which begin with its name; those that begin otherwise stand in several kinds.

Of a pair, the second text is said of several. A part in [brackets] is left out where one of its values is not known.
What stands between *asterisks* is emphasized. A field such as {guide} is a link: the sentence ends with it, and without
a full stop. A subject names no order, whose number follows by itself where there is room."""

MAILS = {
    # What every mail begins and ends with.
    "letter_greeting": "Beste {name},",
    "letter_greeting_nobody": "Beste klant,",
    "letter_stuck": "Lukt het niet of hebt u een vraag?",
    "letter_question": "Hebt u een vraag?",
    "letter_reach": "Beantwoord deze e-mail of mail naar {address}; wij kijken graag met u mee.",
    "letter_reach_by_phone": "Beantwoord deze e-mail, mail naar {address} of bel {phone}; wij kijken graag met u mee.",
    "letter_spam": "Mist u een e-mail van ons? Kijk dan eerst in uw map met ongewenste e-mail (spam). Staat hij daar"
    " ook niet, laat het ons dan weten; dan sturen wij hem opnieuw.",
    "letter_keep": "Bewaar deze e-mail: stapt u over op een ander apparaat, dan hebt u de code weer nodig.",
    "letter_again": "Bent u deze e-mail later kwijt? {resend}",
    "letter_again_link": "Vraag hem opnieuw aan",
    "letter_not_asked": "Hebt u hier niet om gevraagd? Laat het ons dan meteen weten.",
    "letter_closing": "Met vriendelijke groet,",
    # A product, its codes and its steps.
    "product_days": ("1 dag", "{count} dagen"),
    "product_size": ("{days}, 1 apparaat per licentie", "{days}, {count} apparaten per licentie"),
    "product_codes": ("Uw activatiecode:", "Uw {count} activatiecodes, elk voor één licentie:"),
    "product_besides": "Goed om te weten",
    "product_devices_one": "De code geldt voor {devices} apparaten: gebruik op elk apparaat dezelfde code.",
    "product_devices_many": "Elke code geldt voor {devices} apparaten.",
    "product_running": "Hebt u nog een lopende licentie van {vendor}? Dan gaan de nieuwe {days} pas in als die is"
    " afgelopen: u verliest geen dagen.",
    "product_running_wait": (
        (
            "Hebt u nog een lopende licentie van {vendor}? Voer de code dan pas in als die is afgelopen: anders"
            " vervallen de dagen die daarvan over zijn."
        ),
        (
            "Hebt u nog een lopende licentie van {vendor}? Voer een code dan pas in als die is afgelopen: anders"
            " vervallen de dagen die daarvan over zijn."
        ),
    ),
    "product_now_one": (
        (
            "U kunt de code nu al invoeren. Loopt uw huidige licentie nog, dan gaan de nieuwe {days} pas in als die is"
            " afgelopen: u verliest geen dagen."
        ),
        (
            "U kunt de code nu al invoeren, op elk apparaat waarop u het programma gebruikt. Loopt uw huidige licentie"
            " nog, dan gaan de nieuwe {days} pas in als die is afgelopen: u verliest geen dagen."
        ),
    ),
    "product_now_many": "U kunt de codes nu al invoeren: voor elke licentie één code, op elk apparaat van die"
    " licentie. Loopt een licentie nog, dan gaan de nieuwe {days} pas in als die is afgelopen: u verliest geen"
    " dagen.",
    "product_later_one": "Voer de code in op *{first_day:day}*, de eerste dag van uw nieuwe periode, of zo snel"
    " mogelijk daarna. Voert u de code eerder in, dan vervallen de dagen die uw huidige licentie nog heeft.",
    "product_later_many": "Voer de codes in op *{first_day:day}*, de eerste dag van uw nieuwe periode, of zo snel"
    " mogelijk daarna: voor elke licentie één code. Voert u een code eerder in, dan vervallen de dagen die die"
    " licentie nog heeft.",
    "product_other_program": (
        (
            "Dit is een ander programma dan u had. Installeer het en voer de code in op *{first_day:day}*, de eerste"
            " dag van uw nieuwe periode, of zo snel mogelijk daarna."
        ),
        (
            "Dit is een ander programma dan u had. Installeer het en voer de codes in op *{first_day:day}*, de eerste"
            " dag van uw nieuwe periode, of zo snel mogelijk daarna: voor elke licentie één code."
        ),
    ),
    "product_period": "Periode volgens onze gegevens: *{first_day:day} tot en met {last_day:day}*",
    "product_installed": "Opnieuw installeren is niet nodig: {product} staat al op uw apparaat. Is er een nieuwere"
    " versie, dan haalt het programma die zelf op.",
    "product_other_device": "Gebruikt u inmiddels een ander apparaat? {download}",
    "product_download": "{product} downloaden",
    "product_skip": "Staat {product} al op dit apparaat? Dan kunt u deze stap overslaan.",
    "product_platforms": "Of kies de versie voor uw apparaat:",
    "product_guide": "Wilt u meer uitleg? {guide}",
    "product_guide_link": "Bekijk de handleiding voor {product}",
    "platform_windows": "Windows",
    "platform_macos": "Mac",
    "platform_android": "Android",
    "platform_ios": "iPhone en iPad",
    "platform_linux": "Linux",
    "step_install": "Downloaden en installeren",
    "step_open": "Programma openen",
    "step_activate": ("Activeren met uw code", "Activeren met uw codes"),
    "step_check": "Gelukt?",
    "made_install": "Download {product} en installeer het programma.",
    "made_activate": "Voer de code in wanneer het programma om een activatiecode vraagt.",
    "made_check": "In het programma ziet u of de code is toegevoegd en hoeveel dagen uw licentie nog heeft.",
    # The file with many codes.
    "list_attached": "Alle codes staan ook in de bijlage, die u met een spreadsheetprogramma opent.",
    "list_file": "activatiecodes-{order}.csv",
    "list_separator": ";",
    "list_product": "Product",
    "list_code": "Activatiecode",
    "list_license": "Licentie",
    "list_first_day": "Eerste dag",
    "list_last_day": "Laatste dag",
    # The box for the administration.
    "box_title": "Voor uw administratie",
    "box_order": "Bestelling",
    "box_product": "Product",
    "box_goods": "{quantity} \N{MULTIPLICATION SIGN} {product}",
    "box_period": "Periode volgens onze gegevens",
    "box_days": "{first_day:day} tot en met {last_day:day}",
    "box_paid": "Betaald voor de bestelling",
    "box_payment": "[{amount:money} op ]{on:day}",
    "box_nothing": "niets",
    "box_returned": "Daarvan terugbetaald",
    "box_amount": "{amount:money}",
    "box_remark": "Dit overzicht is geen factuur.",
    # After a purchase.
    "purchase_subject": ("Uw activatiecode voor {products}", "Uw activatiecodes voor {products}"),
    "purchase_preheader": (
        "In deze e-mail: de downloadlink, uw activatiecode en de stappen om te activeren.",
        "In deze e-mail: de downloads, uw activatiecodes en de stappen om te activeren.",
    ),
    "purchase_heading": ("Uw activatiecode", "Uw activatiecodes"),
    "purchase_thanks": "Hartelijk dank voor uw betaling van bestelling {order}.",
    "purchase_given": "Hierbij ontvangt u bestelling {order}, waarvoor u niets betaalt.",
    "purchase_moved": "Op verzoek staat deze licentie voortaan op uw naam (bestelling {order}). Volgens onze gegevens"
    " loopt die tot en met {last_day:day}.",
    "purchase_all": (
        "In deze e-mail staat alles wat u nodig hebt: de downloadlink, uw activatiecode en de stappen om te activeren.",
        "In deze e-mail staat alles wat u nodig hebt: de downloads, uw activatiecodes en de stappen om te activeren.",
    ),
    "purchase_to_come": "Nog niet op voorraad, en daarom niet in deze e-mail: {goods}. Dat sturen wij u zodra het"
    " binnen is. U hoeft niets te doen en niet opnieuw te bestellen of te betalen.",
    # At a renewal.
    "renewal_subject": ("Uw nieuwe code voor {products}", "Uw nieuwe codes voor {products}"),
    "renewal_preheader_installed": "Nieuwe periode vanaf {first_day:day}. Opnieuw installeren is niet nodig.",
    "renewal_preheader": "Nieuwe periode vanaf {first_day:day}. Installeer het nieuwe programma.",
    "renewal_heading": ("Uw nieuwe activatiecode", "Uw nieuwe activatiecodes"),
    "renewal_paid": (
        "De verlenging van uw licentie (bestelling {order}) is betaald. Hieronder vindt u uw nieuwe activatiecode.",
        "De verlenging van uw licenties (bestelling {order}) is betaald. Hieronder vindt u uw nieuwe activatiecodes.",
    ),
    "renewal_given": (
        "De verlenging van uw licentie (bestelling {order}) is geregeld. Hieronder vindt u uw nieuwe activatiecode.",
        "De verlenging van uw licenties (bestelling {order}) is geregeld. Hieronder vindt u uw nieuwe activatiecodes.",
    ),
    "renewal_calendar": "Bij deze e-mail zit een bestand voor uw agenda, met de eerste dag van uw nieuwe periode.",
    "renewal_file": "nieuwe-periode.ics",
    "renewal_event": "Nieuwe periode: {product}",
    "renewal_event_wait": "Nieuwe code invoeren: {product}",
    # Codes sent again.
    "resend_subject": ("Opnieuw: uw code voor {products}", "Opnieuw: uw codes voor {products}"),
    "resend_preheader": (
        "De downloadlink, uw activatiecode en de stappen om te activeren, nog een keer.",
        "De downloads, uw activatiecodes en de stappen om te activeren, nog een keer.",
    ),
    "resend_heading": ("Nogmaals uw activatiecode", "Nogmaals uw activatiecodes"),
    "resend_asked": (
        (
            "Op verzoek sturen wij u de gegevens van bestelling {order} nogmaals: de downloadlink, uw activatiecode en"
            " de stappen om te activeren."
        ),
        (
            "Op verzoek sturen wij u de gegevens van bestelling {order} nogmaals: de downloads, uw activatiecodes en de"
            " stappen om te activeren."
        ),
    ),
    "resend_same": "Het zijn dezelfde gegevens als in onze e-mail van {earlier:day}: er is geen nieuwe code"
    " aangemaakt.",
    "resend_entered": (
        "Hebt u de code al ingevoerd, dan hoeft u niets te doen.",
        "Hebt u de codes al ingevoerd, dan hoeft u niets te doen.",
    ),
    "resend_not_asked": "Hebt u hier niet om gevraagd? Laat het ons dan weten: beantwoord deze e-mail.",
    # A code in place of one that did not work.
    "replacement_subject": ("Vervangende code voor {products}", "Vervangende codes: {products}"),
    "replacement_preheader": (
        "Deze code komt in de plaats van de code die niet werkte.",
        "Deze codes komen in de plaats van de codes die niet werkten.",
    ),
    "replacement_heading": ("Uw vervangende activatiecode", "Uw vervangende activatiecodes"),
    "replacement_sorry": (
        (
            "Het spijt ons dat de activatiecode uit bestelling {order} niet werkte. Hieronder vindt u een vervangende"
            " code, voor dezelfde periode. De eerdere code kunt u weggooien."
        ),
        (
            "Het spijt ons dat {count} activatiecodes uit bestelling {order} niet werkten. Hieronder vindt u"
            " vervangende codes, elk voor dezelfde periode. De eerdere codes kunt u weggooien."
        ),
    ),
    "replacement_others": "Uw andere codes blijven geldig.",
    # Before a license ends that nobody has renewed.
    "reminder_subject": "Wilt u {products} verlengen?",
    "reminder_preheader": "Volgens onze gegevens loopt uw licentie tot en met {last_day:day}.",
    "reminder_preheader_many": "Volgens onze gegevens loopt de eerste licentie tot en met {last_day:day}.",
    "reminder_heading": ("Wilt u uw licentie verlengen?", "Wilt u uw licenties verlengen?"),
    "reminder_about": (
        (
            "Deze herinnering gaat over de licentie uit bestelling {order}. Verlengt u op tijd, dan blijft uw software"
            " zonder onderbreking werken."
        ),
        (
            "Deze herinnering gaat over de licenties uit bestelling {order}. Verlengt u op tijd, dan blijft uw software"
            " zonder onderbreking werken."
        ),
    ),
    "reminder_ends": (
        "Volgens onze gegevens loopt uw licentie voor {product} tot en met *{last_day:day}*.",
        "Volgens onze gegevens lopen uw {count} licenties voor {product} tot en met *{last_day:day}*.",
    ),
    "reminder_in_program": "In het programma ziet u hoeveel dagen u nog hebt: had u bij het activeren nog een lopende"
    " licentie, dan zijn het er meer.",
    "reminder_button": "{product} verlengen",
    "reminder_by_answer": "Wilt u verlengen? Beantwoord dan deze e-mail.",
    "reminder_done": "Hebt u al verlengd of wilt u niet verlengen, dan hoeft u niets te doen.",
    "reminder_stop": "U krijgt deze herinnering omdat u bij ons een licentie hebt gekocht. Wilt u geen herinneringen"
    " meer? Alles waarvoor u betaalt, blijft u dan gewoon van ons ontvangen. {stop}",
    "reminder_stop_link": "Herinneringen stoppen",
    # Paid, and the codes come later.
    "waiting_subject": ("Uw code volgt nog: {products}", "Uw codes volgen nog: {products}"),
    "waiting_preheader": (
        "Wij sturen u de code zodra hij binnen is. U hoeft niets te doen.",
        "Wij sturen u de codes zodra ze binnen zijn. U hoeft niets te doen.",
    ),
    "waiting_heading": ("Uw activatiecode volgt nog", "Uw activatiecodes volgen nog"),
    "waiting_thanks": "Hartelijk dank: wij hebben uw betaling van bestelling {order} ontvangen. Het gaat om:",
    "waiting_given": "Wij sturen u bestelling {order}, waarvoor u niets betaalt. Het gaat om:",
    "waiting_goods": "{quantity} \N{MULTIPLICATION SIGN} {product}[, vanaf {first_day:day}]",
    "waiting_why": (
        (
            "De activatiecode is op dit moment niet op voorraad. Wij bestellen hem voor u en sturen hem naar dit"
            " e-mailadres zodra hij binnen is. U hoeft niets te doen en niet opnieuw te bestellen of te betalen."
        ),
        (
            "De activatiecodes zijn op dit moment niet op voorraad. Wij bestellen ze voor u en sturen ze naar dit"
            " e-mailadres zodra ze binnen zijn. U hoeft niets te doen en niet opnieuw te bestellen of te betalen."
        ),
    ),
    # A renewal that is paid long before its codes come.
    "paid_ahead_subject": "Verlenging betaald: {products}",
    "paid_ahead_preheader": (
        "Uw betaling is ontvangen. De code komt vanzelf; u hoeft niets te doen.",
        "Uw betaling is ontvangen. De codes komen vanzelf; u hoeft niets te doen.",
    ),
    "paid_ahead_heading": "Uw verlenging is betaald",
    "paid_ahead_thanks": "Hartelijk dank: wij hebben uw betaling van bestelling {order} ontvangen. Het gaat om de"
    " verlenging van:",
    "paid_ahead_goods": (
        (
            "{count} \N{MULTIPLICATION SIGN} {product}, nieuwe periode vanaf {first_day:day}. De activatiecode staat"
            " gepland voor {mail_on:day}."
        ),
        (
            "{count} \N{MULTIPLICATION SIGN} {product}, nieuwe periode vanaf {first_day:day}. De activatiecodes staan"
            " gepland voor {mail_on:day}."
        ),
    ),
    "paid_ahead_nothing": (
        "U krijgt de code per e-mail op dit adres. U hoeft niets te doen en niet opnieuw te bestellen of te betalen.",
        "U krijgt de codes per e-mail op dit adres. U hoeft niets te doen en niet opnieuw te bestellen of te betalen.",
    ),
    "paid_ahead_address": "Gebruikt u dit e-mailadres tegen die tijd niet meer? Beantwoord dan deze e-mail en geef ons"
    " uw nieuwe adres door.",
    # All the money was returned.
    "refunded_subject": "Uw bestelling is terugbetaald",
    "refunded_preheader": "Het volledige bedrag is aan u terugbetaald.",
    "refunded_heading": "Uw bestelling is terugbetaald",
    "refunded_whole": "Wij hebben het volledige bedrag van bestelling {order} aan u terugbetaald. Het kan enkele"
    " werkdagen duren voordat het op uw rekening staat.",
    "refunded_sent": (
        (
            "De activatiecode die wij u stuurden, is hiermee vervallen. Gebruik hem niet meer: wij laten hem blokkeren,"
            " en daarna werkt het programma er niet meer mee."
        ),
        (
            "De activatiecodes die wij u stuurden, zijn hiermee vervallen. Gebruik ze niet meer: wij laten ze"
            " blokkeren, en daarna werkt het programma er niet meer mee."
        ),
    ),
    "refunded_to_come": "Wat van deze bestelling nog moest komen, sturen wij niet meer.",
    "refunded_unsent": "Uit deze bestelling is geen activatiecode verstuurd, en die volgt ook niet meer.",
    "refunded_renews": "Loopt uw huidige licentie nog, dan blijft die gewoon werken tot en met de laatste dag.",
    "refunded_question": "Klopt dit niet of hebt u een vraag?",
    # Notices of what was done on request.
    "address_changed_subject": "Ander e-mailadres voor uw bestelling",
    "address_changed_preheader": "E-mail over deze bestelling gaat voortaan naar een ander adres.",
    "address_changed_heading": "Het e-mailadres van uw bestelling is gewijzigd",
    "address_changed_what": "Op verzoek hebben wij het e-mailadres van bestelling {order} gewijzigd. E-mail over deze"
    " bestelling, ook met activatiecodes, gaat voortaan naar een ander adres en niet meer naar dit adres.",
    "sent_elsewhere_subject": "Codes naar een ander adres gestuurd",
    "sent_elsewhere_preheader": "Dit is eenmalig: andere e-mail over uw bestelling blijft hierheen gaan.",
    "sent_elsewhere_heading": "Uw codes zijn naar een ander adres gestuurd",
    "sent_elsewhere_what": "Op verzoek hebben wij de activatiecodes van bestelling {order} eenmalig naar een ander"
    " e-mailadres gestuurd. Aan uw bestelling is niets veranderd: andere e-mail over deze bestelling blijft naar"
    " dit adres gaan.",
    "license_moved_subject": "Uw licentie is overgedragen",
    "license_moved_preheader": "Op verzoek staat een licentie van uw bestelling nu op een andere naam.",
    "license_moved_heading": "Een licentie staat op een andere naam",
    "license_moved_what": "Op verzoek hebben wij licentie {license} van bestelling {order} overgedragen aan een andere"
    " klant. De activatiecode is vanaf nu van die klant, en e-mail over deze licentie gaat niet meer naar u.",
}
