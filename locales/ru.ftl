# Каждое слово, которое читает человек. Ключи те же, что в en.ftl; это проверяет тест.

## Рамка

language = Язык
menu-amocrm = AmoCRM
demo-banner = Демонстрация: учебная AmoCRM на этом компьютере, люди вымышлены. Как подключить свою, сказано в README.
demo-starting = Запускаем учебную AmoCRM…
as-of = По состоянию на { $time }
refresh = Обновить
open = Открыть
cancel = Отмена
ok = успешно
any = Все
any-choice = Не выбрано
unknown = Не указан
go-connection = Открыть страницу «Подключение»
error-support = Для поддержки: { $details }

## Лиды

leads-title = Лиды
leads-help = Кто пришёл, откуда и что с ним стало: поиск, период, этап и источник.
leads-period = Период
leads-range = Дни
period-today = Сегодня
period-7 = 7 дней
period-30 = 30 дней
period-90 = 90 дней
period-180 = 180 дней
period-own = Свой
leads-search = Поиск
leads-search-hint = Имя, телефон или номер сделки
leads-stage = Этап
leads-source = Источник
leads-created = Когда
leads-name = Имя
leads-phone = Телефон
leads-direction = Направление
leads-responsible = Ответственный
leads-price = Бюджет
leads-link = AmoCRM
leads-count = { $count ->
    [one] **{ $count }** лид
    [few] **{ $count }** лида
   *[many] **{ $count }** лидов
  }
leads-reading = Читаем лиды из AmoCRM…
leads-read = { $count ->
    [one] Прочитан { $count } лид
    [few] Прочитано { $count } лида
   *[many] Прочитано { $count } лидов
  }
leads-none = За этот период лидов не было. Выберите период длиннее или нажмите «Обновить».
leads-none-found = Под эти фильтры не подходит ни один лид.
leads-clear = Сбросить фильтры
leads-cut = Лидов за период слишком много, показаны самые новые. Выберите период короче.

## Новый лид

new-title = Новый лид
new-help = Записать лид, пока человек на линии: телефон, имя, направление, источник, сообщение.
new-phone = Телефон
new-name = Имя
new-direction = Направление
new-direction-hint = Например, йога
new-source = Источник
new-source-hint = Например, звонок
new-message = Сообщение
new-submit = Сохранить
new-keys = Tab — следующее поле, Enter — сохранить (в сообщении Ctrl+Enter).
new-empty = Введите телефон и имя и нажмите Enter. Лид сразу сохраняется у нас и уходит в AmoCRM; здесь будет видно, где он.
new-accepted = Сохранено. Передаём в AmoCRM…
new-waiting = Сохранено у нас, в AmoCRM уйдёт само.
new-delivered = В AmoCRM за { $seconds } с
new-unknown = Сохранено у нас, но AmoCRM не подтвердила приём: связь оборвалась на середине. Повторно не отправляем, чтобы не задвоить. Найдите лид в AmoCRM по телефону.
new-refused = Сохранено у нас, но AmoCRM не приняла содержание:
new-open = Открыть сделку { $id }
lead-name-direction = { $direction }: { $name }
note-value = { $label }: { $value }

field-missing = Заполните это поле.
field-not_text = Здесь должен быть текст.
field-too_long = Слишком длинно: не больше { $limit ->
    [one] { $limit } символа
   *[other] { $limit } символов
  }.
field-control = В тексте есть непечатаемые символы. Введите его заново.
field-markup = Знаки < и > здесь не нужны: это не веб-страница.
field-formula = Текст не может начинаться с =, +, - или @.
field-symbols = Только буквы, цифры и обычные знаки препинания, без картинок.
field-no_letters = Нужна хотя бы одна буква.
field-phone_too_long = Слишком длинно для номера телефона.
field-phone_letters = В номере телефона не бывает букв.
field-phone_short = Не хватает цифр: нужно 10 после восьмёрки или +7.
field-phone_wrong = Такого номера не бывает. Проверьте код и число цифр.
field-not_a_choice = Выберите значение из списка.
field-not_a_number = Здесь должно быть число.
field-not_a_date = Здесь должна быть дата, например 2026-03-08.
field-not_an_address = Здесь должен быть адрес, который начинается с http:// или https://.

