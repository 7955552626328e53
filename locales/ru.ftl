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
unknown = Не указано
go-connection = К подключению
error-support = Для поддержки: { $details }

## Лиды

leads-title = Лиды
leads-help = Кто пришёл, откуда и что с ним стало: все лиды, поиск и фильтры.
leads-period = Период
leads-range = Дни, с первого по последний
period-all = Всё время
period-today = Сегодня
period-yesterday = Вчера
period-7 = 7 дней
period-30 = 30 дней
period-90 = 90 дней
period-180 = 180 дней
period-own = Свой
leads-search = Поиск
leads-search-hint = Имя, телефон или номер сделки
leads-search-help = Имя — в любом регистре, «е» и «ё» одинаковы. Телефон — в любом написании, хватит четырёх цифр подряд; ищем по всем номерам контакта. Номер сделки — целиком или часть. Текст поиска не попадает ни в адрес страницы, ни в сохранённые виды.
leads-name = Имя
leads-phone = Телефон
leads-link = AmoCRM
leads-link-help = Открыть в AmoCRM
leads-column-created_at = Когда
leads-column-name = Имя
leads-column-phone = Телефон
leads-column-direction = Направление
leads-column-source = Источник
leads-column-stage = Этап
leads-column-responsible = Ответственный
leads-column-price_rub = Бюджет
leads-column-updated_at = Изменён
leads-column-task = Задача на
leads-column-utm_source = utm_source
leads-column-utm_medium = utm_medium
leads-column-utm_campaign = utm_campaign
leads-column-id = Номер
leads-column-pipeline = Воронка
leads-column-attention = Требуют внимания
leads-attention-no_task = Нет открытой задачи
leads-attention-overdue = Задача просрочена
leads-attention-untouched = Давно не трогали
leads-attention-no_phone = Нет телефона
leads-attention-nobody = Нет ответственного
leads-attention-no_source = Нет источника
leads-attention-help = Только лиды, которые ещё в работе. «Нет открытой задачи» — никто не запланировал следующий шаг. «Задача просрочена» — срок ближайшей открытой задачи прошёл. «Давно не трогали» — в AmoCRM ничего не менялось { $days ->
    [one] { $days } день
    [few] { $days } дня
   *[many] { $days } дней
} или дольше. «Нет телефона» — ни у контакта, ни в сделке. «Нет ответственного» — в AmoCRM никто не назначен. «Нет источника» — поле пустое. Если выбрать несколько, подойдёт любая из причин.
leads-parameter-period = период
leads-parameter-from = начало периода
leads-parameter-to = конец периода
leads-parameter-pipeline = воронка
leads-parameter-stage = этап
leads-parameter-responsible = ответственный
leads-parameter-source = источник
leads-parameter-direction = направление
leads-parameter-utm_source = utm_source
leads-parameter-utm_medium = utm_medium
leads-parameter-utm_campaign = utm_campaign
leads-parameter-attention = требуют внимания
leads-parameter-sort = сортировка
leads-parameter-columns = столбцы
leads-parameter-size = строк на странице
leads-parameter-page = номер страницы
leads-parameter-lead = номер лида
leads-parameter-view = сохранённый вид
leads-address-faulty = В адресе страницы не всё понятно: { $names }. Остальное применено; чего не хватает, выберите заново.
leads-more = Ещё фильтры
leads-look = Столбцы и порядок
leads-columns = Столбцы
leads-sort = Сортировать по
leads-descending = Сначала большие и новые
leads-size = Строк на странице
leads-nobody = Никто
leads-gone = Такого больше нет
leads-count = { $count ->
    [one] **{ $count }** лид
    [few] **{ $count }** лида
   *[many] **{ $count }** лидов
}
leads-arrived = { $count ->
    [one] { $count } новый лид — показать
    [few] { $count } новых лида — показать
   *[many] { $count } новых лидов — показать
}
leads-changed = Список изменился — показать
leads-none = Лидов пока нет. Как только в AmoCRM появится первый, он покажется здесь сам.
leads-none-found = Под поиск и фильтры не подходит ни один лид. Поправьте поиск, сбросьте фильтры или выберите период длиннее.
leads-clear = Сбросить фильтры
leads-card = Лид № { $id }
leads-card-unknown = Такого лида здесь нет. Возможно, ссылка неполная или лид ещё не прочитан из AmoCRM.
leads-card-deleted = Этот лид удалён в AmoCRM.
leads-no-phone = Телефона нет
leads-others = Другие контакты сделки
leads-lead-name = Название сделки
leads-closed = Закрыт
leads-loss-reason = Причина отказа
leads-no-task = Открытых задач нет
leads-task-late = Просрочена: { $time }
leads-history = По этапам
leads-history-none = Этап ещё не меняли.
leads-history-from = Переходов не видно. История этапов прочитана начиная с { $time }.
leads-own = Пришёл через Lead Desk
leads-delivered = В AmoCRM
leads-consent-given = версия { $version }, { $time }, форма «{ $form }»
leads-consent-none = Не записано
leads-to-delivery = Доставка этого лида
leads-views = Виды
leads-views-none = Сохранённых видов пока нет.
leads-view-own = Ваш вид
leads-view-shared = Общий вид
leads-view-name = Название этого вида
leads-view-share = Сделать общим
leads-view-unshare = Оставить только себе
leads-view-delete = Удалить
leads-view-undo = Вернуть удалённый вид
leads-view-new = Сохранить то, что на экране
leads-view-hint = Название вида
leads-view-for-all = Для всех
leads-view-nobodys = Пока в боковой панели не сказано, кто вы, вид сохранится для всех.
leads-view-save = Сохранить вид
leads-view-no-search = Сохраняются фильтры, порядок и столбцы. Текст поиска не сохраняется.
leads-view-nameless = Назовите вид: до 60 букв, без < и >.
mirror-empty = Лиды из AmoCRM ещё не прочитаны. Чтение начнётся само, как только AmoCRM подключена.
mirror-filling = { $count ->
    [one] Читаем лиды из AmoCRM: прочитан { $count }. Новые — первыми, список пополняется сам; числа пока не полные.
    [few] Читаем лиды из AmoCRM: прочитано { $count }. Новые — первыми, список пополняется сам; числа пока не полные.
   *[many] Читаем лиды из AmoCRM: прочитано { $count }. Новые — первыми, список пополняется сам; числа пока не полные.
}
mirror-stale = Данные на { $time }: с тех пор AmoCRM не удалось опросить. Новых лидов здесь может не быть.
mirror-stale-clock = Данные на { $time }. С тех пор перевели часы, и насколько данные свежие, неизвестно: стол опрашивает AmoCRM заново.
mirror-failed = Лиды из AmoCRM прочитать не удалось.

## Новый лид

new-title = Новый лид
new-help = Записать лид, пока человек на линии: телефон, имя, направление, источник, сообщение.
new-moment-hint = 08.03.2026 18:30
new-phone = Телефон
new-name = Имя
new-name-offer = Другая раскладка? { $name }
new-direction = Направление
new-direction-hint = Например, йога
new-source = Источник
new-source-hint = Например, звонок
new-message = Сообщение
new-accepted = Сохранено. Передаём в AmoCRM…
new-waiting = Сохранено у нас, в AmoCRM уйдёт само.
new-delivered = В AmoCRM за { $seconds } с, считая от сохранения
new-not-saved = Ещё не сохранено: исправьте отмеченные поля.
new-unknown = Сохранено у нас. Ответ AmoCRM не дошёл; ищем лид там сами, чтобы не задвоить.
new-needs-decision = Сохранено у нас. Дошёл ли лид до AmoCRM, решит человек на странице «Доставка».
new-dropped = Убран.
new-to-deliveries = Доставка
new-refused = Сохранено у нас, но AmoCRM не приняла содержание:
new-open = Открыть сделку { $id }
lead-name-direction = { $direction }: { $name }
note-value = { $label }: { $value }
note-check-phone = Проверьте номер. { $why }
note-name-layout = Имя, похоже, набрано в другой раскладке: { $name }
phone-extension = доб.
note-consent = Согласие на обработку данных: версия { $version }, { $time }, форма «{ $form }», адрес { $ip }

field-missing = Заполните это поле.
field-not_text = Здесь должен быть текст.
field-not_yes_or_no = Здесь должно быть true или false.
field-too_long = Слишком длинно: не больше { $limit ->
    [one] { $limit } символа
   *[other] { $limit } символов
  }.
field-markup = Знаки < и > здесь не нужны: это не веб-страница.
field-formula = Так текст не может начинаться: это формула таблицы. Уберите знак в начале.
field-no_letters = Нужна хотя бы одна буква.
field-phone_none = Здесь нет номера телефона.
field-phone_short = Не хватает цифр: в номере { $limit ->
    [one] { $limit } цифра
    [few] { $limit } цифры
   *[many] { $limit } цифр
  }, а нужно 11 вместе с 8 или +7.
field-phone_short_bare = Не хватает цифр: в номере { $limit ->
    [one] { $limit } цифра
    [few] { $limit } цифры
   *[many] { $limit } цифр
  }, а без 8 или +7 нужно 10.
field-phone_long = Лишние цифры: в номере { $limit ->
    [one] { $limit } цифра
    [few] { $limit } цифры
   *[many] { $limit } цифр
  }, а нужно 11 вместе с 8 или +7.
field-phone_long_bare = Лишние цифры: в номере { $limit ->
    [one] { $limit } цифра
    [few] { $limit } цифры
   *[many] { $limit } цифр
  }, а без 8 или +7 нужно 10.
