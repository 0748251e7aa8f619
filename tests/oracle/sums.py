"""Billing's arithmetic (here) and the life of a subscription (account.py) once more, in
exact fractions: written from the rules, and not from the C code, so that the two can be held
against each other. Nothing here is fast or clever.

Rules. A rounding is half away from zero, once a line. A part of a period costs the
difference of two roundings, so that parts add up. Boundaries are counted from the anchor,
in local time: a day that a month does not have is its last, a time that a clock skips
moves on by the gap, one that comes twice is the first. Tax is rounded once for each
category and rate, of the sum of its lines; a price with its tax in it stays what it is.
Splits are by the largest remainder, and the first of equal ones.
"""
import datetime
import functools
import zoneinfo
from collections import namedtuple
from fractions import Fraction

EPOCH = datetime.datetime(1970, 1, 1)
DAY = 86400
MOST = 10 ** 15   # that a price may come to
INVOICES = 49     # that may be open


def rounded(value):
    """Half away from zero."""
    whole, rest = divmod(abs(value), 1)
    whole = int(whole) + (2 * rest >= 1)
    return whole if value >= 0 else -whole


def shares(total, weights):
    """total by weights, without a rest."""
    exact = [Fraction(abs(total) * weight, sum(weights)) for weight in weights]
    parts = [int(one) for one in exact]
    order = sorted(range(len(parts)), key=lambda i: (parts[i] - exact[i], i))
    for i in order[:abs(total) - sum(parts)]:
        parts[i] += 1
    return [part if total >= 0 else -part for part in parts]


def part(price, start, end, a, b):
    length = end - start
    return rounded(Fraction(price * (b - start), length)) - rounded(Fraction(price * (a - start), length))


# Prices.

Tier = namedtuple('Tier', 'up_to unit flat')   # up_to None: no end
Price = namedtuple('Price', 'model unit free package tiers')


