/* test_folder.h - a store in a folder of its own for each case. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "media.h"
#include "store/local.h"
#include "store/open.h"
#include "test_service.h"

static char folder[sizeof "/tmp/trellis-local-XXXXXX"];
static media_store *store;
static const struct store_object object = { { { 1 } }, { { 2, [15] = 0xab } }, "" };
static char upload_path[256];

static int
make_world(void **state)
{
	(void)state;
	return world_open_one(&media_service);
}

static void
open_store(const struct trl_host *host)
{
	assert_int_equal(local_store_open(host, folder, &store), TRL_OK);
}

static int
make_folder(void **state)
{
	const struct trl_host host = { .loop = world.loop };

	(void)state;
	strcpy(folder, "/tmp/trellis-local-XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(upload_path, sizeof upload_path,
	    "%s/01000000-0000-0000-0000-000000000000/ab/"
	    "02000000-0000-0000-0000-0000000000ab.part",
	    folder);
	open_store(&host);
	return 0;
}

static int
remove_folder(void **state)
{
	char command[64];

	(void)state;
	store_close(&store);
	snprintf(command, sizeof command, "rm -rf %s", folder);
	return system(command);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)
