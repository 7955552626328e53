# Every word a person reads. The keys are those of ru.ftl; a test compares.

## Frame

language = Language
menu-amocrm = AmoCRM
demo-banner = Demo: a practice AmoCRM on this computer with made-up people. The README explains how to connect your own account.
demo-starting = Starting the practice AmoCRM…
as-of = As of { $time }
refresh = Refresh
open = Open
cancel = Cancel
ok = done
any = All
any-choice = Not selected
unknown = Not given
go-connection = Go to Connection
error-support = For support: { $details }

## Leads

leads-title = Leads
leads-help = Who got in touch, where from and how it went: all leads, with search and filters.
leads-period = Period
leads-range = From – to
period-all = All time
period-today = Today
period-yesterday = Yesterday
period-7 = 7 days
period-30 = 30 days
period-90 = 90 days
period-180 = 180 days
period-own = Custom
leads-search = Search
leads-search-hint = Name, phone or lead number
leads-search-help = Names in any case. Phones in any format; four consecutive digits are enough, and all numbers of the contact are searched. A lead's number, in full or in part. Search terms are kept out of the page's address and of saved views.
leads-name = Name
leads-phone = Phone
leads-link = AmoCRM
leads-link-help = Open in AmoCRM
leads-column-created_at = When
leads-column-name = Name
leads-column-phone = Phone
leads-column-direction = Direction
leads-column-source = Source
leads-column-stage = Stage
leads-column-responsible = Responsible
leads-column-price_rub = Budget
leads-column-updated_at = Changed
leads-column-task = Task due
leads-column-utm_source = utm_source
leads-column-utm_medium = utm_medium
leads-column-utm_campaign = utm_campaign
leads-column-id = Number
leads-column-pipeline = Pipeline
leads-column-attention = Needs attention
leads-attention-no_task = No open task
leads-attention-overdue = Task overdue
leads-attention-untouched = Not touched for long
leads-attention-no_phone = No phone
leads-attention-nobody = Nobody responsible
leads-attention-no_source = No source
leads-attention-help = Only leads that are still open. "No open task": nobody has planned the next step. "Task overdue": the time of the next open task has passed. "Not touched for long": nothing has changed in AmoCRM for { $days ->
    [one] { $days } day
   *[other] { $days } days
} or more. "No phone": neither the contact nor the lead has one. "Nobody responsible": nobody is assigned in AmoCRM. "No source": the field is empty. If several are chosen, any of them is enough.
leads-parameter-period = period
leads-parameter-from = beginning of the period
leads-parameter-to = end of the period
leads-parameter-pipeline = pipeline
leads-parameter-stage = stage
leads-parameter-responsible = responsible
leads-parameter-source = source
leads-parameter-direction = direction
leads-parameter-utm_source = utm_source
leads-parameter-utm_medium = utm_medium
leads-parameter-utm_campaign = utm_campaign
leads-parameter-attention = needs attention
leads-parameter-sort = order
leads-parameter-columns = columns
leads-parameter-size = rows per page
leads-parameter-page = page number
leads-parameter-lead = lead number
leads-parameter-view = saved view
leads-address-faulty = Some of the page's address could not be read: { $names }. The rest has been applied; choose the missing parts again.
leads-more = More filters
leads-look = Columns and order
leads-columns = Columns
leads-sort = Sort by
leads-descending = Largest and newest first
leads-size = Rows per page
leads-nobody = Nobody
leads-gone = No longer exists
leads-count = { $count ->
    [one] **{ $count }** lead
   *[other] **{ $count }** leads
}
leads-arrived = { $count ->
    [one] { $count } new lead — show
   *[other] { $count } new leads — show
}
leads-changed = The list has changed — show
leads-none = No leads yet. They will appear here as soon as AmoCRM has the first one.
leads-none-found = No leads match the search and filters. Change the search, clear the filters or choose a longer period.
leads-clear = Clear filters
leads-card = Lead #{ $id }
leads-card-unknown = This lead is not here. The link may be incomplete, or the lead has not been read from AmoCRM yet.
leads-card-deleted = This lead has been deleted in AmoCRM.
leads-no-phone = No phone
leads-others = Other contacts of the lead
leads-lead-name = Lead title
leads-closed = Closed
leads-loss-reason = Loss reason
leads-no-task = No open tasks
leads-task-late = Overdue: { $time }
leads-history = Stages
leads-history-none = The stage has not changed yet.
leads-history-from = No changes recorded. Stage history is available from { $time }.
leads-own = Came in through Lead Desk
leads-delivered = In AmoCRM
leads-consent-given = version { $version }, { $time }, form "{ $form }"
leads-consent-none = Not recorded
leads-to-delivery = Delivery of this lead
leads-views = Views
leads-views-none = There are no saved views yet.
leads-view-own = Personal view
leads-view-shared = Shared view
leads-view-name = View name
leads-view-share = Share with everyone
leads-view-unshare = Make private
leads-view-delete = Delete
leads-view-undo = Restore the deleted view
leads-view-new = Save the current view
leads-view-hint = View name
leads-view-for-all = For everyone
leads-view-nobodys = Enter your name in the sidebar to save a personal view. Until then views are saved for everyone.
leads-view-save = Save the view
leads-view-no-search = Filters, order and columns are saved. The search is not.
leads-view-nameless = Enter a name of up to 60 characters, without < and >.
mirror-empty = Leads have not been read from AmoCRM yet. Reading starts by itself once AmoCRM is connected.
mirror-filling = { $count ->
    [one] Reading leads from AmoCRM: { $count } so far. The newest come first, the list grows by itself; numbers are not complete yet.
   *[other] Reading leads from AmoCRM: { $count } so far. The newest come first, the list grows by itself; numbers are not complete yet.
}
mirror-stale = Data as of { $time }: AmoCRM has not been reachable since. New leads may be missing.
mirror-stale-clock = Data as of { $time }. A clock has been changed since, so their age is unknown: the desk is asking AmoCRM again.
mirror-failed = The leads could not be read from AmoCRM.

## New lead

new-title = New lead
new-help = Enter a lead while the caller is on the line: phone, name, direction, source, message.
new-moment-hint = 2026-03-08 18:30
new-phone = Phone
new-name = Name
new-name-offer = Wrong keyboard layout? { $name }
new-direction = Direction
new-direction-hint = For example, yoga
new-source = Source
new-source-hint = For example, call
new-message = Message
new-accepted = Saved. On its way to AmoCRM…
new-waiting = Saved here. It will be sent to AmoCRM automatically.
new-delivered = In AmoCRM { $seconds } s after saving
new-not-saved = Not saved yet: please correct the marked fields.
new-unknown = Saved here. AmoCRM did not reply, so the desk is checking whether the lead is there, to avoid a duplicate.
new-needs-decision = Saved here. Someone needs to decide on the Deliveries page whether it reached AmoCRM.
new-dropped = Dropped.
new-to-deliveries = Deliveries
new-refused = Saved here, but AmoCRM rejected some values:
new-open = Open lead { $id }
lead-name-direction = { $direction }: { $name }
note-value = { $label }: { $value }
note-check-phone = Check the number. { $why }
note-name-layout = The name seems to have been typed in the wrong keyboard layout: { $name }
phone-extension = ext.
note-consent = Consent to data processing: version { $version }, { $time }, form "{ $form }", address { $ip }

field-missing = This field is required.
field-not_text = Enter text.
field-not_yes_or_no = Must be true or false.
field-too_long = Too long: at most { $limit ->
    [one] { $limit } character
   *[other] { $limit } characters
  }.
field-markup = Remove the signs < and >.
field-formula = Text cannot start like this: it would be a spreadsheet formula. Remove the first character.
field-no_letters = Enter at least one letter.
field-phone_none = There is no phone number here.
field-phone_short = Digits are missing: the number has { $limit ->
    [one] { $limit } digit
   *[other] { $limit } digits
  }, with its 8 or +7 it needs 11.
field-phone_short_bare = Digits are missing: the number has { $limit ->
    [one] { $limit } digit
   *[other] { $limit } digits
  }, without 8 or +7 it needs 10.
field-phone_long = Too many digits: the number has { $limit ->
    [one] { $limit } digit
   *[other] { $limit } digits
  }, with its 8 or +7 it needs 11.
field-phone_long_bare = Too many digits: the number has { $limit ->
    [one] { $limit } digit
   *[other] { $limit } digits
  }, without 8 or +7 it needs 10.
field-phone_mask = An 8 or 7 was typed after +7, so the last digit was cut off. Type just the 10 digits after +7.
field-phone_code = No such number: this area code does not exist. Check the digits after 8 or +7.
field-phone_abroad = There is no such number: it has { $limit ->
    [one] { $limit } digit
   *[other] { $limit } digits
  }, and this country's have another length. Check the code and how many digits there are.
field-not_a_choice = Choose a value from the list.
field-not_a_tick = Enter yes or no.
field-not_a_number = Enter a number.
field-not_a_date = Enter a date, such as 2026-03-08.
field-not_a_moment = Enter a date and time, such as 2026-03-08 18:30.
field-not_an_address = Enter an address that starts with http:// or https://.
field-taken = This name is already taken.
field-too_many = Too many: the limit is { $limit }.
field-out_of_range = Must be between 0 and { $limit }.
field-not_a_site = Enter site addresses, one per line: https://fit.ru

## The call: the form

