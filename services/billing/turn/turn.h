/* turn.h - a turn of an account: what life.h says is to be done becomes statements,
 * events and ledger entries of one batch, behind the account's version; and then
 * payments are tried, whose outcome is a turn of its own. A process that dies between
 * the two leaves the payment's job behind, or the job "due", which comes back itself.
 * Every write of billing is a turn, and those of a tenant wait for each other
 * (trl_change_begin). */
#pragma once

#include <trl/change.h>

#include "account/account.h"
#include "account/entitled.h"
#include "invoice/invoice.h"
#include "invoice/ledger.h"
#include "provider/provider.h"

enum turn_series { SERIES_INVOICE, SERIES_CREDIT_NOTE };

enum {
	TURN_CHARGES_MAX = 16,
	TURN_INVOICES_MAX = 120,
	TURN_TELLS_MAX = 256,
	TURN_TRIES = 8
};

struct turn_invoice {
	uint64_t place;
	billing_invoice *invoice; /* of one that was there before, without its lines */
	const billing_invoice *document; /* turn_document; NULL: not read */
	struct bill_taken *taken;        /* credit.h; NULL: not read */
	struct trl_id payment;           /* that is not settled; nil: none */
	bool payment_waits;              /* for its payer; else for the provider */
	int64_t returned, in_balance;    /* returned.h */
	bool is_new, changed;
	bool is_final_now; /* it was a draft before */
	bool is_gone;      /* it was a draft, and is deleted */
};

/* What is told of an invoice, as it is at the end of the turn. */
struct turn_tell {
	const struct trl_event_type *type;
	const billing_invoice *invoice;
	Billing__V1__Remedy *remedy;         /* or NULL */
	const Billing__V1__Payment *payment; /* or NULL */
};

struct turn {
	struct billing *self;
	trl_ctx *ctx;
	struct account account;
	trl_batch *work;
	int64_t next; /* life_next, as it was read */
	struct entitled before;
	bool entitles; /* something else of it changes than plan and seats */
	size_t n_invoices;
	struct turn_invoice invoices[TURN_INVOICES_MAX];
	size_t n_charges; /* payments that the commit makes, still to be charged */
	struct trl_id charges[TURN_CHARGES_MAX];
	bool asks; /* the provider, for those or for something else */
	/* The last of them, where nobody can know of it before it is charged, for its
	 * invoice is as new; or NULL. */
	const Billing__V1__Payment *fresh;
	/* Done by the job "due", which comes back until nothing is left to do: it looks
	 * after the payments, and knows when to come next. */
	bool by_job;
	bool is_stale; /* what came of a payment was written, and is not known here */
	bool told[8];  /* by ACT_STARTED and those after it, once */
	bool is_preview;
	/* number.h; from its first number on, until the commit */
	struct trl_change series_queue;
	int64_t series_was[2], series_taken[2];
	size_t n_tells;
	struct turn_tell tells[TURN_TELLS_MAX];
	bool asked; /* by a request, which has an audit entry of its own: */
	/* of this; NULL: of the subscription. */
	struct trl_id subject;
	const char *subject_kind;
	const ProtobufCMessage *subject_shown; /* as it is since; may be NULL */
};

/* What a caller wants of an account. */
struct turn_kind {
	const char *action; /* of the audit entry: "billing.subscription.change" */
	/* Changes account.life, or fails. */
	enum trl_code (*decide)(struct turn *turn, void *arg, struct life_outcome *out);
	/* The reply, once all is decided and before it is written; NULL: it failed. */
	ProtobufCMessage *(*show)(struct turn *turn, void *arg);
	/* What comes of payments changes nothing of the reply: it is recorded with what
	 * was decided, and then they are tried. Else the reply comes after them, of the
	 * account as it is then, and show() must not need what decide() left in arg: a
	 * retry that finds that it was decided before does not call it. */
	bool reply_stands;
};

/* run.c */

/* Loads the account of ctx's tenant, does what has fallen due, has kind change it,
 * writes everything and charges what is to be paid, then writes that. Where another
 * process was faster, it begins anew. Errors: decide's, TRL_PRECONDITION (If-Match),
 * TRL_CONFLICT (others change it all the time), faults. */
enum trl_code turn_run(struct billing *self, trl_ctx *ctx, const struct turn_kind *kind,
    void *arg) TRL_MUST_CHECK;
/* Commits a change that nobody waits for a reply of, with its payments' jobs (where it
 * is not of the job "due"), and charges them. What the provider does not answer now is
 * its job's. Errors: TRL_PRECONDITION (the account was changed meanwhile: load it
 * anew), faults. */
enum trl_code turn_commit(struct turn *turn, bool payer_is_there) TRL_MUST_CHECK;
/* Has the provider asked for turn->charges, which are committed; the same errors. */
enum trl_code turn_charge(struct turn *turn, bool payer_is_there) TRL_MUST_CHECK;

/* acts.c */

/* Takes what was read, or reads it. turn_end gives back what it holds, once it is
 * written or given up. */
void turn_begin(struct billing *self, trl_ctx *ctx, struct turn *out);
void turn_end(struct turn *turn);
/* Begins another one with the account as the last one has committed it. */
void turn_begin_next(struct turn *turn);
enum trl_code turn_load(
    struct billing *self, trl_ctx *ctx, struct turn *out) TRL_MUST_CHECK;
/* Does what an outcome asks for, until nothing is left.
 * Errors: TRL_INVALID (an amount does not fit), TRL_CONFLICT (too much is open). */
enum trl_code turn_do(struct turn *turn, const struct life_outcome *out) TRL_MUST_CHECK;
/* The subscription as it is shown, with the invoices that this turn makes. */
void turn_show(struct turn *turn, billing_subscription *out);
/* NULL: it is none of those that are open or pay for what is not over. */
struct turn_invoice *turn_invoice_of(struct turn *turn, struct trl_id invoice);
/* The same, and where it is none of those, it is read. Errors: TRL_NOT_FOUND,
 * TRL_CONFLICT (too many are open), faults. */
enum trl_code turn_find_invoice(
    struct turn *turn, struct trl_id invoice, struct turn_invoice **out) TRL_MUST_CHECK;
/* Money came for an invoice; what is more than its due is credit (returned.h). */
void turn_take_money(struct turn *turn, struct turn_invoice *at, const char *currency,
    int64_t amount, struct trl_id payment, struct life_outcome *next);

/* tell.c */

/* Has it told, when the turn is finished. */
void turn_tell_invoice(struct turn *turn, const struct trl_event_type *type,
    const billing_invoice *invoice);
/* That a payment of it was refused, with the provider's word for it. */
void turn_tell_refusal(struct turn *turn, const billing_invoice *invoice,
    const Billing__V1__Payment *payment, const char *code);
/* Adds what was gathered to the batch, and audit entries of what time and payments made
 * of the subscription. A renewal that changes nothing but the period has none: its
 * invoice and the ledger say it. */
void turn_tell(struct turn *turn);

/* document.c: an invoice with its lines and sides, as it became final; that of a place,
 * too, where it is none of the turn's. Errors: faults. */
enum trl_code turn_document(struct turn *turn, struct turn_invoice *at,
    const billing_invoice **out) TRL_MUST_CHECK;
enum trl_code turn_document_at(
    struct turn *turn, uint64_t place, const billing_invoice **out) TRL_MUST_CHECK;

/* finish.c: adds what has come of it to the batch. */
void turn_finish(struct turn *turn);
