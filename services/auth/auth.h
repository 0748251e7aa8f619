/* auth.h - the auth service's state, and what its files share. Known within this
 * folder only; other services call its contract. */
#pragma once

#include <trl/access.h>
#include <trl/batch.h>
#include <trl/change.h>
#include <trl/seal.h>
#include <trl/service.h>
#include <trl/value.h>
#include <auth_v1.server.h>

#include "auth_sql.h"
#include "config.h"
#include "password.h"

enum {
	AUTH_VERIFY_HOURS = 24,  /* a verification link holds this long */
	AUTH_RESET_MINUTES = 30, /* a reset link holds this long */
	AUTH_TOUCH_SECONDS = 60, /* a last use is written at most this often */
	AUTH_SESSIONS_MAX = 100, /* live ones of an account; the oldest ends */
	AUTH_PLACES_MAX = 16,    /* that are remembered of an account */
	AUTH_KEYS_MAX = 200      /* API keys of a tenant */
};

struct auth {
	trl_pg *pg;
	trl_access *access;
	trl_secret *place_key; /* of the hashes of places */
	trl_sealer *sealer;    /* of tokens on their way to the e-mail */
	const struct auth_config *config;
	struct auth_passwords passwords;
};

extern const struct trl_service auth_service;

/* Short names for the generated ones that many files use. */
typedef Auth__V1__AccountRow auth_account;
typedef Auth__V1__SignedIn auth_signed_in;

/* account.c */

/* The account that has an address (in small letters). Where none has it, *found is
 * false and the same was asked of PostgreSQL under an id that nobody has, which is
 * then row's: what follows may go on as if it existed. Errors: faults. */
enum trl_code auth_account_by_email(struct auth *self, trl_ctx *ctx, const char *email,
    auth_account *row, bool *found) TRL_MUST_CHECK;
/* Errors: faults; TRL_NOT_FOUND. */
enum trl_code auth_account_by_id(struct auth *self, trl_ctx *ctx, struct trl_id id,
    auth_account *row) TRL_MUST_CHECK;

/* guard.c */

/* The batch of a change that a session or key asks for: it fails with
 * TRL_UNAUTHENTICATED where that has ended meanwhile. For every such change but the end
 * of that session itself. Of nobody and of the operator: a batch as any other. */
trl_batch *auth_change_new(struct auth *self, trl_ctx *ctx, struct trl_scope scope);

/* place.c: where an account was signed in to before. */

enum { AUTH_PLACE = 16, AUTH_PLACE_KEY = 32 };

/* The key of their hashes, out of TRELLIS_SEAL_KEY. */
trl_secret *auth_place_key(const uint8_t *seal_key);
/* What is kept of the caller's address, for this account only. */
void auth_place(const struct auth *self, const trl_ctx *ctx, struct trl_id account,
    uint8_t out[AUTH_PLACE]);
/* Adds that the account is used from the caller's address. */
void auth_place_remember(
    struct auth *self, trl_ctx *ctx, trl_batch *work, struct trl_id account);
/* Counts the caller against a limit of the address given ("login", "reset"): from a
 * place that is known for the account, or with a session of it, apart from strangers.
 * Errors: TRL_RATE. */
enum trl_code auth_place_limit(struct auth *self, trl_ctx *ctx, const char *rate,
    const char *email, const auth_account *row) TRL_MUST_CHECK;

/* session.c: a new session. */

/* Makes a session of an account, adds its rows to the batch and fills the reply.
 * The token is new whatever the client sent. */
void auth_session_begin(struct auth *self, trl_ctx *ctx, trl_batch *work,
    const auth_account *row, auth_signed_in *out);
/* Adds that the caller's session has not ended while the request waited, for a hash or
 * for other changes: TRL_UNAUTHENTICATED. */
void auth_session_guard(trl_ctx *ctx, trl_batch *work);
/* Sessions last used before this are over. */
int64_t auth_idle_since(const struct auth *self, int64_t now_us);

/* link.c: tokens that travel by mail. */