field-phone_mask = После +7 снова набрана 8 или 7, и последняя цифра не поместилась. Наберите после +7 только 10 цифр.
field-phone_code = Такого номера не бывает: этого кода нет. Проверьте цифры после 8 или +7.
field-phone_abroad = Такого номера не бывает: в нём { $limit ->
    [one] { $limit } цифра
    [few] { $limit } цифры
   *[many] { $limit } цифр
  }, в этой стране их не столько. Проверьте код и число цифр.
field-not_a_choice = Выберите значение из списка.
field-not_a_tick = Здесь должно быть «да» или «нет».
field-not_a_number = Здесь должно быть число.
field-not_a_date = Здесь должна быть дата, например 08.03.2026.
field-not_a_moment = Здесь должны быть дата и время, например 08.03.2026 18:30.
field-not_an_address = Здесь должен быть адрес, который начинается с http:// или https://.
field-taken = Такое название уже есть.
field-too_many = Слишком много: не больше { $limit }.
field-out_of_range = От 0 до { $limit }.
field-not_a_site = Здесь нужны адреса сайтов, по одному в строке: https://fit.ru

## Звонок: форма

new-turn = Ход
new-next = Следующий звонок
new-draft = Продолжить: { $who }
new-clear = Очистить
new-cleared = Форма очищена.
new-saved = Сохранено. Уйдёт в AmoCRM через { $seconds } с.
new-undo = Вернуть
new-undone = Возвращено в форму: в AmoCRM ничего не ушло.
new-saved-elsewhere = Этот звонок уже сохранён в другой вкладке. Начните следующий: Alt+N.
call-save-new = Сохранить
call-save-add = Добавить к сделке
call-save-same = Сохранить новую сделку этого человека
call-save-other = Сохранить как другого человека
call-heard = Откуда узнали о нас
call-heard-not_asked = Не спросили
call-heard-friend = Друзья, знакомые
call-heard-search = Поиск в интернете
call-heard-maps = Карты, 2ГИС
call-heard-social = Соцсети
call-heard-street = Проходили мимо
call-heard-ad = Реклама
call-heard-was_member = Уже занимались у нас
call-heard-other = Другое
call-outcome = Итог звонка
call-outcome-talked = Поговорили
call-outcome-busy = Неудобно говорить
call-outcome-no_answer = Не дозвонились
call-outcome-wrong_number = Не тот номер
call-outcome-refused = Отказ
call-step = Что дальше
call-step-call_back = Перезвонить
call-step-visit = Визит
call-step-trial = Пробное
call-step-nothing = Ничего
call-reason = Почему ничего
call-reason-hint = Например, уже купил абонемент
call-when = Когда
call-when-quarter = Через 15 минут
call-when-hour = Через час
call-when-three_hours = Через три часа
call-when-evening = Вечером, в 18:00
call-when-morning = Завтра утром, в 10:00
call-when-own = В другое время
call-day = День
call-time = Время
call-who = Кто
call-who-anyone = Кто свободен
call-who-me = Я
call-consent = Согласие на обработку данных дано вслух
call-consent-help = Прочтите текст согласия из скрипта. Версия текста, время и ваше имя сохранятся с лидом и уйдут в AmoCRM.
call-note = Звонок { $time }: { $name }, { $phone }. Принял: { $operator }
call-task-call_back = Перезвонить: { $name }, { $phone } ({ $who })
call-task-visit = Визит: { $name }, { $phone } ({ $who })
call-task-trial = Пробное занятие: { $name }, { $phone } ({ $who })
note-consent-spoken = Согласие на обработку данных дано вслух: версия { $version }, { $time }, оператор: { $operator }
field-no_moment = Укажите день и время.
field-in_the_past = Это время уже прошло.

## Звонок: кто звонит

caller-look-first = Этот номер уже есть в AmoCRM. Посмотрите, чей он, и сохраните ещё раз.
caller-unknown = Новый номер
nameless = Без имени
caller-not-known-yet = Лиды ещё не все прочитаны из AmoCRM: номер может быть там известен
caller-no-leads = Сделок нет
caller-no-stage = Этап неизвестен
caller-more = { $count ->
    [one] Ещё { $count } сделка
    [few] Ещё { $count } сделки
   *[other] Ещё { $count } сделок
 }
caller-changed = изменена { $ago }
caller-task = Задача на { $time }
caller-task-late = Просрочена задача: { $time }
caller-note = Последнее примечание, { $time }:
caller-whose = Чей это звонок?
caller-offer-add = Добавить к сделке { $id }
caller-offer-same = Новая сделка этого человека
caller-offer-other = Другой человек с этим номером
caller-stage = Перевести в этап
caller-stage-same = Оставить: { $stage }
caller-beginning = Начинаются так же:
caller-near = Похожие номера (не этот):
caller-near-too = И похожие номера (не этот):
caller-take = Взять этот номер
caller-typing = По нашей копии AmoCRM на { $time }
caller-asking = Спрашиваем AmoCRM…
caller-answered = AmoCRM подтвердила только что
caller-failed = По нашей копии AmoCRM на { $time }: сама AmoCRM не ответила.

## Звонок: рядом с формой

panel = Рядом с формой
panel-script = Скрипт
panel-back = { $late ->
    [0] Перезвонить
   *[other] Перезвонить (просрочено: { $late })
 }
panel-today = Сегодня
call-script = Скрипт
call-script-text =
    Здравствуйте! Фитнес-клуб, меня зовут {"{"}оператор{"}"}.
    Как к вам обращаться? — {"{"}имя{"}"}
    {"{"}имя{"}"}, чем хотите заниматься? — {"{"}направление{"}"}
    Занимались раньше? Когда вам удобно приходить?
    Откуда вы о нас узнали?
    Приходите на пробное занятие. Какой день вам подходит?
    Перезвоню на {"{"}телефон{"}"}, верно?
call-consent-text = Чтобы записать вас, мне нужно ваше согласие на обработку персональных данных: имени и телефона. Вы согласны?
call-consent-read = Согласие, версия текста { $version }. Прочтите и отметьте в форме:
call-blank-name = имя
call-blank-phone = телефон
call-blank-direction = направление
call-blank-source = источник
call-blank-operator = оператор
call-texts-edit = Изменить скрипт и согласие
call-texts-help = В фигурных скобках стоит то, что подставится из формы: { $blanks }. Прежние версии согласия хранятся.
call-texts-save = Сохранить тексты
call-texts-saved = Тексты сохранены.
call-done = Больше не нужно. Отметил: { $who }
back-none = Перезванивать некому.
back-due = { $time }
back-late = Просрочено: { $time }
back-call = Открыть
back-done = Уже не нужно
back-is-done = Отмечено. Задача в AmoCRM закроется сама.
back-more = И ещё { $count }
today-none = Сегодня вы ещё ничего не записали.
today-line = { $time } · за { $seconds } с
today-repair = Исправить или отправить снова
figures-title = Все операторы за неделю: секунды от первой клавиши до сохранения
figures-operator = Оператор
figures-count = Звонков
figures-p50 = Половина за
figures-p95 = 95 % за
figures-not_asked = Не спросили
figures-nobody = Без имени

## Формы сайта

forms-title = Формы сайта
forms-help = Откуда приходят лиды по HTTP: формы и их ключи, готовый код для сайта, журнал всех заявок.
forms-intro = Каждая форма сайта или программа — со своим ключом. Заявка записывается на диск раньше, чем посетитель видит ответ, и уходит в AmoCRM сама.
forms-new = Новая форма
forms-none = Пока есть только встроенная форма для программ. Нажмите «Новая форма», скажите, с какого она сайта, и вставьте на него готовый код.
forms-active = Принимает
forms-paused = На паузе
forms-builtin = Встроенная: ключ INTAKE_API_KEY и программы на этом компьютере.
forms-no-key = Ключа ещё нет: без него сайт ничего не отправит.
forms-room-up = Через эту форму сегодня пришло столько заявок, не ставших лидами, что от следующих сохраняются только телефон и имя, а потом и они нет. На лиды это не влияет. Если это не ваша реклама, выпустите форме новый ключ.
forms-no-site = Сайтов нет: отправлять могут только программы.
forms-keys-count = { $count ->
    [one] { $count } действующий ключ
    [few] { $count } действующих ключа
   *[many] { $count } действующих ключей
  }
