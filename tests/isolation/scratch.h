/* scratch.h - a database for attacks, with every service's schema, dropped after. */
#pragma once

#include <trl/compiler.h>

#include "tables.h"
#include "test_db.h"

struct scratch {
	struct test_db db;
	struct tables_db schemas[16];
	size_t n_schemas;
};

/* -1 where a schema cannot be made, which is printed. */
int scratch_open(struct scratch *scratch, const char *purpose);
void scratch_close(struct scratch *scratch);
