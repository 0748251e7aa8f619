/* told_kind.h - what tools/contractgen makes of a contract's (trellis.tells): a kind of
 * message that people are told an event by, and the catalogue of all kinds. What each
 * member means stands in proto/trellis/options.proto. Nobody writes one by hand. */
#pragma once

#include <trl/event_type.h>

enum trl_offer { /* as trellis.Tells.Offer */
	TRL_OFFER_NONE,
	TRL_OFFER_OFF, /* for those who ask for it */
	TRL_OFFER_ON   /* for those who did not refuse */
};

/* Texts are NULL where the contract has none. Fields are paths into the event. */
struct trl_told_kind {
	const char *name;                       /* "member_added" */
	const struct trl_event_type *const *on; /* NULL-ended */
	const char *when_field, *when_value;
	const char *person, *address; /* fields; without these two and members, only
					 Slack is told */
	enum trl_role members;        /* the least role; TRL_ROLE_NONE: not to them */
	const char *about, *locale;   /* fields */
	const char *page;             /* "/tenants/{{tenant.id}}" */
	const char *seal;
	enum trl_offer email, inbox;
	bool doer, slack, mandatory, digest, own_words;
};

/* All kinds of all contracts, rising by name (generated). */
extern const struct trl_told_kind trl_told_kinds[];
extern const size_t trl_told_kinds_count;
/* NULL: there is none. */
const struct trl_told_kind *trl_told_kind_by_name(const char *name);
/* Whether events of a type make it. */
bool trl_told_kind_is_of(
    const struct trl_told_kind *kind, const struct trl_event_type *type);