forms-week = За 7 дней
forms-count-accepted = Принято
forms-count-duplicate = Повторов
forms-count-refused = Отказов
forms-count-flagged = Роботов
forms-last-accepted = Последняя принята: { $time }
forms-last-refused = Последний отказ: { $time }
forms-never = Ничего ещё не приходило.
forms-test = Проверить
forms-test-help = Отправляет проверочную заявку тем же путём, что и сайт. Она дойдёт до AmoCRM и помечена как проверка.
forms-test-name = Проверка Формы
forms-test-message = Это проверка формы «{ $form }» со страницы «Формы сайта». Перезванивать не нужно.
forms-test-accepted = Проверочная заявка принята
forms-test-refused = Проверочная заявка не принята
forms-delivery = Путь в AmoCRM
forms-code = Код для сайта
forms-keys = Ключи
forms-edit = Изменить
forms-pause = Пауза
forms-resume = Возобновить
forms-pause-done = Форма на паузе: сайту отказывают, а присланное хранится в журнале.
forms-resume-done = Форма снова принимает заявки.
forms-saved = Сохранено, и уже действует.
forms-name = Название
forms-name-hint = Например, «Главная страница»
forms-source = Источник лида
forms-source-hint = Например, «Сайт»
forms-source-help = Ставится, если в самой заявке источника нет.
forms-origins = Сайты, чьи страницы могут отправлять
forms-origins-help = По одному в строке, например https://fit.ru и https://www.fit.ru. Пусто — отправляют только программы.
forms-origins-settings = Ещё из INTAKE_ALLOWED_ORIGINS: { $sites }
forms-thanks_url = Страница благодарности
forms-thanks_url-help = Куда попадает посетитель, если у формы нет скрипта. Пусто — наша маленькая страница.
forms-duplicate_min = Тот же телефон — та же заявка, минут
forms-duplicate_min-help = Ещё одна заявка с тем же телефоном и источником в этот срок не станет вторым лидом; сказанное останется в журнале. 0 — не сравнивать.
forms-least_fill_s = Быстрее этого не заполнить, секунд
forms-least_fill_s-help = Заполненное быстрее откладывается как работа робота, и его можно принять. 0 — не смотреть.
forms-save = Сохранить
forms-make = Создать форму и ключ
forms-key-once = Ключ показывается один раз. Скопируйте его сейчас: у нас хранится только отпечаток.
forms-key-created = создан { $time }
forms-key-works = действует
forms-key-until = действует до { $time }
forms-key-ended = кончился { $time }
forms-key-none = Ключей нет. Создайте первый.
forms-key-new = Новый ключ
forms-key-overlap = Прежние действуют ещё
forms-key-overlap-help = За это время впишите новый ключ на сайт. Присланное с кончившимся ключом не пропадает: оно в журнале.
forms-key-overlap-0 = кончаются сразу
forms-key-overlap-1 = день
forms-key-overlap-7 = 7 дней
forms-key-overlap-30 = 30 дней
forms-key-make = Создать ключ
forms-key-revoke = Отозвать
forms-key-revoke-sure = Отозвать ключ …{ $hint }? Всё, что придёт с ним дальше, будет отклонено и останется в журнале.
forms-code-intro = Вставьте туда, где должна быть форма. Вид и лишние поля меняйте как угодно; имена полей и спрятанное поле оставьте.
forms-code-key = Вместо { $placeholder } впишите ключ формы: он показывается один раз, когда его создают.
forms-code-local = Стол называет себя { $address }: с сайта этот адрес не открыть. Задайте BASE_URL.
forms-code-marks-plain = Короткий скрипт под формой передаёт адрес страницы вместе с метками UTM. Если скрипты в браузере выключены или сайт запрещает встроенные, заявка всё равно придёт, но без меток: браузер тогда сообщает только домен сайта.
forms-code-marks-script = Скрипт передаёт и адрес страницы с метками UTM. Если скрипты в браузере выключены, форма всё равно отправит заявку, но без меток: браузер тогда сообщает только домен сайта.
forms-code-plain = Без скрипта
forms-code-script = Со скриптом
forms-log = Журнал заявок
forms-log-help = Всё, что приходило, с исходом. Отклонённое, отложенное и повторы хранятся 90 дней, и из каждого можно сделать лид.
forms-log-none = Заявок ещё не было. Вставьте код на сайт или нажмите «Проверить» у формы.
forms-log-none-found = Таких заявок нет.
forms-log-form = Форма
forms-log-outcome = Исход
forms-log-reason = Почему
forms-log-open = Выберите строку, чтобы открыть заявку.
forms-outcome-accepted = Принята
forms-outcome-duplicate = Тот же телефон
forms-outcome-repeated = Повторная отправка
forms-outcome-refused = Отклонена
forms-outcome-flagged = Похоже на робота
forms-reason-by_hand = принята вручную
forms-sign-trap = Заполнено поле, которого люди не видят.
forms-sign-too_fast = Заполнено быстрее, чем успевает человек.
forms-duplicate-why = С этим телефоном и источником только что пришла другая заявка, и действует её лид. Отправителю назван отдельный номер, как для новой заявки.
forms-repeated-why = Та же заявка отправлена ещё раз с тем же Idempotency-Key. Лид один.
forms-by-hand-why = Сначала лидом не была; приняли вручную.
forms-submission = Заявка
forms-submission-accept = Принять как лид
forms-submission-accepted = Лид принят и уходит в AmoCRM.
forms-submission-gone = Что было сказано, уже не хранится.
forms-submission-short = В тот день пришло так много, что от этой заявки сохранены только телефон и имя.
forms-submission-consent = Согласие
forms-submission-consent-given = Дано, версия текста: { $version }
forms-submission-ip = Адрес в сети
forms-preset = Что это за форма
forms-preset-help = Стол знает, как отправляют заявки эти сервисы, и сразу настраивает форму под них. Изменить можно потом.
forms-preset-code = Код для сайта от стола или своя программа
forms-preset-tilda = Tilda
forms-preset-cf7 = WordPress: Contact Form 7
forms-preset-elementor = WordPress: Elementor
forms-preset-wpforms = WordPress: WPForms
forms-preset-marquiz = Marquiz
forms-preset-yandex = Яндекс Формы
forms-preset-vk = VK: формы сбора заявок
forms-preset-calltouch = Calltouch
forms-preset-roistat = Roistat
forms-preset-webhook = Другой сервис с вебхуком
forms-answer = Чем отвечать на принятую заявку
forms-answer-json = 202 и JSON с номером заявки
forms-answer-plain = 200 и одно слово: так просят конструкторы
forms-answer-help = Браузер, открывший страницу, в любом случае увидит благодарность.
forms-key_in_address = Ключ можно показать в адресе
forms-key_in_address-help = Для сервисов, в которых можно указать только адрес. Такой адрес — как пароль: не выкладывайте его.
forms-note_unknown = Незнакомые поля — в примечание к сделке
forms-note_unknown-help = Каждое отдельной строкой: ответы квиза, удобное время, город.
forms-required = Без чего заявку не принимать
forms-required-help = Обычно хватает телефона, и остальное ничего не стоит заявке. Здесь можно быть строже: без этих полей или с ошибкой в них заявка отклоняется и ждёт в журнале.
forms-word = Строка, которую должен вернуть сервер
forms-word-help = Её показывает VK: «Управление», «Работа с API», «Callback API».
forms-connect = Как подключить
forms-connect-address = Адрес для этого сервиса
forms-connect-key = Вместо { $placeholder } впишите ключ формы: он показывается один раз, когда его создают.
forms-connect-local = Стол называет себя { $address }: из интернета этот адрес не открыть. Задайте BASE_URL.
forms-connect-secret = Ключ в адресе открывает только эту форму. Стол его нигде не записывает; прокси перед ним, если он ведёт журнал адресов, — записывает.
forms-names = Имена полей
forms-names-intro = Имена, которые приходили в эту форму, и за что стол их принимает. Выберите другое — и со следующей заявки будет так.
forms-names-none = Ещё ничего не приходило. Отправьте с сайта одну заявку, и её поля появятся здесь.
forms-names-unknown = незнакомых полей: { $count }
forms-names-last = последний раз { $time }
forms-name-auto = Само: { $meaning }
forms-name-nothing = никуда
forms-name-noted = В примечание
forms-name-ignored = Не брать
forms-name-consent = Согласие на обработку данных
forms-name-first_name = Имя без фамилии
forms-name-middle_name = Отчество
forms-name-last_name = Фамилия
forms-name-page = Адрес страницы
forms-name-email = E-mail
forms-name-taught = Запомнили. Со следующей заявки так и будет.
forms-submission-raw = Как пришло
forms-submission-no-phone = Впишите телефон, и это станет лидом.
forms-submission-held = Что известно
preset-tilda-steps =
    1. Настройки сайта → Формы → Webhook. Вставьте адрес, отметьте «Передавать cookies»: тогда придут метки рекламы.
    2. Сохраните. Tilda сразу проверит адрес, и стол ответит ей как нужно.
    3. На странице откройте «Контент» блока с формой, отметьте Webhook и опубликуйте страницу.
preset-cf7-steps =
    1. Поставьте плагин, который шлёт Contact Form 7 на вебхук, например «CF7 to Webhook».
    2. В форме откройте его вкладку, вставьте адрес и включите отправку.
    3. Имена полей оставьте как есть: your-name, tel-123. Незнакомые можно назвать здесь, в «Именах полей».
preset-elementor-steps =
    1. В форме Elementor откройте «Actions After Submit» и добавьте Webhook.
    2. В разделе Webhook вставьте адрес и включите «Advanced Data».
    3. Сохраните страницу и отправьте одну заявку.
preset-wpforms-steps =
    1. В форме WPForms откройте Settings → Webhooks и включите их.
    2. Вставьте адрес, метод POST, формат JSON; в теле выберите поля формы.
    3. Сохраните и отправьте одну заявку. Поля без имён назовите здесь, в «Именах полей».
preset-marquiz-steps =
    1. В квизе откройте «Интеграции» → Webhook и вставьте адрес.
    2. Отправьте проверочную заявку. Ответы квиза придут в примечание к сделке.
preset-yandex-steps =
    1. В форме откройте «Интеграции» и добавьте «Запрос JSON-RPC POST».
    2. Вставьте адрес, метод lead; в параметрах назовите ответы: Имя, Телефон, Комментарий.
    3. Яндекс Формы отправляют запросы только по IPv6: у стола должен быть такой адрес.
