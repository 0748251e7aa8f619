/* media.ReleaseFile - the operator takes a file out of quarantine. An organisation's
 * own people cannot: what a scanner takes for malware would be given out under the
 * installation's name. */
#include <trl/change.h>

#include "file/file.h"
#include "kinds/kinds.h"
#include "scan/scan.h"
#include "variant/variant.h"

static enum trl_code
may_release(trl_ctx *ctx, const struct media *self, const media_file *file, bool force)
{
	if (file->state != MEDIA__V1__FILE__STATE__quarantined)
		return trl_fail(ctx, TRL_CONFLICT, "This file is not in quarantine.");
	if (!force && !self->scan)
		return trl_fail(
		    ctx, TRL_CONFLICT, "There is no scanner to scan it again.");
	return TRL_OK;
}

static void
show_again(struct media *self, trl_ctx *ctx, media_file *file, trl_batch *work)
{
	trl_set(file, state, MEDIA__V1__FILE__STATE__processing);
	scan_mark(self, file);
	(void)scan_add(self, ctx, file, work);
}

/* Nobody has looked at a picture in quarantine. */
static void
let_out(struct media *self, media_file *file, trl_batch *work, bool *ready)
{
	const bool waits =
	    kinds_of(file->type).picture && variant_begin(self, file, work);

	*ready = !waits;
	trl_set(file, scan, MEDIA__V1__FILE__SCAN__released);
	trl_set(file, state,
	    waits ? MEDIA__V1__FILE__STATE__processing : MEDIA__V1__FILE__STATE__ready);
}

static enum trl_code
release_once(struct media *self, trl_ctx *ctx, const Media__V1__ReleaseFileRequest *in,
    media_file *out)
{
	const struct trl_id id = trl_value_id(in->file_id);
	trl_batch *work;
	bool ready = false;
	int64_t former;
	enum trl_code rc;

	media__v1__file__init(out);
	rc = file_find(self, ctx, id, out);
	if (rc == TRL_OK)
		rc = may_release(ctx, self, out, in->force);
	if (rc != TRL_OK)
		return rc;
	former = out->version;
	trl_set(out, version, former + 1);
	out->updated_at = trl_value_time(ctx, trl_now(ctx));
	out->reason = NULL;
	work = trl_batch_new(ctx, self->pg, TRL_SCOPE_TENANT(ctx->tenant));
	if (in->force)
		let_out(self, out, work, &ready);
	else
		show_again(self, ctx, out, work);
	trl_batch_add(work, &media_sql_file_update, &out->base,
	    TRL_ARG_ID("tenant_id", ctx->tenant),
	    TRL_ARG_INT("former_version", former));
	if (ready)
		file_tell(self, ctx, work, &media_event_file_ready, out);
	trl_batch_audit(work, "media.file.release", id, "file", NULL);
	return trl_batch_write(work, &out->base);
}

/* Errors: TRL_NOT_FOUND, TRL_CONFLICT (it is not in quarantine, or nobody scans). */
enum trl_code
media_release_file(struct media *self, trl_ctx *ctx,
    const Media__V1__ReleaseFileRequest *in, media_file *out)
{
	TRL_AUTO(trl_change_end) struct trl_change change = { 0 };
	enum trl_code rc = trl_change_begin(&change, ctx, trl_value_id(in->file_id));

	if (rc != TRL_OK)
		return rc;
	do
		rc = release_once(self, ctx, in, out);
	while (trl_change_again(&change, &rc));
	return rc;
}
