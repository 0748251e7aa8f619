/* test_ask.h - the methods of files as tests call them. Include it once in a test's
 * program. */
#pragma once

#include "test_files.h"

static inline enum trl_code
get(struct world_caller who, struct trl_id id, media_file **out)
{
	Media__V1__GetFileRequest ask = MEDIA__V1__GET_FILE_REQUEST__INIT;

	trl_set(&ask, file_id, world_bytes(&id));
	return world_call(&who, &media_v1_get_file, &ask.base, out);
}

static inline enum trl_code
rename_to(struct world_caller who, struct trl_id id, const char *name, media_file **out)
{
	Media__V1__UpdateFileRequest ask = MEDIA__V1__UPDATE_FILE_REQUEST__INIT;

	trl_set(&ask, file_id, world_bytes(&id));
	ask.name = (char *)(uintptr_t)name;
	return world_call(&who, &media_v1_update_file, &ask.base, out);
}

static enum trl_code delete (
    struct world_caller who, struct trl_id id, media_file **out) {
	Media__V1__DeleteFileRequest ask = MEDIA__V1__DELETE_FILE_REQUEST__INIT;

	trl_set(&ask, file_id, world_bytes(&id));
	return world_call(&who, &media_v1_delete_file, &ask.base, out);
}

static inline enum trl_code
restore(struct world_caller who, struct trl_id id, media_file **out)
{
	Media__V1__RestoreFileRequest ask = MEDIA__V1__RESTORE_FILE_REQUEST__INIT;

	trl_set(&ask, file_id, world_bytes(&id));
	return world_call(&who, &media_v1_restore_file, &ask.base, out);
}

static inline enum trl_code
purge(struct world_caller who, struct trl_id id)
{
	Media__V1__PurgeFileRequest ask = MEDIA__V1__PURGE_FILE_REQUEST__INIT;

	trl_set(&ask, file_id, world_bytes(&id));
	return world_call(&who, &media_v1_purge_file, &ask.base, NULL);
}

static inline bool
is_gone(void *arg)
{
	(void)arg;
	return files_in_folder() == 0;
}