preset-vk-steps =
    1. В сообществе: «Управление» → «Работа с API» → «Callback API». Вставьте адрес.
    2. Строку, которую должен вернуть сервер, впишите в этой форме («Изменить») и сохраните, потом нажмите «Подтвердить».
    3. На вкладке «Типы событий» отметьте «Новая заявка в форме сбора заявок».
preset-calltouch-steps =
    1. «Интеграции» → «Отправка данных во внешние системы» → «Вебхуки»: новый вебхук по лидам, событие — заявка.
    2. Вставьте адрес, метод POST, отметьте телефон, имя, комментарий и метки.
preset-roistat-steps =
    1. В интеграции «Своя CRM» вставьте адрес в поле «Адрес обработчика заявок».
    2. Roistat передаёт всё в адресе запроса; номер визита попадёт в поле roistat сделки.
preset-webhook-steps =
    1. Вставьте адрес туда, где сервис просит адрес вебхука. Метод — POST, формат — JSON или форма.
    2. Отправьте одну заявку и посмотрите «Имена полей»: незнакомое назовите одним нажатием.

snippet-consent = Согласен на обработку персональных данных
snippet-send = Отправить
snippet-failed = Не получилось отправить. Проверьте связь и нажмите ещё раз: заявка не задвоится.
snippet-trap = Ловушка для роботов: люди этого поля не видят. Оставьте как есть.

## Доставка

deliveries-title = Доставка
deliveries-help = Что в пути в AmoCRM, что ждёт решения человека, история каждой попытки.
deliveries-paused = Очередь ждёт.
deliveries-paused-since = Ждёт с { $time }, пробуем сами: { $next }. Лиды приняты и никуда не денутся.
deliveries-strange = AmoCRM отвечала так, как мы не ожидали: { $codes }. Загляните в историю этих лидов и передайте номер запроса разработчику.
deliveries-own-fault = На некоторых лидах споткнулся сам стол. Ни один не потерян; те, с которыми он не справился, ждут решения ниже. Передайте журнал стола разработчику.
deliveries-stopped = Доставка в этом процессе не работает. Перезапустите стол.
deliveries-group-waiting = В пути
deliveries-group-people = Ждут человека
deliveries-group-delivered = Доставлены
deliveries-group-dropped = Убраны
deliveries-p50 = Половина лидов за
deliveries-p95 = 95 % лидов за
deliveries-times-help = { $count ->
    [one] От «принято» до «в AmoCRM», вместе с десятью секундами, за которые оператор может отменить запись; по { $count } лиду за неделю.
   *[other] От «принято» до «в AmoCRM», вместе с десятью секундами, за которые оператор может отменить запись; по { $count } лидам за неделю.
  }
deliveries-light = { $count ->
    [one] { $count } лид ждёт решения
    [few] { $count } лида ждут решения
   *[many] { $count } лидов ждут решения
  }
deliveries-people = Ждут вашего решения
deliveries-say-name = Впишите слева своё имя: решение сохраняется вместе с ним.
deliveries-all = Все лиды
deliveries-show = Показать
deliveries-none = Здесь пусто.
deliveries-accepted = Принят
deliveries-state = Состояние
deliveries-why = Почему
deliveries-next = Дальше
deliveries-attempts = Попыток
deliveries-story = История лида
deliveries-unknown-lead = Такого лида здесь нет.
deliveries-looking = Запрос ушёл { $time }, ответа не было. Ищем лид в AmoCRM, чтобы не отправить дважды (смотрели: { $looks }). Дальше: { $next }.
deliveries-alike = В AmoCRM нашлись похожие лиды. Который из них этот?
deliveries-not-found = Отправляли { $sends ->
    [one] { $sends } раз
    [few] { $sends } раза
   *[many] { $sends } раз
  }, ответа не было, в AmoCRM лид не нашёлся. Проверьте сами по телефону.
deliveries-next-try = Следующая попытка: { $next }
deliveries-now = сейчас
deliveries-origin = Откуда
deliveries-origin-desk = Записан здесь
deliveries-origin-api = С сайта
deliveries-took = Дошёл за
deliveries-consent = Согласие
deliveries-consent-given = версия { $version }, { $time }, форма «{ $form }», адрес { $ip }
deliveries-decided = Решил
deliveries-which = Который
deliveries-amo-id = Номер сделки
deliveries-amo-id-help = Номер из адреса сделки в AmoCRM или сам адрес.
deliveries-exists = Есть в AmoCRM
deliveries-send-again = Отправить ещё раз
deliveries-send-again-risk = Сначала стол поищет его в AmoCRM и отправит, только если его там нет.
deliveries-look-again = Искать ещё раз
deliveries-drop = Убрать
deliveries-take-back = Вернуть и отправить
deliveries-refused-at = AmoCRM не приняла { $path }: { $code }
deliveries-refused-field = AmoCRM не приняла это значение ({ $code }).
deliveries-repair = Исправить и отправить
deliveries-decided-done = Сделано.
deliveries-decided-search = Ищем лид в AmoCRM. Если его там нет, он отправится сам.
deliveries-replay-all = Повторить все
deliveries-replay-since = Повторить принятые с
deliveries-since = С какого дня
deliveries-not-tried = Попыток ещё не было.
deliveries-step = Шаг
delivery-state-queued = Ждёт отправки
delivery-state-sending = Отправляется
delivery-state-unknown = Неизвестно, ищем
delivery-state-needs_decision = Нужно решение
delivery-state-refused = Отклонён
delivery-state-delivered = В AmoCRM
delivery-state-dropped = Убран
delivery-step-contact = Поиск контакта
delivery-step-lead = Создание лида
delivery-step-note = Примечание
delivery-step-stage = Смена этапа
delivery-step-task = Задача
delivery-step-task_done = Задача выполнена
delivery-step-search = Поиск лида
delivery-step-person = Решение человека
delivery-did-exists = есть в AmoCRM
delivery-did-send-again = отправить ещё раз
delivery-did-look-again = искать ещё раз
delivery-did-drop = убрать
delivery-did-repair = исправлен
delivery-did-replay = повторить
delivery-result-ok = успешно
delivery-result-merged = AmoCRM объединила с уже бывшей сделкой
delivery-result-found = найден
delivery-result-look-again = пока не найден
delivery-result-send-again = его там нет, отправим
delivery-result-person = решит человек
seconds = { $seconds } с
person = Кто вы
person-hint = Имя
person-help = Без пароля: чтобы было видно, кто записал лид и кто решил.

## Подключение

connection-title = Подключение
connection-help = Доступ к AmoCRM: состояние, срок, обновить, отключить, подключить заново.
connection-state-connected = Подключено
connection-state-not_connected = Не подключено
connection-state-failing = Ключ не обновляется
connection-state-exhausted = Ключ давно не обновляется
connection-state-switched_off = Отключено в AmoCRM
connection-state-broken = Связь потеряна
connection-next-refresh = Обновится { $time } (через { $left }).
connection-next-attempt = Следующая попытка { $time } (через { $left }).
connection-next-now = Обновляется сейчас.
connection-lost = Обновление ключа { $print }, начатое { $time }, оборвалось: AmoCRM новый ключ выдала, а ответ не дошёл.
connection-moved = Аккаунт AmoCRM переехал на { $address }, стол перешёл за ним. При случае исправьте AMOCRM_SUBDOMAIN в настройках: подключение от этого не прервётся.
connection-long-lived-ends = { $days ->
    [one] Долгосрочный токен кончится меньше чем через { $days } день. Создайте новый.
   *[other] Долгосрочный токен кончится меньше чем через { $days } дней. Создайте новый.
  }
connection-timeline = Последние обновления
connection-timeline-help = Отпечаток называет ключ, но не выдаёт его: старый → новый.
connection-under-way = идёт
connection-cause = Почему
connection-cause-consent = Согласие администратора
connection-cause-code = Код, вставленный вручную
connection-cause-given = Переданный ключ
connection-cause-early = Заранее, само
connection-cause-expired = Срок вышел
connection-cause-rejected = AmoCRM не приняла ключ
connection-cause-by_hand = Кнопка
connection-prints = Отпечатки
connection-code-left = Код живёт 20 минут. Осталось примерно { $left }.
connection-code-old = Прошло 20 минут: код уже не сработает. Обновите окно «Ключи и доступы» и скопируйте новый.
connection-just-refreshed = Ключ только что обновлён, второй раз не нужно.
connection-setup-hook = Ссылка для хука об отключении (необязательно): тогда стол сразу узнает, что интеграцию отключили.
connection-how = Нажмите «Подключить AmoCRM» и разрешите доступ на открывшейся странице. Делать это должен администратор аккаунта.
connection-done = AmoCRM подключена.
connection-left = Ключ действует ещё
connection-expires = Истекает { $time }.
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
connection-setup-steps = AmoCRM → Настройки → Интеграции → «Создать интеграцию» → «Внешняя». Доступ: данные аккаунта (сделки, контакты, задачи). Ссылку для перенаправления укажите точно такую, до последнего знака:

## Копия лидов

