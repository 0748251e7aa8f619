"""The life of a subscription: what is asked of it, and what time makes of it; paying.py has
what is billed and paid.

At any time of a period one debit counts (`live`). A change ends it, credits its rest and
debits the rest of the period anew; what need not be paid first waits for the next invoice
(`waiting`), the live debit too, if it was not billed yet."""
from fractions import Fraction

from paying import Paying, Pending, Refused
from sums import DAY, INVOICES, Line, boundary, cost, part, rounded


class Account(Paying):
    # Changes.

    def period_end(self, offer, anchor, k):
        return boundary(self.zone, anchor, offer.interval, offer.count, k + 1)

    def check(self, offer, seats):
        if cost(offer.price, seats) is None:
            raise Refused

    def drop_pending(self):
        pending, self.pending = self.pending, None
        if pending and pending.invoice:
            self.void(pending.invoice)

    def void(self, invoice):
        self.say('deleted' if invoice.state == 'draft' else 'void', invoice.number)
        if invoice.state == 'open':
            self.balance += invoice.from_balance
            self.carried += invoice.carried
        invoice.state, invoice.waits_for = 'void', False

    def rest_credit(self, now):
        """The line that takes back what is left of what was billed."""
        rest = self.live.rest(now) if self.live and self.billed and self.live.end > now else 0
        if rest > 0:
            return [Line(self.live.offer, self.live.seats, now, self.live.end, -rest, True)]
        return []

    def used_waiting(self, now):
        """What waits for the next invoice, as far as it is used."""
        lines = []
        for line in self.waiting:
            if line is self.live:
                line = line.until(now)
            if line:
                lines.append(line)
        return lines

    def ask_payment(self, now, offer, seats):
        """An invoice that is to be paid before offer and seats hold."""
        goes_on = self.runs() and (offer.interval, offer.count) == (self.offer.interval, self.offer.count)
        if len(self.kept()) - bool(self.pending and self.pending.invoice) >= INVOICES:
            raise Refused
        start, end = (self.start, self.end) if goes_on else (now, self.period_end(offer, now, 0))
        charge = Line(offer, seats, now, end, part(cost(offer.price, seats), start, end, now, end), now > start)
        lines = []
        if self.runs():
            lines = [Line(l.offer, l.seats, l.start, l.end, l.amount, l.proration) for l in self.used_waiting(now)]
            lines += self.rest_credit(now)
        self.drop_pending()
        invoice = self.new_invoice(now, lines + [charge])
        self.pending = Pending(offer, seats, now + self.rules.first, invoice, charge)
        self.status = 'incomplete' if self.is_over() else self.status
        return invoice

    def bill_and_collect(self, now, invoice):
        self.bill(invoice)
        self.collect(now, invoice)

    def apply(self):
        """The change is paid: it holds since it was asked for."""
        pending = self.pending
        begins = not self.runs()
        same = not begins and (pending.offer.interval, pending.offer.count) == (
            self.offer.interval, self.offer.count)
        self.pending, self.waiting = None, []
        self.live, self.billed = pending.charge, pending.invoice
        self.offer, self.seats, self.status = pending.offer, pending.seats, 'active'
        if not same:
            self.anchor = self.start = pending.charge.start
            self.k = 0
        self.end = pending.charge.end
        self.say('started' if begins else 'changed')

    def retry_same(self, now, offer, seats):
        if not (self.pending and self.pending.invoice and (self.pending.offer, self.pending.seats) == (offer, seats)):
            return False
        self.collect(now, self.pending.invoice)
        return True

    def change(self, now, offer, seats, when):
        wanted = offer
        if self.is_over():
            if not offer:
                raise Refused
            seats = seats or 1
            self.check(offer, seats)
            if len(self.kept()) >= INVOICES:
                raise Refused
            self.live = self.billed = None
            self.waiting = []
            invoice = self.ask_payment(now, offer, seats)
            self.offer, self.seats = offer, seats
            self.trial_end, self.canceled, self.ended, self.ends = None, 0, 0, False
            self.anchor = self.start = now
            self.k, self.end = 0, self.period_end(offer, now, 0)
            self.bill_and_collect(now, invoice)
            return
        offer, seats = offer or self.offer, seats or self.seats
        self.check(offer, seats)
        if self.status == 'incomplete':
            if not self.retry_same(now, offer, seats):
                raise Refused
        elif self.runs():
            self.change_running(now, wanted, offer, seats, when)
        else:
            self.change_unbilled(offer, seats, when)

    def change_unbilled(self, offer, seats, when):
        same = (offer, seats) == (self.offer, self.seats)
        if self.status == 'trialing' and when == 'end' and not same:
            self.change_later(offer, seats)
        elif not (same and self.pending and self.pending.invoice):
            self.drop_pending()
            self.offer, self.seats = offer, seats
            self.say('changed')

    def change_later(self, offer, seats):
        if self.ends:
            raise Refused
        self.drop_pending()
        self.pending = Pending(offer, seats, self.end, None, None)
        self.say('changed')

    def change_running(self, now, wanted, offer, seats, when):
        same = offer == self.offer
        waits = self.pending if self.pending and not self.pending.invoice else None
        if not wanted and waits and waits.offer != offer:
            self.check(waits.offer, seats)
            if when != 'end' and seats != self.seats:
                self.change_now(now, offer, seats, waits._replace(seats=seats))
            else:
                self.pending = waits._replace(seats=seats)
                self.say('changed')
        elif same and seats == self.seats:
            if self.pending:
                self.drop_pending()
                self.say('changed')
        elif when == 'now' or (when == 'usual' and (same or self.is_upgrade(offer))):
            self.change_now(now, offer, seats, waits)
        else:
            self.change_later(offer, seats)

    def is_upgrade(self, offer):
        size = ('day', 'week', 'month', 'year').index
        mine, other = [(one.rank, size(one.interval), one.count) for one in (self.offer, offer)]
        return other >= mine

    def change_now(self, now, offer, seats, waits):
        if self.retry_same(now, offer, seats):
            return
        owes = self.live and self.billed and self.live.end > now and self.billed.waits_for \
            and self.billed.state == 'open'
        if self.status != 'active' or owes:
            raise Refused
        if offer != self.offer or offer.interval == 'year':
            self.bill_and_collect(now, self.ask_payment(now, offer, seats))
            return
        credit = self.rest_credit(now)
        charge = Line(offer, seats, now, self.end,
                      part(cost(offer.price, seats), self.start, self.end, now, self.end), now > self.start)
        waiting = self.used_waiting(now) + credit + [charge]
        self.drop_pending()
        self.pending = waits
        self.waiting, self.live, self.billed, self.seats = waiting, charge, None, seats
        self.say('changed')

    def cancel(self, now, at_once):
        if self.is_over():
            raise Refused
        if at_once or self.status in ('incomplete', 'paused'):
            self.canceled = now
            self.finish(now)
        elif not self.ends:
            self.drop_pending()
            self.ends, self.canceled = True, now
            self.say('changed')

    def resume(self, now):
        if self.ends:
            self.ends, self.canceled = False, 0
            self.say('changed')
        elif self.status != 'paused' or not self.can_pay:
            raise Refused
        elif not self.retry_same(now, self.offer, self.seats):
            self.bill_and_collect(now, self.ask_payment(now, self.offer, self.seats))

    def drop(self):
        if not self.pending or self.status == 'incomplete':
            raise Refused
        self.drop_pending()
        self.say('changed')

    def trial(self, now, offer, days):
        if self.status != 'none':
            raise Refused
        self.status, self.offer, self.seats = 'trialing', offer, 1
        self.anchor = self.start = now
        self.trial_end = self.end = boundary(self.zone, now, 'day', days, 1)
        self.told = False
        self.say('started')

    # Endings, and what falls due.

    def finish(self, now):
        self.drop_pending()
        if self.live and self.live.end > now:
            if self.billed and self.billed.state == 'draft' and self.billed.waits_for:
                self.void(self.billed)
            elif self.billed and self.live.rest(now) > 0:
                self.lower(now)
        lines = self.used_waiting(now)
        self.live, self.billed, self.waiting = None, None, []
        self.status, self.ends, self.ended = 'canceled', False, now
        self.canceled = self.canceled or now
        if lines:
            self.bill_and_collect(now, self.new_invoice(now, lines))
        self.say('ended')

    def lower(self, now):
        """Takes back what is left of the live debit: off its invoice, as far as that goes, or
        by a line of an invoice that follows."""
        since = max(now, self.live.start)
        over = self.credit(self.billed, since, self.live.rest(now))
        if over > 0:
            self.waiting.append(Line(self.live.offer, self.live.seats, since, self.live.end, -over, True))

    def credit(self, invoice, since, amount):
        """A credit note of the last line, in that line's own taxes: each has its share of what
        the line is taken back by. With tax it is no more than the invoice is over, which may
        be nothing where there were credits in it; where that has one tax it is the whole
        invoice that is taken back. What is more than it, is left."""
        bill, inclusive = invoice.bill, self.live.offer.inclusive
        net, taxes, most = bill.nets[-1], bill.rate_taxes[-1], max(0, bill.total)

        def share(take, whole):
            return [rounded(Fraction(tax * take, whole)) for tax in taxes]

        amount = min(amount, net + sum(taxes) if inclusive else net)
        if inclusive:
            tax = sum(share(amount, net + sum(taxes)))
            net = amount - tax
        else:
            tax = sum(share(amount, net))
            net = amount
        if net + tax > most:
            tax = sum(share(most, bill.nets[-1] + sum(taxes)))
            net = most - tax
        kinds = {(line.offer.inclusive, line.offer.category, line.offer.rates) for line, left
                 in zip(bill.lines, zip(bill.nets, bill.taxes)) if sum(left)}
        if most and net + tax == most and len(kinds) == 1:
            net, tax = bill.net, bill.tax
        due = min(net + tax, invoice.due)
        invoice.due -= due
        self.balance += net + tax - due
        if net + tax:
            self.say('credit %d: %d..%d %d + %d | %d' % (invoice.number, since, self.live.end, net, tax, due))
        return amount - (net + tax if inclusive else net)

    def due(self):
        """What falls due next: when, what, and of which invoice."""
        found = []
        if self.status == 'trialing':
            if not self.told:
                found.append((max(self.trial_end - 3 * DAY, self.start), 0, None))
            found.append((self.trial_end, 1, None))
        if self.runs():
            found.append((self.end, 2, None))
        if self.pending and self.pending.invoice:
            found.append((self.pending.at, 3, None))
        for invoice in self.kept():
            if invoice.state == 'open' and invoice.next_try is not None:
                found.append((invoice.next_try, 4, invoice))
        return min(found, key=lambda one: one[:2], default=None)

    def until(self, now):
        while (due := self.due()) and due[0] <= now:
            at, what, invoice = due
            if what == 0:
                self.told = True
                self.say('trial_ending')
            elif what == 1:
                self.end_trial(at)
            elif what == 2:
                self.renew(at)
            elif what == 3:
                self.expire(at)
            else:
                self.try_again(at, invoice)

    def settle_pending(self):
        pending = self.pending
        if not pending:
            return
        self.drop_pending()
        if not pending.invoice:
            self.offer, self.seats = pending.offer, pending.seats
        self.say('changed')

    def end_trial(self, at):
        if self.ends or (not self.can_pay and self.rules.trial_cancels):
            self.finish(at)
            return
        self.settle_pending()
        if not self.can_pay:
            self.status = 'paused'
            self.say('paused')
            return
        self.status = 'active'
        self.say('started')
        self.begin_period(at)

    def begin_period(self, at):
        self.anchor = self.start = at
        self.k, self.end = 0, self.period_end(self.offer, at, 0)
        self.bill_period()

    def renew(self, at):
        if self.ends:
            self.finish(at)
            return
        before = self.offer
        self.settle_pending()
        if (before.interval, before.count) != (self.offer.interval, self.offer.count):
            self.begin_period(at)
            return
        self.start = at
        self.end = at
        while self.end <= at:
            self.k += 1
            self.end = self.period_end(self.offer, self.anchor, self.k)
        self.bill_period()

    def bill_period(self):
        if len(self.kept()) >= INVOICES:
            self.live = None
            self.finish(self.start)
            return
        charge = Line(self.offer, self.seats, self.start, self.end, cost(self.offer.price, self.seats))
        draft = self.status == 'unpaid'
        invoice = self.new_invoice(self.start, self.waiting + [charge], 'draft' if draft else 'open')
        self.waiting, self.live, self.billed = [], charge, invoice
        self.bill(invoice, draft)
        if not draft:
            self.collect(self.start, invoice)

    def expire(self, at):
        self.drop_pending()
        if self.status != 'incomplete':
            self.say('changed')
            return
        self.status, self.ended = 'incomplete_expired', at
        self.say('ended')

    def try_again(self, at, invoice):
        self.set_next_try(at, invoice)
        if not invoice.hard:
            self.collect(at, invoice)
        elif invoice.next_try is None:
            self.spent(at)

    # As it is shown.

    def state(self):
        text = '= ' + self.status
        if self.status != 'none':
            text += ' %dx%d %d..%d %d+%d' % (self.offer.index, self.seats, self.start, self.end, self.anchor, self.k)
        if self.ends:
            text += ' ends'
        if self.pending:
            text += ' pending %dx%d %d %d' % (self.pending.offer.index, self.pending.seats, self.pending.at,
                                              self.pending.invoice.number if self.pending.invoice else 0)
        text += ' canceled %d ended %d' % (self.canceled, self.ended)
        due = self.due()
        if due:
            text += ' next %d' % due[0]
        return text + ' balance %d carried %d left %d' % (
            self.balance, self.carried, self.coupon[2] if self.coupon else 0)
