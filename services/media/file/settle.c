/* settle.c - what becomes of a file that was looked at. */
#include <trl/change.h>
#include <trl/event.h>
#include <trl/serve.h>

#include "file/file.h"
#include "quota/quota.h"

Media__V1__File__State
file_state(const media_file *row)
{
	return row->state == MEDIA__V1__FILE__STATE__deleted ? row->kept_state
							     : row->state;
}

bool
file_has_no_hash(const media_file *row)
{
	return !row->sha256 && file_state(row) == MEDIA__V1__FILE__STATE__processing;
}

void
file_tell(struct media *self, trl_ctx *ctx, trl_batch *work,
    const struct trl_event_type *type, const media_file *row)
{
	Media__V1__FileEvent *told = media_v1_file_event_new(ctx);

	told->file = trl_arena_memdup(ctx->arena, row, sizeof *row);
	trl_set(told->file, visibility, media_visibility(self, row->collection));
	trl_strip(&media_v1_file_rules, &told->file->base);
	if (ctx->principal.kind == TRL_PERSON)
		trl_set(told, by, trl_value_bytes(ctx, ctx->principal.account));
	trl_batch_event(work, type, trl_value_id(row->id), &told->base);
}

static char *
or_kept(const char *said, char *kept)
{
	return said ? (char *)(uintptr_t)said : kept;
}

static void
take(const struct file_verdict *verdict, media_file *row)
{
	row->reason = or_kept(verdict->reason, row->reason);
	row->sha256 = or_kept(verdict->sha256, row->sha256);
	row->thumb_hash = or_kept(verdict->thumb_hash, row->thumb_hash);
	if (verdict->width && verdict->height) {
		trl_set(row, width, verdict->width);
		trl_set(row, height, verdict->height);
	}
	if (verdict->frames)
		trl_set(row, frames, verdict->frames);
	if (verdict->scan)
		trl_set(row, scan, verdict->scan);
	if (!verdict->state)
		return;
	if (row->state == MEDIA__V1__FILE__STATE__deleted)
		trl_set(row, kept_state, verdict->state);
	else
		trl_set(row, state, verdict->state);
}

static const struct trl_event_type *
event_of(Media__V1__File__State state)
{
	switch (state) {
	case MEDIA__V1__FILE__STATE__ready:
		return &media_event_file_ready;
	case MEDIA__V1__FILE__STATE__rejected:
	case MEDIA__V1__FILE__STATE__quarantined:
		return &media_event_file_rejected;
	default:
		return NULL;
	}
}

static bool
is_refused(const media_file *row)
{
	const Media__V1__File__State state = file_state(row);

	return state == MEDIA__V1__FILE__STATE__rejected ||
	       state == MEDIA__V1__FILE__STATE__quarantined;
}

/* What follows from another state than before. */
static void
follow(struct media *self, trl_ctx *ctx, trl_batch *work, const media_file *row)
{
	const struct trl_event_type *type = event_of(row->state);

	if (type)
		file_tell(self, ctx, work, type, row);
	if (file_state(row) != MEDIA__V1__FILE__STATE__rejected)
		return;
	quota_free(work, row->size);
	file_purge_at(ctx, work, trl_value_id(row->id), 0);
}

static enum trl_code
settle_once(struct media *self, trl_ctx *ctx, struct trl_id file,
    const struct file_verdict *verdict)
{
	struct file_verdict said = *verdict;
	media_file row = MEDIA__V1__FILE__INIT;
	trl_batch *work;
	int64_t former;
	enum trl_code rc = file_find(self, ctx, file, &row);

	if (rc != TRL_OK)
		return rc;
	if (is_refused(&row) || said.state == file_state(&row))
		said.state = 0;
	former = row.version;
	take(&said, &row);
	trl_set(&row, version, former + 1);
	row.updated_at = trl_value_time(ctx, trl_now(ctx));
	work = trl_batch_new(ctx, self->pg, TRL_SCOPE_TENANT(ctx->tenant));
	trl_batch_add(work, &media_sql_file_update, &row.base,
	    TRL_ARG_ID("tenant_id", ctx->tenant),
	    TRL_ARG_INT("former_version", former));
	if (said.state)
		follow(self, ctx, work, &row);
	return quota_write_unrecorded(self, work, NULL);
}

enum trl_code
file_settle(struct media *self, trl_ctx *ctx, struct trl_id file,
    const struct file_verdict *verdict)
{
	TRL_AUTO(trl_change_end) struct trl_change change = { 0 };
	enum trl_code rc = trl_change_begin(&change, ctx, file);

	if (rc != TRL_OK)
		return rc;
	do
		rc = settle_once(self, ctx, file, verdict);
	while (trl_change_again(&change, &rc));
	return rc;
}
