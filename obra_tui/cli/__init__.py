"""The command line: arguments → settings → bootstrap, services → run.

Must import nothing heavy at module level: `obra --help` is answered without
Textual, the database or the SDK.
"""
