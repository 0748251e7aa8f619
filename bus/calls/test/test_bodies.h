/* test_bodies.h - for the tests of the unix socket: a server with a folder for it, in
 * this process or another, and bodies that go up and down. */
#pragma once

#include "bulk.h"
#include "test_body.h"

extern struct rig rig;
extern struct sample *served;
extern char folder[64];

/* Makes the folder, in which ends opened from now on listen; and opens both ends. */
void bodies_folder(void);
void bodies_begin(const char *address);
void bodies_end(void);
/* Waits until the caller has another first connection than the one of this token. */
void bodies_await_anew(const uint8_t token[BUS_TOKEN]);
/* The caller's, and which carrier it has. */
struct bus_bulk *bodies_bulk(void);
const char *bodies_carried_by(void);
unsigned bodies_count_in(const char *path);
/* How many this process has open. */
unsigned bodies_descriptors(void);
bool bodies_descriptors_are(void *n);
bool bodies_none_run(void *self);
void bodies_clean(void);

/* Whether these are the sample's bytes. */
void bodies_check(const uint8_t *data, uint64_t at, size_t len);
/* Reads to the end and checks each byte, those of files too. */
enum trl_code bodies_read(
    trl_ctx *ctx, trl_stream *stream, uint64_t *len, unsigned *files);
enum trl_code bodies_write(
    trl_ctx *ctx, trl_stream *stream, uint64_t from, uint64_t to);
void bodies_down(trl_ctx *ctx, const char *how, uint64_t len, unsigned in_files);
void bodies_up(trl_ctx *ctx, uint64_t len);
/* One of each. */
void bodies_work(trl_ctx *ctx, void *arg);
/* A file without a name, with len of the sample's bytes from offset on. */
int bodies_file(uint64_t offset, uint64_t len);
