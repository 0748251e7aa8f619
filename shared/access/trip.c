/* trip.c - the two round trips of a request, and counting a name: what each asks of
 * Redis, and what is believed of the answer. Requests of one turn that ask the same go
 * together (share.c). */
#include <string.h>

#include "state.h"

static void
add_limit(struct access_question *question, const struct trl_limit *limit)
{
	if (!limit)
		return;
	question->limits[question->n_limits++] = limit;
	question->n_own = question->n_limits;
}

/* Counted with those before it where there is a grant. */
static void
add_tenant_limit(struct access_question *question, const struct trl_limit *limit)
{
	if (limit)
		question->limits[question->n_limits++] = limit;
}

static void
ask_about_text(
    struct access_question *question, enum trl_limit_subject subject, const char *text)
{
	question->subject_len =
	    (uint8_t)access_subject_bytes(subject, text, question->subject);
}

static void
ask_about_id(struct access_question *question, struct trl_id id)
{
	memcpy(question->subject, id.bytes, sizeof id.bytes);
	question->subject_len = sizeof id.bytes;
}

enum trl_code
access_refused(trl_ctx *ctx, const struct trl_access_states *states)
{
	const struct trl_limit_state *worst = NULL;
	size_t i;

	for (i = 0; i < states->n; i++)
		if (!states->state[i].allowed &&
		    (!worst || states->state[i].next_us > worst->next_us))
			worst = &states->state[i];
	if (!worst)
		return TRL_OK;
	trl_err_clear(ctx);
	(void)trl_fail(ctx, TRL_RATE,
	    "The limit \"%s\" is reached: %llu in %u seconds.", worst->limit->name,
	    (unsigned long long)worst->quota, worst->limit->window_s);
	trl_err_retry_after(ctx, (uint32_t)((worst->next_us + 999) / 1000));
	return TRL_RATE;
}

enum trl_code
trl_access_greet(trl_ctx *ctx, trl_access *access, const char *address,
    const char *rate, const uint8_t hash[TRL_ACCESS_HASH],
    const struct trl_access_who **who, struct trl_access_states *states)
{
	const struct trl_limit *own =
	    rate ? trl_limit_find(TRL_LIMIT_ADDRESS, rate) : NULL;
	struct access_question question;
	struct access_answer answer;

	*who = NULL;
	memset(&question, 0, sizeof question);
	ask_about_text(&question, TRL_LIMIT_ADDRESS, address);
	if (!own || !own->apart)
		add_limit(&question, trl_limit_find(TRL_LIMIT_ADDRESS, NULL));
	add_limit(&question, own);
	if (hash) {
		question.beside = ACCESS_WHO;
		memcpy(question.hash, hash, sizeof question.hash);
	}
	access_ask(ctx, access, &question, &answer, states);
	if (answer.beside.data)
		*who = access_unpack_who(
		    ctx->arena, answer.beside.data, answer.beside.len);
	if (hash)
		trl_series_add(*who ? access->sessions.hit : access->sessions.miss, 1);
	return access_refused(ctx, states);
}

/* A grant copy is believed if both its epochs are the present ones. */
static const struct trl_access_grant *
believed(trl_ctx *ctx, struct trl_redis_arg copy, const struct trl_access_visit *visit,
    struct trl_id tenant)
{
	const struct trl_access_grant *grant;

	if (!visit->tenant_epoch || !copy.data)
		return NULL;
	grant = access_unpack_grant(ctx->arena, copy.data, copy.len);
	if (!grant || grant->tenant_epoch != visit->tenant_epoch ||
	    grant->account_epoch != visit->account_epoch ||
	    !trl_id_eq(grant->tenant, tenant))
		return NULL;
	return grant;
}

/* The caller's own limit: of a key the strictest where its class has none. */
static const struct trl_limit *
limit_of(const struct trl_access_who *who, const char *rate)
{
	const struct trl_limit *limit;

	if (who->kind != TRL_KEY)
		return trl_limit_find(TRL_LIMIT_PERSON, rate);
	limit = trl_limit_find(TRL_LIMIT_KEY, rate);
	return limit ? limit : trl_limit_find(TRL_LIMIT_KEY, "write");
}

/* Outside a tenant: the account's epoch (a key has none) with the caller's limit. */
static enum trl_code
arrive_alone(trl_ctx *ctx, trl_access *access, const struct trl_access_who *who,
    const char *rate, struct trl_access_visit *visit, struct trl_access_states *states)
{
	const bool is_key = who->kind == TRL_KEY;
	struct access_question question;
	struct access_answer answer;

	memset(&question, 0, sizeof question);
	ask_about_id(&question, is_key ? who->session : who->account);
	add_limit(&question, limit_of(who, rate));
	question.before = is_key ? 0 : 1;
	if (!question.n_limits && !question.before)
		return TRL_OK;
	access_ask(ctx, access, &question, &answer, states);
	visit->account_epoch = answer.epoch;
	return access_refused(ctx, states);
}

/* The account's epoch, made where it was missing. 0: Redis does not tell. */
static uint64_t
make_epoch(trl_ctx *ctx, trl_access *access, struct trl_id account)
{
	struct trl_access_states states = { 0 };
	struct access_question question;
	struct access_answer answer;

	memset(&question, 0, sizeof question);
	ask_about_id(&question, account);
	question.before = 1;
	access_ask(ctx, access, &question, &answer, &states);
	return answer.epoch;
}

/* In a tenant: the script counts caller and tenant and brings epoch and grant; beside
 * it the account's epoch is fetched (a key ends with its tenant's). */
