/* What the operator takes out of quarantine, where nothing scans; with a scanner it is
 * tests/mesh/scans.py. */
#include "test_files.h"

static struct trl_id
in_quarantine(const char *type)
{
	const struct trl_id id = files_make((struct files_new){
	    .state = "quarantined", .type = type, .collection = "files", .size = 5 });

	world_sql("update media.file set scan = 'infected', reason = 'X.' where id = "
		  "'%s'",
	    world_id_text(id));
	return id;
}

static enum trl_code
release(struct trl_id tenant, struct trl_id id, bool force, media_file **out)
{
	struct world_caller operator= { .operator= true };
	Media__V1__ReleaseFileRequest in = MEDIA__V1__RELEASE_FILE_REQUEST__INIT;

	trl_set(&in, tenant_id, world_bytes(&tenant));
	trl_set(&in, file_id, world_bytes(&id));
	trl_set(&in, force, force);
	return world_call(&operator, & media_v1_release_file, &in.base, out);
}

static const char *
is(struct trl_id id)
{
	return world_sql("select state || ' ' || scan || ' ' || coalesce(reason, '-') "
			 "|| ' ' || version from media.file where id = '%s'",
	    world_id_text(id));
}

static const char *
told(struct trl_id id)
{
	return world_sql(
	    "select coalesce(string_agg(type, ' '), '-') from media.outbox "
	    "where subject_id = '%s' and type like 'media.file.%%'",
	    world_id_text(id));
}

static void
what_is_let_out_is_ready_and_told(void **state)
{
	const struct trl_id id = in_quarantine("text/plain");
	media_file *out;

	(void)state;
	assert_int_equal(release(home, id, true, &out), TRL_OK);
	assert_int_equal(out->state, MEDIA__V1__FILE__STATE__ready);
	assert_null(out->reason);
	assert_string_equal(is(id), "ready released - 2");
	assert_string_equal(told(id), "media.file.ready");
	assert_string_equal(world_sql("select count(*) from media.audit where action = "
				      "'media.file.release' and subject_id = '%s'",
				world_id_text(id)),
	    "1");
	assert_int_equal(files_used(), 5);
}

/* Nobody looked at it before the scan. */
static void
a_picture_is_looked_at_first(void **state)
{
	const struct trl_id id = in_quarantine("image/png");

	(void)state;
	world_sql("update media.file set collection = 'pictures' where id = '%s'",
	    world_id_text(id));
	assert_int_equal(release(home, id, true, NULL), TRL_OK);
	files_wait("variants");
	/* It is none. */
	assert_non_null(strstr(is(id), "rejected released "));
	assert_string_equal(told(id), "media.file.rejected");
}

static void
what_is_not_in_quarantine_stays_as_it_is(void **state)
{
	static const char *const states[] = { "ready", "processing", "rejected" };
	const struct trl_id mine = in_quarantine("text/plain");
	struct trl_id id;

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(states); i++) {
		id = files_make((struct files_new){ .state = states[i], .size = 1 });
		assert_int_equal(release(home, id, true, NULL), TRL_CONFLICT);
	}
	/* Nothing is here that would see it again. */
	assert_int_equal(release(home, mine, false, NULL), TRL_CONFLICT);
	assert_int_equal(release(trl_id_new(), mine, true, NULL), TRL_NOT_FOUND);
	assert_int_equal(release(home, trl_id_new(), true, NULL), TRL_NOT_FOUND);
	world_sql(
	    "update media.file set state = 'deleted', kept_state = 'quarantined', "
	    "deleted_at = now(), purge_at = now() + interval '1 day' where id = "
	    "'%s'",
	    world_id_text(mine));
	assert_int_equal(release(home, mine, true, NULL), TRL_CONFLICT);
	assert_string_equal(is(mine), "deleted infected X. 1");
	assert_string_equal(told(mine), "-");
}

/* Its people have no such method. */
static void
an_organisation_lets_nothing_out(void **state)
{
	const struct trl_id id = in_quarantine("text/plain");
	const struct world_caller owner = as(ann, TRL_OWNER);
	Media__V1__ReleaseFileRequest in = MEDIA__V1__RELEASE_FILE_REQUEST__INIT;

	(void)state;
	trl_set(&in, tenant_id, world_bytes(&home));
	trl_set(&in, file_id, world_bytes(&id));
	trl_set(&in, force, true);
	assert_int_equal(
	    world_call(&owner, &media_v1_release_file, &in.base, NULL), TRL_DENIED);
	assert_string_equal(is(id), "quarantined infected X. 1");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define FILES(test) cmocka_unit_test_setup_teardown(test, files_found, world_forget)
		FILES(what_is_let_out_is_ready_and_told),
		FILES(a_picture_is_looked_at_first),
		FILES(what_is_not_in_quarantine_stays_as_it_is),
		FILES(an_organisation_lets_nothing_out),
	};

	return cmocka_run_group_tests(tests, files_open, world_close);
}
