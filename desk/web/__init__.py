"""The HTTP face of the desk: the gate, the addresses with their answers, and the headers of every answer.

    headers ─► gate ─► routes ─► api (/api/crm, /api/amocrm) │ hooks │ health
                  └──► Streamlit's pages

Reads requests and writes answers; what a lead, a hook or the connection is, other rooms decide.
"""