new-turn = Turn
new-next = Next call
new-draft = Resume: { $who }
new-clear = Clear
new-cleared = The form has been cleared.
new-saved = Saved. Will be sent to AmoCRM in { $seconds } s.
new-undo = Undo
new-undone = Back in the form: nothing was sent to AmoCRM.
new-saved-elsewhere = This call has been saved in another tab. Start the next call: Alt+N.
call-save-new = Save
call-save-add = Add to the lead
call-save-same = Save a new lead for this person
call-save-other = Save as another person
call-heard = How they heard about us
call-heard-not_asked = Not asked
call-heard-friend = Friends
call-heard-search = Internet search
call-heard-maps = Maps
call-heard-social = Social networks
call-heard-street = Passing by
call-heard-ad = Advertising
call-heard-was_member = Former member
call-heard-other = Other
call-outcome = Call outcome
call-outcome-talked = Talked
call-outcome-busy = Could not talk
call-outcome-no_answer = No answer
call-outcome-wrong_number = Wrong number
call-outcome-refused = Refused
call-step = Next step
call-step-call_back = Call back
call-step-visit = Visit
call-step-trial = Trial
call-step-nothing = Nothing
call-reason = Reason for no follow-up
call-reason-hint = For example, already a member
call-when = When
call-when-quarter = In 15 minutes
call-when-hour = In an hour
call-when-three_hours = In three hours
call-when-evening = This evening, at 18:00
call-when-morning = Tomorrow morning, at 10:00
call-when-own = Other time
call-day = Day
call-time = Time
call-who = Assigned to
call-who-anyone = Anyone available
call-who-me = Me
call-consent = Verbal consent to data processing
call-consent-help = Read the consent aloud from the script. The text's version, the time and your name are stored with the lead and sent to AmoCRM.
call-note = Call { $time }: { $name }, { $phone }. Taken by: { $operator }
call-task-call_back = Call back: { $name }, { $phone } ({ $who })
call-task-visit = Visit: { $name }, { $phone } ({ $who })
call-task-trial = Trial: { $name }, { $phone } ({ $who })
note-consent-spoken = Verbal consent to data processing: version { $version }, { $time }, operator: { $operator }
field-no_moment = Enter the day and time.
field-in_the_past = This time has already passed.

## The call: who it is

caller-look-first = This number is already in AmoCRM. See whose it is, then save again.
caller-unknown = New number
nameless = No name
caller-not-known-yet = Not all leads have been read from AmoCRM yet: this number may already be there
caller-no-leads = No leads
caller-no-stage = Stage unknown
caller-more = { $count ->
    [one] { $count } more lead
   *[other] { $count } more leads
 }
caller-changed = changed { $ago }
caller-task = Task due { $time }
caller-task-late = Task overdue: { $time }
caller-note = Last note, { $time }:
caller-whose = Who is calling?
caller-offer-add = Add to lead { $id }
caller-offer-same = A new lead of this person
caller-offer-other = Another person with this number
caller-stage = Move to stage
caller-stage-same = Keep: { $stage }
caller-beginning = Numbers starting with these digits:
caller-near = Similar numbers (not this one):
caller-near-too = Also similar (not this one):
caller-take = Use this number
caller-typing = From the copy of AmoCRM as of { $time }
caller-asking = Asking AmoCRM…
caller-answered = Just confirmed by AmoCRM
caller-failed = From the copy of AmoCRM as of { $time }: AmoCRM did not reply.

## The call: beside the form

panel = Beside the form
panel-script = Script
panel-back = { $late ->
    [0] Call back
   *[other] Call back (overdue: { $late })
 }
panel-today = Today
call-script = Script
call-script-text =
    Hello! The fitness club, my name is {"{"}operator{"}"}.
    What may I call you? — {"{"}name{"}"}
    {"{"}name{"}"}, what would you like to do? — {"{"}direction{"}"}
    Have you trained before? When does it suit you to come?
    How did you hear of us?
    Come for a trial. Which day suits you?
    I call you back on {"{"}phone{"}"}, is that right?
call-consent-text = To take down your details I need your consent to the processing of personal data: your name and phone. Do you agree?
call-consent-read = The consent, version { $version } of the text. Read it aloud, then tick it in the form:
call-blank-name = name
call-blank-phone = phone
call-blank-direction = direction
call-blank-source = source
call-blank-operator = operator
call-texts-edit = Edit the script and consent
call-texts-help = Text in braces is filled in from the form: { $blanks }. Earlier versions of the consent are kept.
call-texts-save = Save texts
call-texts-saved = The texts have been saved.
call-done = No longer needed. Marked by: { $who }
back-none = No one to call back.
back-due = { $time }
back-late = Overdue: { $time }
back-call = Open
back-done = No longer needed
back-is-done = Done. The task in AmoCRM will be closed.
back-more = And { $count } more
today-none = You have not entered anything today.
today-line = { $time } · in { $seconds } s
today-repair = Fix or resend
figures-title = All operators, one week: seconds from the first keystroke to saving
figures-operator = Operator
figures-count = Calls
figures-p50 = Half within
figures-p95 = 95 % within
figures-not_asked = Not asked
figures-nobody = No name

## Site forms

forms-title = Site forms
forms-help = Where leads come in over HTTP: forms and their keys, the code for the site, and a log of every submission.
forms-intro = Each form on the site, and each program, has its own key. A submission is saved before its sender gets an answer, and then goes to AmoCRM automatically.
forms-new = New form
forms-none = So far there is only the built-in form for programs. Press "New form", say which site it is on, and paste the code there.
forms-active = Accepting
forms-paused = Paused
forms-builtin = Built in: the key INTAKE_API_KEY, and programs on this computer.
forms-no-key = No key yet: without one the site cannot send anything.
forms-room-up = So many submissions that made no lead came through this form today that only the phone and the name of further ones are kept, and in the end not even those. Leads are not affected. If this is not your own campaign, give the form a new key.
forms-no-site = No sites: only programs may send.
forms-keys-count = { $count ->
    [one] { $count } key in force
   *[other] { $count } keys in force
  }
