"""The acceptance scenarios, run end to end, judged, and reported.

`expectations` and `judging` are pure: what a scenario promises, and whether a
run kept it. `running` does the runs through `obra_tui.api`, like any script.
"""