static void
visit_tenant(trl_ctx *ctx, trl_access *access, struct access_question *question,
    const struct trl_access_who *who, struct trl_id tenant,
    struct trl_access_visit *visit, struct trl_access_states *states)
{
	const bool is_key = who->kind == TRL_KEY;
	struct access_answer answer;

	question->tenant = tenant;
	question->before = 2;
	question->beside = is_key ? ACCESS_NOTHING : ACCESS_ACCOUNT_EPOCH;
	ask_about_id(question, is_key ? who->session : who->account);
	access_ask(ctx, access, question, &answer, states);
	if (!answer.told)
		return;
	visit->tenant_counted = answer.n_counted == question->n_limits;
	visit->account_epoch = access_epoch_of(answer.beside);
	if (!is_key && !visit->account_epoch)
		visit->account_epoch = make_epoch(ctx, access, who->account);
	visit->tenant_epoch = answer.epoch;
	visit->grant = believed(ctx, answer.copy, visit, tenant);
	trl_series_add(visit->grant ? access->grants.hit : access->grants.miss, 1);
}

static enum trl_code
arrive_in_tenant(trl_ctx *ctx, trl_access *access, const struct trl_access_who *who,
    struct trl_id tenant, const char *rate, struct trl_access_visit *visit,
    struct trl_access_states *states)
{
	struct access_question question;

	memset(&question, 0, sizeof question);
	add_limit(&question, limit_of(who, rate));
	add_tenant_limit(&question, trl_limit_find(TRL_LIMIT_TENANT, rate));
	visit_tenant(ctx, access, &question, who, tenant, visit, states);
	return access_refused(ctx, states);
}

enum trl_code
trl_access_belongs(trl_ctx *ctx, trl_access *access,
    const struct trl_access_grant *grant, const char *rate,
    struct trl_access_states *states)
{
	const struct trl_limit *limit = trl_limit_find(TRL_LIMIT_TENANT, rate);
	struct access_question question;
	struct access_answer answer;

	memset(&question, 0, sizeof question);
	add_limit(&question, limit);
	if (!question.n_limits)
		return TRL_OK;
	question.tenant = grant->tenant;
	if (limit->planned)
		question.quota = grant->quotas[limit->planned - 1];
	access_ask(ctx, access, &question, &answer, states);
	return access_refused(ctx, states);
}

void
trl_access_look(trl_ctx *ctx, trl_access *access, const struct trl_access_who *who,
    struct trl_id tenant, struct trl_access_visit *visit)
{
	struct trl_access_states states = { 0 };
	struct access_question question;

	*visit = (struct trl_access_visit){ 0 };
	memset(&question, 0, sizeof question);
	visit_tenant(ctx, access, &question, who, tenant, visit, &states);
}

enum trl_code
trl_access_arrive(trl_ctx *ctx, trl_access *access, const struct trl_access_who *who,
    struct trl_id tenant, const char *rate, struct trl_access_visit *visit,
    struct trl_access_states *states)
{
	*visit = (struct trl_access_visit){ 0 };
	if (trl_id_is_nil(tenant))
		return arrive_alone(ctx, access, who, rate, visit, states);
	return arrive_in_tenant(ctx, access, who, tenant, rate, visit, states);
}

static enum trl_code
limit_text(trl_ctx *ctx, trl_access *access, enum trl_limit_subject subject,
    const char *rate, const char *text)
{
	struct trl_access_states states = { 0 };
	struct access_question question;
	struct access_answer answer;

	memset(&question, 0, sizeof question);
	add_limit(&question, trl_limit_find(subject, rate));
	if (!question.n_limits)
		return TRL_OK;
	ask_about_text(&question, subject, text);
	access_ask(ctx, access, &question, &answer, &states);
	return access_refused(ctx, &states);
}

enum trl_code
trl_access_limit_name(
    trl_ctx *ctx, trl_access *access, const char *rate, const char *name)
{
	return limit_text(ctx, access, TRL_LIMIT_NAME, rate, name);
}

enum trl_code
trl_access_limit_known(
    trl_ctx *ctx, trl_access *access, const char *rate, const char *name_and_place)
{
	return limit_text(ctx, access, TRL_LIMIT_KNOWN, rate, name_and_place);
}

enum trl_code
trl_access_limit_recipient(
    trl_ctx *ctx, trl_access *access, const char *rate, const char *address)
{
	return limit_text(ctx, access, TRL_LIMIT_RECIPIENT, rate, address);
}

/* The limit that a service's refusal names (access_refused wrote it). */
static const struct trl_limit *
limit_named(const char *rate, const char *message)
{
	for (size_t i = 0; rate && i < trl_limits_count; i++) {
		const struct trl_limit *limit = &trl_limits[i];
		const size_t len = strlen(limit->name);
		const char *at = strchr(message, '"');

		if ((limit->subject == TRL_LIMIT_NAME ||
			limit->subject == TRL_LIMIT_KNOWN ||
			limit->subject == TRL_LIMIT_RECIPIENT) &&
		    strcmp(limit->rate, rate) == 0 && at &&
		    strncmp(at + 1, limit->name, len) == 0 && at[len + 1] == '"')
			return limit;
	}
	return NULL;
}

void
trl_access_name_refused(const trl_access *access, const char *rate, const char *message,
    uint32_t retry_after_ms, struct trl_access_states *states)
{
	const struct trl_limit *limit = limit_named(rate, message);

	if (!limit || states->n == TRL_ACCESS_LIMITS_MAX)
		return;
	states->state[states->n++] = (struct trl_limit_state){ .limit = limit,
		.quota = access_pace(access, limit)->quota,
		.next_us = (uint64_t)retry_after_ms * 1000 };
}