mirror-title = Копия лидов
mirror-help = Списки и цифры берутся из своей копии лидов AmoCRM. Раз в сутки, ночью, Lead Desk спрашивает AmoCRM, сколько лидов у неё всего и на каждом этапе, и сверяет с ней каждый лид, контакт и открытую задачу; что расходится, читает заново.
mirror-not-counted = Сверки с AmoCRM ещё не было: она идёт ночью, с 3 до 6 часов, а если стол ночью выключен — днём, раз в сутки.
mirror-equal = При последней сверке числа совпали: и общее, и по этапам.
mirror-differed = При последней сверке числа разошлись, недостающие и лишние лиды прочитаны заново.
mirror-stages-unknown = По этапам AmoCRM не посчитала: сверено только общее число лидов.
mirror-stages = Этапы, в которых числа разошлись
mirror-stage-numbers = { $theirs } в AmoCRM, { $ours } здесь до сверки
mirror-theirs = Лидов в AmoCRM
mirror-ours = Лидов в столе до сверки
mirror-mended = Исправлено
mirror-counted-at = Сверка
mirror-comparing = { $count ->
    [one] Идёт сверка каждого лида: сверен { $count }.
    [few] Идёт сверка каждого лида: сверено { $count }.
   *[many] Идёт сверка каждого лида: сверено { $count }.
}
mirror-compared = { $mended ->
    [0] Каждый лид и контакт сверен с AmoCRM { $time }: расхождений нет.
    [one] Каждый лид и контакт сверен с AmoCRM { $time }: исправлено { $mended } расхождение.
    [few] Каждый лид и контакт сверен с AmoCRM { $time }: исправлено { $mended } расхождения.
   *[many] Каждый лид и контакт сверен с AmoCRM { $time }: исправлено { $mended } расхождений.
}
mirror-contacts-missing = { $count ->
    [one] Не хватает имени и телефона { $count } контакта: AmoCRM его не отдаёт, стол спрашивает дальше.
    [few] Не хватает имён и телефонов { $count } контактов: AmoCRM их не отдаёт, стол спрашивает дальше.
   *[many] Не хватает имён и телефонов { $count } контактов: AmoCRM их не отдаёт, стол спрашивает дальше.
}
mirror-jump-machine = Часы компьютера, на котором работает стол, переведены { $time } на { $span }.
mirror-jump-database = Часы базы данных переведены { $time } на { $span }.
mirror-jump-amocrm = Часы AmoCRM переведены { $time } на { $span }.
mirror-jump-good = Изменения за это время прочитаны заново.
mirror-jump-open = Изменения за это время будут прочитаны заново, как только AmoCRM ответит.
mirror-smaller = { $count ->
    [one] AmoCRM не успевает с большими списками: стол спрашивает её по { $count } записи, это медленнее.
   *[many] AmoCRM не успевает с большими списками: стол спрашивает её по { $count } записей, это медленнее.
}
mirror-count = Сверить сейчас
mirror-count-asked = Стол сверяет числа с AmoCRM. Итог появится здесь через несколько секунд; затем он сверит каждый лид.

## Хуки

hooks-title = Хуки AmoCRM
hooks-help = AmoCRM сама сообщает столу об изменениях лидов и контактов. Стол подписывается сам, проверяет подписку каждые 10 минут и включает её, если AmoCRM её отключила.
hooks-state-on = Включены
hooks-state-off = Выключены
hooks-state-refused = Не подписаны
hooks-state-silent = Не доходят
hooks-means-on = AmoCRM сообщает об изменениях сама: они на экране через секунду-другую.
hooks-means-off = Подписка ещё не проверена, это займёт минуту.
hooks-means-refused = AmoCRM не принимает подписку. Изменения видны с опозданием до полминуты.
hooks-means-silent = Подписка есть, но за последний час хуки не приходили, а изменения были. Проверьте, что адрес стола открыт из интернета и прокси пропускает POST на /api/amocrm/webhook/. Изменения видны с опозданием до полминуты.
hooks-polling = Лиды обновляются опросом: изменения видны с опозданием до полминуты.
hooks-next = Следующая попытка { $time }.
hooks-last = Последний хук
hooks-none-yet = ещё не было
hooks-lag = От изменения до экрана
hooks-lag-help = Половина хуков за сутки быстрее первого числа, 95 % — быстрее второго. Считается от времени изменения в AmoCRM (она называет целые секунды). От прихода хука: { $own }.
hooks-seconds = { $p50 } / { $p95 } с
hooks-missed = Потеряно за сутки
hooks-missed-help = Изменения, которые нашёл опрос, а хук о них не пришёл и за десять минут.
hooks-received = За сутки
hooks-counts = { $received ->
    [one] { $received } хук
    [few] { $received } хука
   *[many] { $received } хуков
 }, повторов { $again }, непонятых { $bad }
hooks-bad-not_a_hook = последний был не от AmoCRM
hooks-bad-too_large = последний был слишком велик
hooks-bad-too_many = в последнем слишком много полей
hooks-bad-too_deep = последний устроен слишком глубоко
hooks-bad-index = в последнем слишком много объектов
hooks-bad-reader_failed = последний не удалось прочесть, подробности в журнале сервера
hooks-bad-another_account = последний был от другого аккаунта
hooks-bad-account_unknown = последний пришёл, пока аккаунт не был известен
hooks-bad-other = последний AmoCRM не подтвердила
hooks-checked = Подписка проверена
hooks-mended = AmoCRM отключала хуки, стол включил
hooks-former = Старый секрет действует до
hooks-subscribe = Проверить и подписать
hooks-subscribe-help = Посмотреть подписку в AmoCRM сейчас и исправить её, если нужно.
hooks-subscribed = Подписка в порядке.
hooks-rotate = Сменить секрет
hooks-rotate-help = У хуков появится новый адрес. Старый действует ещё два часа, чтобы не потерять хуки в пути.
hooks-rotated = Секрет сменён: AmoCRM знает новый адрес.

## Поля

fields-title = Поля
fields-help = Какие поля AmoCRM что хранят; добавить поле в форму без программиста.
fields-choose-first = Сначала выберите поле.
fields-read = Поля прочитаны.
fields-marker = Метка стола
fields-marker-ok = Есть: по ней лид находят, если ответ AmoCRM потерялся
fields-marker-refused = Аккаунт не дал создать поле: лиды узнаём по телефону, имени и времени
fields-marker-missing = Появится, когда AmoCRM подключена
fields-marker-help = Поле «Lead Desk ID» видно только программам. Стол создаёт его сам.
fields-type-text = текст
fields-type-textarea = длинный текст
fields-type-numeric = число
fields-type-checkbox = флажок
fields-type-select = список
fields-type-multiselect = мультисписок
fields-type-radiobutton = переключатель
fields-type-multitext = телефон или почта
fields-type-date = дата
fields-type-date_time = дата и время
fields-type-birthday = день рождения
fields-type-url = ссылка
fields-type-streetaddress = короткий адрес
fields-type-smart_address = адрес
fields-type-legal_entity = юр. лицо
fields-type-tracking_data = отслеживание
fields-type-monetary = денежное
fields-type-file = файл
fields-type-chained_list = связанный список
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
activity-kind-hook = Хуки
activity-kind-read = Чтение
activity-kind-problems = Ошибки
activity-more = Показать ещё
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
operation-token-ask = Вопрос, действует ли ключ
operation-token-kept_out = Подключивший отключён в AmoCRM
operation-token-switched_off = Отключение в AmoCRM
operation-account-get = Чтение аккаунта
operation-users-list = Чтение людей
operation-pipelines-list = Чтение воронок
operation-leads-list = Чтение лидов
operation-leads-create = Создание лида
operation-contacts-list = Чтение контактов
operation-contacts-search = Поиск контакта
operation-contacts-create = Создание контакта
operation-notes-list = Чтение примечаний
operation-leads-search = Поиск лида
operation-leads-get = Чтение лида
operation-contacts-get = Чтение контакта
operation-notes-create = Примечание к лиду
operation-leads-move = Смена этапа
operation-tasks-create = Задача
operation-tasks-list = Чтение задач
operation-tasks-complete = Задача выполнена
operation-fields-leads = Чтение полей сделки
operation-fields-contacts = Чтение полей контакта
operation-fields-create = Создание поля
operation-webhooks-list = Чтение подписок на хуки
operation-webhooks-subscribe = Подписка на хуки
operation-webhooks-unsubscribe = Отписка от хуков
operation-webhooks-rotate = Смена секрета хуков
operation-events-list = Чтение переходов по этапам
operation-loss_reasons-list = Чтение причин отказа
operation-leads-bin = Чтение корзины лидов
operation-contacts-bin = Чтение корзины контактов
activity-kind-column = Вид
activity-at = Время
activity-operation = Операция
activity-result = Итог
activity-duration = мс
activity-request = Номер запроса
activity-subject = О чём

## Посетители сайта

thanks-title = Спасибо, заявка принята
thanks-text = Мы скоро с вами свяжемся.
problem-title = Исправьте форму
problem-back = Вернуться к форме
problem-back-by-hand = Нажмите в браузере «Назад»: введённое сохранилось.

## Закрыто

closed-title = Этот стол открыт только на своём компьютере
closed-why = Вход по паролю не настроен, поэтому страницы видит только браузер на том же компьютере, где запущен Lead Desk.
closed-how = Сидя за другим компьютером, пробросьте порт по SSH:
closed-host = сервер
closed-then = и откройте { $url } в своём браузере.
locked-title = Откройте стол по ссылке из консоли
locked-why = Прокси может выглядеть как этот компьютер, поэтому страницы видит только браузер, который докажет, что он здесь.
locked-how = Ссылка — в консоли, где запущен Lead Desk. Каждая открывает один раз; годится всегда последняя:
locked-code = Или вставьте код из этой ссылки либо ключ из файла data/local.key:
locked-open = Открыть
locked-wrong = Код не подходит или уже использован.

