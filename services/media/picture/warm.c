/* warm.c - vips is made ready, and all of it that is not needed is shut. Its modules
 * (ImageMagick, PDF, slides) are not loaded at all but for that of HEIF, which AVIF is
 * written by; of what remains only the five loaders are open. */
#include <dlfcn.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gmodule.h>
#include <vips/vips.h>

#include <trl/compiler.h>

#include "picture/answer.h"

/* Beside the library itself; without it there is no AVIF and no HEIC. */
static void
load_heif(void)
{
	char path[4096];
	Dl_info library;
	const char *slash;

	trl_assert(dladdr((void *)(uintptr_t)vips_init, &library) != 0);
	slash = strrchr(library.dli_fname, '/');
	if (!slash)
		return;
	(void)snprintf(path, sizeof path, "%.*s/vips-modules-%d.%d/vips-heif.so",
	    (int)(slash - library.dli_fname), library.dli_fname, vips_version(0),
	    vips_version(1));
	(void)g_module_open(path, G_MODULE_BIND_LAZY);
}

void
answer_warm(void)
{
	static const char *const open[] = { "VipsForeignLoadJpegBuffer",
		"VipsForeignLoadPngBuffer", "VipsForeignLoadWebpBuffer",
		"VipsForeignLoadNsgifBuffer", "VipsForeignLoadHeifBuffer" };

	/* Two threads compute at most, and what glibc keeps for each is kept. Only a
	 * sanitizer's malloc refuses. */
	(void)mallopt(M_ARENA_MAX, 2);
	/* What one large picture took goes back; else glibc learns from it to keep it.
	 */
	(void)mallopt(M_MMAP_THRESHOLD, 4 << 20);
	(void)mallopt(M_TRIM_THRESHOLD, 4 << 20);
	/* What is larger it would decode into a file, which it may not write. */
	trl_assert(setenv("VIPS_DISC_THRESHOLD", "64g", 1) == 0);
	/* Where no modules are. */
	trl_assert(setenv("VIPSHOME", "/nonexistent", 1) == 0);
	trl_assert(vips_init("trellis-picture") == 0);
	vips_concurrency_set(1);
	vips_cache_set_max(0);
	load_heif();
	vips_operation_block_set("VipsForeignLoad", TRUE);
	for (size_t i = 0; i < TRL_COUNT(open); i++)
		vips_operation_block_set(open[i], FALSE);
	vips_block_untrusted_set(TRUE);
}
