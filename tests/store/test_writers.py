"""Who writes which table: read from the code, and held against `WRITERS`."""

import ast

from desk.settings import PROJECT
from store.tables import WRITERS, metadata

STOREYS = ("crm", "desk", "store")
OUTSIDE = ("store.tables", "store.migrations")
WRITES = ("insert", "update", "delete")
ONLY_READ = ("select", "select_from", "join", "outerjoin", "exists")


def room_of(path):
    return ".".join(path.relative_to(PROJECT).with_suffix("").parts[:2])


def tables_of(tree):
    """Local name → table, of what a file takes out of `store.tables`."""
    return {
        alias.asname or alias.name: alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "store.tables"
        for alias in node.names
        if alias.name in metadata.tables
    }


def names_in(nodes):
    return {node.id for node in nodes if isinstance(node, ast.Name)}


def written(tree):
    """(Tables written by their name, tables handed on to something that may write them, whether anything is written that
    has no table's name)."""
    known = tables_of(tree)
    by_name, handed_on, has_unnamed = set(), set(), False
    for node in ast.walk(tree):
        if isinstance(node, ast.Tuple | ast.List):
            handed_on |= names_in(node.elts)
        if not isinstance(node, ast.Call):
            continue
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if called == "upsert" or (called == "insert" and names_in(node.args) & known.keys()):
            by_name |= names_in(node.args)
            has_unnamed = has_unnamed or not names_in(node.args) & known.keys()
        elif called in WRITES and isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name):
            by_name.add(node.func.value.id)
            has_unnamed = has_unnamed or node.func.value.id == "table"
        elif called not in ONLY_READ:
            handed_on |= names_in(node.args)
    return {known[name] for name in by_name & known.keys()}, {known[n] for n in handed_on & known.keys()}, has_unnamed


def writers(texts):
    """Table → rooms that write it; `texts`: (room, source) of each file."""
    found, handed_on, unnamed = {}, {}, set()
    for room, text in texts:
        named, handed, has_unnamed = written(ast.parse(text))
        for table in named:
            found.setdefault(table, set()).add(room)
        handed_on.setdefault(room, set()).update(handed)
        if has_unnamed:
            unnamed.add(room)
    for room in unnamed:
        for table in handed_on[room]:
            found.setdefault(table, set()).add(room)
    return {table: tuple(sorted(rooms)) for table, rooms in found.items()}


def test_every_table_is_written_by_its_writers():
    """Each room that inserts, changes or deletes rows of a table stands in `WRITERS`, and no other."""
    files = [(room_of(path), path) for storey in STOREYS for path in sorted((PROJECT / storey).rglob("*.py"))]
    assert writers((room, path.read_text()) for room, path in files if room not in OUTSIDE) == WRITERS


def test_a_foreign_writer_would_be_found():
    """The test of the test: writing by name, by an upsert, by another name, and through a loop over tables."""
    begin = "from store.tables import leads, people as persons, stages\n"
    assert writers([("desk.a", f"{begin}db.execute(leads.insert())")]) == {"leads": ("desk.a",)}
    assert writers([("desk.a", f"{begin}store.upsert(db, persons, rows)")]) == {"people": ("desk.a",)}
    assert writers([("desk.a", f"{begin}db.execute(sa.select(stages))")]) == {}
    loop = f"{begin}for table in (leads, stages):\n    db.execute(table.delete())"
    assert writers([("desk.b", loop)]) == {"leads": ("desk.b",), "stages": ("desk.b",)}
