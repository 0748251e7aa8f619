/* Links: who may make them, what they open, and when they open nothing any more. (Over
 * 400 lines: its cases share one small world.) */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "link/link.h"
#include "test_service.h"

#define SHA256_OF_TEN "84d89877f0d4041efb6bf91a16f0248f2fd573e6af05c19f96bedb9f882f7882"
#define TEN "0123456789"

static struct world_person ann = { .verified = true }, bob = { .verified = true };
static struct trl_id tenant, other;
static Media__V1__ContentBytes *answer;
static const int64_t NOW_US = INT64_C(1790000000000000);

static int
open_world(void **state)
{
	(void)state;
	ann.account = trl_id_new();
	bob.account = trl_id_new();
	tenant = trl_id_new();
	other = trl_id_new();
	return world_open_one(&media_service);
}

static void
put(trl_ctx *ctx, void *arg)
{
	const struct store_object object = { tenant, *(struct trl_id *)arg, "" };
	struct media *self = world.self;

	assert_int_equal(store_put(ctx, self->store, &object, TEN, 10), TRL_OK);
}

/* A picture of ann's. */
static struct trl_id
keep(const char *collection, const char *state)
{
	struct trl_id id = trl_id_new();

	world_sql("insert into media.file (tenant_id, id, version, collection, name, "
		  "type, size, sha256, state, maker, created_at, updated_at) "
		  "values ('%s', '%s', 1, '%s', 'cat.png', 'image/png', 10, '%s', "
		  "'%s', '%s', now(), now())",
	    world_id_text(tenant), world_id_text(id), collection, SHA256_OF_TEN, state,
	    world_id_text(ann.account));
	world_act(put, &id);
	return id;
}

static enum trl_code
make(const struct world_person *person, struct trl_id file, uint32_t expires_in,
    bool download, Media__V1__Link **link)
{
	struct world_caller who = {
		.person = person, .tenant = tenant, .role = TRL_MEMBER
	};
	Media__V1__CreateLinkRequest in = MEDIA__V1__CREATE_LINK_REQUEST__INIT;

	trl_set(&in, file_id, world_bytes(&file));
	if (expires_in)
		trl_set(&in, expires_in, expires_in);
	if (download)
		trl_set(&in, download, true);
	return world_call(&who, &media_v1_create_link, &in.base, link);
}

static Media__V1__Link *
made(struct trl_id file)
{
	Media__V1__Link *link = NULL;

	assert_int_equal(make(&ann, file, 0, false, &link), TRL_OK);
	return link;
}

static enum trl_code
end(const struct world_person *person, struct trl_id file, const Media__V1__Link *link)
{
	struct world_caller who = {
		.person = person, .tenant = tenant, .role = TRL_MEMBER
	};
	Media__V1__DeleteLinkRequest in = MEDIA__V1__DELETE_LINK_REQUEST__INIT;

	trl_set(&in, file_id, world_bytes(&file));
	trl_set(&in, link_id, link->id);
	return world_call(&who, &media_v1_delete_link, &in.base, NULL);
}

/* By its path, as anybody. */
static enum trl_code
open_path(const char *url)
{
	Media__V1__GetSignedRequest in = MEDIA__V1__GET_SIGNED_REQUEST__INIT;
	char text[512],
	    *save = NULL,
	    **const segments[] = { NULL, &in.signature, &in.key, &in.expires,
		    &in.tenant, &in.file, &in.options, &in.link };

	assert_true(strlen(url) < sizeof text);
	strcpy(text, url);
	for (size_t i = 0; i < TRL_COUNT(segments); i++) {
		char *part = strtok_r(i ? NULL : text, "/", &save);

		assert_non_null(part);
		if (segments[i])
			*segments[i] = part;
	}
	in.verb = (char *)"GET";
	return world_call(NULL, &media_v1_get_signed, &in.base, &answer);
}

static const char *url_made;

static void
make_url(trl_ctx *ctx, void *arg)
{
	media_file file = MEDIA__V1__FILE__INIT;

	ctx->tenant = tenant;
	trl_set(&file, id, world_bytes(arg));
	url_made =
	    trl_arena_strdup(world.arena, link_url(world.self, ctx, &file, LINK_WHOLE));
}

