/* kinds.c - the catalogue: which event makes which message, for whom, by which
 * channels. It is a table, filled by migrations; every use takes a copy of its own, so
 * that nobody holds what a later reading replaces. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "notify.h"

enum { FRESH_US = 60 * 1000 * 1000, KINDS_MAX = 1000 };

struct notify_kinds {
	struct trl_buf packed;
	struct trl_buf types; /* of events that make a message: a line each */
	uint64_t read_at_us;  /* of the loop's clock; 0: never */
};

struct notify_kinds *
notify_kinds_new(void)
{
	struct notify_kinds *kinds = calloc(1, sizeof *kinds);

	trl_assert(kinds);
	return kinds;
}

void
notify_kinds_free(struct notify_kinds **kinds)
{
	if (!*kinds)
		return;
	trl_buf_fini(&(*kinds)->packed);
	trl_buf_fini(&(*kinds)->types);
	free(TRL_TAKE(*kinds));
}

static bool
is_fresh(const struct notify *self)
{
	const uint64_t read_at_us = self->kinds->read_at_us;

	return read_at_us && trl_loop_now_us(self->loop) - read_at_us <= FRESH_US;
}

static enum trl_code
read_anew(struct notify *self, trl_ctx *ctx)
{
	Notify__V1__Kinds rows = NOTIFY__V1__KINDS__INIT;
	struct notify_kinds *kinds = self->kinds;
	trl_batch *work = trl_batch_new(ctx, self->pg, (struct trl_scope){ 0 });
	enum trl_code rc;
	size_t len;

	trl_batch_get(work, &notify_sql_kinds_list, NULL, &rows.base,
	    TRL_ARG_INT("limit", KINDS_MAX));
	rc = trl_batch_read(work);
	if (rc != TRL_OK)
		return rc;
	len = notify__v1__kinds__get_packed_size(&rows);
	trl_buf_clear(&kinds->packed);
	notify__v1__kinds__pack(&rows, trl_buf_reserve(&kinds->packed, len));
	kinds->packed.len = len;
	trl_buf_clear(&kinds->types);
	for (size_t i = 0; i < rows.n_items; i++)
		trl_buf_printf(&kinds->types, "\n%s\n", rows.items[i]->event_type);
	kinds->read_at_us = trl_loop_now_us(ctx->loop);
	return TRL_OK;
}

enum trl_code
notify_kinds_read(struct notify *self, trl_ctx *ctx, Notify__V1__Kinds **out)
{
	struct notify_kinds *kinds = self->kinds;

	if (!is_fresh(self)) {
		const enum trl_code rc = read_anew(self, ctx);

		if (rc != TRL_OK)
			return rc;
	}
	*out = notify__v1__kinds__unpack(
	    trl_arena_protobuf(ctx->arena), kinds->packed.len, kinds->packed.data);
	trl_assert(*out);
	return TRL_OK;
}

const Notify__V1__Kind *
notify_kind_by_name(const Notify__V1__Kinds *kinds, const char *kind)
{
	for (size_t i = 0; i < kinds->n_items; i++)
		if (strcmp(kinds->items[i]->kind, kind) == 0)
			return kinds->items[i];
	return NULL;
}

bool
notify_kinds_may_take(const struct notify *self, const char *event_type)
{
	const struct notify_kinds *kinds = self->kinds;
	char line[128];
	const int len = snprintf(line, sizeof line, "\n%s\n", event_type);

	return !is_fresh(self) || len >= (int)sizeof line ||
	       memmem(kinds->types.data, kinds->types.len, line, (size_t)len) != NULL;
}
