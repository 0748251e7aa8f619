"""Random histories of one subscription each: made while life.py lives them, so that
what happens may fall on the very second of a boundary. A history is the lines that
replay.c reads, and what should come of them."""
import random
from fractions import Fraction

import account
import sums

ZONES = ('UTC', 'UTC', 'Europe/Vienna', 'America/New_York', 'Pacific/Kiritimati', 'Australia/Lord_Howe',
         'Asia/Kathmandu', 'America/St_Johns', 'Africa/Casablanca', 'Antarctica/Troll', 'Pacific/Apia',
         'America/Sao_Paulo')
INTERVALS = ('day', 'week', 'month', 'year')
MODELS = ('fixed', 'per_unit', 'graduated', 'volume', 'package')
RATES = ('5', '9.975', '20', '19', '10', '23', '7.7', '0', '5', '21.000001')
WHEN = ('usual', 'now', 'end')
SPENT = ('cancels', 'unpaid', 'stays')
# Instants near which something is odd: 29 February, the 31st, clocks that go on and back.
ODD = (951782400, 1709164800, 1706659200, 1769817600, 1772953200, 1793505600, 1767139200, 1775318400,
       1791043200, 1325203200, 1743210000, 1761440400)
DAY = 86400


class Rules:
    def __init__(self, dice):
        days = sorted(dice.sample(range(1, 30), dice.randint(1, 5)))
        self.retries = dice.choice(([1, 3, 5, 7], days))
        self.spent = dice.choice(SPENT)
        self.trial_cancels = dice.random() < .3
        self.first = dice.choice((23 * 3600, 3600))
        self.due = dice.choice((0, 0, 14 * DAY))
        self.least = dice.choice((50, 50, 500, 1))

    def line(self):
        return 'rules %d %d %d %d %d %s' % (
            SPENT.index(self.spent), self.trial_cancels, self.first, self.due, self.least,
            ' '.join(map(str, self.retries)))


def decimal(dice, most, places):
    """A number as a price list has it: round, or with many places."""
    value = Fraction(dice.randint(0, most))
    if dice.random() < .4:
        value += Fraction(dice.randint(0, 10 ** places - 1), 10 ** places)
    return value


def tiers(dice, size):
    ends = sorted(dice.sample(range(1, 12), dice.randint(0, 4)))
    if dice.random() < .2:
        ends = [end - Fraction(1, 2) for end in ends]
    return tuple(sums.Tier(Fraction(end) if end is not None else None, decimal(dice, size, 12),
                              dice.choice((0, 0, dice.randint(0, size))))
                 for end in list(ends) + [None])


def price(dice, size):
    model = dice.choice(MODELS)
    tiered = model in ('graduated', 'volume')
    free = dice.choice((0, 0, 0, 1, 2, Fraction(5, 2))) if model != 'fixed' else 0
    return sums.Price(model, Fraction(0) if tiered else decimal(dice, size, 12), Fraction(free),
                         Fraction(dice.choice((1, 2, 5))) if model == 'package' else Fraction(0),
                         tiers(dice, size) if tiered else ())


def taxed(dice):
    category = dice.choice(('S', 'S', 'S', 'S', 'E', 'AE', 'O'))
    rates = dice.sample(RATES, dice.choice((1, 1, 1, 2, 3))) if category == 'S' else []
    return category, tuple(Fraction(rate) for rate in rates)


def offers(dice):
    """Of one currency: prices of a yen, a cent or a fils, and the tax of a place."""
    size = dice.choice((30, 3000, 100000, 100000, 5 * 10 ** 9))
    taxes = [taxed(dice) for _ in range(dice.choice((1, 1, 2)))]
    inclusive = dice.choice((False, False, True, None))
    made = []
    for index in range(dice.randint(3, 7)):
        interval = dice.choice(('week', 'month', 'month', 'month', 'year', 'year'))
        category, rates = dice.choice(taxes)
        made.append(sums.Offer(
            index, dice.randint(0, 4), interval, dice.choice((1, 1, 1, 1, 3, 2)),
            dice.random() < .5 if inclusive is None else inclusive, price(dice, size), category, rates))
    return made


def line_of(offer):
    numbers = [offer.index, offer.rank, INTERVALS.index(offer.interval), offer.count, int(offer.inclusive),
               MODELS.index(offer.price.model)]
    numbers += [sums.plain(one) for one in (offer.price.unit, offer.price.free, offer.price.package)]
    numbers += [len(offer.price.tiers), len(offer.rates)]
    for tier in offer.price.tiers:
        numbers += [sums.plain(tier.up_to or Fraction(0)), sums.plain(tier.unit), tier.flat]
    numbers += [offer.category] + [sums.plain(rate) for rate in offer.rates]
    return 'offer ' + ' '.join(map(str, numbers))


