/* scratch.h - a database for attacks, with every service's schema, dropped after. */
#pragma once

#include <trl/compiler.h>

#include "tables.h"

struct scratch {
	char name[64];
	struct tables_db schemas[8];
	size_t n_schemas;
};

/* -1 with a sentence where TRELLIS_TEST_PG_ADMIN_URL is not set or it fails. */
int scratch_open(struct scratch *scratch, const char *purpose);
void scratch_close(struct scratch *scratch);
