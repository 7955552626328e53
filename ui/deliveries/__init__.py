"""The page Deliveries: the queue as a whole, the leads waiting for a person, the story of a lead.

queue.py       whether the queue moves, and the table of leads
people.py      the leads that wait for a person
card.py        one lead: its state, what was tried
decisions.py   what a person may do about a lead
spelled.py     times and addresses as text
"""
