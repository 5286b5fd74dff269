"""Cases that no test of the project names."""

from invoices.totals import less_discount, line_total, shares

for total in range(0, 500, 7):
    for people in range(1, 9):
        found = shares(total, people)
        assert sum(found) == total and len(found) == people and max(found) - min(found) <= 1, (total, people, found)
assert [less_discount(cents, 50) for cents in (1, 2, 3)] == [1, 1, 2]
assert less_discount(200, 100) == 0
assert line_total(0, 5) == 0