## Командная строка

rights-mended = Эти файлы стола могли читать другие пользователи компьютера; теперь только владелец: { $files }.
rights-left = Эти файлы стола могут читать другие пользователи компьютера, и изменить это стол не может: { $files }.
console-link = Откройте стол по этой ссылке. Она действует один раз, дальше браузер уже известен:
check-demo = Аккаунт не задан: это демонстрация.
check-account = Аккаунт AmoCRM: { $address }
check-database = База данных: { $kind }, открывается.
keys-put-in-front = Ключ задан настройкой SECRET_KEY, её меняет только человек. Поставьте новый ключ перед прежним, через запятую, и выполните команду ещё раз:
    SECRET_KEY={ $phrase },прежний
keys-rotated = Готово: всё запечатано новым ключом, прежний стёрт. Перезапускать стол не нужно.
keys-old-can-go = Готово: всё запечатано первым ключом из SECRET_KEY. Прежний теперь можно убрать из настройки.

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
setting-url_path = Здесь нужен только адрес сервера, без пути.
setting-database_driver = Для PostgreSQL нужен драйвер: .venv/bin/pip install 'psycopg[binary]'
setting-file_unreadable = Файл не читается. Сохраните его в UTF-8 и проверьте права.
setting-url = нужен полный адрес, например https://desk.example.ru.
setting-url_extra = в адресе не должно быть имени, пароля, «?» и «#».
setting-https = нужен адрес https://: по нему передаются секреты.
setting-origin = нужны адреса сайтов без пути, через запятую. Не подходит: { $hint }.
setting-network = нужны адреса или сети через запятую, например 127.0.0.1, 10.0.0.0/8. Не подходит: { $hint }.
setting-listen = нужны адрес и порт, например 127.0.0.1:8502, или только порт.
setting-open_in_public = «open» несовместимо с публичным BASE_URL, TRUSTED_PROXIES и PUBLIC_LISTEN: пришедшего через прокси можно принять за этот компьютер. Поставьте «code» или ничего.
setting-open_noted = «open»: всё, что молча пробрасывает порт к этому столу, покажет его страницы каждому, кто за ним.
setting-listener_advised = не задано: прокси придётся направить на порт страниц. Лучше дать ему отдельный адрес, например 127.0.0.1:8502, где нет ничего другого.
setting-proxies_advised = не задано: все посетители за прокси считаются одним адресом. Назовите прокси, например 127.0.0.1.
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
error-desk_failed = Здесь сломался сам Lead Desk: это ошибка программы, а не AmoCRM.
error-desk_failed-remedy = Ничего не потеряно. Обновите страницу; если повторится, передайте разработчику журнал Lead Desk: место в программе указано там.
error-settings_wrong = Настройки заполнены с ошибками.
error-settings_wrong-remedy = Исправьте файл .env и запустите снова.
error-not_connected = AmoCRM не подключена.
error-not_connected-remedy = Администратору: откройте «Подключение» и нажмите «Подключить AmoCRM».
error-hooks_no_address = У стола нет адреса, открытого из интернета: AmoCRM не может до него дойти.
error-hooks_no_address-remedy = Чтобы изменения приходили сразу, задайте BASE_URL с https-адресом, открытым из интернета (docs/webhooks.md).
error-token_rejected = AmoCRM не приняла ключ доступа (401).
error-token_rejected-remedy = Откройте «Подключение» и подключите заново. Проверьте, не отключил ли администратор интеграцию в AmoCRM.
error-unpaid = AmoCRM отвечает, что аккаунт не оплачен (402).
error-unpaid-remedy = Проверьте оплату в AmoCRM. Если оплачено, подождите минут десять: ночью такой ответ бывает по ошибке.
error-rights_missing = Не хватает прав (403).
error-rights_missing-remedy = Подключите AmoCRM под администратором и проверьте права интеграции на вкладке «Ключи и доступы».
error-blocked = AmoCRM заблокировала запросы аккаунта или этого адреса (403).
error-blocked-remedy = Напишите в поддержку AmoCRM: блокировку снимают только они. Проверьте, не шлёт ли запросы другая программа.
error-account_refuses = AmoCRM отказывает всему аккаунту, а не этому запросу (код ошибки 244 и подобные).
error-account_refuses-remedy = Проверьте в AmoCRM, не кончилась ли подписка и может ли тот, кто подключал стол, добавлять сделки. Лиды ждут у нас и уйдут сами.
error-person_switched_off = Сотрудника, под которым подключена AmoCRM, в ней отключили.
error-person_switched_off-remedy = Включите его в AmoCRM или нажмите «Подключить заново» под другим администратором. Лиды ждут у нас.
error-redirected = По этому адресу AmoCRM отправляет на другой.
error-redirected-remedy = Проверьте AMOCRM_SUBDOMAIN: аккаунт могли переименовать или перенести.
error-request_too_large = Запрос слишком велик для AmoCRM (413).
error-request_too_large-remedy = Сократите самый длинный текст и отправьте ещё раз.
error-too_many_links = У карточки в AmoCRM слишком много связей.
error-too_many_links-remedy = Уберите в AmoCRM лишние связи этого контакта и отправьте ещё раз.
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
error-refresh_waiting = Обновить ключ пока не удалось.
error-refresh_waiting-remedy = Стол попробует снова сам; когда, сказано на странице «Подключение». Там же можно обновить сейчас.
error-refreshed_just_now = Ключ обновляли только что: второй запрос не отправлен.
error-refreshed_just_now-remedy = Ключ обновится сам, заранее. Каждое обновление тратит одноразовый ключ; если всё же нужно, подтвердите на странице «Подключение» или передайте "confirm": true.
error-refresh_lost = Обновление ключа оборвалось, и прежний ключ больше не действует.
error-refresh_lost-remedy = Нажмите «Подключить заново»: одного согласия достаточно, ничего не потеряно.
error-switched_off = Администратор AmoCRM отключил эту интеграцию.
error-switched_off-remedy = Включите её в AmoCRM и нажмите «Подключить заново». Лиды пока ждут у нас.
error-clock_jumped = Часы этого компьютера, базы данных или AmoCRM перескочили.
error-clock_jumped-remedy = Ничего делать не нужно: всё за это время перечитывается из AmoCRM. Если так бывает часто, включите синхронизацию времени.
error-clock_wrong = Часы этого компьютера идут неверно.
error-clock_wrong-remedy = Поставьте верное время и включите его синхронизацию, затем повторите.
error-cut_off_by_stop = Программа остановилась, пока ключ обновлялся.
error-cut_off_by_stop-remedy = Стол спросит AmoCRM, действует ли прежний ключ, и продолжит сам.
error-too_late = Ответ пришёл, когда ключ уже обновил другой процесс.
error-too_late-remedy = Ничего делать не нужно.
error-replaced = Заменено новым подключением.
error-replaced-remedy = Ничего делать не нужно.
error-grant_spent_here = Этот ключ обновления здесь уже использован.
error-grant_spent_here-remedy = Ключ срабатывает один раз. Нажмите «Подключить заново» или передайте новый.
error-consent_from_elsewhere = Подключение пытался начать другой сайт.
error-consent_from_elsewhere-remedy = Нажмите «Подключить AmoCRM» на этой странице сами.
error-consent_failed = AmoCRM не завершила подключение.
error-consent_failed-remedy = Нажмите «Подключить AmoCRM» ещё раз.
error-long_lived_not_refreshed = Долгосрочный токен не обновляется.
error-long_lived_not_refreshed-remedy = Создайте новый в AmoCRM и впишите в AMOCRM_ACCESS_TOKEN.
error-long_lived_expired = Долгосрочный токен просрочен.
error-long_lived_expired-remedy = Создайте новый в AmoCRM на вкладке «Ключи и доступы» и впишите в AMOCRM_ACCESS_TOKEN.