/* As a public file's is shown. */
static const char *
url_of(struct trl_id id)
{
	world_act(make_url, &id);
	return url_made;
}

static void
a_link_opens_its_file_until_it_expires(void **state)
{
	struct trl_id file = keep("private", "ready");
	Media__V1__Link *link;

	(void)state;
	world.now_us = NOW_US;
	link = made(file);
	assert_int_equal(link->expires_at->seconds, 1790000000 + 3600 + 40);
	assert_string_equal(link->options, "-");
	assert_int_equal(open_path(link->url), TRL_OK);
	assert_string_equal((char *)world.given.data, TEN);
	assert_string_equal(answer->cache, "private, max-age=5");
	assert_string_equal(answer->disposition, "inline; filename=\"cat.png\"");
	world.now_us = (link->expires_at->seconds - 2) * INT64_C(1000000);
	assert_int_equal(open_path(link->url), TRL_OK);
	assert_string_equal(answer->cache, "private, max-age=2");
	world.now_us = link->expires_at->seconds * INT64_C(1000000);
	assert_int_equal(open_path(link->url), TRL_GONE);
}

static void
a_link_may_keep_its_file_from_being_shown(void **state)
{
	struct trl_id file = keep("files", "ready");
	Media__V1__Link *link;

	(void)state;
	assert_int_equal(make(&ann, file, 60, true, &link), TRL_OK);
	assert_int_equal(open_path(link->url), TRL_OK);
	assert_string_equal(answer->disposition, "attachment; filename=\"cat.png\"");
}

/* X4 */
static void
a_revoked_link_is_gone_and_others_live(void **state)
{
	struct trl_id file = keep("files", "ready"), another = keep("files", "ready");
	Media__V1__Link *one = made(file), *two = made(file);

	(void)state;
	assert_int_equal(end(&bob, file, one), TRL_DENIED);
	assert_int_equal(end(&ann, another, one), TRL_NOT_FOUND);
	assert_int_equal(open_path(one->url), TRL_OK);
	assert_int_equal(end(&ann, file, one), TRL_OK);
	assert_int_equal(open_path(one->url), TRL_GONE);
	assert_int_equal(open_path(two->url), TRL_OK);
	assert_int_equal(end(&ann, file, one), TRL_NOT_FOUND);
}

/* X2: nothing is looked at, for there is no connection to look by. */
static void
an_altered_path_is_refused_without_a_look(void **state)
{
	struct trl_id file = keep("pictures", "ready");
	Media__V1__Link *link = made(file);
	struct media *self = world.self;
	trl_pg *pg = self->pg;
	char *url = trl_arena_strdup(world.arena, link->url);
	const char *forever = url_of(file);

	(void)state;
	self->pg = NULL;
	for (size_t i = 3; i < strlen(url); i += 7) {
		const char was = url[i];

		if (was == '/')
			continue;
		url[i] = was == '1' ? '2' : '1';
		assert_int_equal(open_path(url), TRL_DENIED);
		url[i] = was;
	}
	world.now_us = link->expires_at->seconds * INT64_C(1000000);
	assert_int_equal(open_path(url), TRL_GONE);
	/* Sizes that nobody signed. */
	assert_int_equal(open_path(trl_arena_printf(world.arena, "%.*s/w_1/-",
			     (int)strlen(forever) - 4, forever)),
	    TRL_DENIED);
	self->pg = pg;
}

/* X11: what is another organisation's is as if it were not there. */
static void
a_path_of_one_tenant_opens_nothing_of_another(void **state)
{
	struct trl_id file = keep("pictures", "ready");
	struct media *self = world.self;
	const char *url = link_sign(world.arena, self->link_keys,
	    &(const struct link_claim){ 0, other, file, LINK_WHOLE, trl_id_nil });

	(void)state;
	assert_int_equal(open_path(url), TRL_NOT_FOUND);
}

