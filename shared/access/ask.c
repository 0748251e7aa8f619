/* ask.c - one question to Redis: the script, which counts, and a GET beside it where a
 * copy lies under another tag; they go out together. Where Redis does not answer,
 * nothing was fetched and the limits are counted here. */
#include <string.h>

#include "state.h"

/* The first argument of the script, as script.c says. */
enum { NUMBERS_HEAD = 1 + 1 + 4, NUMBERS_LIMIT = 8 + 8 + 1 };

/* The commands of a trip, with the room their arguments lie in. */
struct trip {
	struct trl_redis_command commands[2];
	size_t n;
	struct access_key before[2], limits[ACCESS_TRIP_LIMITS], beside;
	char numbers[NUMBERS_HEAD + ACCESS_TRIP_LIMITS * NUMBERS_LIMIT];
};

static void
add_arg(struct trl_redis_command *command, const char *text, size_t len)
{
	trl_assert(command->n_args < TRL_REDIS_ARGS_MAX);
	command->args[command->n_args++] = (struct trl_redis_arg){ text, len };
}

static struct trl_id
subject_id(const struct access_question *question)
{
	struct trl_id id;

	memcpy(id.bytes, question->subject, sizeof id.bytes);
	return id;
}

/* In a tenant all is counted under its tag. */
static void
limit_key(const struct access_question *question, size_t i, struct access_key *key)
{
	const struct trl_limit *limit = question->limits[i];

	if (trl_id_is_nil(question->tenant))
		access_key_limit_of(
		    key, limit, question->subject, question->subject_len);
	else if (limit->subject == TRL_LIMIT_TENANT)
		access_key_limit(key, limit, question->tenant);
	else
		access_key_limit_in(key, limit, question->tenant, subject_id(question));
}

/* The one that the plan sets, if limit i is such a limit. */
static uint64_t
quota_of(const struct access_question *question, const struct access_answer *answer,
    size_t i)
{
	const enum trl_limit_planned planned = question->limits[i]->planned;

	if (planned == TRL_LIMIT_UNPLANNED)
		return 0;
	return question->quota ? question->quota : answer->quotas[planned - 1];
}

/* Where in a copy, from 1, the script finds the quota of limit i; 0: no plan sets this
 * limit, or its quota is at hand. */
static uint64_t
place_of_quota(const struct access_question *question, size_t i)
{
	const enum trl_limit_planned planned = question->limits[i]->planned;

	if (planned == TRL_LIMIT_UNPLANNED || i < question->n_own)
		return 0;
	return ACCESS_QUOTAS_AT + 4 * ((uint64_t)planned - 1) + 1;
}

static char *
put_number(char *at, uint64_t value, size_t len)
{
	for (; len; len--, value >>= 8)
		*at++ = (char)(value & 0xff);
	return at;
}

static char *
put_double(char *at, double value)
{
	uint64_t bits;

	memcpy(&bits, &value, sizeof bits);
	return put_number(at, bits, sizeof bits);
}

static void
fill_numbers(const trl_access *access, const struct access_question *question,
    size_t many, struct trip *trip)
{
	struct trl_redis_command *command = &trip->commands[0];
	char *at = trip->numbers;

	at = put_number(at, question->before, 1);
	at = put_number(at, question->n_own, 1);
	at = put_number(at, many, 4);
	for (size_t i = 0; i < question->n_limits; i++) {
		const struct trl_limit *limit = question->limits[i];
		const struct access_pace pace =
		    access_pace_of(access, limit, limit->planned ? question->quota : 0);

		at = put_double(at, pace.step_us);
		at = put_double(at, pace.window_us);
		at = put_number(at, place_of_quota(question, i), 1);
	}
	add_arg(command, trip->numbers, (size_t)(at - trip->numbers));
	for (size_t i = 0; i < question->n_limits; i++) {
		const struct access_pace *pace =
		    access_pace(access, question->limits[i]);

		add_arg(command, pace->life, pace->life_len);
	}
}

static void
fill_script(const trl_access *access, const struct access_question *question,
    size_t many, struct trip *trip)
{
	struct trl_redis_command *command = &trip->commands[0];
	size_t i;

	command->script = &access_script_visit;
	if (question->before == 2) {
		access_key_epoch(&trip->before[0], 't', question->tenant);
		access_key_grant(
		    &trip->before[1], question->tenant, subject_id(question));
	} else if (question->before == 1) {
		access_key_epoch(&trip->before[0], 'a', subject_id(question));
	}
	for (i = 0; i < question->before; i++)
		add_arg(command, trip->before[i].text, trip->before[i].len);
	for (i = 0; i < question->n_limits; i++) {
		limit_key(question, i, &trip->limits[i]);
		add_arg(command, trip->limits[i].text, trip->limits[i].len);
	}
	command->n_keys = command->n_args;
	fill_numbers(access, question, many, trip);
}

static void
fill_trip(const trl_access *access, const struct access_question *question, size_t many,
    struct trip *trip)
{
	struct trl_redis_command *beside = &trip->commands[1];

