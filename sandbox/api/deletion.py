"""The ways AmoCRM's own screens delete things, which clients borrow because the API has none (sheet 5.2, L).

Soft, all of it: cards go to the bin, and a second attempt is refused with a sentence about rights that is not true.
"""

from __future__ import annotations

from sandbox.answers import JSON, Answer, dump
from sandbox.api import cards, tasks
from sandbox.brackets import scalars
from sandbox.call import Call

SPOKEN = {"leads": "сделки", "contacts": "контакта", "companies": "контакта"}
"""AmoCRM calls a company a contact here."""


def delete_cards(call: Call) -> Answer:
    """POST /ajax/{kind}/multiple/delete/ with a form of `ID[]`."""
    kind = call.path_params["kind"]
    ids = [int(word) for word in scalars(call.form().get("ID")) if word.isdecimal()]
    found = cards.find(call.work, kind, ids)
    if not found:
        words = "Недостаточно прав для удаления"
        refused = {"status": "fail", "errors": [f"{words} {SPOKEN[kind]}"], "message": words}
        return Answer(200, dump(refused), JSON)
    for row in found.values():
        cards.move_to_bin(call.work, kind, row)
    done = {"status": "success", "message": f"Удаление прошло успешно для {len(found)} {SPOKEN[kind]}"}
    return Answer(200, dump(done), JSON)


def delete_note_or_task(call: Call) -> Answer:
    """POST /private/notes/edit2.php with `ID` and `ACTION`: "gone already" has a wording for either action."""
    form = call.form()
    row_id = int(form["ID"]) if str(form.get("ID", "")).isdecimal() else 0
    if form.get("ACTION") == "TASK_DELETE":
        task = tasks.find(call.work, row_id)
        if task is None:
            return Answer(400, dump({"status": "fail", "id": row_id}), JSON)
        tasks.write(call.work, task, {"is_deleted": 1})
        return Answer(200, dump({"status": "ok", "id": row_id}), JSON)
    if form.get("ACTION") == "NOTE_DELETE":
        note = call.store.row("SELECT * FROM notes WHERE id = ? AND is_deleted = 0", [row_id])
        if note is None:
            return Answer(200, dump({"status": "no note", "id": row_id}), JSON)
        call.store.update("notes", {"is_deleted": 1}, id=row_id)
        call.work.changed("deleted", "notes", row_id, note, note | {"is_deleted": 1})
        return Answer(200, dump({"status": "ok", "id": row_id}), JSON)
    error = {"response": {"error": "Код ошибки 222.", "error_code": "222"}}
    return Answer(400, dump(error), JSON)