error-secret_key_wrong = SECRET_KEY не подходит к сохранённым ключам.
error-secret_key_wrong-remedy = Верните прежний SECRET_KEY (или файл data/secret.key). Если он утрачен, подключите AmoCRM заново.
error-secret_key_unreadable = Файл ключа data/secret.key не читается.
error-secret_key_unreadable-remedy = Верните прежний файл и права на него. Подключение цело, пока цел ключ.
error-secret_key_short = Ключ в файле data/secret.key слишком короткий.
error-secret_key_short-remedy = Верните прежний файл целиком.
error-secret_key_empty = Файл data/secret.key пуст.
error-secret_key_empty-remedy = Верните его из копии. Если он утрачен, удалите файл и подключите AmoCRM заново.
error-database_unreachable = База данных недоступна.
error-database_unreachable-remedy = Проверьте DATABASE_URL и что сервер базы запущен, а диск не полон.
error-database_newer = Базу уже обновила более новая версия Lead Desk.
error-database_newer-remedy = Запустите новую версию или верните базу из копии.
error-not_routed = AmoCRM ответила страницей вместо данных (404): запрос до неё не дошёл.
error-not_routed-remedy = Это временно, стол повторит сам.
error-no_turn = Очередь на запрос к AmoCRM не подошла вовремя, запрос не отправлен.
error-no_turn-remedy = Стол повторит сам. Если это повторяется, посмотрите в журнале, отвечает ли база данных.
error-too_late_to_send = Очередь до AmoCRM дошла слишком поздно, запрос не отправлен.
error-too_late_to_send-remedy = Стол повторит сам.
error-left_already = Уже ушло в AmoCRM: вернуть нельзя.
error-left_already-remedy = Исправьте сделку в AmoCRM или добавьте к ней примечание.
error-saved_otherwise = Этот разговор уже сохранён в другой вкладке, но с другими словами.
error-saved_otherwise-remedy = То, что стоит здесь, не потеряно и не сохранено. Если это ещё один звонок, сохраните его ещё раз.
error-text_empty = Пустой текст не сохранён.
error-text_empty-remedy = Напишите его или верните прежний: обновите страницу.
error-text_changed = Пока вы правили текст, его изменил кто-то другой. Ваша правка не сохранена и стоит на месте.
error-text_changed-remedy = Скопируйте её, обновите страницу и сравните. Чтобы записать свою поверх, сохраните ещё раз.
error-draft_gone = Этот черновик уже сохранён или очищен в другой вкладке.
error-draft_gone-remedy = Продолжайте с тем, что стоит в форме.
error-decided_meanwhile = Пока вы решали, с этим лидом уже что-то произошло.
error-decided_meanwhile-remedy = Посмотрите, где он теперь.
error-lead_not_there = Сделки с таким номером в AmoCRM нет.
error-lead_not_there-remedy = Проверьте номер: он в адресе сделки.
error-another_account = Этот лид начали передавать в другой аккаунт AmoCRM, не в тот, что подключён сейчас. Здесь стол его не ищет и не трогает.
error-another_account-remedy = Посмотрите в том аккаунте. Если он там есть, нажмите «Есть в AmoCRM» (примечание и задачу добавьте сами); если он нужен в нынешнем аккаунте, «Отправить ещё раз» создаст его здесь заново; иначе «Убрать».
error-demo_runs_already = Из этой папки демонстрация уже работает.
error-demo_runs_already-remedy = Откройте её в браузере или сначала остановите. Настоящих столов на одной базе может быть несколько.
error-worker_died = Программа остановилась, пока лид передавался.
error-worker_died-remedy = Стол продолжит сам. Если лид мог попасть в AmoCRM, сначала поищет его там, чтобы не отправить дважды.
error-database_failed = База данных стола не выполнила запрос.
error-database_failed-remedy = Проверьте, что база работает и на её диске есть место. Ничего не потеряно; лид, который ждёт решения, можно отправить ещё раз.

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
error-public_listen_taken = Адрес из PUBLIC_LISTEN занят или принадлежит не этой машине.
error-public_listen_taken-remedy = Выберите другой порт или остановите программу, которая его занимает.
error-api_shut = Этот вход закрыт: ключ для него не задан.
error-api_shut-remedy = Задайте ADMIN_API_KEY или INTAKE_API_KEY в .env и перезапустите.
error-api_key_wrong = Ключ не подходит.
error-api_key_wrong-remedy = Передайте его так: Authorization: Bearer ключ. В HTML-форме он в скрытом поле «key».
error-json_wanted = Нужен JSON.
error-json_wanted-remedy = Передайте заголовок Content-Type: application/json.
error-json_broken = Это не JSON.
error-json_broken-remedy = Проверьте кавычки и кодировку UTF-8.
error-object_wanted = Нужен объект JSON.
error-object_wanted-remedy = Пример: {"{"}"name": "Иван", "phone": "+7 999 123-45-67"{"}"}
error-too_large_body = Слишком большой запрос.
error-too_large_body-remedy = Не больше 64 КБ.
error-too_slow_body = Запрос не пришёл целиком вовремя.
error-too_slow_body-remedy = Отправьте ещё раз: он должен прийти целиком за десять секунд.
error-too_many_requests = Слишком много заявок подряд.
error-too_many_requests-remedy = Подождите немного и отправьте ещё раз.
error-kind_unknown = Такое содержимое стол не читает.
error-kind_unknown-remedy = Передайте JSON (Content-Type: application/json) или HTML-форму.
error-encoding_unknown = Такое сжатие стол не читает.
error-encoding_unknown-remedy = Передайте без сжатия или в gzip.
error-form_broken = Форма пришла не целиком.
error-form_broken-remedy = Вернитесь и отправьте её ещё раз.
error-key_ended = Этот ключ больше не действует: его сменил новый или его отозвали.
error-key_ended-remedy = Впишите на сайт новый ключ формы. Отправленное со старым ключом сохранено на странице «Формы сайта».
error-origin_not_allowed = Страницам этого сайта нельзя отправлять в эту форму.
error-origin_not_allowed-remedy = Добавьте адрес сайта на странице «Формы сайта».
error-key_not_in_address = Эта форма не берёт ключ из адреса.
error-key_not_in_address-remedy = Разрешите это у формы на странице «Формы сайта» («Изменить») или передайте ключ в заголовке Authorization.
error-origin_null = Браузер скрыл, с какого сайта отправлено (Origin: null).
error-origin_null-remedy = Так бывает у страниц с правилом no-referrer, во фреймах с sandbox и у файлов. Уберите его со страницы с формой: например, <meta name="referrer" content="strict-origin-when-cross-origin">.
error-names_too_many = У этой формы уже 200 названных полей.
error-names_too_many-remedy = Верните часть из них в «Само».
error-form_paused = Эта форма сейчас ничего не принимает.
error-form_paused-remedy = Возобновите её на странице «Формы сайта».
error-form_unknown = Такой формы нет.
error-form_unknown-remedy = Обновите страницу.
error-submission_gone = Эта заявка больше не хранится.
error-submission_gone-remedy = Обновите страницу.
error-idempotency_key_wrong = Такой Idempotency-Key не годится.
error-idempotency_key_wrong-remedy = От 1 до 255 латинских букв, цифр и знаков без пробелов, один раз.
error-key_reused = Этот Idempotency-Key уже у другой заявки.
error-key_reused-remedy = Для новой заявки нужен новый ключ; прежний годится только для повтора той же самой.

## Выгрузка

export = Выгрузить
export-help = Все лиды по выбранным фильтрам, в этом порядке и с этими столбцами.
export-kind-xlsx = Excel (XLSX)
export-kind-csv = CSV
export-waiting = Файл ждёт своей очереди…
export-running = Готовим файл: { $count ->
    [one] { $count } лид
    [few] { $count } лида
   *[many] { $count } лидов
  }
export-cancel = Отменить
export-close = Закрыть
export-download = Скачать файл: { $count ->
    [one] { $count } лид
    [few] { $count } лида
   *[many] { $count } лидов
  }
export-gone = Файл уже удалён: файлы хранятся сутки. Выгрузите ещё раз.
export-told = { $who }: { $count ->
    [one] { $count } лид
    [few] { $count } лида
   *[many] { $count } лидов
  }, { $kind }, { $filter } { $search }
export-nobody = Имя не указано
export-all = без фильтров
export-searched = и поиск
activity-kind-export = Выгрузки
operation-leads-export = Выгрузка лидов
error-export_failed = Файл сделать не удалось.
error-export_failed-remedy = Выгрузите ещё раз. Если повторится, посмотрите вывод программы: там названа ошибка.
error-export_no_space = Файл не удалось записать на диск.
error-export_no_space-remedy = Освободите место в папке данных и проверьте права на неё.
error-export_died = Программа, которая делала файл, остановлена.
error-export_died-remedy = Выгрузите ещё раз.

## Overview

overview-title = Обзор
overview-help = Сколько лидов, откуда, как далеко доходят, как быстро на них отвечают и кто ждёт.
period-365 = Год
period-month = Этот месяц
overview-pipeline = Воронка
overview-all-pipelines = Все воронки
overview-unit = Шаг графика
overview-unit-auto = Авто
overview-unit-day = День
overview-unit-week = Неделя
overview-unit-month = Месяц
overview-as-table = Те же числа таблицей
overview-how = Как считается
overview-none = За этот период лидов нет. Выберите другой период или другую воронку.
overview-stale = Числа старые: они верны на { $time }. С тех пор AmoCRM прочитать не удалось; стол пробует сам, а пока верьте времени, не числам.
overview-failed = Чисел пока нет: лиды не удалось прочитать.
overview-next-try = Следующая попытка: { $time }.
overview-filling = Идёт первое чтение: { $count ->
    [one] прочитан { $count } лид
    [few] прочитано { $count } лида
   *[other] прочитано { $count } лидов
 }, начато { $time }. Сначала читаются новые, поэтому последние дни верны раньше всего; остальные числа ещё растут.
overview-empty = Лиды ещё не прочитаны. Чтение начнётся само через несколько секунд; страница обновится.
overview-not-connected = Показывать нечего: AmoCRM не подключена. Подключите её, и лиды прочитаются сами.
overview-newer = Есть новее: показать
overview-leads = Лиды
overview-leads-help = Лиды, созданные в AmoCRM за период, кроме удалённых. Рядом — разница с предыдущим периодом.
overview-won = Продажи
overview-won-help = Лиды, закрытые за период как успешные, когда бы они ни были созданы. Открытый заново не считается.
overview-lost = Потери
overview-lost-help = Лиды, закрытые за период как нереализованные, когда бы они ни были созданы.
overview-median = Половине ответили за
overview-p90 = 90 % ответили за
overview-never = Без ответа
overview-never-help = Лиды периода, которые никто не двигал и не закрыл и которые ждут больше часа рабочего времени.
overview-compared = { $since } – { $until } рядом с { $before_since } – { $before_until }. Если период ещё идёт, прежний считается до того же часа.
overview-trend = Лиды по времени
overview-trend-how = Лиды по времени создания, по часам клуба. Столбцы — выбранный период, пунктир с кружками — столько же дней перед ним (для месяца — прошлый месяц до того же числа). Заштрихованный столбец ещё не закончился: его и то, что рядом, сравнивают до одного и того же часа. Недели начинаются с понедельника; первая и последняя могут быть неполными.
overview-now = Период
overview-before = До этого
overview-share = Доля
overview-won-of-them = Из них куплено
overview-by-source = По источнику
overview-by-direction = По направлению
overview-by-utm_source = По utm_source
overview-by-utm_campaign = По utm_campaign
overview-split-how = Лиды периода по значению поля, как оно записано в AmoCRM: разное написание — разные строки. «Не указано» — поле пустое. Доли — от всех лидов периода. «Из них куплено» — сколько из этих лидов сейчас в успешном этапе.
overview-others = { $count ->
    [one] Ещё { $count }
    [few] Ещё { $count }
   *[other] Ещё { $count }
 }
