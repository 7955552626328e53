"""The page Overview: its choices, its figures, its charts.

choices.py     the question: period, unit, pipeline
state.py       how true the numbers are
figures.py     the headline, leads by time, by origin, by reason of loss
funnels.py     the progress of leads through the stages
speed.py       the speed of answers, the hours of arriving leads
attention.py   open leads in need of attention
club_hours.py  the club's working hours
charts.py      figures and words in, a chart out
parts.py       headings and metrics
spelled.py     numbers, shares and days as text
"""