## Подключение

connection-title = Подключение
connection-help = Доступ к AmoCRM: состояние, срок, обновить, отключить, подключить заново.
connection-state-connected = Подключено
connection-state-not_connected = Не подключено
connection-state-broken = Связь потеряна
connection-how = Нажмите «Подключить AmoCRM» и разрешите доступ на открывшейся странице. Делать это должен администратор аккаунта.
connection-done = AmoCRM подключена.
connection-left = Ключ действует ещё
connection-expires = Истекает { $time }. Обновится сам, заранее.
connection-account = Аккаунт
connection-address = Адрес
connection-by = Кто подключил
connection-at = Когда
connection-refreshed = Последнее обновление
connection-not-yet = ещё не требовалось
connection-attempt = Последняя попытка
connection-actions = Действия
connection-connect = Подключить AmoCRM
connection-reconnect = Подключить заново
connection-connect-help = Откроется страница AmoCRM, где администратор разрешает доступ.
connection-refresh = Обновить сейчас
connection-refreshed-now = Ключ обновлён.
connection-disconnect = Отключить
connection-disconnected = Отключено. Лиды из форм по-прежнему принимаются и ждут подключения.
connection-disconnect-sure = Отключить AmoCRM?
connection-disconnect-effect = Ключи будут стёрты здесь. Новые лиды будут сохраняться у нас и уйдут в AmoCRM, когда вы подключите её снова.
connection-paste = Вставить код вручную
connection-paste-help = Если AmoCRM не может вернуть браузер на этот компьютер: откройте интеграцию, вкладка «Ключи и доступы», скопируйте код авторизации. Он живёт 20 минут и срабатывает один раз.
connection-code = Код авторизации
connection-use-code = Подключить по коду
connection-long-lived = Используется долгосрочный токен из настройки AMOCRM_ACCESS_TOKEN. Он не обновляется; новый создаёт администратор AmoCRM на вкладке «Ключи и доступы».
connection-setup = Что указать в интеграции AmoCRM
connection-setup-steps = AmoCRM → Настройки → Интеграции → «Создать интеграцию» → «Внешняя». Разрешить доступ ко всем данным. Ссылку для перенаправления укажите точно такую, до последнего знака:

## Поля

fields-title = Поля
fields-help = Какие поля AmoCRM что хранят; добавить поле в форму без программиста.
fields-intro = Слева — что нужно столу, справа — поле вашей AmoCRM. Выбор действует сразу.
fields-reread = Прочитать поля из AmoCRM
fields-reading = Читаем поля…
fields-chosen = Сохранено, действует уже сейчас.
fields-created = Поле создано в AmoCRM и выбрано.
fields-choose = Выберите поле
fields-create = Создать
fields-create-help = Создаст в AmoCRM поле подходящего типа и выберет его.
fields-reset = Как в настройках
fields-remove = Убрать
fields-added = Ещё в форме
fields-added-help = Эти поля появляются в форме нового лида и принимаются в POST /api/crm под именем, указанным под названием.
fields-add = Добавить
fields-add-which = Поле AmoCRM
fields-add-label = Как назвать в форме
fields-add-label-hint = Как в AmoCRM
fields-all = Все поля аккаунта
fields-entity-leads = Сделка
fields-entity-contacts = Контакт
fields-verdict-ok = Есть, тип { $type }
fields-verdict-missing = Поля { $id } нет в аккаунте
fields-verdict-wrong_type = Поле { $id } не того типа: { $type }
fields-column-id = Номер
fields-column-name = Название
fields-column-type = Тип
fields-column-code = Код
fields-column-choices = Значения
field-of-phone = Телефон
field-of-direction = Направление тренировки
field-of-source = Источник
field-of-contact_phone = Телефон контакта

