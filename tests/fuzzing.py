"""How tests with generated input choose it.

Without an option each run takes the same examples, so that the suite says the
same of the same code on every machine. `--fuzz N` looks for new ones: N times as
many, chosen anew each time. No example has a deadline: machines are slow at times.
"""

import hypothesis

hypothesis.settings.register_profile("same", derandomize=True, deadline=None)
hypothesis.settings.register_profile("new", derandomize=False, deadline=None)


def pytest_addoption(parser):
    parser.addoption("--fuzz", type=int, default=1, metavar="N", help="N times as many examples for generated input")


def pytest_configure(config):
    hypothesis.settings.load_profile("same" if config.getoption("--fuzz") == 1 else "new")


def pytest_collection_modifyitems(config, items):
    factor = config.getoption("--fuzz")
    if factor == 1:
        return
    widened = set()
    for item in items:
        test = getattr(item, "obj", None)
        if test is None or not hasattr(test, "hypothesis") or id(test) in widened:
            continue
        widened.add(id(test))
        function = getattr(test, "__func__", test)
        before = getattr(function, "_hypothesis_internal_use_settings", hypothesis.settings.default)
        function._hypothesis_internal_use_settings = hypothesis.settings(
            before, max_examples=before.max_examples * factor, deadline=None
        )