static void
public_files_open_for_ever(void **state)
{
	struct trl_id file = keep("pictures", "ready"),
		      deleted = keep("pictures", "deleted"),
		      hidden = keep("private", "ready");
	const char *url = url_of(file);

	(void)state;
	world.now_us = NOW_US;
	assert_string_equal(url, url_of(file));
	assert_int_equal(open_path(url), TRL_OK);
	assert_string_equal(answer->cache, "public, max-age=31536000, immutable");
	assert_int_equal(open_path(url_of(deleted)), TRL_NOT_FOUND);
	/* Its collection was public once. */
	assert_int_equal(open_path(url_of(hidden)), TRL_NOT_FOUND);
}

/* Whoever has a key signs as the README says. */
static void
what_is_signed_without_a_link_opens_until_it_ends(void **state)
{
	struct trl_id file = keep("private", "ready");
	struct media *self = world.self;
	const char *url = link_sign(world.arena, self->link_keys,
	    &(const struct link_claim){
		1790000060, tenant, file, LINK_WHOLE, trl_id_nil });

	(void)state;
	world.now_us = NOW_US;
	assert_int_equal(open_path(url), TRL_OK);
	assert_string_equal(answer->cache, "private, max-age=60");
	world.now_us = NOW_US + INT64_C(60000000);
	assert_int_equal(open_path(url), TRL_GONE);
}

static void
only_its_maker_gives_links_away(void **state)
{
	struct trl_id seen = keep("files", "ready"), hidden = keep("private", "ready");

	(void)state;
	assert_int_equal(make(&bob, seen, 0, false, NULL), TRL_DENIED);
	assert_int_equal(make(&bob, hidden, 0, false, NULL), TRL_NOT_FOUND);
	assert_int_equal(make(&ann, trl_id_new(), 0, false, NULL), TRL_NOT_FOUND);
	assert_int_equal(
	    make(&ann, keep("files", "processing"), 0, false, NULL), TRL_CONFLICT);
	assert_int_equal(
	    make(&ann, keep("files", "rejected"), 0, false, NULL), TRL_NOT_FOUND);
	assert_int_equal(
	    make(&ann, keep("files", "deleted"), 0, false, NULL), TRL_NOT_FOUND);
	assert_int_equal(make(&ann, seen, 604801, false, NULL), TRL_INVALID);
	assert_int_equal(make(&ann, seen, 604800, false, NULL), TRL_OK);
}

static enum trl_code
list(const struct world_person *person, struct trl_id file,
    Media__V1__ListLinksReply **out)
{
	struct world_caller who = {
		.person = person, .tenant = tenant, .role = TRL_MEMBER
	};
	Media__V1__ListLinksRequest in = MEDIA__V1__LIST_LINKS_REQUEST__INIT;

	trl_set(&in, file_id, world_bytes(&file));
	trl_set(&in, page_size, 2);
	return world_call(&who, &media_v1_list_links, &in.base, out);
}

static void
its_maker_sees_the_links_that_live(void **state)
{
	struct trl_id file = keep("files", "ready");
	Media__V1__Link *links[3];
	Media__V1__ListLinksReply *page;

	(void)state;
	world.now_us = NOW_US;
	for (size_t i = 0; i < TRL_COUNT(links); i++)
		links[i] = made(file);
	assert_int_equal(list(&ann, file, &page), TRL_OK);
	assert_int_equal(page->n_items, 2);
	assert_string_equal(page->items[0]->url, links[2]->url);
	assert_string_equal(page->items[1]->url, links[1]->url);
	assert_true(page->next_page_token && *page->next_page_token);
	assert_int_equal(list(&bob, file, NULL), TRL_DENIED);
	assert_int_equal(end(&ann, file, links[2]), TRL_OK);
	assert_int_equal(list(&ann, file, &page), TRL_OK);
	assert_int_equal(page->n_items, 2);
	assert_string_equal(page->items[0]->url, links[1]->url);
	/* What has expired is not listed, and goes with the next one. */
	world.now_us = NOW_US + INT64_C(7200000000);
	assert_int_equal(list(&ann, file, &page), TRL_OK);
	assert_int_equal(page->n_items, 0);
	(void)made(file);
	assert_string_equal(world_sql("select count(*) from media.link where file_id = "
				      "'%s'",
				world_id_text(file)),
	    "1");
	assert_int_equal(open_path(links[1]->url), TRL_GONE);
}

