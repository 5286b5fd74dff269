import toolbox


def test_the_package_says_what_it_is():
    assert toolbox.__doc__
