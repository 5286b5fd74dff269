"""Runs pytest so that what is said of a test does not come from the process that the test runs in.

`program` is started by the project's own interpreter, inside the sandbox; `command` turns a command line into that
start; `channel` hears what it says and believes only what is complete.
"""