forms-week = Last 7 days
forms-count-accepted = Accepted
forms-count-duplicate = Duplicates
forms-count-refused = Refused
forms-count-flagged = Bots
forms-last-accepted = Last accepted: { $time }
forms-last-refused = Last refused: { $time }
forms-never = Nothing received yet.
forms-test = Try out
forms-test-help = Sends a test lead the way the site does. It goes on to AmoCRM, marked as a test.
forms-test-name = Form Test
forms-test-message = This is a test of the form "{ $form }" from the page "Site forms". There is no one to call.
forms-test-accepted = The test lead was accepted
forms-test-refused = The test lead was refused
forms-delivery = Delivery to AmoCRM
forms-code = Code for the site
forms-keys = Keys
forms-edit = Edit
forms-pause = Pause
forms-resume = Resume
forms-pause-done = The form is paused: submissions are refused and kept in the log.
forms-resume-done = The form accepts submissions again.
forms-saved = Saved. The change is already in effect.
forms-name = Name
forms-name-hint = For example, "Home page"
forms-source = Source of its leads
forms-source-hint = For example, "Site"
forms-source-help = Used if the submission names no source.
forms-origins = Sites allowed to send
forms-origins-help = One per line, such as https://fit.ru and https://www.fit.ru. Leave empty to allow programs only.
forms-origins-settings = Also allowed by INTAKE_ALLOWED_ORIGINS: { $sites }
forms-thanks_url = Thank-you page
forms-thanks_url-help = Where visitors go after a form without a script. Leave empty for our own short page.
forms-duplicate_min = Same phone, same lead within (minutes)
forms-duplicate_min-help = Another submission with the same phone and source within this time makes no second lead; its content stays in the log. 0: do not compare.
forms-least_fill_s = Minimum time to fill in (seconds)
forms-least_fill_s-help = Anything faster is set aside as a bot's work; you can still accept it. 0: do not check.
forms-save = Save
forms-make = Create the form and a key
forms-key-once = The key is shown only once. Copy it now: the desk stores just its hash.
forms-key-created = created { $time }
forms-key-works = active
forms-key-until = active until { $time }
forms-key-ended = ended { $time }
forms-key-none = No keys yet. Create the first one.
forms-key-new = New key
forms-key-overlap = Keep former keys active for
forms-key-overlap-help = Put the new key into the site within this time. Submissions with an expired key are not lost: they are in the log.
forms-key-overlap-0 = no time, end them at once
forms-key-overlap-1 = a day
forms-key-overlap-7 = 7 days
forms-key-overlap-30 = 30 days
forms-key-make = Create a key
forms-key-revoke = Revoke
forms-key-revoke-sure = Revoke the key …{ $hint }? From now on whatever is sent with it is refused and kept in the log.
forms-code-intro = Paste it where the form should appear. Change the design and add fields as you like, but keep the field names and the hidden field.
forms-code-key = Replace { $placeholder } with the form's key, which is shown once, when it is created.
forms-code-local = The desk's address is { $address }, which visitors of the site cannot reach. Set BASE_URL.
forms-code-marks-plain = The few lines under the form tell the desk the page's address with its UTM marks. Where the browser runs no scripts, or your site forbids inline ones, the lead comes all the same, but without marks: browsers then name only your site's domain.
forms-code-marks-script = The script also tells the page's address with its UTM marks. Where the browser runs no scripts, the form still sends the lead, but without marks: browsers then name only your site's domain.
forms-code-plain = Without a script
forms-code-script = With a script
forms-log = Log of submissions
forms-log-help = Everything received, and what became of it. Refused, set-aside and duplicate submissions are kept for 90 days, and any of them can be made into a lead.
forms-log-none = Nothing received yet. Paste the code into the site, or press "Try out" on a form.
forms-log-none-found = No such submissions.
forms-log-form = Form
forms-log-outcome = Outcome
forms-log-reason = Why
forms-log-open = Choose a row to open the submission.
forms-outcome-accepted = Accepted
forms-outcome-duplicate = Same phone
forms-outcome-repeated = Sent again
forms-outcome-refused = Refused
forms-outcome-flagged = Looks like a bot
forms-reason-by_hand = accepted by hand
forms-sign-trap = A field that is invisible to people was filled in.
forms-sign-too_fast = Filled in faster than a person can.
forms-duplicate-why = Another submission with this phone and source had just come in, and its lead counts. The sender was given a number of its own, as if this were a new lead.
forms-repeated-why = The same submission again, with the same Idempotency-Key. There is only one lead.
forms-by-hand-why = At first it did not become a lead; it was accepted by hand.
forms-submission = Submission
forms-submission-accept = Accept as a lead
forms-submission-accepted = The lead is accepted and on its way to AmoCRM.
forms-submission-gone = The content of this submission is no longer kept.
forms-submission-short = So much was received that day that only the phone and the name of this submission were kept.
forms-submission-consent = Consent
forms-submission-consent-given = Given, version of the text: { $version }
forms-submission-ip = Network address
forms-preset = Type of form
forms-preset-help = The desk knows how these services send, and sets the form up for them at once. You can change everything later.
forms-preset-code = The desk's code for a site, or your own program
forms-preset-tilda = Tilda
forms-preset-cf7 = WordPress: Contact Form 7
forms-preset-elementor = WordPress: Elementor
forms-preset-wpforms = WordPress: WPForms
forms-preset-marquiz = Marquiz
forms-preset-yandex = Yandex Forms
forms-preset-vk = VK lead forms
forms-preset-calltouch = Calltouch
forms-preset-roistat = Roistat
forms-preset-webhook = Another service with a webhook
forms-answer = Answer to an accepted submission
forms-answer-json = 202 and JSON with its id
forms-answer-plain = 200 and a single word, as form builders expect
forms-answer-help = A browser that opened a page gets a thank-you page in any case.
forms-key_in_address = Allow the key in the address
forms-key_in_address-help = For services that can only be given an address. Such an address is like a password: do not publish it.
forms-note_unknown = Put unknown fields into the lead's note
forms-note_unknown-help = One line each: quiz answers, the best time to call, the town.
forms-required = Take no submission without
forms-required-help = A phone is enough, and nothing else gets a submission refused. Be stricter here: if one of these fields is missing or wrong, the submission is refused and waits in the log.
forms-word = The string the server must return
forms-word-help = VK shows it: Manage, API usage, Callback API.
forms-connect = How to connect
forms-connect-address = The address for this service
forms-connect-key = Replace { $placeholder } with the form's key, which is shown once, when it is created.
forms-connect-local = The desk's address is { $address }, which cannot be opened from the internet. Set BASE_URL.
forms-connect-secret = The key in the address opens this form only. The desk does not log it; a proxy in front of the desk that logs addresses does.
forms-names = Field names
forms-names-intro = Field names received in this form, and how the desk reads them. A different choice applies from the next submission on.
forms-names-none = Nothing received yet. Send one submission from the site, and its fields will appear here.
forms-names-unknown = unknown fields: { $count }
forms-names-last = last seen { $time }
forms-name-auto = Automatic: { $meaning }
forms-name-nothing = nowhere
forms-name-noted = Into the note
forms-name-ignored = Ignore
forms-name-consent = Consent to data processing
forms-name-first_name = First name
forms-name-middle_name = Middle name
forms-name-last_name = Last name
forms-name-page = Page address
forms-name-email = E-mail
forms-name-taught = Saved. It applies from the next submission on.
forms-submission-raw = As received
forms-submission-no-phone = Enter a phone to make this a lead.
forms-submission-held = Known details
preset-tilda-steps =
    1. Site settings → Forms → Webhook. Paste the address and tick "Send cookies", so that campaign marks come along.
    2. Save. Tilda tries the address out at once, and the desk answers as it should.
    3. On the page open the form block's Content, tick Webhook and publish the page.
preset-cf7-steps =
    1. Install a plug-in that sends Contact Form 7 to a webhook, such as "CF7 to Webhook".
    2. Open its tab in the form, paste the address and switch sending on.
    3. Leave the field names as they are: your-name, tel-123. Unknown ones can be named here, under "Field names".
preset-elementor-steps =
    1. In the Elementor form open "Actions After Submit" and add Webhook.
    2. In the section Webhook paste the address and switch "Advanced Data" on.
    3. Save the page and send one submission.
preset-wpforms-steps =
    1. In the WPForms form open Settings → Webhooks and switch them on.
    2. Paste the address, method POST, format JSON; choose the form's fields for the body.
    3. Save and send one submission. Name fields without a name here, under "Field names".
preset-marquiz-steps =
    1. In the quiz open Integrations → Webhook and paste the address.
    2. Send a test lead. The answers of the quiz go into the lead's note.
preset-yandex-steps =
    1. In the form open Integrations and add "JSON-RPC POST request".
    2. Paste the address, method lead; name the answers in the parameters: Name, Phone, Comment.
    3. Yandex Forms send over IPv6 only: the desk needs such an address.
preset-vk-steps =
    1. In the community: Manage → API usage → Callback API. Paste the address.
    2. Put the string the server must return into this form ("Edit") and save, then press "Confirm".
    3. On the tab "Event types" tick the new lead of a lead form.
preset-calltouch-steps =
    1. Integrations → Sending data to external systems → Webhooks: a new webhook for leads, on the event of a request.
    2. Paste the address, method POST, tick the phone, the name, the comment and the marks.
preset-roistat-steps =
    1. In the integration "Custom CRM" paste the address as the lead handler's URL.
    2. Roistat says everything in the address of its request; the visit's number goes into the lead's field roistat.
preset-webhook-steps =
    1. Paste the address wherever the service asks for a webhook's. Method POST, format JSON or a form.
    2. Send one submission and look at "Field names": name what is unknown with one press.

snippet-consent = I consent to the processing of my personal data
snippet-send = Send
snippet-failed = It could not be sent. Check your connection and press again: it will not be doubled.
snippet-trap = A trap for bots: people do not see this field. Leave it as it is.

## Deliveries

deliveries-title = Deliveries
deliveries-help = Leads on their way to AmoCRM, leads that need a decision, and the history of every attempt.
deliveries-paused = The queue is paused.
deliveries-paused-since = Waiting since { $time }; the desk tries again by itself: { $next }. The leads are saved and will not get lost.
deliveries-strange = AmoCRM answered in an unexpected way: { $codes }. Look at the history of these leads and give the request id to the developer.
deliveries-own-fault = The desk itself failed on some leads. None is lost; those it cannot handle wait for a person below. Give the desk's log to the developer.
deliveries-stopped = Delivery is not running in this process. Restart the desk.
deliveries-group-waiting = On their way
deliveries-group-people = Need a decision
deliveries-group-delivered = Delivered
deliveries-group-dropped = Dropped
deliveries-p50 = Half of the leads in
deliveries-p95 = 95% of the leads in
deliveries-times-help = { $count ->
    [one] From "accepted" to "in AmoCRM", with the ten seconds in which an operator can take a lead back; over { $count } lead of the week.
   *[other] From "accepted" to "in AmoCRM", with the ten seconds in which an operator can take a lead back; over { $count } leads of the week.
  }
deliveries-light = { $count ->
    [one] { $count } lead waits for a decision
   *[other] { $count } leads wait for a decision
  }
deliveries-people = Waiting for your decision
deliveries-say-name = Enter your name on the left: it is stored with each decision.
deliveries-all = All leads
deliveries-show = Show
deliveries-none = Nothing here.
deliveries-accepted = Accepted
deliveries-state = State
deliveries-why = Why
deliveries-next = Next
deliveries-attempts = Attempts
deliveries-story = Lead history
deliveries-unknown-lead = There is no such lead here.
deliveries-looking = The request was sent { $time }, and no reply came. The desk is searching AmoCRM for the lead, so as not to send it twice (searches: { $looks }). Next: { $next }.
deliveries-alike = AmoCRM has similar leads. Which of them is this one?
deliveries-not-found = Sent { $sends ->
    [one] { $sends } time
   *[other] { $sends } times
  }, no answer came, and AmoCRM has no such lead. Check by the phone yourself.
