/* The scratch database; one set of statements a service. */
#include "scratch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <trl/migrate.h>

#include "auth_sql.h"
#include "notify_sql.h"
#include "tenants_sql.h"

static const struct trl_sql_set *const sets[] = {
	&tenants_sql,
	&auth_sql,
	&notify_sql,
};

int
scratch_open(struct scratch *scratch, const char *purpose)
{
	memset(scratch, 0, sizeof *scratch);
	test_db_make(&scratch->db, purpose);
	for (size_t i = 0; i < TRL_COUNT(sets); i++) {
		struct tables_db *db = &scratch->schemas[scratch->n_schemas++];
		char role[64];

		snprintf(role, sizeof role, "%s_app", sets[i]->service);
		db->schema = sets[i]->service;
		db->admin_url = scratch->db.admin;
		db->app_url = strdup(test_db_as(&scratch->db, role));
		if (trl_migrate(db->admin_url, sets[i], NULL, NULL) != TRL_OK)
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
