"""The long form of all tests with generated input: `--fuzz N` gives each of them N times as many examples."""

import hypothesis


def pytest_addoption(parser):
    parser.addoption("--fuzz", type=int, default=1, metavar="N", help="N times as many examples for generated input")


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