deliveries-next-try = Next attempt: { $next }
deliveries-now = now
deliveries-origin = From
deliveries-origin-desk = Entered here
deliveries-origin-api = The site
deliveries-took = Arrived in
deliveries-consent = Consent
deliveries-consent-given = version { $version }, { $time }, form "{ $form }", address { $ip }
deliveries-decided = Decided by
deliveries-which = Which one
deliveries-amo-id = Lead number
deliveries-amo-id-help = The number in the lead's address in AmoCRM, or the address itself.
deliveries-exists = It is in AmoCRM
deliveries-send-again = Send again
deliveries-send-again-risk = AmoCRM is searched first; the lead is sent only if it is not there.
deliveries-look-again = Search again
deliveries-drop = Drop
deliveries-take-back = Take back and send
deliveries-refused-at = AmoCRM refused { $path }: { $code }
deliveries-refused-field = AmoCRM refused this value ({ $code }).
deliveries-repair = Correct and send
deliveries-decided-done = Done.
deliveries-decided-search = Searching AmoCRM for the lead. If it is not there, it will be sent automatically.
deliveries-replay-all = Retry all
deliveries-replay-since = Retry leads accepted since
deliveries-since = Since
deliveries-not-tried = Not tried yet.
deliveries-step = Step
delivery-state-queued = Queued
delivery-state-sending = Being sent
delivery-state-unknown = Unknown, searching
delivery-state-needs_decision = Needs a decision
delivery-state-refused = Refused
delivery-state-delivered = In AmoCRM
delivery-state-dropped = Dropped
delivery-step-contact = Contact look-up
delivery-step-lead = Creating the lead
delivery-step-note = Note
delivery-step-stage = Stage change
delivery-step-task = Task
delivery-step-task_done = Task done
delivery-step-search = Search for the lead
delivery-step-person = A person's decision
delivery-did-exists = it is in AmoCRM
delivery-did-send-again = send again
delivery-did-look-again = search again
delivery-did-drop = drop
delivery-did-repair = corrected
delivery-did-replay = retry
delivery-result-ok = ok
delivery-result-merged = AmoCRM merged it into an existing lead
delivery-result-found = found
delivery-result-look-again = not found yet
delivery-result-send-again = not there, will be sent
delivery-result-person = for a person
seconds = { $seconds } s
person = Your name
person-hint = Name
person-help = No password: it only shows others who entered a lead and who decided.

## Connection

connection-title = Connection
connection-help = Access to AmoCRM: state, time left, refresh, disconnect, connect again.
connection-state-connected = Connected
connection-state-not_connected = Not connected
connection-state-failing = Key not renewed
connection-state-exhausted = Key not renewed for long
connection-state-switched_off = Switched off in AmoCRM
connection-state-broken = Connection lost
connection-next-refresh = Renews { $time } (in { $left }).
connection-next-attempt = Next attempt { $time } (in { $left }).
connection-next-now = Being refreshed now.
connection-lost = The refresh of key { $print }, begun { $time }, was cut off: AmoCRM has given out the new key, and the answer did not arrive.
connection-moved = The AmoCRM account has moved to { $address }, and the desk has followed. Correct AMOCRM_SUBDOMAIN when you can; the connection stays.
connection-long-lived-ends = { $days ->
    [one] The long-lived token ends in less than { $days } day. Make a new one.
   *[other] The long-lived token ends in less than { $days } days. Make a new one.
  }
connection-timeline = Last refreshes
connection-timeline-help = A fingerprint names a key without giving it away: the old one → the new one.
connection-under-way = under way
connection-cause = Why
connection-cause-consent = Admin's consent
connection-cause-code = Code pasted by hand
connection-cause-given = Key handed over
connection-cause-early = Early, by itself
connection-cause-expired = Time was up
connection-cause-rejected = AmoCRM refused the key
connection-cause-by_hand = Button
connection-prints = Fingerprints
connection-code-left = The code is valid for 20 minutes. About { $left } left.
connection-code-old = 20 minutes have passed: the code no longer works. Reload the window "Keys and scopes" and copy the new one.
connection-just-refreshed = The key has just been refreshed; once is enough.
connection-setup-hook = Address for the hook about disabling (optional): then the desk learns at once that the integration was switched off.
connection-how = Press "Connect AmoCRM" and allow access on the page that opens. An admin of the account has to do it.
connection-done = AmoCRM is connected.
connection-left = The key is valid for
connection-expires = Expires { $time }.
connection-account = Account
connection-address = Address
connection-by = Connected by
connection-at = When
connection-refreshed = Last refresh
connection-not-yet = not needed yet
connection-attempt = Last attempt
connection-actions = Actions
connection-connect = Connect AmoCRM
connection-reconnect = Connect again
connection-connect-help = Opens AmoCRM's page, where an admin allows access.
connection-refresh = Refresh now
connection-refreshed-now = The key is refreshed.
connection-disconnect = Disconnect
connection-disconnected = Disconnected. Leads from forms are still accepted and wait for a connection.
connection-disconnect-sure = Disconnect AmoCRM?
connection-disconnect-effect = The keys will be erased here. New leads will be saved here and go to AmoCRM when you connect it again.
connection-paste = Paste a code by hand
connection-paste-help = If AmoCRM cannot bring the browser back to this computer: open the integration, tab "Keys and scopes", and copy the authorization code. It is valid for 20 minutes and works once.
connection-code = Authorization code
connection-use-code = Connect with the code
connection-long-lived = The long-lived token of the setting AMOCRM_ACCESS_TOKEN is in use. It is not refreshed; an AmoCRM admin makes a new one on the tab "Keys and scopes".
connection-setup = What to enter in AmoCRM's integration
connection-setup-steps = AmoCRM → Settings → Integrations → "Create integration" → "External". Access: account data (leads, contacts, tasks). Give exactly this redirect address, to the last character:

## The copy of the leads

mirror-title = Copy of the leads
mirror-help = Lists and figures come from the desk's own copy of AmoCRM's leads. Every night the desk asks how many leads AmoCRM has, in total and by stage, and compares every lead, contact and open task with it; whatever differs is read again.
mirror-not-counted = The copy has not been compared with AmoCRM yet: this is done at night, between 3 and 6 o'clock, or once a day if the desk is off at night.
mirror-equal = At the last count the numbers matched, in total and by stage.
mirror-differed = At the last count the numbers differed; what was missing or extra has been read again.
mirror-stages-unknown = AmoCRM did not count by stage: only the numbers of all leads were compared.
mirror-stages = Stages that differed
mirror-stage-numbers = { $theirs } in AmoCRM, { $ours } in the desk before that
mirror-theirs = Leads in AmoCRM
mirror-ours = Leads in the desk before that
mirror-mended = Corrected
mirror-counted-at = Counted
mirror-comparing = { $count ->
    [one] Every lead is being compared: { $count } so far.
   *[other] Every lead is being compared: { $count } so far.
}
mirror-compared = { $mended ->
    [0] Every lead and contact was compared with AmoCRM on { $time }: no differences.
    [one] Every lead and contact was compared with AmoCRM on { $time }: { $mended } difference was mended.
   *[other] Every lead and contact was compared with AmoCRM on { $time }: { $mended } differences were mended.
}
mirror-contacts-missing = { $count ->
    [one] The name and phone of { $count } contact are missing: AmoCRM does not bring it, the desk goes on asking.
   *[other] Names and phones of { $count } contacts are missing: AmoCRM does not bring them, the desk goes on asking.
}
mirror-jump-machine = The clock of the computer the desk runs on was moved by { $span } on { $time }.
mirror-jump-database = The database's clock was moved by { $span } on { $time }.
mirror-jump-amocrm = AmoCRM's clock was moved by { $span } on { $time }.
mirror-jump-good = What changed in that time has been read again.
mirror-jump-open = What changed in that time is read again as soon as AmoCRM answers.
mirror-smaller = { $count ->
    [one] AmoCRM is too slow for long lists: the desk asks for { $count } record at a time, which takes longer.
   *[other] AmoCRM is too slow for long lists: the desk asks for { $count } records at a time, which takes longer.
}
mirror-count = Compare now
mirror-count-asked = The desk is comparing its numbers with AmoCRM's. The result appears here in a few seconds; then every lead is compared.

## Hooks

hooks-title = AmoCRM's hooks
hooks-help = AmoCRM tells the desk about changes to leads and contacts. The desk subscribes by itself, checks the subscription every 10 minutes and restores it if AmoCRM has switched it off.
hooks-state-on = On
hooks-state-off = Off
hooks-state-refused = Not subscribed
hooks-state-silent = Not arriving
hooks-means-on = AmoCRM reports changes: they are on the screen within a second or two.
hooks-means-off = The subscription has not been checked yet, this takes a minute.
hooks-means-refused = AmoCRM does not accept the subscription. Changes show up to half a minute late.
hooks-means-silent = There is a subscription, but within the last hour no hook has come although there were changes. Check that the desk's address is open to the internet and that the proxy lets POST to /api/amocrm/webhook/ through. Changes show up to half a minute late.
hooks-polling = Leads are kept up to date by polling: changes show up to half a minute late.
hooks-next = Next attempt { $time }.
hooks-last = Last hook
hooks-none-yet = none yet
hooks-lag = From change to screen
hooks-lag-help = Half of the day's hooks are faster than the first number, 95% faster than the second. Counted from the time of the change in AmoCRM (which names whole seconds). From the hook's arrival: { $own }.
hooks-seconds = { $p50 } / { $p95 } s
hooks-missed = Lost in 24 hours
hooks-missed-help = Changes found by polling that no hook had reported within ten minutes.
hooks-received = In 24 hours
hooks-counts = { $received ->
    [one] { $received } hook
   *[other] { $received } hooks
 }, repeated { $again }, not understood { $bad }
hooks-bad-not_a_hook = the last one was not AmoCRM's
hooks-bad-too_large = the last one was too large
hooks-bad-too_many = the last one had too many fields
hooks-bad-too_deep = the last one was nested too deep
hooks-bad-index = the last one had too many objects
hooks-bad-reader_failed = the last one could not be read, the server's log has more
hooks-bad-another_account = the last one was another account's
hooks-bad-account_unknown = the last one came while the account was not known
hooks-bad-other = the last one AmoCRM did not confirm
hooks-checked = Subscription checked
hooks-mended = AmoCRM had switched the hooks off, the desk brought them back
hooks-former = The former secret works until
hooks-subscribe = Check and subscribe
hooks-subscribe-help = Check the subscription in AmoCRM now, and restore it if needed.
hooks-subscribed = The subscription is in order.
hooks-rotate = Change the secret
hooks-rotate-help = The hooks get a new address. The former works for two more hours, so that hooks under way are not lost.
hooks-rotated = The secret is changed: AmoCRM knows the new address.

