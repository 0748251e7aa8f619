/* s3_list.c - what lies in the bucket: objects, and multipart uploads that are neither
 * finished nor given up, a page at a time. A page begins behind the last key of the one
 * before, as every server can. */
#include "s3.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <trl/clock.h>

#include "s3_xml.h"

struct parse {
	struct s3_xml xml;
	struct s3_item item;
	struct s3_page *page;
	const char *entry; /* the element that an item is */
	size_t n, most;
	bool wrong;
};

static void
keep(struct parse *in, char *out, size_t size)
{
	if (strlen(in->xml.text) >= size) {
		in->wrong = true;
		return;
	}
	strcpy(out, in->xml.text);
}

static void
read_item_member(struct parse *in, const char *name)
{
	const char *text = in->xml.text;

	if (!strcmp(name, "Key"))
		keep(in, in->item.key, sizeof in->item.key);
	else if (!strcmp(name, "UploadId"))
		keep(in, in->item.id, sizeof in->item.id);
	else if (!strcmp(name, "Size"))
		in->item.size = strtoull(text, NULL, 10);
	else if (!strcmp(name, "LastModified") || !strcmp(name, "Initiated"))
		in->wrong |= !trl_time_parse(text, strlen(text), &in->item.changed_us);
}

/* Where the next page begins: behind the last item, whatever the server calls it. */
static void
take_item(
    struct parse *in, void (*fn)(void *self, const struct s3_item *item), void *self)
{
	struct s3_page *page = in->page;

	in->wrong |= in->item.key[0] == '\0' || (page->uploads && !in->item.id[0]);
	if (in->wrong || in->n++ >= in->most)
		return;
	strcpy(page->after, in->item.key);
	strcpy(page->after_id, in->item.id);
	fn(self, &in->item);
}

static void
read_document(struct parse *in, const char *root,
    void (*fn)(void *self, const struct s3_item *item), void *self)
{
	enum s3_xml_event event;
	const char *name;
	unsigned depth;

	while (!in->wrong &&
	       (event = s3_xml_next(&in->xml, &name, &depth)) != S3_XML_OVER) {
		const bool is_entry = depth == 2 && !strcmp(name, in->entry);

		if (event == S3_XML_WRONG || (depth == 1 && strcmp(name, root) != 0))
			in->wrong = true;
		else if (event == S3_XML_BEGIN && is_entry)
			in->item = (struct s3_item){ .size = 0 };
		else if (event == S3_XML_LEAVE && depth == 3)
			read_item_member(in, name);
		else if (event == S3_XML_LEAVE && is_entry)
			take_item(in, fn, self);
		else if (event == S3_XML_LEAVE && depth == 2 &&
			 !strcmp(name, "IsTruncated"))
			in->page->more = !strcmp(in->xml.text, "true");
	}
}

static void
add_member(struct trl_buf *query, const char *name, const char *value)
{
	trl_buf_printf(query, "%s%s=", query->len > 0 ? "&" : "", name);
	sigv4_encode(query, value, strlen(value), false);
}

/* Names in their order. */
static void
write_query(const struct s3_page *page, unsigned most, struct trl_buf *query)
{
	char number[16];

	snprintf(number, sizeof number, "%u", most);
	if (page->uploads && page->after[0] != '\0')
		add_member(query, "key-marker", page->after);
	if (!page->uploads && page->after[0] != '\0')
		add_member(query, "marker", page->after);
	add_member(query, page->uploads ? "max-uploads" : "max-keys", number);
	add_member(query, "prefix", page->prefix);
	if (page->uploads && page->after[0] != '\0')
		add_member(query, "upload-id-marker", page->after_id);
	if (page->uploads)
		add_member(query, "uploads", "");
	trl_buf_add(query, "", 1);
}

