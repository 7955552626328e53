# Every word a person reads. The keys are those of ru.ftl; a test compares.

## Frame

language = Language
menu-amocrm = AmoCRM
demo-banner = Demonstration: a practice AmoCRM on this computer, its people made up. The README says how to connect your own.
demo-starting = Starting the practice AmoCRM…
as-of = As of { $time }
refresh = Refresh
open = Open
cancel = Cancel
ok = done
any = All
any-choice = Not chosen
unknown = Not given
go-connection = Open the "Connection" page
error-support = For support: { $details }

## Leads

leads-title = Leads
leads-help = Who came, from where, and what became of them: search, period, stage and source.
leads-period = Period
leads-range = Days
period-today = Today
period-7 = 7 days
period-30 = 30 days
period-90 = 90 days
period-180 = 180 days
period-own = Own
leads-search = Search
leads-search-hint = Name, phone or lead number
leads-stage = Stage
leads-source = Source
leads-created = When
leads-name = Name
leads-phone = Phone
leads-direction = Direction
leads-responsible = Responsible
leads-price = Budget
leads-link = AmoCRM
leads-count = { $count ->
    [one] **{ $count }** lead
   *[other] **{ $count }** leads
  }
leads-reading = Reading leads from AmoCRM…
leads-read = { $count ->
    [one] { $count } lead read
   *[other] { $count } leads read
  }
leads-none = No leads came in this period. Choose a longer one or press "Refresh".
leads-none-found = No lead fits these filters.
leads-clear = Clear the filters
leads-cut = Too many leads in this period; the newest are shown. Choose a shorter one.

## New lead

new-title = New lead
new-help = Type a lead in while the caller is on the line: phone, name, direction, source, message.
new-phone = Phone
new-name = Name
new-direction = Direction
new-direction-hint = For example, yoga
new-source = Source
new-source-hint = For example, call
new-message = Message
new-submit = Save
new-keys = Tab for the next field, Enter to save (Ctrl+Enter in the message).
new-empty = Type a phone and a name and press Enter. The lead is saved here at once and goes on to AmoCRM; this is where you will see how far it is.
new-accepted = Saved. On its way to AmoCRM…
new-waiting = Saved here; it will go to AmoCRM by itself.
new-delivered = In AmoCRM after { $seconds } s
new-unknown = Saved here, but AmoCRM has not confirmed it: the line was cut half-way. It is not sent again, so as not to double it. Look for the lead in AmoCRM by its phone.
new-refused = Saved here, but AmoCRM did not take the content:
new-open = Open lead { $id }
lead-name-direction = { $direction }: { $name }
note-value = { $label }: { $value }

field-missing = Fill in this field.
field-not_text = A text is wanted here.
field-too_long = Too long: at most { $limit ->
    [one] { $limit } character
   *[other] { $limit } characters
  }.
field-control = There are unprintable characters in it. Type it anew.
field-markup = The signs < and > have no place here: this is no web page.
field-formula = A text cannot begin with =, +, - or @.
field-symbols = Letters, digits and ordinary punctuation only, no pictures.
field-no_letters = At least one letter is wanted.
field-phone_too_long = Too long for a phone number.
field-phone_letters = A phone number has no letters.
field-phone_short = Digits are missing: 10 are wanted after 8 or +7.
field-phone_wrong = There is no such number. Check the code and how many digits there are.
field-not_a_choice = Choose a value of the list.
field-not_a_number = A number is wanted here.
field-not_a_date = A date is wanted here, such as 2026-03-08.
field-not_an_address = An address is wanted here that begins with http:// or https://.

## Connection

connection-title = Connection
connection-help = Access to AmoCRM: state, time left, refresh, disconnect, connect again.
connection-state-connected = Connected
connection-state-not_connected = Not connected
connection-state-broken = Connection lost
connection-how = Press "Connect AmoCRM" and allow access on the page that opens. An admin of the account has to do it.
connection-done = AmoCRM is connected.
connection-left = The key is good for
connection-expires = Expires { $time }. It is refreshed by itself, in time.
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
connection-paste-help = If AmoCRM cannot lead the browser back to this computer: open the integration, tab "Keys and scopes", copy the authorization code. It lives 20 minutes and works once.
connection-code = Authorization code
connection-use-code = Connect with the code
connection-long-lived = The long-lived token of the setting AMOCRM_ACCESS_TOKEN is in use. It is not refreshed; an AmoCRM admin makes a new one on the tab "Keys and scopes".
connection-setup = What to enter in AmoCRM's integration
connection-setup-steps = AmoCRM → Settings → Integrations → "Create integration" → "External". Allow access to all data. The redirect address has to be exactly this, to the last character:

## Fields