## Fields

fields-title = Fields
fields-help = Which AmoCRM fields hold which data; add a field to the form without a programmer.
fields-choose-first = Choose a field first.
fields-read = The fields are read.
fields-marker = Lead Desk ID
fields-marker-ok = Present: a lead is found by it if AmoCRM's reply was lost
fields-marker-refused = The account did not allow the field: leads are told apart by phone, name and time
fields-marker-missing = Will be created when AmoCRM is connected
fields-marker-help = The field "Lead Desk ID" is visible to programs only. The desk creates it by itself.
fields-type-text = text
fields-type-textarea = long text
fields-type-numeric = number
fields-type-checkbox = checkbox
fields-type-select = list
fields-type-multiselect = multiple choice
fields-type-radiobutton = radio buttons
fields-type-multitext = phone or e-mail
fields-type-date = date
fields-type-date_time = date and time
fields-type-birthday = birthday
fields-type-url = link
fields-type-streetaddress = short address
fields-type-smart_address = address
fields-type-legal_entity = legal entity
fields-type-tracking_data = tracking data
fields-type-monetary = money
fields-type-file = file
fields-type-chained_list = chained list
fields-intro = On the left, the data the desk needs; on the right, the field in your AmoCRM. A choice takes effect at once.
fields-reread = Read the fields from AmoCRM
fields-reading = Reading fields…
fields-chosen = Saved. The change is already in effect.
fields-created = The field has been created in AmoCRM and chosen.
fields-choose = Choose a field
fields-create = Create
fields-create-help = Creates a field of the right type in AmoCRM and chooses it.
fields-reset = As in the settings
fields-remove = Remove
fields-added = More fields in the form
fields-added-help = These fields appear in the new-lead form and are accepted by POST /api/crm under the name below their title.
fields-add = Add
fields-add-which = AmoCRM field
fields-add-label = Title in the form
fields-add-label-hint = As in AmoCRM
fields-all = All fields of the account
fields-entity-leads = Lead
fields-entity-contacts = Contact
fields-verdict-ok = Is there, type { $type }
fields-verdict-missing = The account has no field { $id }
fields-verdict-wrong_type = Field { $id } has the wrong type: { $type }
fields-column-id = Number
fields-column-name = Name
fields-column-type = Type
fields-column-code = Code
fields-column-choices = Values
field-of-phone = Phone
field-of-direction = Training direction
field-of-source = Source
field-of-contact_phone = Contact's phone

## Activity

activity-title = Activity
activity-help = Every operation with AmoCRM: what was done, when, the result, and what to check after an error.
activity-kind = Show
activity-kind-token = Keys
activity-kind-lead = Leads
activity-kind-contact = Contacts
activity-kind-field = Fields
activity-kind-hook = Hooks
activity-kind-read = Reading
activity-kind-problems = Errors
activity-more = Show more
activity-none = No operations so far.
activity-advice = What to check: { $count ->
    [one] { $count } kind of error
   *[other] { $count } kinds of error
  }
operation-token-exchange = Key obtained
operation-token-refresh = Key refreshed
operation-token-consent = Admin's consent
operation-token-disconnect = Disconnected
operation-token-ask = Asked whether the key works
operation-token-kept_out = Whoever connected was switched off in AmoCRM
operation-token-switched_off = Switched off in AmoCRM
operation-account-get = Account read
operation-users-list = People read
operation-pipelines-list = Pipelines read
operation-leads-list = Leads read
operation-leads-create = Lead created
operation-contacts-list = Contacts read
operation-contacts-search = Contact searched
operation-contacts-create = Contact created
operation-notes-list = Reading notes
operation-leads-search = Search for a lead
operation-leads-get = Reading a lead
operation-contacts-get = Reading a contact
operation-notes-create = Note on a lead
operation-leads-move = Change of stage
operation-tasks-create = Task
operation-tasks-list = Reading tasks
operation-tasks-complete = Task done
operation-fields-leads = Lead fields read
operation-fields-contacts = Contact fields read
operation-fields-create = Field created
operation-webhooks-list = Read webhook subscriptions
operation-webhooks-subscribe = Subscribed to webhooks
operation-webhooks-unsubscribe = Unsubscribed from webhooks
operation-webhooks-rotate = Changed the webhooks' secret
operation-events-list = Changes of stage read
operation-loss_reasons-list = Loss reasons read
operation-leads-bin = Bin of leads read
operation-contacts-bin = Bin of contacts read
activity-kind-column = Kind
activity-at = Time
activity-operation = Operation
activity-result = Result
activity-duration = ms
activity-request = Request id
activity-subject = About

## The site's visitors

thanks-title = Thank you, your request is in
thanks-text = We will get in touch with you soon.
problem-title = Please correct the form
problem-back = Back to the form
problem-back-by-hand = Press "Back" in your browser: what you typed is still there.

## Closed

closed-title = This desk can only be opened on its own computer
closed-why = No sign-in is configured, so its pages are shown only to a browser on the computer that runs Lead Desk.
closed-how = If you are at another computer, forward the port over SSH:
closed-host = server
closed-then = and open { $url } in your browser.
locked-title = Open the desk with the link from its console
locked-why = A proxy can look like this computer, so the desk shows its pages only to a browser that has proved to be here.
locked-how = The console in which Lead Desk was started shows a link. Each link works once; the newest is always valid:
locked-code = Or paste the code of that link, or the key from the file data/local.key:
locked-open = Open
locked-wrong = This code is wrong or no longer valid.

## Command line

rights-mended = Others on this machine could read these files of the desk; now their owner alone can: { $files }.
rights-left = Others on this machine can read these files of the desk, and their rights cannot be changed by it: { $files }.
console-link = Open the desk with this link. It works once; the browser is remembered afterwards:
check-demo = No account is set: this is a demo.
check-account = AmoCRM account: { $address }
check-database = Database: { $kind }, opens.
keys-put-in-front = The key is set by SECRET_KEY, which only a person can change. Put the new key in front of the former one, with a comma, and run the command again:
    SECRET_KEY={ $phrase },former
keys-rotated = Done: everything is sealed with a new key, the former one is erased. The desk need not be restarted.
keys-old-can-go = Done: everything is sealed with the first key of SECRET_KEY. The former one can now be removed from the setting.

## Settings

settings-wrong = Lead Desk has not started: its settings are wrong.
settings-where = Correct them in .env or .env.local (.env.example shows how) and start again.
setting-choice = must be one of: { $hint }.
setting-subdomain = must be just the name before the first dot, such as "fitzone" for fitzone.amocrm.ru.
setting-subdomain-hint = must be just the name before the first dot. Did you mean "{ $hint }"?
setting-spaces = it must not have spaces inside.
setting-not_ascii = Latin letters, digits and signs only. Copy the value again.
setting-too_short = too short: must have at least { $hint } characters.
setting-number = must be a number.
setting-range = the number is out of bounds: { $hint }.
setting-url_path = Only the server's address belongs here, without a path.
setting-database_driver = PostgreSQL needs a driver: .venv/bin/pip install 'psycopg[binary]'
setting-file_unreadable = The file cannot be read. Save it as UTF-8 and check its rights.
setting-url = must be a full address, such as https://desk.example.com.
setting-url_extra = the address must not have a user, a password, "?" or "#".
setting-https = must be an https:// address: secrets travel over it.
setting-origin = must be addresses of sites without a path, separated by commas. Not valid: { $hint }.
setting-network = must be addresses or networks, separated by commas, such as 127.0.0.1, 10.0.0.0/8. Not valid: { $hint }.
setting-listen = must be an address and a port, such as 127.0.0.1:8502, or just a port.
setting-open_in_public = "open" does not go together with a public BASE_URL, TRUSTED_PROXIES or PUBLIC_LISTEN: whoever comes through the proxy might be taken for this computer. Set "code" or nothing.
setting-open_noted = "open": whatever forwards a port to this desk without a word shows its pages to everybody behind it.
setting-listener_advised = unset: the proxy has to be pointed at the port of the pages. Better give it a listener of its own, such as 127.0.0.1:8502, which serves nothing else.
setting-proxies_advised = unset: all visitors behind the proxy count as one address. Name the proxy, such as 127.0.0.1.
setting-timezone = unknown time zone. An example: Europe/Moscow.
setting-database = must be a database address: sqlite:///data/desk.db or postgresql://user:password@server/database.
setting-too_long = too long: at most { $hint } characters.
setting-control = contains unprintable characters. Copy the value again.
setting-placeholder = the value of the example is still there. Enter your own.
setting-missing = not set.
setting-unknown = there is no such setting.
setting-unknown-hint = there is no such setting. Did you mean { $hint }?

## Errors: what happened and what to do