overview-funnel = Воронка
overview-funnel-how = Лиды, созданные за период и находящиеся сейчас в этой воронке. «Дошли» — были в этом этапе или дальше хоть раз, по истории переходов AmoCRM: вернувшийся назад всё равно дошёл, перескочивший этап прошёл его. «От всех» — доля от лидов периода, «от предыдущего» — от дошедших до этапа выше. «Остались» — дальше не пошли и открыты (у последнего этапа — куплено), «потеряны» — дальше не пошли и закрыты.
overview-funnel-of = { $count ->
    [one] От { $count } лида периода
   *[other] От { $count } лидов периода
 }
overview-funnel-unknown = История переходов известна с { $day }. { $count ->
    [one] { $count } лид периода создан раньше: как далеко он дошёл, неизвестно, и в воронке его нет.
    [few] { $count } лида периода созданы раньше: как далеко они дошли, неизвестно, и в воронке их нет.
   *[other] { $count } лидов периода созданы раньше: как далеко они дошли, неизвестно, и в воронке их нет.
 }
overview-speed-unknown = История переходов известна с { $day }: время ответа и «без ответа» пока посчитаны без { $count ->
    [one] { $count } лида, созданного раньше.
   *[other] { $count } лидов, созданных раньше.
 }
overview-reached = Дошли
overview-of-all = От всех ({ $count })
overview-of-previous = От предыдущего
overview-stopped-here = Остались
overview-lost-here = Потеряны
overview-speed = Скорость ответа
overview-speed-how = От создания лида до первого перехода в другой этап; у закрытого без переходов — до закрытия. Звонков и чатов стол не видит, и кто перенёс лид, сотрудник или робот, не различает. Считаются только рабочие часы клуба: пришёл ночью и взят в начале дня — ноль минут.
overview-percentile-help = Время, за которое ответили половине (90 %) лидов. Лиды без ответа считаются самыми медленными: если их столько, что до половины (90 %) не доходит, вместо времени стоит прочерк и «нет ответа».
overview-within = До { $minutes } мин
overview-within-help = Доля лидов, на которые ответили не позже чем через { $minutes } мин рабочего времени. Лиды без ответа — в знаменателе.
overview-n-of = { $count } из { $whole }
overview-speed-of = { $count ->
    [one] Посчитан { $count } лид
    [few] Посчитано { $count } лида
   *[other] Посчитано { $count } лидов
 }
overview-speed-never = без ответа: { $count }
overview-speed-fresh = ждут меньше часа и пока не посчитаны: { $count }
overview-speed-uncounted = созданы раньше известной истории и не посчитаны: { $count }
overview-speed-none = За этот период нет лидов, по которым скорость известна.
overview-hours-are = рабочие часы: { $hours }
overview-every-day = { $hours } ежедневно
overview-week-hours = будни { $weekdays }, выходные { $weekend }
overview-closed = закрыто
overview-no-answer = нет ответа
overview-minutes = { $minutes } мин
overview-hours-minutes = { $hours } ч { $minutes } м
overview-whole-hours = { $hours } ч
overview-hours = Когда приходят лиды
overview-hours-how = Сколько лидов периода создано в каждый час каждого дня недели, по часам клуба. Пунктирная рамка — рабочие часы. «Вне рабочих часов» — созданные в часы, в которых нет ни одной рабочей минуты.
overview-hour = Час
overview-duty = Рабочие часы
overview-off-duty = Вне рабочих часов: { $share }
overview-losses = Почему теряем
overview-losses-how = Лиды, закрытые за период как нереализованные, по причине отказа в AmoCRM. «Не указано» — закрыт без причины. Доли — от всех закрытых так за период.
overview-no-losses = За этот период никого не потеряли.
overview-reason = Причина
overview-attention = Требуют внимания
overview-attention-how = Открытые лиды на сейчас, за любой период. **Просрочена задача** — срок ближайшей задачи прошёл. **Нет задачи** — ни одной открытой. **Давно не трогали** — { $days ->
    [one] { $days } день
    [few] { $days } дня
   *[other] { $days } дней
 } ничего не менялось. **Нет телефона** — ни у контакта, ни в лиде. **Нет ответственного**, **нет источника** — поле пустое. У лида может быть несколько причин; в общем числе он один раз.
overview-attention-none = { $count ->
    [one] { $count } открытый лид, и он в порядке.
    [few] { $count } открытых лида, и все в порядке.
   *[other] { $count } открытых лидов, и все в порядке.
 }
overview-attention-count = { $count ->
    [one] **{ $count }** лид из { $open } открытых
    [few] **{ $count }** лида из { $open } открытых
   *[other] **{ $count }** лидов из { $open } открытых
 }
overview-rule-any = Все
overview-rule-overdue = Просрочена задача
overview-rule-no_task = Нет задачи
overview-rule-untouched = Давно не трогали
overview-rule-no_phone = Нет телефона
overview-rule-nobody = Нет ответственного
overview-rule-no_source = Нет источника
overview-since = Без движения с
overview-why = Почему
overview-waiting-shown = { $count ->
    [one] Показан { $count } лид, ждущий дольше всех
    [few] Показаны { $count } лида, ждущие дольше всех
   *[other] Показано { $count } лидов, ждущих дольше всех
 }
overview-club-hours = Рабочие часы клуба
overview-club-hours-intro = По ним считается скорость ответа, одинаково для всех. Время — клуба ({ $zone }). Закрытие в 00:00 — конец суток.
overview-weekdays = Будни: работаем
overview-weekend = Выходные: работаем
overview-opens = С
overview-closes = До
overview-hours-keep = Сохранить часы
overview-hours-kept = Рабочие часы сохранены, числа пересчитаны.
error-club_hours_wrong = Такие рабочие часы не годятся.
error-club_hours_wrong-remedy = Закрытие должно быть позже открытия, и хоть один день клуб должен работать.

# Всё ли в порядке

health-title = Состояние
health-help = Те же проверки, что и по адресу /readyz. Красное мешает заявкам дойти или показателям быть верными.
health-trouble = Есть неполадки
health-filling = Читаем AmoCRM
health-amocrm-away = AmoCRM не отвечает
health-amocrm = { $why } С { $since } ни один запрос не прошёл. Заявки сохраняются здесь и уйдут сами, как только AmoCRM ответит.
health-waiting = { $count ->
    [one] { $count } лид ждёт
    [few] { $count } лида ждут
   *[many] { $count } лидов ждут
} отправки в AmoCRM, самый давний — с { $since }. Ничего не потеряно, повторяем сами.
health-mirror = Списки и показатели — на { $since }: с тех пор прочитать AmoCRM не удаётся. Повторяем сами.
health-mirror-filling = Читаем лидов из AmoCRM, списки и показатели ещё не полны.
health-mirror-unknown = Неизвестно, насколько свежи списки и показатели: часы этого компьютера переставили. Читаем заново.
health-hooks = Уведомления AmoCRM не приходят с { $since }. Изменения опрашиваем сами, они видны с задержкой до полуминуты.
health-work = { $work }: не получается с { $since }. Повторяем сами; если за час не пройдёт, скажите администратору.
health-connection = Связь с AmoCRM не работает с { $since }.
health-database = База данных не отвечает.
health-disk = На диске почти нет места: свободно { $free } МБ. Освободите место, иначе заявки скоро нельзя будет сохранить.
health-more = { $count ->
    [one] и ещё { $count } неполадка
    [few] и ещё { $count } неполадки
   *[many] и ещё { $count } неполадок
}
health-check-database = База данных
health-check-connection = Доступ к AmoCRM
health-check-amocrm = AmoCRM отвечает
health-check-waiting = Лиды в пути
health-check-people = Лиды, которым нужно решение
health-check-clock = Часы
health-check-disk = Диск
health-work-delivery = Отправка лидов
health-work-search = Поиск лидов без ответа
health-work-heartbeat = Удержание отправляемых лидов
health-work-mirror = Копия лидов
health-work-hooks = Уведомления AmoCRM
health-work-keeper = Обновление ключа
health-work-fields = Чтение полей
health-work-pruning = Удаление старых данных
health-work-exports = Выгрузка файлов
health-rounds = Фоновая работа
health-rounds-well = Последний успех
health-rounds-failed = Последний сбой
health-rounds-why = Что это было
connection-refresh-sure = Ключ обновляется сам, заранее; кнопка нужна, если связь не работает. Каждое обновление тратит одноразовый ключ: если ответ AmoCRM потеряется, администратору придётся разрешать доступ заново.
connection-refresh-last = Последнее обновление: { $ago }.
connection-refresh-yes = Обновить ключ
