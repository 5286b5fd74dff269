import prices


def test_price_with_tax():
    assert prices.with_tax(1000, 19) == 1190


def test_half_a_cent_is_rounded_up():
    assert prices.with_tax(250, 5.4) == 264


def test_no_tax():
    assert prices.with_tax(999, 0) == 999
