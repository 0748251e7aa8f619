/* Links that lead to the bucket itself, where the installation wants that. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "link/link.h"
#include "store/test_server.h"
#include "test_service.h"

static struct test_server server;
static const struct world_person ann = { .account = { { 1 } }, .verified = true };
static const struct trl_id tenant = { { 2 } }, file = { { 3 } };
static Media__V1__ContentBytes *answer;

static int
open_world(void **state)
{
	(void)state;
	test_server_start(&server, "../store/test_s3_hostile.py");
	setenv("TRELLIS_MEDIA_STORE", "s3", 1);
	setenv("TRELLIS_S3_URL", server.url, 1);
	setenv("TRELLIS_S3_BUCKET", test_bucket, 1);
	setenv("TRELLIS_S3_KEY_ID", test_key, 1);
	setenv("TRELLIS_S3_SECRET", test_secret, 1);
	setenv("TRELLIS_S3_REDIRECT_SECONDS", "120", 1);
	return world_open_one(&media_service);
}

static int
close_world(void **state)
{
	const int rc = world_close(state);

	test_server_end(&server);
	return rc;
}

static void
put(trl_ctx *ctx, void *arg)
{
	const struct store_object object = { tenant, file, "" };
	struct media *self = world.self;

	(void)arg;
	assert_int_equal(
	    store_put(ctx, self->store, &object, "0123456789", 10), TRL_OK);
}

static enum trl_code
open_path(const char *url, const char *verb)
{
	Media__V1__GetSignedRequest in = MEDIA__V1__GET_SIGNED_REQUEST__INIT;
	char text[512], *save = NULL;
	char **const segments[] = { NULL, &in.signature, &in.key, &in.expires,
		&in.tenant, &in.file, &in.options, &in.link };

	assert_true(strlen(url) < sizeof text);
	strcpy(text, url);
	for (size_t i = 0; i < TRL_COUNT(segments); i++) {
		char *part = strtok_r(i ? NULL : text, "/", &save);

		assert_non_null(part);
		if (segments[i])
			*segments[i] = part;
	}
	in.verb = (char *)(uintptr_t)verb;
	return world_call(NULL, &media_v1_get_signed, &in.base, &answer);
}

static const char *
link_for(uint32_t seconds)
{
	const struct world_caller who = { .person = &ann, .tenant = tenant };
	Media__V1__CreateLinkRequest in = MEDIA__V1__CREATE_LINK_REQUEST__INIT;
	Media__V1__Link *link;

	trl_set(&in, file_id, world_bytes(&file));
	trl_set(&in, expires_in, seconds);
	assert_int_equal(
	    world_call(&who, &media_v1_create_link, &in.base, &link), TRL_OK);
	return link->url;
}

static void
a_link_leads_to_the_bucket_and_a_head_does_not(void **state)
{
	const char *url;

	(void)state;
	world_sql(
	    "insert into media.file (tenant_id, id, version, collection, name, "
	    "type, size, state, created_by, created_at, updated_at) values ('%s', "
	    "'%s', 1, 'files', 'cat.html', 'text/html', 10, 'ready', '%s', now(), "
	    "now())",
	    world_id_text(tenant), world_id_text(file), world_id_text(ann.account));
	world_act(put, NULL);
	url = link_for(3600);
	assert_int_equal(open_path(url, "GET"), TRL_OK);
	assert_int_equal(answer->status, 307);
	assert_memory_equal(answer->location, server.url, strlen(server.url));
	assert_non_null(strstr(answer->location, "&X-Amz-Expires=120&"));
	assert_non_null(
	    strstr(answer->location, "&response-content-disposition=attachment%3B%"
				     "20filename%3D%22cat.html%22&"));
	assert_string_equal(answer->cache, "private, no-store");
	assert_int_equal(world.given.len, 0);
	assert_int_equal(open_path(url, "HEAD"), TRL_OK);
	assert_int_equal(answer->status, 0);
	assert_int_equal(answer->length, 10);
	assert_null(answer->location);
}

static void
it_leads_there_no_longer_than_the_link_lives(void **state)
{
	const char *url = link_for(60);

	(void)state;
	assert_int_equal(open_path(url, "GET"), TRL_OK);
	assert_null(strstr(answer->location, "&X-Amz-Expires=120&"));
	world.now_us = trl_wall_us() + INT64_C(130) * 1000000;
	assert_int_equal(open_path(url, "GET"), TRL_GONE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(
		    a_link_leads_to_the_bucket_and_a_head_does_not, world_forget),
		cmocka_unit_test_teardown(
		    it_leads_there_no_longer_than_the_link_lives, world_forget),
	};

	return cmocka_run_group_tests(tests, open_world, close_world);
}