error-unknown = Unknown error ({ $code }).
error-unknown-remedy = Try again. If that does not help, open "Activity" and give the request id to AmoCRM's support.
error-desk_failed = Lead Desk itself failed here: a fault of the program, not of AmoCRM.
error-desk_failed-remedy = Nothing is lost. Reload the page; if it happens again, give Lead Desk's log to its developer: it names the place in the program.
error-settings_wrong = The settings are wrong.
error-settings_wrong-remedy = Correct the file .env and start again.
error-not_connected = AmoCRM is not connected.
error-not_connected-remedy = For an admin: open "Connection" and press "Connect AmoCRM".
error-hooks_no_address = The desk has no address that is open to the internet: AmoCRM cannot reach it.
error-hooks_no_address-remedy = For changes to arrive at once, set BASE_URL to an https address that is open to the internet (docs/webhooks.md).
error-token_rejected = AmoCRM did not accept the access key (401).
error-token_rejected-remedy = Open "Connection" and connect again. Check that no admin has switched the integration off in AmoCRM.
error-unpaid = AmoCRM says the account is not paid for (402).
error-unpaid-remedy = Check the payment in AmoCRM. If it is paid, wait some ten minutes: at night this answer comes by mistake.
error-rights_missing = Rights are missing (403).
error-rights_missing-remedy = Connect AmoCRM as an admin and check the integration's rights on the tab "Keys and scopes".
error-blocked = AmoCRM has blocked the requests of this account or address (403).
error-blocked-remedy = Write to AmoCRM's support: only they can lift a block. Check that no other program keeps sending requests.
error-account_refuses = AmoCRM refuses the whole account, not this request (error code 244 and similar).
error-account_refuses-remedy = Check in AmoCRM whether the subscription has ended and whether the person who connected the desk may add leads. Leads wait here and are sent by themselves.
error-person_switched_off = The person who connected AmoCRM has been switched off there.
error-person_switched_off-remedy = Switch them on again in AmoCRM, or press "Connect again" as another admin. Leads wait here.
error-redirected = At this address AmoCRM redirects to another one.
error-redirected-remedy = Check AMOCRM_SUBDOMAIN: the account may have been renamed or moved.
error-request_too_large = The request is too large for AmoCRM (413).
error-request_too_large-remedy = Shorten the longest text and send it again.
error-too_many_links = A card in AmoCRM has too many links.
error-too_many_links-remedy = Remove links this contact does not need in AmoCRM and send again.
error-not_found = AmoCRM no longer has this (404).
error-not_found-remedy = Reload the page: the record may have been deleted.
error-rate_limited = AmoCRM asks us to wait: too many requests (429).
error-rate_limited-remedy = Nothing to do: the desk carries on by itself. If it keeps happening, check whether another program works with the account.
error-server_error = AmoCRM could not handle the request (5xx).
error-server_error-remedy = This usually passes in a few minutes. Check AmoCRM's status page.
error-server_hiccup = AmoCRM asks to repeat the request (400, system error).
error-server_hiccup-remedy = This passes; try again in a minute.
error-lead_deleted = This lead is deleted in AmoCRM (400).
error-lead_deleted-remedy = Restore it from AmoCRM's bin or make a new one.
error-validation = AmoCRM did not accept the values of some fields (400).
error-validation-remedy = Check on the page "Fields" that the fields are there and of the right type.
error-too_many_items = Too many records in one request (422).
error-too_many_items-remedy = This is a fault of the program: give the request id to its developer.
error-bad_request = AmoCRM did not understand the request (400).
error-bad_request-remedy = Check the page "Fields". If all is well there, give the request id to the developer.
error-unexpected_answer = AmoCRM's answer does not match its documentation.
error-unexpected_answer-remedy = Check the account's address in the settings. If it is right, give the request id to support.
error-too_slow = AmoCRM did not answer in time.
error-too_slow-remedy = Check this computer's internet connection. If it works, wait: AmoCRM is overloaded.
error-cut_off = The connection to AmoCRM was cut off half-way.
error-cut_off-remedy = Check this computer's internet connection and try again.
error-tls_failed = No secure connection to AmoCRM could be made.
error-tls_failed-remedy = Check this computer's date and time, and that no antivirus or proxy replaces certificates.
error-name_unknown = AmoCRM's address was not found.
error-name_unknown-remedy = Check AMOCRM_SUBDOMAIN in the settings, and DNS.
error-unreachable = AmoCRM cannot be reached: no connection is made.
error-unreachable-remedy = Check this computer's internet connection, firewall and proxy.
error-garbled = AmoCRM's answer could not be read.
error-garbled-remedy = Check the account's address in the settings; perhaps it is not AmoCRM that answers but a provider's page.
error-too_large = AmoCRM's answer is too large.
error-too_large-remedy = Check the account's address in the settings.
error-same_page = AmoCRM keeps sending the same page of a list.
error-same_page-remedy = Try again later; if that does not help, give the request id to the developer.
error-filter_ignored = AmoCRM did not apply a filter: wrong numbers would be worse than none.
error-filter_ignored-remedy = Try again later; if that does not help, give the request id to the developer.

error-consent_denied = Access was not allowed: "deny" was pressed on AmoCRM's page.
error-consent_denied-remedy = Nothing has changed. To connect, start again and press "allow".
error-state_unknown = This answer from AmoCRM belongs to no connection that was started here.
error-state_unknown-remedy = Start connecting here again. A link from the browser's history does not work twice.
error-state_expired = The connection was started too long ago.
error-state_expired-remedy = Start again: you have 20 minutes on AmoCRM's page.
error-state_of_another_browser = The connection was started in another browser.
error-state_of_another_browser-remedy = Start and finish in the same browser.
error-referer_unknown = The answer came from an address that is not AmoCRM's; no secret was sent there.
error-referer_unknown-remedy = Start connecting here again. If it happens again, find out who sent the link.
error-integration_missing = AMOCRM_CLIENT_ID and AMOCRM_CLIENT_SECRET are not set.
error-integration_missing-remedy = Enter them in .env: they are on the integration's tab "Keys and scopes".
error-code_expired = The authorization code is too old: it is valid for 20 minutes.
error-code_expired-remedy = Get a new code and paste it at once.
error-code_used = This authorization code has already been used.
error-code_used-remedy = Get a new code: each works once.
error-code_invalid = The authorization code is wrong.
error-code_invalid-remedy = Copy the whole code, from the integration whose CLIENT_ID is in the settings.
error-client_id_wrong = AmoCRM does not know this CLIENT_ID.
error-client_id_wrong-remedy = Compare AMOCRM_CLIENT_ID with the field "Integration ID" in AmoCRM.
error-client_secret_wrong = The secret key is wrong.
error-client_secret_wrong-remedy = Copy the "Secret key" of the integration to AMOCRM_CLIENT_SECRET; if it has been changed, connect again.
error-redirect_uri_wrong = The redirect address does not match.
error-redirect_uri_wrong-remedy = Make it exactly the same in the integration as AMOCRM_REDIRECT_URI, to the last slash.
error-account_wrong = Access was allowed in a different account.
error-account_wrong-remedy = Sign in to the AmoCRM account that AMOCRM_SUBDOMAIN names, or correct the setting.
error-account_gone = There is no AmoCRM account at this address.
error-account_gone-remedy = Check AMOCRM_SUBDOMAIN: the account may have been renamed.
error-client_not_allowed = The account does not accept this integration.
error-client_not_allowed-remedy = Check that the integration is installed in the account and that the account is paid for.
error-grant_revoked = Access is revoked: the refresh key has been used already or switched off.
error-grant_revoked-remedy = Press "Connect again". Check that no other program works with the same keys.
error-grant_expired = Access has expired: it was not used for three months.
error-grant_expired-remedy = Press "Connect again".
error-grant_invalid = AmoCRM did not accept the refresh key.
error-grant_invalid-remedy = Press "Connect again".
error-token_answer_incomplete = AmoCRM answered without a new key.
error-token_answer_incomplete-remedy = Press "Connect again".
error-refresh_stuck = Refreshing the key did not end in time.
error-refresh_stuck-remedy = Try again in a minute. If that does not help, press "Connect again".
error-refresh_waiting = The key could not be refreshed so far.
error-refresh_waiting-remedy = The desk tries again by itself; the page "Connection" says when, and lets you refresh now.
error-refreshed_just_now = The key was refreshed, or tried, a short while ago: nothing was sent.
error-refreshed_just_now-remedy = The desk refreshes it by itself in time. Each refresh spends a key that works once; to do it all the same, confirm on the page "Connection" or send "confirm": true.
error-refresh_lost = The refresh of the key was cut off, and the former key no longer works.
error-refresh_lost-remedy = Press "Connect again": one consent is enough, nothing is lost.
error-switched_off = AmoCRM's admin has switched this integration off.
error-switched_off-remedy = Switch it on in AmoCRM and press "Connect again". Leads wait here meanwhile.
error-clock_jumped = The clock of this computer, of the database or of AmoCRM has jumped.
error-clock_jumped-remedy = Nothing to do: everything from that time is being read from AmoCRM again. If this happens often, switch time synchronisation on.
error-clock_wrong = This computer's clock is wrong.
error-clock_wrong-remedy = Set the right time, switch its synchronisation on, and try again.
error-cut_off_by_stop = The program stopped while the key was being refreshed.
error-cut_off_by_stop-remedy = The desk asks AmoCRM whether the former key still works, and goes on by itself.
error-too_late = The answer came when another process had refreshed the key already.
error-too_late-remedy = Nothing needs to be done.
error-replaced = Replaced by a new connection.
error-replaced-remedy = Nothing needs to be done.
error-grant_spent_here = This refresh token has been used here already.
error-grant_spent_here-remedy = It works once. Press "Connect again" or hand over a new one.
error-consent_from_elsewhere = Another site tried to begin the connection.
error-consent_from_elsewhere-remedy = Press "Connect AmoCRM" on this page yourself.
error-consent_failed = AmoCRM did not complete the connection.
error-consent_failed-remedy = Press "Connect AmoCRM" once more.
error-long_lived_not_refreshed = A long-lived token is not refreshed.
error-long_lived_not_refreshed-remedy = Make a new one in AmoCRM and enter it as AMOCRM_ACCESS_TOKEN.
error-long_lived_expired = The long-lived token has expired.
error-long_lived_expired-remedy = Make a new one in AmoCRM on the tab "Keys and scopes" and enter it as AMOCRM_ACCESS_TOKEN.

