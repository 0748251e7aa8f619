/* The scratch database; one set of statements a service. */
#include "scratch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <trl/migrate.h>

#include <services.h>

int
scratch_open(struct scratch *scratch, const char *purpose)
{
	memset(scratch, 0, sizeof *scratch);
	test_db_make(&scratch->db, purpose);
	for (const struct trl_service *const *s = trl_services; *s; s++) {
		const struct trl_sql_set *set = (*s)->sql;
		struct tables_db *db = &scratch->schemas[scratch->n_schemas];
		char role[64];

		if (!set)
			continue;
		trl_assert(++scratch->n_schemas <= TRL_COUNT(scratch->schemas));
		snprintf(role, sizeof role, "%s_app", set->service);
		db->schema = set->service;
		db->admin_url = scratch->db.admin;
		db->app_url = strdup(test_db_as(&scratch->db, role));
		if (trl_migrate(db->admin_url, set, NULL, NULL) != TRL_OK)
			return -1;
	}
	return 0;
}

void
scratch_close(struct scratch *scratch)
{
	for (size_t i = 0; i < scratch->n_schemas; i++)
		free((char *)scratch->schemas[i].app_url);
	test_db_drop(&scratch->db);
}