enum auth_purpose { AUTH_VERIFY, AUTH_RESET };

enum { AUTH_LETTER_HASH = 32, AUTH_LETTER_TEXT = 80 };

const char *auth_purpose_name(enum auth_purpose purpose);
/* Makes a token for an account and the hash to keep. */
void auth_letter_token_new(
    struct trl_id account, char text[AUTH_LETTER_TEXT], uint8_t hash[AUTH_LETTER_HASH]);
/* False where the text is no token of ours. */
bool auth_letter_token_read(
    const char *text, struct trl_id *account, uint8_t hash[AUTH_LETTER_HASH]);
/* An e-mail's link that still holds, and whose account it is. */
struct auth_link {
	enum auth_purpose purpose;
	struct trl_id account;
	uint8_t hash[AUTH_LETTER_HASH];
};

/* What a token says of itself. Errors: TRL_MALFORMED (token: no link). */
enum trl_code auth_letter_read(trl_ctx *ctx, const char *token,
    enum auth_purpose purpose, struct auth_link *out) TRL_MUST_CHECK;
/* Errors: TRL_MALFORMED (token: used, expired, for another purpose). */
enum trl_code auth_letter_open(struct auth *self, trl_ctx *ctx,
    const struct auth_link *link, auth_account *row) TRL_MUST_CHECK;
/* Adds that it is used; the batch fails with TRL_MALFORMED where another was faster.
 * link lives as long as the batch. */
void auth_letter_use(trl_ctx *ctx, trl_batch *work, const struct auth_link *link);
/* Adds that the account's other links of a purpose hold no more. */
void auth_letters_void(
    trl_ctx *ctx, trl_batch *work, struct trl_id account, enum auth_purpose purpose);
/* Makes an e-mail's token and adds its row and its event to the batch. wanted: false
 * where nobody has the address, or needs it no more: then it costs the same, and no
 * e-mail comes of it. */
void auth_letter_begin(struct auth *self, trl_ctx *ctx, trl_batch *work,
    const auth_account *row, enum auth_purpose purpose, bool wanted);

/* password_set.c: what ends with a former password. */

/* Adds to the batch, under the guard that nobody set another password meanwhile: the
 * password's new hash, the end of all sessions and of the links that would set another.
 * row becomes the account as it is then. */
void auth_set_password(struct auth *self, trl_ctx *ctx, trl_batch *work,
    auth_account *row, const char *hash);

/* verify.c */

/* Adds to the batch that the account's address is proven, and the end of the links that
 * would prove it, unless it was proven before; row becomes the account as it is then.
 */
void auth_prove_address(trl_ctx *ctx, trl_batch *work, auth_account *row);

/* key_revoke.c */

/* Revokes all keys that an account made, in whichever organisation, beside the
 * request's own write. Errors: TRL_CONFLICT, faults. */
enum trl_code auth_revoke_everywhere(
    struct auth *self, trl_ctx *ctx, struct trl_id maker) TRL_MUST_CHECK;

/* events_out.c: events, part of the batch that makes them true. */

/* What people see of an account; its texts are the row's. */
Auth__V1__Account *auth_show_account(trl_ctx *ctx, const auth_account *row);
void auth_tell_account(trl_ctx *ctx, trl_batch *work, const struct trl_event_type *type,
    const auth_account *row);
void auth_tell_session(trl_ctx *ctx, trl_batch *work, const auth_account *row,
    ProtobufCBinaryData session);
void auth_tell_password(
    trl_ctx *ctx, trl_batch *work, const auth_account *row, bool by_letter);
void auth_tell_key(trl_ctx *ctx, trl_batch *work, const struct trl_event_type *type,
    Auth__V1__ApiKey *key);

trl_snapshot_fn auth_snapshot;

/* replayed.c (trl_service) */

void auth_replayed(void *state, trl_ctx *ctx, const ProtobufCMessage *in,
    const ProtobufCMessage *reply);

/* maintain.c: `trellis-auth maintain`. */

enum trl_code auth_maintain(const char *admin_url, const void *config) TRL_MUST_CHECK;
