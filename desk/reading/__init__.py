"""Readers of human input: a reader for each kind of value, independent of the person and the door.

    texts    names and short lines, free text            ticks    yes or no
    names    letters of two alphabets, another layout    numbers  "12 500,50", "1 000 ₽"
    spoken   numbers said in words                       dates    "5 марта 2026", unix seconds
                                                         choices  one of a list, in anybody's spelling

All pure, and none of them does more work than its input's length allows: length is looked at before anything that costs
more. A reader returns None for what it cannot read; whether that costs somebody an answer is decided at the door. Phones
are `desk.phones`.
"""
