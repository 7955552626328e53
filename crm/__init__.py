"""The desk itself: what FitZone knows and does about its leads, without a screen.

Importable in a notebook. Knows AmoCRM (`crm.amo`) and a database (`crm.store`); knows nothing of
Streamlit, of the pages or of the sandbox. `crm.desk.Desk` is the whole of it, put together.
"""
