/* test_bodies.c - see test_bodies.h. */
#include "test_bodies.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "peer.h"

struct rig rig;
struct sample *served;
char folder[64];

void
bodies_folder(void)
{
	strcpy(folder, "/tmp/trl-bulk-XXXXXX");
	MUST(mkdtemp(folder) != NULL);
	rig_run_dir = folder;
}

void
bodies_end(void)
{
	char command[128];
	snprintf(command, sizeof command, "rm -rf %s", folder);
	MUST(system(command) == 0);
}

void
bodies_begin(const char *address)
{
	bodies_folder();
	served = rig_shared();
	rig_open(&rig, "edge", address, served);
	rig_await_peers(&rig, 1);
}

struct bus_bulk *
bodies_bulk(void)
{
	return &rig.bus->targets->peers->bulk;
}

const char *
bodies_carried_by(void)
{
	const struct bus_bulk *bulk = bodies_bulk();
	return bulk->by != NULL ? bulk->by->name : "none";
}

unsigned
bodies_count_in(const char *path)
{
	DIR *dir = opendir(path);
	unsigned n = 0;
	MUST(dir != NULL);
	for (struct dirent *e; (e = readdir(dir)) != NULL;)
		n += e->d_name[0] != '.';
	closedir(dir);
	return n;
}

unsigned
bodies_descriptors(void)
{
	return bodies_count_in("/proc/self/fd");
}

void
bodies_check(const uint8_t *data, uint64_t at, size_t len)
{
	for (size_t i = 0; i < len; i++)
		MUST(data[i] == sample_byte(at + i));
}

/* Reads to the end and checks each byte, those of files too. */
enum trl_code
bodies_read(trl_ctx *ctx, trl_stream *stream, uint64_t *len, unsigned *files)
{
	static uint8_t bytes[100000];
	struct trl_piece piece;
	enum trl_code rc;
	*len = *files = 0;
	while ((rc = trl_stream_read(ctx, stream, &piece)) == TRL_OK) {
		if (piece.len == 0 && piece.fd < 0)
			return TRL_OK;
		bodies_check(piece.data, *len, piece.len);
		for (uint64_t at = 0; at < piece.size; at += sizeof bytes) {
			size_t n = piece.size - at < sizeof bytes
				       ? (size_t)(piece.size - at)
				       : sizeof bytes;
			MUST(pread(piece.fd, bytes, n, (off_t)(piece.offset + at)) ==
			     (ssize_t)n);
			bodies_check(bytes, *len + at, n);
		}
		*len += piece.len + piece.size;
		*files += piece.fd >= 0;
		if (piece.fd >= 0) {
			MUST(fcntl(piece.fd, F_GETFD) == FD_CLOEXEC);
			close(piece.fd);
		}
	}
	return rc;
}

enum trl_code
bodies_write(trl_ctx *ctx, trl_stream *stream, uint64_t from, uint64_t to)
{
	static uint8_t bytes[300000];
	enum trl_code rc = TRL_OK;
	for (uint64_t at = from; rc == TRL_OK && at < to; at += sizeof bytes) {
		size_t n = to - at < sizeof bytes ? (size_t)(to - at) : sizeof bytes;
		sample_fill(bytes, at, n);
		rc = trl_stream_write(ctx, stream, bytes, n);
	}
	return rc;
}

void
bodies_down(trl_ctx *ctx, const char *how, uint64_t len, unsigned in_files)
{
	trl_stream *stream;
	uint64_t got;
	unsigned files;
	MUST(body_open(ctx, rig.bus, SAMPLE_GIVE, how, len, NULL, &stream) == TRL_OK);
	body_reply(ctx, stream);
	MUST(bodies_read(ctx, stream, &got, &files) == TRL_OK);
	MUST(got == len && files == in_files);
	trl_stream_close(&stream);
}

void
bodies_up(trl_ctx *ctx, uint64_t len)
{
	trl_stream *stream;
	MUST(body_open(ctx, rig.bus, SAMPLE_TAKE, "hash", 0, NULL, &stream) == TRL_OK);
	MUST(bodies_write(ctx, stream, 0, len) == TRL_OK);
	MUST(trl_stream_end(ctx, stream) == TRL_OK);
	sample_note *reply = body_reply(ctx, stream);
	MUST(reply->up_ms == len && strcmp(reply->service, body_hash(ctx, len)) == 0);
	trl_stream_close(&stream);
}

void
bodies_clean(void)
{
	MUST(body_none(rig.net));
	MUST(trl_bus_waiting(rig.bus) == 0);
}

void
bodies_work(trl_ctx *ctx, void *arg)
{
	(void)arg;
	bodies_down(ctx, "", 300000, 0);
	bodies_up(ctx, 300000);
}

int
bodies_file(uint64_t offset, uint64_t len)
{
	static uint8_t bytes[100000];
	FILE *file = tmpfile();
	MUST(file != NULL);
	int fd = dup(fileno(file));
	fclose(file);
	for (uint64_t at = 0; at < len; at += sizeof bytes) {
		size_t n = len - at < sizeof bytes ? (size_t)(len - at) : sizeof bytes;
		sample_fill(bytes, at, n);
		MUST(pwrite(fd, bytes, n, (off_t)(offset + at)) == (ssize_t)n);
	}
	return fd;
}

bool
bodies_none_run(void *self)
{
	(void)self;
	return trl_bus_running(rig.here) == 0;
}

bool
bodies_descriptors_are(void *self)
{
	return bodies_descriptors() == *(unsigned *)self;
}

static bool
is_anew(void *token)
{
	return trl_bus_peers_up(rig.bus, "sample") == 1 && bodies_bulk()->has_token &&
	       memcmp(bodies_bulk()->token, token, BUS_TOKEN) != 0;
}

void
bodies_await_anew(const uint8_t token[BUS_TOKEN])
{
	MUST(trl_loop_run_until(rig.loop, is_anew, (void *)(uintptr_t)token, 15000));
}