error-secret_key_wrong = SECRET_KEY does not fit the stored keys.
error-secret_key_wrong-remedy = Put the former SECRET_KEY back (or the file data/secret.key). If it is lost, connect AmoCRM again.
error-secret_key_unreadable = The key file data/secret.key cannot be read.
error-secret_key_unreadable-remedy = Put the former file and its rights back. The connection is whole as long as the key is.
error-secret_key_short = The key in data/secret.key is too short.
error-secret_key_short-remedy = Put the former file back as a whole.
error-secret_key_empty = The file data/secret.key is empty.
error-secret_key_empty-remedy = Restore it from a copy. If it is lost, delete the file and connect AmoCRM again.
error-database_unreachable = The database cannot be reached.
error-database_unreachable-remedy = Check DATABASE_URL, that its server runs, and that the disk is not full.
error-database_newer = A newer version of Lead Desk has changed the database already.
error-database_newer-remedy = Start the newer version or restore the database from a copy.
error-not_routed = AmoCRM answered with a page instead of data (404): the request did not reach it.
error-not_routed-remedy = This passes; the desk tries again by itself.
error-no_turn = No turn to ask AmoCRM came in time, the request was not sent.
error-no_turn-remedy = The desk tries again by itself. If this keeps happening, look in the log whether the database answers.
error-too_late_to_send = The turn to ask AmoCRM came too late, the request was not sent.
error-too_late_to_send-remedy = The desk tries again by itself.
error-left_already = It has already been sent to AmoCRM and cannot be taken back.
error-left_already-remedy = Change the lead in AmoCRM, or add a note to it.
error-saved_otherwise = This call was saved in another tab with different content.
error-saved_otherwise-remedy = The content here is neither lost nor saved. If it is another call, save it again.
error-text_empty = An empty text was not saved.
error-text_empty-remedy = Enter it, or reload the page to get the former text back.
error-text_changed = Someone else has changed this text in the meantime. Yours was not saved and is still here.
error-text_changed-remedy = Copy it, reload the page and compare. To overwrite, save again.
error-draft_gone = This draft has been saved or cleared in another tab.
error-draft_gone-remedy = Carry on with the form as it is.
error-decided_meanwhile = While you were deciding, this lead changed.
error-decided_meanwhile-remedy = Check where it is now.
error-lead_not_there = AmoCRM has no lead with this number.
error-lead_not_there-remedy = Check the number: it is in the lead's address.
error-another_account = This lead was started in a different AmoCRM account from the one connected now. The desk does not search for it or change it here.
error-another_account-remedy = Look in that account. If it is there, press "It is in AmoCRM" (its note and task are for you to add); if it belongs into the account connected now, "Send again" makes it anew there; else "Drop".
error-demo_runs_already = A demo runs from this folder already.
error-demo_runs_already-remedy = Open it in the browser, or stop it first. Of real desks several may share a database.
error-worker_died = The program stopped while the lead was on its way.
error-worker_died-remedy = The desk goes on with it by itself. If the lead may be in AmoCRM, it searches there first, so as not to send it twice.
error-database_failed = The desk's database did not do what was asked of it.
error-database_failed-remedy = Check that the database runs and its disk is not full. Nothing is lost; a lead that waits for a person can be sent again.

error-field_purpose_unknown = The desk has no such use for a field.
error-field_purpose_unknown-remedy = Reload the page.
error-field_missing = The account has no such field.
error-field_missing-remedy = Press "Read the fields from AmoCRM" and choose from the list.
error-field_type_wrong = The field has the wrong type.
error-field_type_wrong-remedy = Choose another or make a new one.
error-field_label_wrong = This title cannot be used.
error-field_label_wrong-remedy = 1 to 60 ordinary characters.
error-field_taken = This field is in use already.
error-field_taken-remedy = Choose another.
error-too_many_fields = The form has too many fields already.
error-too_many_fields-remedy = Remove those you do not need.

error-lead_invalid = The lead was not accepted: correct the fields named.
error-lead_invalid-remedy = Each field says what is wrong.
error-lead_unknown = There is no such lead.
error-lead_unknown-remedy = Check the id in the answer to POST /api/crm.
error-request_invalid = The request is not well formed.
error-request_invalid-remedy = See the description: /api/openapi.json.
error-no_such_address = There is no such address.
error-no_such_address-remedy = See the description: /api/openapi.json.
error-wrong_method = This address does not accept this method.
error-wrong_method-remedy = See the description: /api/openapi.json.
error-public_listen_taken = Cannot listen on the address of PUBLIC_LISTEN: it is in use, or not this machine's.
error-public_listen_taken-remedy = Choose another port, or stop the program that has this one.
error-api_shut = This endpoint is closed: no key is set for it.
error-api_shut-remedy = Set ADMIN_API_KEY or INTAKE_API_KEY in .env and start again.
error-api_key_wrong = The key is wrong.
error-api_key_wrong-remedy = Send it like this: Authorization: Bearer key. An HTML form has it in the hidden field "key".
error-json_wanted = The body must be JSON.
error-json_wanted-remedy = Send the header Content-Type: application/json.
error-json_broken = This is not JSON.
error-json_broken-remedy = Check the quotes and that it is UTF-8.
error-object_wanted = The body must be a JSON object.
error-object_wanted-remedy = An example: {"{"}"name": "Ivan", "phone": "+7 999 123-45-67"{"}"}
error-too_large_body = The request is too large.
error-too_large_body-remedy = At most 64 KB.
error-too_slow_body = The request did not arrive completely in time.
error-too_slow_body-remedy = Send it again; all of it has to come within ten seconds.
error-too_many_requests = Too many submissions at once.
error-too_many_requests-remedy = Wait a little and send again.
error-kind_unknown = The desk does not read this content type.
error-kind_unknown-remedy = Send JSON (Content-Type: application/json) or an HTML form.
error-encoding_unknown = The desk does not read this compression.
error-encoding_unknown-remedy = Send it uncompressed, or as gzip.
error-form_broken = The form did not arrive completely.
error-form_broken-remedy = Go back and send it again.
error-key_ended = This key no longer works: it was replaced or revoked.
error-key_ended-remedy = Put the form's new key into the site. What was sent with the former one is kept on the page "Site forms".
error-origin_not_allowed = The pages of this site may not send to this form.
error-origin_not_allowed-remedy = Add the site's address on the page "Site forms".
error-key_not_in_address = This form takes no key from the address.
error-key_not_in_address-remedy = Allow it for the form on the page "Site forms" ("Edit"), or show the key in the header Authorization.
error-origin_null = The browser hid which site this was sent from (Origin: null).
error-origin_null-remedy = Pages with the rule no-referrer do that, frames with sandbox, and files. Take it off the page with the form, for example: <meta name="referrer" content="strict-origin-when-cross-origin">.
error-names_too_many = This form has 200 named fields already.
error-names_too_many-remedy = Set some of them back to "Automatic".
error-form_paused = This form is not accepting anything at the moment.
error-form_paused-remedy = Resume it on the page "Site forms".
error-form_unknown = There is no such form.
error-form_unknown-remedy = Reload the page.
error-submission_gone = This submission is no longer kept.
error-submission_gone-remedy = Reload the page.
error-idempotency_key_wrong = This Idempotency-Key cannot be used.
error-idempotency_key_wrong-remedy = 1 to 255 Latin letters, digits and signs without spaces, once.
error-key_reused = This Idempotency-Key belongs to another submission.
error-key_reused-remedy = Use a new key for a new submission, and the same key only to repeat the very same one.

## Export

export = Export
export-help = All leads matching these filters, in this order and with these columns.
export-kind-xlsx = Excel (XLSX)
export-kind-csv = CSV
export-waiting = The file is waiting for its turn…
export-running = Making the file: { $count ->
    [one] { $count } lead
   *[other] { $count } leads
  }
export-cancel = Cancel
export-close = Close
export-download = Download: { $count ->
    [one] { $count } lead
   *[other] { $count } leads
  }
export-gone = The file is gone: files are kept for a day. Export it again.
export-told = { $who }: { $count ->
    [one] { $count } lead
   *[other] { $count } leads
  }, { $kind }, { $filter } { $search }
export-nobody = No name given
export-all = no filters
export-searched = and a search
activity-kind-export = Exports
operation-leads-export = Leads exported
error-export_failed = The file could not be made.
error-export_failed-remedy = Export it again. If it keeps failing, look at the program's output: it names the error.
error-export_no_space = The file could not be written to the disk.
error-export_no_space-remedy = Make room in the data folder and check the rights to it.
error-export_died = The program that made the file was stopped.
error-export_died-remedy = Export it again.

## Overview