fields-title = Fields
fields-help = Which AmoCRM fields hold what; add a field to the form without a programmer.
fields-intro = On the left what the desk needs, on the right the field of your AmoCRM. A choice takes effect at once.
fields-reread = Read the fields from AmoCRM
fields-reading = Reading fields…
fields-chosen = Saved, and in effect already.
fields-created = The field is made in AmoCRM and chosen.
fields-choose = Choose a field
fields-create = Create
fields-create-help = Makes a field of the right type in AmoCRM and chooses it.
fields-reset = As in the settings
fields-remove = Remove
fields-added = More in the form
fields-added-help = These fields appear in the new-lead form and are accepted by POST /api/crm under the name below their title.
fields-add = Add
fields-add-which = AmoCRM field
fields-add-label = Its title in the form
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
activity-help = Every operation with AmoCRM: what, when, what came of it, and what to check after an error.
activity-kind = Show
activity-kind-token = Keys
activity-kind-lead = Leads
activity-kind-contact = Contacts
activity-kind-field = Fields
activity-kind-read = Reading
activity-kind-problems = Errors
activity-none = No operations so far.
activity-advice = What to check: { $count ->
    [one] { $count } kind of error
   *[other] { $count } kinds of error
  }
operation-token-exchange = Key obtained
operation-token-refresh = Key refreshed
operation-token-consent = Admin's consent
operation-token-disconnect = Disconnected
operation-account-get = Account read
operation-users-list = People read
operation-pipelines-list = Pipelines read
operation-leads-list = Leads read
operation-leads-create = Lead created
operation-contacts-list = Contacts read
operation-contacts-search = Contact searched
operation-contacts-create = Contact created
operation-notes-create = Note on a lead
operation-fields-leads = Lead fields read
operation-fields-contacts = Contact fields read
operation-fields-create = Field created
activity-kind-column = Kind
activity-at = Time
activity-operation = Operation
activity-result = Result
activity-duration = ms
activity-request = Request id
activity-subject = About

## Closed

closed-title = This desk is open on its own computer only
closed-why = No sign-in is configured, so its pages are shown only to a browser on the computer that runs Lead Desk.
closed-how = Sitting at another computer, forward the port over SSH:
closed-host = server
closed-then = and open http://localhost:8501 in your own browser.

## Settings

settings-wrong = Lead Desk has not started: its settings are wrong.
settings-where = Mend them in .env or .env.local (.env.example shows how) and start again.
setting-choice = one of these is wanted: { $hint }.
setting-subdomain = only the name before the first dot is wanted, such as "fitzone" for fitzone.amocrm.ru.
setting-subdomain-hint = only the name before the first dot is wanted. Did you mean "{ $hint }"?
setting-spaces = it must not have spaces inside.
setting-not_ascii = Latin letters, digits and signs only. Copy the value anew.
setting-too_short = too short: at least { $hint } characters are wanted.
setting-number = a number is wanted.
setting-range = the number is out of bounds: { $hint }.
setting-url = a whole address is wanted, such as https://desk.example.com.
setting-url_extra = the address must not have a user, a password, "?" or "#".
setting-https = an https:// address is wanted: secrets travel on it.
setting-origin = addresses of sites without a path are wanted, separated by commas. This one does not fit: { $hint }.
setting-timezone = unknown time zone. An example: Europe/Moscow.
setting-database = a database address is wanted: sqlite:///data/desk.db or postgresql://user:password@server/database.
setting-too_long = too long: at most { $hint } characters.
setting-control = there are unprintable characters in it. Copy the value anew.
setting-placeholder = the value of the example is still there. Enter your own.
setting-missing = not set.
setting-unknown = there is no such setting.
setting-unknown-hint = there is no such setting. Did you mean { $hint }?

## Errors: what happened and what to do