## Журнал

activity-title = Журнал
activity-help = Все операции с AmoCRM: что, когда, чем кончилось, и что проверить при ошибке.
activity-kind = Что показать
activity-kind-token = Ключи
activity-kind-lead = Лиды
activity-kind-contact = Контакты
activity-kind-field = Поля
activity-kind-read = Чтение
activity-kind-problems = Ошибки
activity-none = Операций пока не было.
activity-advice = Что проверить: { $count ->
    [one] { $count } вид ошибок
    [few] { $count } вида ошибок
   *[many] { $count } видов ошибок
  }
operation-token-exchange = Получен ключ
operation-token-refresh = Обновлён ключ
operation-token-consent = Согласие администратора
operation-token-disconnect = Отключение
operation-account-get = Чтение аккаунта
operation-users-list = Чтение людей
operation-pipelines-list = Чтение воронок
operation-leads-list = Чтение лидов
operation-leads-create = Создание лида
operation-contacts-list = Чтение контактов
operation-contacts-search = Поиск контакта
operation-contacts-create = Создание контакта
operation-notes-create = Примечание к лиду
operation-fields-leads = Чтение полей сделки
operation-fields-contacts = Чтение полей контакта
operation-fields-create = Создание поля
activity-kind-column = Вид
activity-at = Время
activity-operation = Операция
activity-result = Итог
activity-duration = мс
activity-request = Номер запроса
activity-subject = О чём

## Закрыто

closed-title = Этот стол открыт только на своём компьютере
closed-why = Вход по паролю не настроен, поэтому страницы видит только браузер на том же компьютере, где запущен Lead Desk.
closed-how = Сидя за другим компьютером, пробросьте порт по SSH:
closed-host = сервер
closed-then = и откройте http://localhost:8501 в своём браузере.

## Настройки

settings-wrong = Lead Desk не запущен: настройки заполнены с ошибками.
settings-where = Исправьте их в файле .env или .env.local (образец в .env.example) и запустите снова.
setting-choice = допустимо одно из: { $hint }.
setting-subdomain = нужно только имя до первой точки, например «fitzone» для fitzone.amocrm.ru.
setting-subdomain-hint = нужно только имя до первой точки. Вы имели в виду «{ $hint }»?
setting-spaces = внутри не должно быть пробелов.
setting-not_ascii = только латинские буквы, цифры и знаки. Скопируйте значение заново.
setting-too_short = слишком коротко: нужно не меньше { $hint } знаков.
setting-number = нужно число.
setting-range = число вне пределов: { $hint }.
setting-url = нужен полный адрес, например https://desk.example.ru.
setting-url_extra = в адресе не должно быть имени, пароля, «?» и «#».
setting-https = нужен адрес https://: по нему передаются секреты.
setting-origin = нужны адреса сайтов без пути, через запятую. Не подходит: { $hint }.
setting-timezone = неизвестный часовой пояс. Пример: Europe/Moscow.
setting-database = нужен адрес базы: sqlite:///data/desk.db или postgresql://пользователь:пароль@сервер/база.
setting-too_long = слишком длинно: не больше { $hint } знаков.
setting-control = есть непечатаемые символы. Скопируйте значение заново.
setting-placeholder = осталось значение из образца. Впишите своё.
setting-missing = не задано.
setting-unknown = такой настройки нет.
setting-unknown-hint = такой настройки нет. Вы имели в виду { $hint }?

## Ошибки: что случилось и что делать

