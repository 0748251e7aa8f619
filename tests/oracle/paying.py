"""What is billed and paid of a subscription: see account.py."""
from collections import namedtuple

from sums import DAY, Bill, plain, rounded, zone_of

class Refused(Exception):
    pass


class Invoice:
    def __init__(self, number, made, lines):
        self.number, self.made, self.lines = number, made, lines
        self.state = 'open'
        self.due = self.from_balance = self.carried = 0
        self.bill = None
        self.first_failure = self.next_try = None
        self.hard = False
        self.waits_for = True   # it is still asked for: not paid, void or waived


Pending = namedtuple('Pending', 'offer seats at invoice charge')   # invoice None: at the period's end


class Paying:
    def __init__(self, rules):
        self.rules = rules
        self.zone = zone_of('UTC')
        self.status, self.offer, self.seats = 'none', None, 0
        self.start = self.end = self.anchor = self.k = 0
        self.trial_end = self.told = None
        self.canceled = self.ended = 0
        self.ends = False
        self.live = self.billed = None   # the debit, and the invoice that has it
        self.waiting, self.pending = [], None
        self.invoices, self.newest = [], 0
        self.balance = self.carried = 0
        self.coupon = None   # kind, value, left (0: for ever)
        self.payer, self.can_pay = 'p', True
        self.said = []

    def say(self, *words):
        self.said.append(' '.join(str(word) for word in words))

    # Invoices.

    def runs(self):
        return self.status in ('active', 'past_due', 'unpaid')

    def is_over(self):
        return self.status in ('none', 'canceled', 'incomplete_expired')

    def kept(self):
        """The invoices that the life still knows."""
        return [one for one in self.invoices if one.waits_for]

    def new_invoice(self, now, lines, state='open'):
        self.newest += 1
        invoice = Invoice(self.newest, now, lines)
        invoice.state = state
        self.invoices.append(invoice)
        return invoice

    def tell_bill(self, kind, number, bill, more=''):
        text = ''.join(' [%d %d %dx%d%s %d -%d =%d +%d]' % (
            line.start, line.end, line.offer.index, line.seats, 'p' if line.proration else '',
            line.amount, off, net, tax)
            for line, off, net, tax in zip(bill.lines, bill.discounts, bill.nets, bill.taxes))
        text += ''.join(' %s %s %d %d' % (category, plain(rate), net, tax)
                        for (category, rate), (net, tax) in bill.groups.items())
        self.say('%s %d:%s = %d %d %d %d%s' % (kind, number, text, bill.discount, bill.net, bill.tax,
                                               bill.total, more))

    def bill(self, invoice, draft=False):
        """It is made, of the account as it is; if it is no draft, it is final."""
        charged, off = sum(max(0, line.amount) for line in invoice.lines), 0
        if self.coupon and self.coupon[0] == 'percent':
            off = rounded(charged * self.coupon[1] / 100)
        elif self.coupon:
            off = min(charged, int(self.coupon[1]))
        bill = invoice.bill = Bill(invoice.lines, off)
        if draft:
            self.tell_bill('draft', invoice.number, bill)
            return
        invoice.state = 'open'
        invoice.from_balance = min(bill.total, self.balance)
        invoice.carried = self.carried
        invoice.due = bill.total - invoice.from_balance + self.carried
        self.balance -= invoice.from_balance
        self.carried = 0
        if invoice.due < self.rules.least:
            self.carried, invoice.due = invoice.due, 0
        self.tell_bill('invoice', invoice.number, bill,
                       ' | %d %d %d' % (invoice.from_balance, self.carried, invoice.due))
        for line, less in zip(invoice.lines, bill.discounts):
            line.amount -= less   # what was debited
        if off and self.coupon[2]:
            left = self.coupon[2] - 1
            self.coupon = self.coupon[:2] + (left,) if left else None
        if not invoice.due:
            self.is_paid(invoice)

    def is_paid(self, invoice):
        invoice.state, invoice.due = 'paid', 0
        if not invoice.waits_for:
            return
        invoice.waits_for = False
        if self.pending and self.pending.invoice is invoice:
            self.apply()
        elif invoice.number == self.newest:
            self.recover()

    def recover(self):
        if self.status not in ('past_due', 'unpaid'):
            return
        self.status = 'active'
        for one in self.invoices:
            if one.state == 'draft':
                one.waits_for = False
        self.say('changed')

    def waive(self, now, invoice):
        self.say('waived', invoice.number)
        if self.pending and self.pending.invoice is invoice:
            self.expire(now)
            return
        invoice.state, invoice.waits_for = 'waived', False
        if self.billed is invoice:
            self.live = self.billed = None
        if invoice.number == self.newest:
            self.recover()

    # Payments.

    def pay(self, invoice):
        self.say('paid', invoice.number)
        self.is_paid(invoice)

    def fail(self, now, invoice, hard):
        self.say('failed', invoice.number)
        if invoice.waits_for and not (self.pending and self.pending.invoice is invoice):
            self.is_late(now, invoice, hard)

    def is_late(self, now, invoice, hard):
        invoice.hard = hard
        invoice.first_failure = invoice.first_failure or now
        self.set_next_try(now, invoice)
        if self.status == 'active' and invoice.number == self.newest:
            self.status = 'past_due'
            self.say('changed')
        if invoice.next_try is None:
            self.spent(now)

    def set_next_try(self, now, invoice):
        invoice.next_try = None
        if invoice.first_failure:
            later = [invoice.first_failure + days * DAY for days in self.rules.retries]
            invoice.next_try = min((at for at in later if at > now), default=None)

    def spent(self, now):
        if self.status != 'past_due' or self.rules.spent == 'stays':
            return
        if self.rules.spent == 'cancels':
            self.finish(now)
        else:
            self.status = 'unpaid'
            self.say('changed')

    def collect(self, now, invoice):
        if invoice.state != 'open' or not invoice.due:
            return
        if self.payer == 'p':
            self.pay(invoice)
        elif self.payer in 'fh':
            self.fail(now, invoice, self.payer == 'h')
        elif self.payer == 'n' and invoice.waits_for:
            if self.pending and self.pending.invoice is invoice:
                return
            if now < invoice.made + self.rules.due:
                invoice.next_try = invoice.made + self.rules.due
            else:
                self.is_late(now, invoice, True)

    def card(self, now):
        self.can_pay = True
        newest = [one for one in self.kept() if one.number == self.newest and one.state == 'draft']
        todo = [one for one in self.kept() if one.state == 'open']
        if self.status == 'unpaid' and newest:
            todo += newest
            newest[0].state = 'open'
        for one in todo:
            one.hard = False
        if self.status == 'unpaid' and newest:
            self.bill(newest[0])
        for one in todo:
            self.collect(now, one)