overview-title = Overview
overview-help = How many leads, from where, how far they get, how soon they are answered, and who waits.
period-365 = A year
period-month = This month
overview-pipeline = Pipeline
overview-all-pipelines = All pipelines
overview-unit = Chart by
overview-unit-auto = Auto
overview-unit-day = Day
overview-unit-week = Week
overview-unit-month = Month
overview-as-table = The same numbers as a table
overview-how = How this is counted
overview-none = No leads in this period. Choose another period or another pipeline.
overview-stale = The numbers are old: as of { $time }. AmoCRM has not been reachable since; the desk keeps trying.
overview-failed = No numbers yet: the leads could not be read.
overview-next-try = Next attempt: { $time }.
overview-filling = The first reading is under way: { $count ->
    [one] { $count } lead read
   *[other] { $count } leads read
 }, begun { $time }. New ones are read first, so the last days are right soonest; the other numbers still grow.
overview-empty = No leads have been read yet. Reading begins by itself in a few seconds; the page will follow.
overview-not-connected = Nothing to show: AmoCRM is not connected. Once it is connected, leads are read automatically.
overview-newer = Newer data available: show
overview-leads = Leads
overview-leads-help = Leads created in AmoCRM in the period, deleted ones left out. Beside: the difference from the period before.
overview-won = Sales
overview-won-help = Leads closed as won in the period, whenever they were created. One that was reopened does not count.
overview-lost = Losses
overview-lost-help = Leads closed as lost in the period, whenever they were created.
overview-median = Half answered within
overview-p90 = 90% answered within
overview-never = Unanswered
overview-never-help = Leads of the period that nobody moved or closed and that have waited for more than an hour of working time.
overview-compared = { $since } – { $until } beside { $before_since } – { $before_until }. While the period goes on, the former one is counted up to the same hour.
overview-trend = Leads over time
overview-trend-how = Leads by the time they were created, on the club's clock. Bars: the chosen period; dashed line with circles: as many days before it (for a month, the month before up to the same day). A hatched bar is not over yet: it and what stands beside it are compared up to the same hour. Weeks begin on Monday; the first and the last may be shorter.
overview-now = Period
overview-before = Before
overview-share = Share
overview-won-of-them = Won of them
overview-by-source = By source
overview-by-direction = By direction
overview-by-utm_source = By utm_source
overview-by-utm_campaign = By utm_campaign
overview-split-how = Leads of the period by what AmoCRM's field says, as it is spelled there: another spelling is another line. "Not given": the field is empty. Shares are of all leads of the period. "Won of them": how many of these leads are in the won stage now.
overview-others = { $count ->
    [one] { $count } more
   *[other] { $count } more
 }
overview-funnel = Funnel
overview-funnel-how = Leads created in the period that are in this pipeline now. "Reached": have been in this stage or a later one at least once, by AmoCRM's history of moves: one that went back has still reached it, one that skipped a stage has passed it. "Of all" is of the leads of the period, "of previous" of those that reached the stage above. "Stayed": went no further and are open (at the last stage: won); "lost": went no further and are closed.
overview-funnel-of = { $count ->
    [one] Of { $count } lead of the period
   *[other] Of { $count } leads of the period
 }
overview-funnel-unknown = The history of moves is known since { $day }. { $count ->
    [one] { $count } lead of the period was created before: how far it got is not known, and it is not in the funnel.
   *[other] { $count } leads of the period were created before: how far they got is not known, and they are not in the funnel.
 }
overview-speed-unknown = The history of moves is known since { $day }: answers are counted without the { $count ->
    [one] { $count } lead created before.
   *[other] { $count } leads created before.
 }
overview-reached = Reached
overview-of-all = Of all ({ $count })
overview-of-previous = Of previous
overview-stopped-here = Stayed
overview-lost-here = Lost
overview-speed = Speed to lead
overview-speed-how = From a lead's creation to its first move to another stage; of one closed without a move, to its closing. The desk sees neither calls nor chats, and cannot tell whether a person or a robot moved a lead. Only the club's working hours count: came at night and taken when the day begins is no minutes.
overview-percentile-help = The time within which half (90%) of the leads were answered. Leads without an answer count as slower than any: where there are so many that half (90%) is not reached, there is a dash and "no answer" instead of a time.
overview-within = Within { $minutes } min
overview-within-help = The share of leads answered within { $minutes } minutes of working time. Leads without an answer are in the denominator.
overview-n-of = { $count } of { $whole }
overview-speed-of = { $count ->
    [one] { $count } lead counted
   *[other] { $count } leads counted
 }
overview-speed-never = unanswered: { $count }
overview-speed-fresh = waiting less than an hour, not counted yet: { $count }
overview-speed-uncounted = created before the known history, not counted: { $count }
overview-speed-none = No leads in this period whose speed is known.
overview-hours-are = working hours: { $hours }
overview-every-day = { $hours } daily
overview-week-hours = weekdays { $weekdays }, weekend { $weekend }
overview-closed = closed
overview-no-answer = no answer
overview-minutes = { $minutes } min
overview-hours-minutes = { $hours } h { $minutes } m
overview-whole-hours = { $hours } h
overview-hours = When leads come
overview-hours-how = How many leads of the period were created in each hour of each weekday, on the club's clock. Dashed frame: working hours. "Outside working hours": created in an hour without a single working minute.
overview-hour = Hour
overview-duty = Working hours
overview-off-duty = Outside working hours: { $share }
overview-losses = Why leads are lost
overview-losses-how = Leads closed as lost in the period, by AmoCRM's loss reason. "Not given": closed without one. Shares are of all closed so in the period.
overview-no-losses = No leads were lost in this period.
overview-reason = Reason
overview-attention = Needs attention
overview-attention-how = Open leads as of now, of any period. **Task overdue**: the next task's time has passed. **No task**: none is open. **Not touched**: nothing changed for { $days ->
    [one] { $days } day
   *[other] { $days } days
 }. **No phone**: neither the contact nor the lead has one. **Nobody responsible**, **no source**: the field is empty. A lead may have several reasons; in the total it counts once.
overview-attention-none = { $count ->
    [one] { $count } open lead, and it is in order.
   *[other] { $count } open leads, all of them in order.
 }
overview-attention-count = { $count ->
    [one] **{ $count }** lead of { $open } open ones
   *[other] **{ $count }** leads of { $open } open ones
 }
overview-rule-any = All
overview-rule-overdue = Task overdue
overview-rule-no_task = No task
overview-rule-untouched = Not touched
overview-rule-no_phone = No phone
overview-rule-nobody = Nobody responsible
overview-rule-no_source = No source
overview-since = Not moved since
overview-why = Why
overview-waiting-shown = { $count ->
    [one] { $count } lead shown, the one that has waited longest
   *[other] { $count } leads shown, those that have waited longest
 }
overview-club-hours = The club's working hours
overview-club-hours-intro = Speed to lead is counted by them, the same for everybody. On the club's clock ({ $zone }). Closing at 00:00 is the end of the day.
overview-weekdays = Weekdays: open
overview-weekend = Weekend: open
overview-opens = From
overview-closes = To
overview-hours-keep = Save hours
overview-hours-kept = The working hours are saved and the numbers recalculated.
error-club_hours_wrong = These working hours are not valid.
error-club_hours_wrong-remedy = Closing must be later than opening, and the club must be open on some day.

# Whether all is well

health-title = How the desk is doing
health-help = The same checks as at /readyz. Red is what keeps leads or figures from where they belong.
health-trouble = Something is wrong
health-filling = Reading AmoCRM
health-amocrm-away = AmoCRM is not answering
health-amocrm = { $why } Since { $since } no call has gone through. Leads are kept here and go out by themselves once AmoCRM answers.
health-waiting = { $count ->
    [one] { $count } lead waits
   *[other] { $count } leads wait
} to go to AmoCRM, the oldest since { $since }. Nothing is lost; the desk keeps trying.
health-mirror = Lists and figures are as of { $since }: AmoCRM has not been reachable since. The desk keeps trying.
health-mirror-filling = Leads are being read from AmoCRM; lists and figures are not complete yet.
health-mirror-unknown = The age of lists and figures is unknown: this machine's clock has moved. They are being read again.
health-hooks = AmoCRM's hooks have not arrived since { $since }. Changes are asked for and show up to half a minute late.
health-work = { $work }: not working since { $since }. The desk tries again by itself; if it stays so for an hour, tell the administrator.
health-connection = The connection to AmoCRM has not worked since { $since }.
health-database = The desk's database is not answering.
health-disk = The disk is almost full: { $free } MB left. Free some space, or leads may soon not be saved.
health-more = { $count ->
    [one] and one more
   *[other] and { $count } more
}
health-check-database = Database
health-check-connection = Access to AmoCRM
health-check-amocrm = AmoCRM answers
health-check-waiting = Leads on their way
health-check-people = Leads that need a decision
health-check-clock = Clock
health-check-disk = Disk
health-work-delivery = Sending leads
health-work-search = Looking for leads without an answer
health-work-heartbeat = Holding on to leads being sent
health-work-mirror = Copy of the leads
health-work-hooks = AmoCRM's hooks
health-work-keeper = Keeping the key
health-work-fields = Reading the fields
health-work-pruning = Clearing out old data
health-work-exports = Making files
health-rounds = Background work
health-rounds-well = Last success
health-rounds-failed = Last failure
health-rounds-why = What it was
connection-refresh-sure = The key renews itself in time; this is for a connection that does not work. Every refresh spends a key that works once: if AmoCRM's answer gets lost on the way, an admin has to allow access again.
connection-refresh-last = Last refreshed { $ago }.
connection-refresh-yes = Refresh the key
