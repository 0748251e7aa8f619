/* media.c - trellis media sweep: what lies in tables and store and belongs to nothing,
 * removed call by call until the end; and trellis media release. */
#include "ctl.h"

#include <trl/json.h>

#include <media_v1.trl.h>

enum { WHATS = MEDIA__V1__SWEPT__WHAT__overdue };

static const char *
about(Media__V1__Swept__What what)
{
	switch (what) {
	case MEDIA__V1__SWEPT__WHAT__upload:
		return "uploads past their time";
	case MEDIA__V1__SWEPT__WHAT__unfinished:
		return "what is left of uploads that are gone";
	case MEDIA__V1__SWEPT__WHAT__orphan:
		return "bytes of files that are gone";
	case MEDIA__V1__SWEPT__WHAT__rendition:
		return "pictures made of files that are gone";
	case MEDIA__V1__SWEPT__WHAT__old_rendition:
		return "pictures made at a wish, a month ago";
	case MEDIA__V1__SWEPT__WHAT__scrap:
		return "what processes that died have left";
	case MEDIA__V1__SWEPT__WHAT__link:
		return "links past their time";
	case MEDIA__V1__SWEPT__WHAT__overdue:
		return "deleted files past their time";
	default:
		return "files whose bytes are MISSING (nothing is removed)";
	}
}

/* What was held back from, or could not be done. */
static void
show_left(struct ctl *ctl, const Media__V1__SweepReply *all)
{
	if (all->restored)
		trl_buf_adds(&ctl->out,
		    "The database is of an earlier time than the store: it was "
		    "restored. What it does not know is\nleft alone until "
		    "--accept-restore says that it may go: see Backups in "
		    "k8s/README.md.\n");
	else if (all->held)
		trl_buf_adds(&ctl->out,
		    "The store has many files that the tables do not know: is it the "
		    "right one? They were left\nalone; with --force they are removed, "
		    "too (with --dry-run as well, they are counted).\n");
	if (all->passed > 0)
		trl_buf_printf(&ctl->out,
		    "%llu could not be read or removed, and %s left alone: media's log "
		    "says why.\n",
		    (unsigned long long)all->passed, all->passed == 1 ? "was" : "were");
}

static const char *
outcome(const struct ctl *ctl, const Media__V1__SweepReply *all, uint64_t found)
{
	if (found == 0)
		return all->held || all->passed > 0 ? "Nothing was removed.\n"
						    : "There is nothing to remove.\n";
	if (all->restored)
		return "Nothing was removed.\n";
	return (ctl->args.given & CTL_DRY_RUN) != 0
		   ? "Nothing was removed: without --dry-run it is.\n"
		   : "It is removed.\n";
}

static void
show(struct ctl *ctl, const Media__V1__SweepReply *all)
{
	static const char *const heads[] = { "COUNT", "BYTES", "WHAT" };
	struct ctl_table table = { .heads = heads, .n_columns = 3 };
	uint64_t found = 0;

	for (size_t i = 0; i < all->n_items; i++) {
		const Media__V1__Swept *item = all->items[i];

		if (item->count == 0)
			continue;
		ctl_table_add(&table, "%llu", (unsigned long long)item->count);
		ctl_table_add(&table, "%llu", (unsigned long long)item->bytes);
		ctl_table_add(&table, "%s", about(item->what));
		found +=
		    item->what == MEDIA__V1__SWEPT__WHAT__missing ? 0 : item->count;
	}
	ctl_table_put(&table, &ctl->out, ctl_is_terminal());
	show_left(ctl, all);
	trl_buf_adds(&ctl->out, outcome(ctl, all, found));
}

static void
add(Media__V1__SweepReply *all, const Media__V1__SweepReply *part)
{
	if (part->held)
		trl_set(all, held, true);
	if (part->restored)
		trl_set(all, restored, true);
	if (part->passed > 0)
		trl_set(all, passed, all->passed + part->passed);
	for (size_t i = 0; i < part->n_items; i++)
		for (size_t j = 0; j < all->n_items; j++)
			if (all->items[j]->what == part->items[i]->what) {
				all->items[j]->count += part->items[i]->count;
				all->items[j]->bytes += part->items[i]->bytes;
			}
}

static Media__V1__SweepReply *
all_new(trl_ctx *ctx)
{
	Media__V1__SweepReply *all = media_v1_sweep_reply_new(ctx);

	all->items = trl_arena_alloc(ctx->arena, WHATS * sizeof all->items[0]);
	for (int what = 1; what <= WHATS; what++) {
		Media__V1__Swept *item = media_v1_swept_new(ctx);

		trl_set(item, what, (Media__V1__Swept__What)what);
		trl_set(item, count, 0);
		trl_set(item, bytes, 0);
		all->items[all->n_items++] = item;
	}
	return all;
}

enum ctl_exit
ctl_media_sweep(struct ctl *ctl, trl_ctx *ctx)
{
	const struct ctl_service *media = ctl_service_named(ctl, "media");
	Media__V1__SweepRequest *in = media_v1_sweep_request_new(ctx);
	Media__V1__SweepReply *all = all_new(ctx);

	trl_set(in, dry_run, (ctl->args.given & CTL_DRY_RUN) != 0);
	trl_set(in, force, (ctl->args.given & CTL_FORCE) != 0);
	trl_set(in, accept_restore, (ctl->args.given & CTL_ACCEPT_RESTORE) != 0);
	do {
		ProtobufCMessage *out = NULL;

		if (!ctl_call_one(ctl, ctx, media, &media_v1_sweep, &in->base, &out))
			return CTL_FAILED;
		add(all, (const Media__V1__SweepReply *)out);
		in->place = ((Media__V1__SweepReply *)out)->next;
	} while (in->place);
	if ((ctl->args.given & CTL_JSON) != 0) {
		trl_json_encode(&ctl->out, media_v1_sweep.out, &all->base, false);
		trl_buf_adds(&ctl->out, "\n");
	} else {
		show(ctl, all);
	}
	return all->held || all->passed > 0 ||
		       all->items[MEDIA__V1__SWEPT__WHAT__missing - 1]->count > 0
		   ? CTL_FAILED
		   : CTL_FINE;
}

enum ctl_exit
ctl_media_release(struct ctl *ctl, trl_ctx *ctx)
{
	const struct ctl_service *media = ctl_service_named(ctl, "media");
	Media__V1__ReleaseFileRequest *in = media_v1_release_file_request_new(ctx);
	struct trl_id tenant = trl_id_nil, file = trl_id_nil;
	ProtobufCMessage *out = NULL;
	const Media__V1__File *released;

	if (!ctl_take_id("--tenant", ctl->args.tenant, &tenant) ||
	    !ctl_take_id("FILE", ctl->args.words[0], &file))
		return CTL_MISUSED;
	trl_set(in, tenant_id, trl_value_bytes(ctx, tenant));
	trl_set(in, file_id, trl_value_bytes(ctx, file));
	trl_set(in, force, (ctl->args.given & CTL_FORCE) != 0);
	if (!ctl_call_one(ctl, ctx, media, &media_v1_release_file, &in->base, &out))
		return CTL_FAILED;
	if ((ctl->args.given & CTL_JSON) != 0) {
		trl_json_encode(&ctl->out, media_v1_release_file.out, out, false);
		trl_buf_adds(&ctl->out, "\n");
		return CTL_FINE;
	}
	released = (const Media__V1__File *)out;
	trl_buf_adds(&ctl->out, released->state == MEDIA__V1__FILE__STATE__ready
				    ? "It is given out from now on.\n"
				    : "It is given out once it was looked at.\n");
	return CTL_FINE;
}
