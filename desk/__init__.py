"""The product, without a screen: how the club deals with its leads. A folder for each subject.

    web       the HTTP face: the gate, /api, AmoCRM's hooks             intake    leads that forms and programs hand in
    calls     what an operator types while somebody calls               delivery  the queue that carries leads into AmoCRM
    mirror    the copy of AmoCRM that screens read                      webhooks  hints that something has changed there
    listing   the list of leads, search, card                           reports   figures of the overview
    exports   files                                                     reading   readers of names, dates, numbers, ticks

`desk.Desk` ties them together. Imports `crm` and `store`; knows no Streamlit, and works in a notebook.
"""

ROOMS = ("crm", "desk", "store", "wire", "ui", "pages", "dashboard")
"""The first words of our own modules' names: whose lines the console shows, and of which places a failure tells."""