error-unknown = Неизвестная ошибка ({ $code }).
error-unknown-remedy = Повторите. Если не пройдёт, откройте «Журнал» и передайте номер запроса в поддержку AmoCRM.
error-desk_failed = На этой странице сломались мы сами.
error-desk_failed-remedy = Обновите страницу. Если повторится, подробности в консоли, где запущен Lead Desk.
error-settings_wrong = Настройки заполнены с ошибками.
error-settings_wrong-remedy = Исправьте файл .env и запустите снова.
error-not_connected = AmoCRM не подключена.
error-not_connected-remedy = Администратору: откройте «Подключение» и нажмите «Подключить AmoCRM».
error-token_rejected = AmoCRM не приняла ключ доступа (401).
error-token_rejected-remedy = Откройте «Подключение» и подключите заново. Проверьте, не отключил ли администратор интеграцию в AmoCRM.
error-unpaid = AmoCRM отвечает, что аккаунт не оплачен (402).
error-unpaid-remedy = Проверьте оплату в AmoCRM. Если оплачено, подождите минут десять: ночью такой ответ бывает по ошибке.
error-rights_missing = Не хватает прав (403).
error-rights_missing-remedy = Подключите AmoCRM под администратором и проверьте права интеграции на вкладке «Ключи и доступы».
error-blocked = AmoCRM заблокировала запросы аккаунта или этого адреса (403).
error-blocked-remedy = Напишите в поддержку AmoCRM: блокировку снимают только они. Проверьте, не шлёт ли запросы другая программа.
error-not_found = В AmoCRM этого уже нет (404).
error-not_found-remedy = Обновите страницу: запись могли удалить.
error-rate_limited = AmoCRM просит подождать: слишком много запросов (429).
error-rate_limited-remedy = Ничего не делайте, продолжим сами. Если повторяется, проверьте, не работает ли с аккаунтом другая программа.
error-server_error = AmoCRM не справилась с запросом (5xx).
error-server_error-remedy = Обычно проходит за несколько минут. Проверьте страницу состояния AmoCRM.
error-server_hiccup = AmoCRM просит повторить запрос (400, системная ошибка).
error-server_hiccup-remedy = Это временно, повторите через минуту.
error-lead_deleted = Эта сделка удалена в AmoCRM (400).
error-lead_deleted-remedy = Восстановите её из корзины AmoCRM или заведите новую.
error-validation = AmoCRM не приняла значения полей (400).
error-validation-remedy = Проверьте на странице «Поля», что поля есть и нужного типа.
error-too_many_items = Слишком много записей в одном запросе (422).
error-too_many_items-remedy = Это ошибка программы: передайте номер запроса разработчику.
error-bad_request = AmoCRM не поняла запрос (400).
error-bad_request-remedy = Проверьте страницу «Поля». Если там всё в порядке, передайте номер запроса разработчику.
error-unexpected_answer = AmoCRM ответила не так, как описано.
error-unexpected_answer-remedy = Проверьте адрес аккаунта в настройках. Если он верен, передайте номер запроса в поддержку.
error-too_slow = AmoCRM не ответила вовремя.
error-too_slow-remedy = Проверьте интернет на этом компьютере. Если он есть, подождите: AmoCRM перегружена.
error-cut_off = Связь с AmoCRM оборвалась на середине.
error-cut_off-remedy = Проверьте интернет на этом компьютере и повторите.
error-tls_failed = Не удалось установить защищённое соединение с AmoCRM.
error-tls_failed-remedy = Проверьте дату и время на этом компьютере и не подменяет ли сертификаты антивирус или прокси.
error-name_unknown = Адрес AmoCRM не найден.
error-name_unknown-remedy = Проверьте AMOCRM_SUBDOMAIN в настройках и работу DNS.
error-unreachable = AmoCRM недоступна: соединение не устанавливается.
error-unreachable-remedy = Проверьте интернет, брандмауэр и прокси на этом компьютере.
error-garbled = AmoCRM ответила чем-то неразборчивым.
error-garbled-remedy = Проверьте адрес аккаунта в настройках; возможно, отвечает не AmoCRM, а страница провайдера.
error-too_large = Ответ AmoCRM слишком велик.
error-too_large-remedy = Проверьте адрес аккаунта в настройках.
error-same_page = AmoCRM присылает одну и ту же страницу списка.
error-same_page-remedy = Повторите позже; если не пройдёт, передайте номер запроса разработчику.
error-filter_ignored = AmoCRM не применила фильтр: показать неверные числа было бы хуже, чем не показать.
error-filter_ignored-remedy = Повторите позже; если не пройдёт, передайте номер запроса разработчику.