def cost(price, quantity):
    """Of a whole period, or None where it is too much."""
    quantity = Fraction(quantity)
    paid = max(Fraction(0), quantity - price.free)
    exact = Fraction(0)
    if price.model == 'fixed':
        exact = price.unit
    elif price.model == 'per_unit':
        exact = paid * price.unit
    elif price.model == 'package':
        exact = -(-paid // price.package) * price.unit
    elif price.model == 'volume' and paid:
        tier = next(t for t in price.tiers if t.up_to is None or paid <= t.up_to)
        exact = paid * tier.unit + tier.flat
    elif price.model == 'graduated':
        below = Fraction(0)
        for tier in price.tiers:
            if paid <= below:
                break
            top = paid if tier.up_to is None else min(paid, tier.up_to)
            exact += (top - below) * tier.unit + tier.flat
            below = top if tier.up_to is None else tier.up_to
    total = rounded(exact)
    return total if total <= MOST else None


# Periods.

@functools.lru_cache(None)
def zone_of(name):
    return zoneinfo.ZoneInfo(name)


def instant(local, zone):
    """Of a local time: with fold 0 a skipped one keeps the offset before the gap, and a
    double one is the first."""
    offset = local.replace(tzinfo=zone, fold=0).utcoffset()
    return int((local - offset - EPOCH).total_seconds())


def boundary(zone, anchor, interval, count, k):
    if k == 0:
        return anchor
    utc = (EPOCH + datetime.timedelta(seconds=anchor)).replace(tzinfo=datetime.timezone.utc)
    local = utc.astimezone(zone).replace(tzinfo=None)
    if interval in ('day', 'week'):
        return instant(local + datetime.timedelta(days=k * count * (7 if interval == 'week' else 1)), zone)
    months = local.year * 12 + local.month - 1 + k * count * (12 if interval == 'year' else 1)
    year, month = divmod(months, 12)
    for day in (local.day, 30, 29, 28):
        try:
            return instant(local.replace(year=year, month=month + 1, day=min(day, local.day)), zone)
        except ValueError:   # the month has no such day
            pass
    raise AssertionError


# Bills.

Offer = namedtuple('Offer', 'index rank interval count inclusive price category rates')


class Line:
    def __init__(self, offer, seats, start, end, amount, proration=False):
        self.offer, self.seats, self.start, self.end = offer, seats, start, end
        self.amount, self.proration = amount, proration

    def rest(self, now):
        """What of it is left, if it is a debit that is not over."""
        now = max(now, self.start)
        return self.amount - rounded(Fraction(self.amount * (now - self.start), self.end - self.start))

    def until(self, now):
        """The part that was used; None: nothing."""
        if now <= self.start:
            return None
        return Line(self.offer, self.seats, self.start, now, self.amount - self.rest(now), self.proration)


class Bill:
    """The sums of lines: amounts, discounts, nets and taxes of each."""

    def __init__(self, lines, discount):
        self.lines = lines
        self.discount = discount
        charged = [max(0, line.amount) for line in lines]
        self.discounts = shares(discount, charged) if discount else [0] * len(lines)
        self.left = [line.amount - off for line, off in zip(lines, self.discounts)]
        self.rate_taxes = [[0] * len(line.offer.rates) for line in lines]
        self.groups = {}
        for i, line in enumerate(lines):
            if line.offer.inclusive:
                self.include(i)
            else:
                self.add_on(i)
        self.taxes = [sum(taxes) for taxes in self.rate_taxes]
        self.nets = [left - (tax if line.offer.inclusive else 0)
                     for line, left, tax in zip(lines, self.left, self.taxes)]
        self.net, self.tax = sum(self.nets), sum(tax for _, tax in self.groups.values())
        self.total = self.net + self.tax

    def add(self, category, rate, net, tax):
        before = self.groups.get((category, rate), (0, 0))
        self.groups[category, rate] = before[0] + net, before[1] + tax

    def show(self, places, tax, rate):
        """Spreads a tax over the lines it is of, each near to its exact part. A place is a
        line, and which of its rates."""
        exact = [self.left[i] * rate for i, _ in places]
        shown = [int(one) for one in exact]   # towards zero
        missing = tax - sum(shown)
        sign = 1 if missing >= 0 else -1
        order = sorted(range(len(places)), key=lambda j: (-sign * (exact[j] - shown[j]), j))
        for j in order[:abs(missing)]:
            shown[j] += sign
        for (i, at), one in zip(places, shown):
            self.rate_taxes[i][at] = one

    def include(self, first):
        kind = self.lines[first].offer
        which = [i for i, line in enumerate(self.lines) if line.offer.inclusive
                 and (line.offer.category, line.offer.rates) == (kind.category, kind.rates)]
        if which[0] != first:
            return
        gross, whole = sum(self.left[i] for i in which), sum(kind.rates)
        net = rounded(Fraction(gross * 100, 100 + whole))
        split = shares(gross - net, kind.rates) if whole else [0] * len(kind.rates)
        for at, (rate, tax) in enumerate(zip(kind.rates, split)):
            self.add(kind.category, rate, net, tax)
            self.show([(i, at) for i in which], tax, Fraction(rate, 100 + whole))
        if not kind.rates:
            self.add(kind.category, Fraction(0), net, 0)

    def add_on(self, first):
        kind = self.lines[first].offer
        if not kind.rates:
            self.add(kind.category, Fraction(0), self.left[first], 0)
        for at, rate in enumerate(kind.rates):
            nth = kind.rates[:at].count(rate)
            places = [(i, [j for j, other in enumerate(line.offer.rates) if other == rate][nth])
                      for i, line in enumerate(self.lines) if not line.offer.inclusive
                      and line.offer.category == kind.category and line.offer.rates.count(rate) > nth]
            if places[0][0] == first:
                net = sum(self.left[i] for i, _ in places)
                tax = rounded(net * rate / 100)
                self.add(kind.category, rate, net, tax)
                self.show(places, tax, rate / 100)


def plain(value):
    """A fraction that ends, as a decimal."""
    sign, value = '-' if value < 0 else '', abs(value)
    whole, rest = divmod(value, 1)
    digits = ''
    while rest:
        digit, rest = divmod(rest * 10, 1)
        digits += str(digit)
    return sign + str(whole) + ('.' + digits if digits else '')