class History:
    def __init__(self, seed):
        self.dice = random.Random(seed)
        self.life = account.Account(Rules(self.dice))
        self.offers = offers(self.dice)
        self.lines = ['history %d' % seed, self.life.rules.line()]
        self.lines += [line_of(offer) for offer in self.offers]
        self.said = ['history %d' % seed]
        self.now = self.start()
        self.life.payer = self.dice.choice('pppfw')
        self.lines.append('payer ' + self.life.payer)
        self.set_way(self.dice.random() < .8)
        self.set_zone()
        self.hurried = self.dice.random() < .15   # seats come and go within hours
        if self.dice.random() < .2:
            self.happen(*self.choose_trial())
        for _ in range(self.dice.randint(4, 26)):
            self.go_on()

    def start(self):
        dice = self.dice
        if dice.random() < .5:
            return dice.randint(0, 60) * 3600 + dice.choice(ODD) - 40 * 3600
        return dice.randint(0, 2100000000)

    def set_way(self, can_pay):
        self.life.can_pay = can_pay
        self.lines.append('way %d' % can_pay)

    def set_zone(self):
        name = self.dice.choice(ZONES)
        self.life.zone = sums.zone_of(name)
        self.lines.append('zone ' + name)

    def pass_time(self):
        """Up to, or beyond, what falls due next."""
        dice, life = self.dice, self.life
        due = life.due()
        left = max(0, due[0] - self.now) if due else 30 * DAY
        steps = [0, 1, dice.randint(0, 3600), dice.randint(0, 40 * DAY), left, left + 1, max(0, left - 1),
                 left // 2, left // 3, min(left, dice.randint(0, left or 1))]
        if self.hurried:
            steps = [dice.randint(0, DAY), 3600, left]
        if dice.random() < .05:
            steps = [dice.randint(0, 800 * DAY)]
        self.now += dice.choice(steps)

    def go_on(self):
        dice = self.dice
        self.pass_time()
        if dice.random() < .3:
            self.life.payer = dice.choice('pppppfhwn')
            self.lines.append('payer ' + self.life.payer)
        if dice.random() < .05:
            self.set_zone()
        if dice.random() < .05:
            self.set_way(dice.random() < .5)
        if dice.random() < .12 and not self.life.coupon:
            self.take_coupon()
        self.happen(*self.choose())

    def take_coupon(self):
        dice = self.dice
        kind = dice.choice(('percent', 'amount'))
        value = Fraction(dice.choice(('50', '100', '33.333333', '12.5', '0.000001'))) \
            if kind == 'percent' else Fraction(dice.choice((1, 500, 5000, 10 ** 6)))
        left = dice.choice((0, 1, 3))
        self.life.coupon = kind, value, left
        self.lines.append('coupon %s %s %d' % (kind, sums.plain(value), left))

    def choose(self):
        """What happens: its words after the time, and what life.py is to do."""
        dice, life = self.dice, self.life
        kind = dice.choices(('change', 'seats', 'cancel', 'resume', 'drop', 'trial', 'until', 'card', 'pay', 'fail',
                             'waive'), (26, 18, 5, 5, 2, 4, 20, 6, 8, 3, 1))[0]
        if kind == 'trial' and life.status != 'none':
            kind = 'change'
        if self.hurried and kind == 'change' and life.status == 'active':
            kind = 'seats'
        if life.is_over() and kind in ('seats', 'cancel', 'resume') and dice.random() < .9:
            kind = 'change'
        if kind in ('change', 'seats'):
            return self.choose_change(kind)
        if kind == 'cancel':
            at_once = dice.random() < .4
            return 'cancel', (int(at_once),), lambda now: life.cancel(now, at_once)
        if kind == 'trial':
            return self.choose_trial()
        if kind in ('pay', 'fail', 'waive'):
            return self.choose_open(kind)
        todo = {'resume': life.resume, 'drop': lambda now: life.drop(), 'until': lambda now: None,
                'card': life.card}
        return kind, (), todo[kind]

    def choose_trial(self):
        offer, days = self.dice.choice(self.offers), self.dice.choice((1, 2, 3, 7, 14, 30))
        return 'trial', (offer.index, days), lambda now: self.life.trial(now, offer, days)

    def choose_change(self, kind):
        dice, life = self.dice, self.life
        offer = dice.choice(self.offers) if kind == 'change' else None
        seats = dice.choice((0, 0, dice.randint(1, 12), 10 ** 6, 4 * 10 ** 9)) \
            if dice.random() < .1 else dice.choice((0, 1, 2, 3, 5, 8, 13)) if offer else dice.randint(1, 13)
        when = dice.choice(WHEN) if dice.random() < .4 else 'usual'
        return 'change', (offer.index if offer else -1, seats, WHEN.index(when)), \
            lambda now: life.change(now, offer, seats, when)

    def choose_open(self, kind):
        """Of an invoice that is open; which it is, is known when it is done."""
        dice, life = self.dice, self.life
        which, hard = dice.randint(0, 3), dice.random() < .3

        def do(now):
            due = [one for one in life.invoices if one.state == 'open' and one.due]
            if due and kind == 'pay':
                life.pay(due[which % len(due)])
            elif due and kind == 'fail':
                life.fail(now, due[which % len(due)], hard)
            elif due:
                life.waive(now, due[which % len(due)])
        return kind, (which,) + ((int(hard),) if kind == 'fail' else ()), do

    def happen(self, kind, words, do):
        life = self.life
        self.lines.append(' '.join(map(str, (kind, self.now) + words)))
        life.said = []
        life.until(self.now)
        try:
            do(self.now)
        except account.Refused:
            life.said.append('refused')
        self.said += life.said + [life.state()]
