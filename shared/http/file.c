/* file.c - parts of files as an answer's body: sendfile, on threads of the loop's pool,
 * because a file that is not in memory blocks whoever sends it; what is little and in
 * memory is read and sent at once, which costs less than a thread's turn. A thread
 * sends until the socket is full, and then reads the little that the loop gives libuv
 * to hear when it is not (answer.c). While a thread has the descriptor, the
 * connection's end only shuts it down, so that its number is nobody else's. */
#include <trl/http_body.h>

#include "conn.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <sys/sendfile.h>
#include <sys/uio.h>

enum { TURN_BYTES = 4 << 20 };

struct sending {
	int to, fd;
	off_t at;
	size_t len; /* at most, in this turn */
	size_t sent;
	int error;  /* of the socket */
	int broken; /* of the file; ENODATA: it is shorter */
	size_t tail_len;
	uint8_t tail[TRL_HTTP_TAIL_BYTES];
};

static void
read_tail(struct sending *job)
{
	const size_t want = job->len - job->sent < TRL_HTTP_TAIL_BYTES
				? job->len - job->sent
				: TRL_HTTP_TAIL_BYTES;
	ssize_t n;

	do
		n = pread(job->fd, job->tail, want, job->at);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		job->broken = n < 0 ? errno : ENODATA;
	else
		job->tail_len = (size_t)n;
}

/* What ended the turn. */
static void
note_end(struct sending *job, ssize_t n, int error)
{
	if (n == 0)
		job->broken = ENODATA;
	else if (error == EAGAIN)
		read_tail(job);
	else if (error == EPIPE || error == ECONNRESET)
		job->error = error;
	else
		job->broken = error;
}

static void
send_file(void *arg)
{
	struct sending *job = arg;
	ssize_t n;

	while (job->sent < job->len) {
		n = sendfile(job->to, job->fd, &job->at, job->len - job->sent);
		if (n > 0) {
			job->sent += (size_t)n;
		} else if (n == 0 || errno != EINTR) {
			note_end(job, n, errno);
			return;
		}
	}
}

static enum trl_code
take_turn(trl_ctx *ctx, struct trl_http_conn *conn, struct sending *job)
{
	enum trl_code rc;

	job->to = trl_http_conn_fd(conn);
	conn->sending = true;
	trl_http_time_for_next(ctx, conn);
	rc = trl_offload(ctx, &conn->server->files, send_file, job);
	trl_http_conn_sent(conn);
	conn->writer->burst = 0; /* others had their turn */
	if (rc != TRL_OK)
		return rc;
	if (job->broken)
		return trl_fail(ctx, TRL_INTERNAL, "a file cannot be sent: %s",
		    strerror(job->broken));
	if (job->error && !conn->closed)
		trl_http_conn_lost(conn, -job->error);
	job->at += (off_t)job->tail_len;
	return trl_http_writer_send(ctx, conn, job->tail, job->tail_len, false);
}

/* Sends what the kernel takes of a little that is in memory. Returns how much. */
static size_t
send_now(struct trl_http_conn *conn, int fd, uint64_t offset, uint64_t len)
{
	uint8_t *bytes =
	    conn->server->bytes; /* which libuv fills and we use in a turn */
	struct iovec to = { bytes, (size_t)len };
	const uint8_t *data = bytes;
	size_t left = (size_t)len;

	if (len > sizeof conn->server->bytes || conn->writing ||
	    preadv2(fd, &to, 1, (off_t)offset, RWF_NOWAIT) != (ssize_t)len)
		return 0;
	trl_http_writer_try(conn, &data, &left, false);
	return (size_t)len - left;
}

enum trl_code
trl_http_write_file(trl_ctx *ctx, struct trl_http_request *request, int fd,
    uint64_t offset, uint64_t len)
{
	struct trl_http_conn *conn = request->conn;
	enum trl_code rc = trl_http_writer_begin(ctx, request, len);
	struct sending job;
	size_t now;

	if (rc != TRL_OK || !len || conn->writer->nowhere)
		return rc;
	now = send_now(conn, fd, offset, len);
	offset += now;
	len -= now;
	while (rc == TRL_OK && len) {
		rc = trl_http_writer_send(ctx, conn, NULL, 0, true);
		if (rc == TRL_OK)
			rc = trl_http_writer_wait(ctx, conn);
		if (rc != TRL_OK)
			break;
		job = (struct sending){ .fd = fd,
			.at = (off_t)offset,
			.len = len < TURN_BYTES ? (size_t)len : TURN_BYTES };
		rc = take_turn(ctx, conn, &job);
		len -= job.sent + job.tail_len;
		offset = (uint64_t)job.at;
	}
	if (rc == TRL_OK)
		trl_http_time_for_next(ctx, conn);
	return rc;
}