error-consent_denied = Доступ не разрешён: на странице AmoCRM нажали отказ.
error-consent_denied-remedy = Ничего не изменилось. Чтобы подключить, начните снова и нажмите «Разрешить».
error-state_unknown = Этот ответ AmoCRM не относится ни к одному начатому подключению.
error-state_unknown-remedy = Начните подключение отсюда ещё раз. Ссылка из истории браузера второй раз не срабатывает.
error-state_expired = Подключение начали слишком давно.
error-state_expired-remedy = Начните ещё раз: на странице AmoCRM есть 20 минут.
error-state_of_another_browser = Подключение начал другой браузер.
error-state_of_another_browser-remedy = Начните и закончите в одном и том же браузере.
error-referer_unknown = Ответ пришёл не с адреса AmoCRM, секрет туда не отправлен.
error-referer_unknown-remedy = Начните подключение отсюда ещё раз. Если повторится, проверьте, кто прислал ссылку.
error-integration_missing = Не заданы AMOCRM_CLIENT_ID и AMOCRM_CLIENT_SECRET.
error-integration_missing-remedy = Впишите их в .env: они на вкладке «Ключи и доступы» интеграции.
error-code_expired = Код авторизации просрочен: он живёт 20 минут.
error-code_expired-remedy = Получите новый код и вставьте сразу.
error-code_used = Этот код авторизации уже использован.
error-code_used-remedy = Получите новый код: каждый срабатывает один раз.
error-code_invalid = Код авторизации не подходит.
error-code_invalid-remedy = Скопируйте код целиком, из той интеграции, чей CLIENT_ID указан в настройках.
error-client_id_wrong = AmoCRM не знает такой CLIENT_ID.
error-client_id_wrong-remedy = Сверьте AMOCRM_CLIENT_ID с полем «ID интеграции» в AmoCRM.
error-client_secret_wrong = Секретный ключ не подходит.
error-client_secret_wrong-remedy = Скопируйте «Секретный ключ» из интеграции в AMOCRM_CLIENT_SECRET; если его перевыпускали, подключите заново.
error-redirect_uri_wrong = Ссылка для перенаправления не совпадает.
error-redirect_uri_wrong-remedy = Сделайте её в интеграции точно такой же, как AMOCRM_REDIRECT_URI, до последней косой черты.
error-account_wrong = Доступ разрешён в другом аккаунте.
error-account_wrong-remedy = Войдите в AmoCRM в тот аккаунт, что указан в AMOCRM_SUBDOMAIN, или исправьте настройку.
error-account_gone = По этому адресу аккаунта AmoCRM нет.
error-account_gone-remedy = Проверьте AMOCRM_SUBDOMAIN: аккаунт могли переименовать.
error-client_not_allowed = Аккаунт не принимает эту интеграцию.
error-client_not_allowed-remedy = Проверьте, что интеграция установлена в аккаунте и аккаунт оплачен.
error-grant_revoked = Доступ отозван: ключ обновления уже использован или отключён.
error-grant_revoked-remedy = Нажмите «Подключить заново». Проверьте, что с теми же ключами не работает другая программа.
error-grant_expired = Доступ просрочен: им не пользовались три месяца.
error-grant_expired-remedy = Нажмите «Подключить заново».
error-grant_invalid = AmoCRM не приняла ключ обновления.
error-grant_invalid-remedy = Нажмите «Подключить заново».
error-token_answer_incomplete = AmoCRM ответила без нового ключа.
error-token_answer_incomplete-remedy = Нажмите «Подключить заново».
error-refresh_stuck = Обновление ключа не закончилось вовремя.
error-refresh_stuck-remedy = Повторите через минуту. Если не пройдёт, нажмите «Подключить заново».
error-long_lived_not_refreshed = Долгосрочный токен не обновляется.
error-long_lived_not_refreshed-remedy = Создайте новый в AmoCRM и впишите в AMOCRM_ACCESS_TOKEN.
error-long_lived_expired = Долгосрочный токен просрочен.
error-long_lived_expired-remedy = Создайте новый в AmoCRM на вкладке «Ключи и доступы» и впишите в AMOCRM_ACCESS_TOKEN.