error-unknown = Unknown error ({ $code }).
error-unknown-remedy = Try again. If that does not help, open "Activity" and give the request id to AmoCRM's support.
error-desk_failed = This page failed through a fault of ours.
error-desk_failed-remedy = Reload the page. If it happens again, the console of Lead Desk has the details.
error-settings_wrong = The settings are wrong.
error-settings_wrong-remedy = Mend the file .env and start again.
error-not_connected = AmoCRM is not connected.
error-not_connected-remedy = For an admin: open "Connection" and press "Connect AmoCRM".
error-token_rejected = AmoCRM did not accept the access key (401).
error-token_rejected-remedy = Open "Connection" and connect again. Check that no admin has switched the integration off in AmoCRM.
error-unpaid = AmoCRM says the account is not paid for (402).
error-unpaid-remedy = Check the payment in AmoCRM. If it is paid, wait some ten minutes: at night this answer comes by mistake.
error-rights_missing = Rights are missing (403).
error-rights_missing-remedy = Connect AmoCRM as an admin and check the integration's rights on the tab "Keys and scopes".
error-blocked = AmoCRM has blocked the requests of this account or address (403).
error-blocked-remedy = Write to AmoCRM's support: only they can lift a block. Check that no other program keeps sending requests.
error-not_found = AmoCRM does not have this any more (404).
error-not_found-remedy = Reload the page: the record may have been deleted.
error-rate_limited = AmoCRM asks us to wait: too many requests (429).
error-rate_limited-remedy = Do nothing, we go on by ourselves. If it keeps happening, check whether another program works with the account.
error-server_error = AmoCRM could not handle the request (5xx).
error-server_error-remedy = This usually passes in a few minutes. Check AmoCRM's status page.
error-server_hiccup = AmoCRM asks to repeat the request (400, system error).
error-server_hiccup-remedy = This passes; try again in a minute.
error-lead_deleted = This lead is deleted in AmoCRM (400).
error-lead_deleted-remedy = Restore it from AmoCRM's bin or make a new one.
error-validation = AmoCRM did not take the values of some fields (400).
error-validation-remedy = Check on the page "Fields" that the fields are there and of the right type.
error-too_many_items = Too many records in one request (422).
error-too_many_items-remedy = This is a fault of the program: give the request id to its developer.
error-bad_request = AmoCRM did not understand the request (400).
error-bad_request-remedy = Check the page "Fields". If all is well there, give the request id to the developer.
error-unexpected_answer = AmoCRM answered differently from its description.
error-unexpected_answer-remedy = Check the account's address in the settings. If it is right, give the request id to support.
error-too_slow = AmoCRM did not answer in time.
error-too_slow-remedy = Check this computer's internet connection. If it works, wait: AmoCRM is overloaded.
error-cut_off = The line to AmoCRM was cut half-way.
error-cut_off-remedy = Check this computer's internet connection and try again.
error-tls_failed = No secure connection to AmoCRM could be made.
error-tls_failed-remedy = Check this computer's date and time, and that no antivirus or proxy replaces certificates.
error-name_unknown = AmoCRM's address was not found.
error-name_unknown-remedy = Check AMOCRM_SUBDOMAIN in the settings, and DNS.
error-unreachable = AmoCRM cannot be reached: no connection is made.
error-unreachable-remedy = Check this computer's internet connection, firewall and proxy.
error-garbled = AmoCRM answered something unreadable.
error-garbled-remedy = Check the account's address in the settings; perhaps it is not AmoCRM that answers but a provider's page.
error-too_large = AmoCRM's answer is too large.
error-too_large-remedy = Check the account's address in the settings.
error-same_page = AmoCRM keeps sending the same page of a list.
error-same_page-remedy = Try again later; if that does not help, give the request id to the developer.
error-filter_ignored = AmoCRM did not apply a filter: wrong numbers would be worse than none.
error-filter_ignored-remedy = Try again later; if that does not help, give the request id to the developer.

