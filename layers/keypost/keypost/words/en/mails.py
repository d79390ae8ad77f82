"""What the mails to customers say in English, with the same codes and fields in every language. A kind of mail has
texts of its own, which begin with its name; those that begin otherwise stand in several kinds.

Of a pair, the second text is said of several. A part in [brackets] is left out where one of its values is not known.
What stands between *asterisks* is emphasized. A field such as {guide} is a link: the sentence ends with it, and without
a full stop. A subject names no order, whose number follows by itself where there is room."""

MAILS = {
    # What every mail begins and ends with.
    "letter_greeting": "Dear {name},",
    "letter_greeting_nobody": "Dear customer,",
    "letter_stuck": "If it does not work or you have a question,",
    "letter_question": "If you have a question,",
    "letter_reach": "reply to this e-mail or write to {address}; we are glad to help.",
    "letter_reach_by_phone": "reply to this e-mail, write to {address} or call {phone}; we are glad to help.",
    "letter_spam": "Are you waiting for an e-mail from us? Please look in your spam folder first. If it is not there"
    " either, let us know and we will send it again.",
    "letter_keep": "Keep this e-mail: you will need the code again if you move to another device.",
    "letter_again": "Have you lost this e-mail? {resend}",
    "letter_again_link": "Ask for it again",
    "letter_not_asked": "If you did not ask for this, please let us know straight away.",
    "letter_closing": "Kind regards,",
    # A product, its codes and its steps.
    "product_days": ("1 day", "{count} days"),
    "product_size": ("{days}, 1 device per licence", "{days}, {count} devices per licence"),
    "product_codes": ("Your activation code:", "Your {count} activation codes, one for each licence:"),
    "product_besides": "Good to know",
    "product_devices_one": "The code is for {devices} devices: use the same code on each of them.",
    "product_devices_many": "Each code is for {devices} devices.",
    "product_running": "If you already have a licence from {vendor} that is still running, the new {days} start when it"
    " ends: you do not lose any days.",
    "product_running_wait": (
        (
            "If you already have a licence from {vendor} that is still running, enter the code only when it has ended:"
            " otherwise you lose the days that are left on it."
        ),
        (
            "If you already have a licence from {vendor} that is still running, enter a code only when it has ended:"
            " otherwise you lose the days that are left on it."
        ),
    ),
    "product_now_one": (
        (
            "You can enter the code now. If your current licence is still running, the new {days} start when it ends:"
            " you do not lose any days."
        ),
        (
            "You can enter the code now, on each device on which you use the program. If your current licence is still"
            " running, the new {days} start when it ends: you do not lose any days."
        ),
    ),
    "product_now_many": "You can enter the codes now: one for each licence, on each device of that licence. If a"
    " licence is still running, its new {days} start when it ends: you do not lose any days.",
    "product_later_one": "Enter the code on *{first_day:day}*, the first day of your new period, or as soon as"
    " possible after that. If you enter it sooner, you lose the days that are left on your current licence.",
    "product_later_many": "Enter the codes on *{first_day:day}*, the first day of your new period, or as soon as"
    " possible after that: one for each licence. If you enter a code sooner, you lose the days that are left on"
    " that licence.",
    "product_other_program": (
        (
            "This is a different program from the one you had. Install it and enter the code on *{first_day:day}*, the"
            " first day of your new period, or as soon as possible after that."
        ),
        (
            "This is a different program from the one you had. Install it and enter the codes on *{first_day:day}*, the"
            " first day of your new period, or as soon as possible after that: one for each licence."
        ),
    ),
    "product_period": "Period according to our records: *{first_day:day} to {last_day:day}*",
    "product_installed": "You do not need to install anything: {product} is already on your device. If there is a"
    " newer version, the program downloads it automatically.",
    "product_other_device": "If you use another device now: {download}",
    "product_download": "Download {product}",
    "product_skip": "If {product} is already on this device, you can skip this step.",
    "product_platforms": "Or choose the version for your device:",
    "product_guide": "If you would like more help, {guide}",
    "product_guide_link": "see the guide for {product}",
    "platform_windows": "Windows",
    "platform_macos": "Mac",
    "platform_android": "Android",
    "platform_ios": "iPhone and iPad",
    "platform_linux": "Linux",
    "step_install": "Download and install",
    "step_open": "Open the program",
    "step_activate": ("Activate with your code", "Activate with your codes"),
    "step_check": "Did it work?",
    "made_install": "Download {product} and install it.",
    "made_activate": "Enter the code when the program asks for an activation code.",
    "made_check": "The program shows whether the code has been added, and how many days your licence has left.",
    # The file with many codes.
    "list_attached": "All codes are also in the attached file, which opens in a spreadsheet program.",
    "list_file": "activation-codes-{order}.csv",
    "list_separator": ",",
    "list_product": "Product",
    "list_code": "Activation code",
    "list_license": "Licence",
    "list_first_day": "First day",
    "list_last_day": "Last day",
    # The box for the administration.
    "box_title": "For your records",
    "box_order": "Order",
    "box_product": "Product",
    "box_goods": "{quantity} \N{MULTIPLICATION SIGN} {product}",
    "box_period": "Period according to our records",
    "box_days": "{first_day:day} to {last_day:day}",
    "box_paid": "Paid for the order",
    "box_payment": "[{amount:money} on ]{on:day}",
    "box_nothing": "nothing",
    "box_returned": "Refunded of that",
    "box_amount": "{amount:money}",
    "box_remark": "This summary is not an invoice.",
    # After a purchase.
    "purchase_subject": ("Activation code for {products}", "Activation codes for {products}"),
    "purchase_preheader": (
        "In this e-mail: the download link, your activation code and the steps to activate.",
        "In this e-mail: the downloads, your activation codes and the steps to activate.",
    ),
    "purchase_heading": ("Your activation code", "Your activation codes"),
    "purchase_thanks": "Thank you for your payment of order {order}.",
    "purchase_given": "This is order {order}, for which you do not pay anything.",
    "purchase_moved": "As requested, this licence is now in your name (order {order}). According to our records it"
    " runs until {last_day:day}.",
    "purchase_all": (
        "Everything you need is in this e-mail: the download link, your activation code and the steps to activate.",
        "Everything you need is in this e-mail: the downloads, your activation codes and the steps to activate.",
    ),
    "purchase_to_come": "Out of stock at the moment, and therefore not in this e-mail: {goods}. We will send this as"
    " soon as it arrives. You do not need to do anything, or to order or pay again.",
    # At a renewal.
    "renewal_subject": ("Your new code for {products}", "Your new codes for {products}"),
    "renewal_preheader_installed": "New period from {first_day:day}. You do not need to install anything.",
    "renewal_preheader": "New period from {first_day:day}. Please install the new program.",
    "renewal_heading": ("Your new activation code", "Your new activation codes"),
    "renewal_paid": (
        "The renewal of your licence (order {order}) has been paid. Here is your new activation code.",
        "The renewal of your licences (order {order}) has been paid. Here are your new activation codes.",
    ),
    "renewal_given": (
        "The renewal of your licence (order {order}) has been arranged. Here is your new activation code.",
        "The renewal of your licences (order {order}) has been arranged. Here are your new activation codes.",
    ),
    "renewal_calendar": "A file for your calendar is attached, with the first day of your new period.",
    "renewal_file": "new-period.ics",
    "renewal_event": "New period: {product}",
    "renewal_event_wait": "Enter the new code: {product}",
    # Codes sent again.
    "resend_subject": ("Again: your code for {products}", "Again: your codes for {products}"),
    "resend_preheader": (
        "The download link, your activation code and the steps to activate, once again.",
        "The downloads, your activation codes and the steps to activate, once again.",
    ),
    "resend_heading": ("Your activation code again", "Your activation codes again"),
    "resend_asked": (
        (
            "As requested, here are the details of order {order} again: the download link, your activation code and the"
            " steps to activate."
        ),
        (
            "As requested, here are the details of order {order} again: the downloads, your activation codes and the"
            " steps to activate."
        ),
    ),
    "resend_same": "They are the same as in our e-mail of {earlier:day}: no new code has been created.",
    "resend_entered": (
        "If you have already entered the code, you do not need to do anything.",
        "If you have already entered the codes, you do not need to do anything.",
    ),
    "resend_not_asked": "If you did not ask for this, please let us know: reply to this e-mail.",
    # A code in place of one that did not work.
    "replacement_subject": ("Replacement code for {products}", "Replacement codes for {products}"),
    "replacement_preheader": (
        "This code replaces the one that did not work.",
        "These codes replace the ones that did not work.",
    ),
    "replacement_heading": ("Your replacement activation code", "Your replacement activation codes"),
    "replacement_sorry": (
        (
            "We are sorry that the activation code from order {order} did not work. Here is a replacement, for the same"
            " period. You can throw the earlier code away."
        ),
        (
            "We are sorry that {count} activation codes from order {order} did not work. Here are replacements, each"
            " for the same period. You can throw the earlier codes away."
        ),
    ),
    "replacement_others": "Your other codes remain valid.",
    # Before a license ends that nobody has renewed.
    "reminder_subject": "Time to renew {products}?",
    "reminder_preheader": "According to our records, your licence runs until {last_day:day}.",
    "reminder_preheader_many": "According to our records, the first licence runs until {last_day:day}.",
    "reminder_heading": ("Would you like to renew your licence?", "Would you like to renew your licences?"),
    "reminder_about": (
        (
            "This is a reminder about the licence from order {order}. If you renew in time, your software keeps working"
            " without interruption."
        ),
        (
            "This is a reminder about the licences from order {order}. If you renew in time, your software keeps"
            " working without interruption."
        ),
    ),
    "reminder_ends": (
        "According to our records, your licence for {product} runs until *{last_day:day}*.",
        "According to our records, your {count} licences for {product} run until *{last_day:day}*.",
    ),
    "reminder_in_program": "The program shows how many days you have left: there are more if another licence was still"
    " running when you activated this one.",
    "reminder_button": "Renew {product}",
    "reminder_by_answer": "If you would like to renew, reply to this e-mail.",
    "reminder_done": "If you have already renewed or do not wish to, you do not need to do anything.",
    "reminder_stop": "You are receiving this reminder because you bought a licence from us. If you would rather not"
    " get reminders, we will still send you everything that you pay for. {stop}",
    "reminder_stop_link": "Stop the reminders",
    # Paid, and the codes come later.
    "waiting_subject": ("Code to follow: {products}", "Codes to follow: {products}"),
    "waiting_preheader": (
        "We will send you the code as soon as it arrives. You do not need to do anything.",
        "We will send you the codes as soon as they arrive. You do not need to do anything.",
    ),
    "waiting_heading": ("Your activation code will follow", "Your activation codes will follow"),
    "waiting_thanks": "Thank you: we have received your payment of order {order}. It is for:",
    "waiting_given": "We are sending you order {order}, for which you do not pay anything. It is for:",
    "waiting_goods": "{quantity} \N{MULTIPLICATION SIGN} {product}[, from {first_day:day}]",
    "waiting_why": (
        (
            "The activation code is out of stock at the moment. We are ordering it for you, and will send it to this"
            " e-mail address as soon as it arrives. You do not need to do anything, or to order or pay again."
        ),
        (
            "The activation codes are out of stock at the moment. We are ordering them for you, and will send them to"
            " this e-mail address as soon as they arrive. You do not need to do anything, or to order or pay again."
        ),
    ),
    # A renewal that is paid long before its codes come.
    "paid_ahead_subject": "Renewal paid: {products}",
    "paid_ahead_preheader": (
        "We have received your payment. You do not need to do anything: the code will follow.",
        "We have received your payment. You do not need to do anything: the codes will follow.",
    ),
    "paid_ahead_heading": "Your renewal has been paid",
    "paid_ahead_thanks": "Thank you: we have received your payment of order {order}. It is for the renewal of:",
    "paid_ahead_goods": (
        (
            "{count} \N{MULTIPLICATION SIGN} {product}, new period from {first_day:day}. We plan to send the activation"
            " code on {mail_on:day}."
        ),
        (
            "{count} \N{MULTIPLICATION SIGN} {product}, new period from {first_day:day}. We plan to send the activation"
            " codes on {mail_on:day}."
        ),
    ),
    "paid_ahead_nothing": (
        "You will get the code by e-mail at this address. You do not need to do anything, or to order or pay again.",
        "You will get the codes by e-mail at this address. You do not need to do anything, or to order or pay again.",
    ),
    "paid_ahead_address": "If you will no longer be using this e-mail address by then, reply to this e-mail and give"
    " us your new one.",
    # All the money was returned.
    "refunded_subject": "Your order has been refunded",
    "refunded_preheader": "The full amount has been refunded to you.",
    "refunded_heading": "Your order has been refunded",
    "refunded_whole": "We have refunded the full amount of order {order} to you. It may take a few working days before"
    " the money is in your account.",
    "refunded_sent": (
        (
            "The activation code that we sent you is no longer valid. Please stop using it: we are having it blocked,"
            " and the program will then stop working with it."
        ),
        (
            "The activation codes that we sent you are no longer valid. Please stop using them: we are having them"
            " blocked, and the program will then stop working with them."
        ),
    ),
    "refunded_to_come": "We will not send what was still to come from this order.",
    "refunded_unsent": "No activation code from this order was sent, and none will follow.",
    "refunded_renews": "If your current licence is still running, it keeps working until its last day.",
    "refunded_question": "If this is not right or you have a question,",
    # Notices of what was done on request.
    "address_changed_subject": "New e-mail address for your order",
    "address_changed_preheader": "E-mail about this order now goes to another address.",
    "address_changed_heading": "The e-mail address of your order has been changed",
    "address_changed_what": "As requested, we have changed the e-mail address of order {order}. E-mail about this"
    " order, including activation codes, now goes to another address and no longer to this one.",
    "sent_elsewhere_subject": "Codes sent to another address",
    "sent_elsewhere_preheader": "This was done once: other e-mail about your order still comes here.",
    "sent_elsewhere_heading": "Your codes have been sent to another address",
    "sent_elsewhere_what": "As requested, we have sent the activation codes of order {order} to another e-mail"
    " address, once. Nothing about your order has changed: other e-mail about it still comes to this address.",
    "license_moved_subject": "Your licence has been transferred",
    "license_moved_preheader": "As requested, a licence from your order is now in another name.",
    "license_moved_heading": "A licence is now in another name",
    "license_moved_what": "As requested, we have transferred licence {license} from order {order} to another customer."
    " The activation code now belongs to that customer, and e-mail about this licence no longer comes to you.",
}