enum trl_code
s3_list_page(trl_ctx *ctx, struct s3_store *store, struct s3_page *page, unsigned most,
    void (*fn)(void *self, const struct s3_item *item), void *self)
{
	TRL_AUTO(s3_answer_fini) struct s3_answer answer = { .status = 0 };
	TRL_AUTO(trl_buf_fini) struct trl_buf query = { .len = 0 };
	struct parse *in = calloc(1, sizeof *in);
	struct s3_ask ask = { .method = "GET", .key = "" };
	enum trl_code rc;

	trl_assert(in != NULL);
	write_query(page, most, &query);
	ask.query = (const char *)query.data;
	rc = s3_there(ctx, s3_ask(ctx, store, &ask, &answer));
	if (rc == TRL_OK) {
		in->page = page;
		in->most = most;
		in->entry = page->uploads ? "Upload" : "Contents";
		page->more = false;
		s3_xml_init(&in->xml, (const char *)answer.body.data, answer.body.len);
		read_document(in,
		    page->uploads ? "ListMultipartUploadsResult" : "ListBucketResult",
		    fn, self);
		page->more |= in->n > most; /* it does not count */
		if (in->wrong || (page->more && in->n == 0))
			rc = trl_fail(ctx, TRL_UNAVAILABLE,
			    "a listing of the S3 server cannot be read");
	}
	free(in);
	return rc;
}

/* For the sweep. */

struct listing {
	trl_ctx *ctx;
	struct store_listing *at;
	bool uploads;
};

/* TENANT/FILE and what may follow it. */
static void
understand(const char *key, bool upload, struct store_found *found)
{
	const size_t id = TRL_ID_TEXT - 1;
	const char *rest = key + 2 * id + 1;

	if (strlen(key) >= 2 * id + 1 && key[id] == '/' &&
	    trl_id_parse(key, id, &found->tenant) &&
	    trl_id_parse(key + id + 1, id, &found->file)) {
		found->kind = upload ? STORE_UPLOAD : STORE_WHOLE;
		if (*rest == '\0')
			return;
		found->kind = upload ? STORE_SCRAP : STORE_UPLOAD;
		if (!strncmp(rest, ".tail/", 6))
			return;
		found->kind = upload ? STORE_SCRAP : STORE_MADE;
		if (!strncmp(rest, ".made/", 6) &&
		    strlen(rest + 6) < STORE_PART_BYTES) {
			strcpy(found->part, rest + 6);
			return;
		}
	}
	found->kind = STORE_SCRAP;
	found->tenant = found->file = trl_id_nil;
}

static void
add_found(void *self, const struct s3_item *item)
{
	struct listing *listing = self;
	struct store_listing *at = listing->at;
	struct store_found *found = &at->found[at->n];

	if (at->n == STORE_PAGE || (!listing->uploads && !strcmp(item->key, S3_OWNER)))
		return;
	*found =
	    (struct store_found){ .size = item->size, .changed_us = item->changed_us };
	understand(item->key, listing->uploads, found);
	/* "ID KEY" of a multipart upload, " KEY" of an object. */
	found->name =
	    trl_arena_printf(listing->ctx->arena, "%s %s", item->id, item->key);
	at->n++;
}

/* after is "o KEY" or "u ID KEY". */
static void
read_after(const struct store_listing *at, struct s3_page *page)
{
	const char *space;

	*page = (struct s3_page){ .prefix = "", .uploads = at->after[0] == 'u' };
	if (at->after[0] == '\0')
		return;
	space = strchr(at->after + 2, ' ');
	trl_assert(space != NULL);
	snprintf(page->after_id, sizeof page->after_id, "%.*s",
	    (int)(space - at->after - 2), at->after + 2);
	snprintf(page->after, sizeof page->after, "%s", space + 1);
}

enum trl_code
s3_list(trl_ctx *ctx, media_store *base, struct store_listing *at)
{
	struct s3_page *page = malloc(sizeof *page);
	struct listing listing = { .ctx = ctx, .at = at };
	enum trl_code rc;
	int n;

	trl_assert(page != NULL);
	read_after(at, page);
	listing.uploads = page->uploads;
	at->found = trl_arena_alloc(ctx->arena, STORE_PAGE * sizeof *at->found);
	rc = s3_list_page(
	    ctx, (struct s3_store *)base, page, STORE_PAGE, add_found, &listing);
	if (rc == TRL_OK) {
		n = page->more
			? snprintf(at->after, sizeof at->after, "%c %s %s",
			      page->uploads ? 'u' : 'o', page->after_id, page->after)
			: snprintf(at->after, sizeof at->after, "u  ");
		at->ended = page->uploads && !page->more;
		if (n < 0 || (size_t)n >= sizeof at->after)
			rc = trl_fail(
			    ctx, TRL_INTERNAL, "a key in the bucket is too long");
	}
	free(page);
	return rc;
}