error-consent_denied = Access was not allowed: "deny" was pressed on AmoCRM's page.
error-consent_denied-remedy = Nothing has changed. To connect, start again and press "allow".
error-state_unknown = This answer of AmoCRM belongs to no connection that was begun.
error-state_unknown-remedy = Begin to connect here once more. A link from the browser's history does not work twice.
error-state_expired = The connection was begun too long ago.
error-state_expired-remedy = Begin again: there are 20 minutes for AmoCRM's page.
error-state_of_another_browser = Another browser began to connect.
error-state_of_another_browser-remedy = Begin and finish in the same browser.
error-referer_unknown = The answer came from an address that is not AmoCRM's; no secret was sent there.
error-referer_unknown-remedy = Begin to connect here once more. If it happens again, find out who sent the link.
error-integration_missing = AMOCRM_CLIENT_ID and AMOCRM_CLIENT_SECRET are not set.
error-integration_missing-remedy = Enter them in .env: they are on the integration's tab "Keys and scopes".
error-code_expired = The authorization code is too old: it lives 20 minutes.
error-code_expired-remedy = Get a new code and paste it at once.
error-code_used = This authorization code has been used.
error-code_used-remedy = Get a new code: each works once.
error-code_invalid = The authorization code does not fit.
error-code_invalid-remedy = Copy the whole code, from the integration whose CLIENT_ID is in the settings.
error-client_id_wrong = AmoCRM does not know this CLIENT_ID.
error-client_id_wrong-remedy = Compare AMOCRM_CLIENT_ID with the field "Integration ID" in AmoCRM.
error-client_secret_wrong = The secret key does not fit.
error-client_secret_wrong-remedy = Copy the "Secret key" of the integration to AMOCRM_CLIENT_SECRET; if it was made anew, connect again.
error-redirect_uri_wrong = The redirect address does not match.
error-redirect_uri_wrong-remedy = Make it in the integration exactly as AMOCRM_REDIRECT_URI is, to the last slash.
error-account_wrong = Access was allowed in another account.
error-account_wrong-remedy = Sign in to the AmoCRM account that AMOCRM_SUBDOMAIN names, or correct the setting.
error-account_gone = There is no AmoCRM account at this address.
error-account_gone-remedy = Check AMOCRM_SUBDOMAIN: the account may have been renamed.
error-client_not_allowed = The account does not accept this integration.
error-client_not_allowed-remedy = Check that the integration is installed in the account and that the account is paid for.
error-grant_revoked = Access is revoked: the refresh key has been used already or switched off.
error-grant_revoked-remedy = Press "Connect again". Check that no other program works with the same keys.
error-grant_expired = Access has run out: it was not used for three months.
error-grant_expired-remedy = Press "Connect again".
error-grant_invalid = AmoCRM did not accept the refresh key.
error-grant_invalid-remedy = Press "Connect again".
error-token_answer_incomplete = AmoCRM answered without a new key.
error-token_answer_incomplete-remedy = Press "Connect again".
error-refresh_stuck = Refreshing the key did not end in time.
error-refresh_stuck-remedy = Try again in a minute. If that does not help, press "Connect again".
error-long_lived_not_refreshed = A long-lived token is not refreshed.
error-long_lived_not_refreshed-remedy = Make a new one in AmoCRM and enter it as AMOCRM_ACCESS_TOKEN.
error-long_lived_expired = The long-lived token has run out.
error-long_lived_expired-remedy = Make a new one in AmoCRM on the tab "Keys and scopes" and enter it as AMOCRM_ACCESS_TOKEN.

error-secret_key_wrong = SECRET_KEY does not fit the stored keys.
error-secret_key_wrong-remedy = Put the former SECRET_KEY back (or the file data/secret.key). If it is lost, connect AmoCRM again.
error-secret_key_empty = The file data/secret.key is empty.
error-secret_key_empty-remedy = Restore it from a copy. If it is lost, delete the file and connect AmoCRM again.
error-database_unreachable = The database cannot be reached.
error-database_unreachable-remedy = Check DATABASE_URL, that its server runs, and that the disk is not full.
error-database_newer = A newer version of Lead Desk has changed the database already.
error-database_newer-remedy = Start the newer version or restore the database from a copy.
error-worker_died = The program stopped while the lead was on its way.
error-worker_died-remedy = Look for the lead in AmoCRM by its phone.

error-field_purpose_unknown = There is no such use for a field.
error-field_purpose_unknown-remedy = Reload the page.
error-field_missing = The account has no such field.
error-field_missing-remedy = Press "Read the fields from AmoCRM" and choose from the list.
error-field_type_wrong = The field has the wrong type.
error-field_type_wrong-remedy = Choose another or make a new one.
error-field_label_wrong = The title does not fit.
error-field_label_wrong-remedy = 1 to 60 ordinary characters.
error-field_taken = This field is in use already.
error-field_taken-remedy = Choose another.
error-too_many_fields = The form has too many fields already.
error-too_many_fields-remedy = Remove those you do not need.

error-lead_invalid = The lead is not accepted: mend the fields named.
error-lead_invalid-remedy = Each field says what is wrong.
error-lead_unknown = There is no such lead.
error-lead_unknown-remedy = Check the id in the answer to POST /api/crm.
error-request_invalid = The request is not well formed.
error-request_invalid-remedy = See the description: /api/openapi.json.
error-no_such_address = There is no such address.
error-no_such_address-remedy = See the description: /api/openapi.json.
error-wrong_method = This address is not called like that.
error-wrong_method-remedy = See the description: /api/openapi.json.
error-api_shut = This way in is shut: no key is set for it.
error-api_shut-remedy = Set ADMIN_API_KEY or INTAKE_API_KEY in .env and start again.
error-api_key_wrong = The key does not fit.
error-api_key_wrong-remedy = Send it like this: Authorization: Bearer key.
error-json_wanted = JSON is wanted.
error-json_wanted-remedy = Send the header Content-Type: application/json.
error-json_broken = This is not JSON.
error-json_broken-remedy = Check the quotes and that it is UTF-8.
error-object_wanted = A JSON object is wanted.
error-object_wanted-remedy = An example: {"{"}"name": "Ivan", "phone": "+7 999 123-45-67"{"}"}
error-too_large_body = The request is too large.
error-too_large_body-remedy = At most 64 KB.
