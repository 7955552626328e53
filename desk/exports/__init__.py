"""The leads on the screen as a file: the same leads, order and columns, made by a process of its own.

    ask ─► a row "waiting" ─► a process: list ─► rows ─► file.part ─► file ─► "done" ─► a line in the journal
                                          └► how many rows so far, for the screen

sheet.py     one lead as cells, what a spreadsheet must not take for a formula: pure
writers.py   the two kinds of files
exports.py   asking, waiting, cancelling, fetching, forgetting
maker.py     the process

A process, because a hundred thousand rows take seconds of computing, and a page that computes answers nobody.
"""

from desk.exports.exports import Export, Exports
from desk.exports.sheet import KINDS, Wanted

__all__ = ["KINDS", "Export", "Exports", "Wanted"]