error-secret_key_wrong = SECRET_KEY не подходит к сохранённым ключам.
error-secret_key_wrong-remedy = Верните прежний SECRET_KEY (или файл data/secret.key). Если он утрачен, подключите AmoCRM заново.
error-secret_key_empty = Файл data/secret.key пуст.
error-secret_key_empty-remedy = Верните его из копии. Если он утрачен, удалите файл и подключите AmoCRM заново.
error-database_unreachable = База данных недоступна.
error-database_unreachable-remedy = Проверьте DATABASE_URL и что сервер базы запущен, а диск не полон.
error-database_newer = Базу уже обновила более новая версия Lead Desk.
error-database_newer-remedy = Запустите новую версию или верните базу из копии.
error-worker_died = Программа остановилась, пока лид передавался.
error-worker_died-remedy = Найдите лид в AmoCRM по телефону.

error-field_purpose_unknown = Такого назначения поля нет.
error-field_purpose_unknown-remedy = Обновите страницу.
error-field_missing = Такого поля нет в аккаунте.
error-field_missing-remedy = Нажмите «Прочитать поля из AmoCRM» и выберите из списка.
error-field_type_wrong = Поле не того типа.
error-field_type_wrong-remedy = Выберите другое или создайте новое.
error-field_label_wrong = Название не подходит.
error-field_label_wrong-remedy = От 1 до 60 обычных знаков.
error-field_taken = Это поле уже используется.
error-field_taken-remedy = Выберите другое.
error-too_many_fields = В форме уже слишком много полей.
error-too_many_fields-remedy = Уберите ненужные.

error-lead_invalid = Лид не принят: исправьте отмеченные поля.
error-lead_invalid-remedy = У каждого поля указано, что не так.
error-lead_unknown = Такого лида нет.
error-lead_unknown-remedy = Проверьте номер из ответа на POST /api/crm.
error-request_invalid = Запрос составлен неверно.
error-request_invalid-remedy = Сверьтесь с описанием: /api/openapi.json.
error-no_such_address = Такого адреса нет.
error-no_such_address-remedy = Сверьтесь с описанием: /api/openapi.json.
error-wrong_method = Этот адрес так не вызывают.
error-wrong_method-remedy = Сверьтесь с описанием: /api/openapi.json.
error-api_shut = Этот вход закрыт: ключ для него не задан.
error-api_shut-remedy = Задайте ADMIN_API_KEY или INTAKE_API_KEY в .env и перезапустите.
error-api_key_wrong = Ключ не подходит.
error-api_key_wrong-remedy = Передайте его так: Authorization: Bearer ключ.
error-json_wanted = Нужен JSON.
error-json_wanted-remedy = Передайте заголовок Content-Type: application/json.
error-json_broken = Это не JSON.
error-json_broken-remedy = Проверьте кавычки и кодировку UTF-8.
error-object_wanted = Нужен объект JSON.
error-object_wanted-remedy = Пример: {"{"}"name": "Иван", "phone": "+7 999 123-45-67"{"}"}
error-too_large_body = Слишком большой запрос.
error-too_large_body-remedy = Не больше 64 КБ.