	memset(trip->commands, 0, sizeof trip->commands);
	fill_script(access, question, many, trip);
	trip->n = 1;
	if (question->beside == ACCESS_NOTHING)
		return;
	if (question->beside == ACCESS_WHO)
		access_key_who(&trip->beside, question->hash);
	else
		access_key_epoch(&trip->beside, 'a', subject_id(question));
	beside->verb = "GET";
	add_arg(beside, trip->beside.text, trip->beside.len);
	trip->n = 2;
}

static uint64_t
number_of(const struct trl_redis_reply *item)
{
	return item->type == TRL_REDIS_INT && item->num > 0 ? (uint64_t)item->num : 0;
}

uint64_t
access_epoch_of(struct trl_redis_arg text)
{
	const char *at = text.data;
	uint64_t epoch = 0;

	for (size_t i = 0; i < text.len && at[i] >= '0' && at[i] <= '9'; i++)
		epoch = 10 * epoch + (uint64_t)(at[i] - '0');
	return epoch;
}

static struct trl_redis_arg
data_of(const struct trl_redis_reply *item)
{
	if (item->type != TRL_REDIS_DATA)
		return (struct trl_redis_arg){ 0 };
	return (struct trl_redis_arg){ item->data, item->len };
}

static void
read_answer(const struct access_question *question,
    const struct trl_redis_reply replies[2], struct access_answer *answer)
{
	const size_t first = question->before ? 2 : 0;
	const struct trl_redis_reply *list = &replies[0];
	size_t i;

	answer->told = true;
	if (question->beside != ACCESS_NOTHING)
		answer->beside = data_of(&replies[1]);
	answer->counted = list->type == TRL_REDIS_LIST &&
			  (list->n_items == first + 2 * question->n_limits ||
			      list->n_items == first + 2 * question->n_own);
	if (!answer->counted)
		return;
	if (question->before) {
		answer->epoch = access_epoch_of(data_of(&list->items[0]));
		answer->copy = data_of(&list->items[1]);
		if (answer->copy.len >= ACCESS_COPY_HEAD)
			access_read_quotas(answer->copy, answer->quotas);
	}
	answer->n_counted = (list->n_items - first) / 2;
	for (i = 0; i < answer->n_counted; i++) {
		answer->limits[i].allowed = number_of(&list->items[first + 2 * i]);
		answer->limits[i].ahead_us = number_of(&list->items[first + 2 * i + 1]);
	}
}

/* How limit i stands after this request: those before it in the party took first, and
 * nobody took whom an earlier limit refused. */
static void
read_state(const trl_access *access, const struct access_question *question,
    const struct access_answer *answer, size_t i, struct trl_limit_state *state)
{
	const struct access_pace pace =
	    access_pace_of(access, question->limits[i], quota_of(question, answer, i));
	const bool fits = answer->place < answer->limits[i].allowed;
	uint64_t taken = answer->place + 1;
	double ahead;

	for (size_t j = 0; j <= i; j++)
		if (taken > answer->limits[j].allowed)
			taken = answer->limits[j].allowed;
	ahead = (double)answer->limits[i].ahead_us + (double)taken * pace.step_us;
	*state = (struct trl_limit_state){
		.limit = question->limits[i], .allowed = fits, .quota = pace.quota
	};
	access_state_fill(state, pace.window_us - ahead, pace.step_us);
}

/* Without Redis: the caller's own limits, until one refuses. A tenant's waits for the
 * grant, of which there is no copy. */
static void
count_here(trl_access *access, const struct access_question *question,
    struct trl_access_states *states)
{
	bool allowed = true;

	for (size_t i = 0; i < question->n_own && allowed; i++) {
		struct trl_limit_state *state = &states->state[states->n++];
		struct access_key key;

		trl_assert(states->n <= TRL_ACCESS_LIMITS_MAX);
		limit_key(question, i, &key);
		access_count_local(access, &key, question->limits[i],
		    question->limits[i]->planned ? question->quota : 0, state);
		allowed = state->allowed;
	}
}

void
access_ask(trl_ctx *ctx, trl_access *access, const struct access_question *question,
    struct access_answer *answer, struct trl_access_states *states)
{
	struct trl_redis_reply replies[2];
	struct access_party party;
	struct trip trip;
	const size_t before = states->n;
	size_t i;

	if (!access_share(ctx, access, question, &party, answer)) {
		fill_trip(access, question, party.n, &trip);
		if (access->redis && trl_redis_run(ctx, access->redis, trip.commands,
					 trip.n, replies) == TRL_OK)
			read_answer(question, replies, answer);
		access_share_end(&party, answer);
	}
	if (!answer->told)
		trl_series_add(access->lost, 1);
	if (!answer->counted)
		count_here(access, question, states);
	for (i = 0; i < answer->n_counted; i++) {
		trl_assert(states->n < TRL_ACCESS_LIMITS_MAX);
		read_state(access, question, answer, i, &states->state[states->n++]);
	}
	for (i = before; i < states->n; i++)
		if (!states->state[i].allowed)
			trl_series_add(
			    access->limited[states->state[i].limit - trl_limits], 1);
}
