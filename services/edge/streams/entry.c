/* entry.c - an entry of the feed on its way to streams: who may see it, and its
 * text. Nothing in the text is of one stream, so it is made once, when the first may
 * see it, and the same bytes go to all: what is held to deliver entries grows with them
 * only, and not with how many streams there are. */
#include <string.h>

#include <notify_v1.trl.h>

#include "streams/stream.h"

/* type and data are of one line by their making; one that is not would be two. */
static bool
is_one_line(const char *text)
{
	return text && text[strcspn(text, "\r\n")] == '\0';
}

void
stream_entry_init(struct stream_entry *entry, const Notify__V1__FeedEntry *read)
{
	const struct trl_permission *permission =
	    read->permission ? trl_permission_by_name(read->permission) : NULL;

	*entry = (struct stream_entry){ .entry = read,
		.permission = permission ? permission->id : 0 };
}

static bool
is_of(const struct edge_stream *stream, ProtobufCBinaryData account)
{
	return trl_id_is_nil(stream->key) &&
	       account.len == sizeof stream->account.bytes &&
	       memcmp(account.data, stream->account.bytes, account.len) == 0;
}

static bool
may_see(const struct edge_stream *stream, const struct stream_entry *entry)
{
	const Notify__V1__FeedEntry *of = entry->entry;

	if (of->has_account_id && !is_of(stream, of->account_id))
		return false;
	if (!of->permission)
		return of->has_account_id;
	for (size_t i = 0; entry->permission && i < stream->n_permissions; i++)
		if (stream->permissions[i] == entry->permission)
			return true;
	return of->has_also_account_id && is_of(stream, of->also_account_id);
}

/* An entry that cannot be sent has an empty text. */
static void
make_text(trl_ctx *ctx, struct stream_entry *entry)
{
	const Notify__V1__FeedEntry *of = entry->entry;
	char id[TRL_ID_TEXT];
	struct trl_id at;

	entry->text = "";
	if (of->id.len != sizeof at.bytes || !is_one_line(of->type) ||
	    !is_one_line(of->data))
		return;
	memcpy(at.bytes, of->id.data, sizeof at.bytes);
	trl_id_format(at, id);
	entry->text = trl_arena_printf(
	    ctx->arena, "id: %s\nevent: %s\ndata: %s\n\n", id, of->type, of->data);
	entry->len = strlen(entry->text);
}

bool
stream_send(trl_ctx *ctx, struct edge_stream *stream, struct stream_entry *entry)
{
	if (entry->entry->number <= stream->cursor || !may_see(stream, entry))
		return stream->http != NULL;
	if (!entry->text)
		make_text(ctx, entry);
	if (!entry->len)
		return stream->http != NULL;
	if (!stream_write(stream, entry->text, entry->len))
		return false;
	trl_series_add(stream->all->sent, 1);
	return true;
}