static bool
renew(const char *keys)
{
	return media_service.renew(
	    world.self, "TRELLIS_MEDIA_LINK_KEYS", trl_secret_new(keys, strlen(keys)));
}

static void
a_file_has_so_many_links(void **state)
{
	const struct trl_id file = keep("files", "ready"),
			    another = keep("files", "ready");
	Media__V1__Link *link;

	(void)state;
	world_sql("insert into media.link (tenant_id, id, version, file_id, options, "
		  "download, created_at, updated_at, expires_at) select '%s', "
		  "gen_random_uuid(), 1, '%s', '-', false, now(), now(), "
		  "'2100-01-01' from generate_series(1, 999) n",
	    world_id_text(tenant), world_id_text(file));
	link = made(file);
	assert_int_equal(make(&ann, file, 0, false, &link), TRL_CONFLICT);
	assert_non_null(strstr(world.err.message, "1000 links"));
	(void)made(another);
	world_sql("update media.link set expires_at = '2000-01-01' "
		  "where id <> '%s'",
	    world_id_text(trl_value_id(link->id)));
	(void)made(file);
}

static void
keys_are_taken_while_it_runs(void **state)
{
	static const char
	    one[] =
		"a:0101010101010101010101010101010101010101010101010101010101010101",
	    both[] =
		"b:0202020202020202020202020202020202020202020202020202020202020202,"
		"a:0101010101010101010101010101010101010101010101010101010101010101";
	struct trl_id file = keep("files", "ready");
	Media__V1__Link *before = made(file), *between, *after;

	(void)state;
	assert_true(renew(one));
	assert_int_equal(open_path(before->url), TRL_OK); /* of the seal key */
	between = made(file);
	assert_true(renew(both));
	after = made(file);
	assert_int_equal(open_path(between->url), TRL_OK);
	assert_int_equal(open_path(after->url), TRL_OK);
	assert_false(renew("a:01"));
	assert_int_equal(open_path(after->url), TRL_OK);
	assert_true(
	    renew("0:" /* another of its name */
		  "0303030303030303030303030303030303030303030303030303030303030303"));
	assert_int_equal(open_path(before->url), TRL_DENIED);
	assert_int_equal(open_path(after->url), TRL_DENIED);
}

static void
no_url_is_written_into_the_audit_log(void **state)
{
	struct trl_id file = keep("files", "ready");
	Media__V1__Link *link = made(file);

	(void)state;
	assert_string_equal(
	    world_sql("select count(*) from media.audit where subject_id = '%s'",
		world_id_text(trl_value_id(link->id))),
	    "1");
	assert_string_equal(world_sql("select count(*) from media.audit where "
				      "detail::text like '%%/m/%%'"),
	    "0");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(
		    a_link_opens_its_file_until_it_expires, world_forget),
		cmocka_unit_test_teardown(
		    a_link_may_keep_its_file_from_being_shown, world_forget),
		cmocka_unit_test_teardown(
		    a_revoked_link_is_gone_and_others_live, world_forget),
		cmocka_unit_test_teardown(
		    an_altered_path_is_refused_without_a_look, world_forget),
		cmocka_unit_test_teardown(
		    a_path_of_one_tenant_opens_nothing_of_another, world_forget),
		cmocka_unit_test_teardown(public_files_open_for_ever, world_forget),
		cmocka_unit_test_teardown(
		    what_is_signed_without_a_link_opens_until_it_ends, world_forget),
		cmocka_unit_test_teardown(
		    only_its_maker_gives_links_away, world_forget),
		cmocka_unit_test_teardown(
		    its_maker_sees_the_links_that_live, world_forget),
		cmocka_unit_test_teardown(a_file_has_so_many_links, world_forget),
		cmocka_unit_test_teardown(keys_are_taken_while_it_runs, world_forget),
		cmocka_unit_test_teardown(
		    no_url_is_written_into_the_audit_log, world_forget),
	};

	return cmocka_run_group_tests(tests, open_world, world_close);
}
