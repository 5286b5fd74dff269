from invoices import totals


def test_a_line_costs_quantity_times_price():
    assert totals.line_total(3, 250) == 750


def test_a_discount_of_nothing_changes_nothing():
    assert totals.less_discount(999, 0) == 999


def test_half_a_cent_of_a_discounted_total_is_rounded_up():
    assert totals.less_discount(1005, 50) == 503


def test_shares_of_an_even_total_are_the_same():
    assert totals.shares(900, 3) == [300, 300, 300]


def test_shares_add_up_to_the_total():
    assert totals.shares(1000, 3) == [334, 333, 333]
