"""Tools shared by tests of several rooms, benchmarks and scripts.

desks      a desk in this process               edits     random edits in the sandbox
programs   a desk as a running program          truth     the sandbox's rows, read without the desk
workers    other programs of the tests          loops     an event loop for a test
postgres   a PostgreSQL server                  browsers  a real browser
"""
