/* writer.c - answers: written into the connection's buffer as they are made, sent
 * at the end of the turn with one system call. What the client does not take is
 * kept, and no further request of it is handled until it has. */
#include "conn.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <sys/ioctl.h>
#include <linux/sockios.h>

struct writing {
	uv_write_t req;
	struct trl_http_conn *conn;
	uint8_t *data;
};

static const char *
reason(unsigned status)
{
	static const struct {
		uint16_t status;
		const char *text;
	} reasons[] = {
		{ 200, "OK" },
		{ 201, "Created" },
		{ 202, "Accepted" },
		{ 204, "No Content" },
		{ 206, "Partial Content" },
		{ 301, "Moved Permanently" },
		{ 302, "Found" },
		{ 303, "See Other" },
		{ 304, "Not Modified" },
		{ 307, "Temporary Redirect" },
		{ 308, "Permanent Redirect" },
		{ 400, "Bad Request" },
		{ 401, "Unauthorized" },
		{ 403, "Forbidden" },
		{ 404, "Not Found" },
		{ 405, "Method Not Allowed" },
		{ 406, "Not Acceptable" },
		{ 408, "Request Timeout" },
		{ 409, "Conflict" },
		{ 410, "Gone" },
		{ 411, "Length Required" },
		{ 412, "Precondition Failed" },
		{ 413, "Content Too Large" },
		{ 414, "URI Too Long" },
		{ 415, "Unsupported Media Type" },
		{ 416, "Range Not Satisfiable" },
		{ 417, "Expectation Failed" },
		{ 421, "Misdirected Request" },
		{ 422, "Unprocessable Content" },
		{ 423, "Locked" },
		{ 428, "Precondition Required" },
		{ 429, "Too Many Requests" },
		{ 431, "Request Header Fields Too Large" },
		{ 460, "Checksum Mismatch" }, /* tus 1.0.0 */
		{ 500, "Internal Server Error" },
		{ 501, "Not Implemented" },
		{ 503, "Service Unavailable" },
		{ 504, "Gateway Timeout" },
		{ 505, "HTTP Version Not Supported" },
		{ 507, "Insufficient Storage" },
	};

	for (size_t i = 0; i < TRL_COUNT(reasons); i++) {
		if (reasons[i].status == status)
			return reasons[i].text;
	}
	return "Status";
}

static const char *
date(trl_http_server *server)
{
	int64_t now = trl_wall_us() / 1000000;
	time_t seconds = (time_t)now;
	struct tm tm;

	if (now != server->date_s) {
		server->date_s = now;
		gmtime_r(&seconds, &tm);
		strftime(server->date, sizeof server->date, "%a, %d %b %Y %H:%M:%S GMT",
		    &tm);
	}
	return server->date;
}

/* Every answer comes through here, so its head is written into room that was made once.
 */
static uint8_t *
put(uint8_t *at, const char *text, size_t len)
{
	memcpy(at, text, len);
	return at + len;
}

static uint8_t *
puts_at(uint8_t *at, const char *text)
{
	return put(at, text, strlen(text));
}

static uint8_t *
put_number(uint8_t *at, uint64_t n)
{
	char text[20], *p = text + sizeof text;

	do {
		*--p = (char)('0' + n % 10);
	} while (n /= 10);
	return put(at, p, (size_t)(text + sizeof text - p));
}

static size_t
head_bytes(const struct trl_http_response *response)
{
	size_t n = 256 + response->fixed_len; /* first line, Date and the last ones */

	for (size_t i = 0; i < response->n_headers; i++)
		n += strlen(response->headers[i].name) +
		     response->headers[i].value_len + 4;
	return n;
}

/* False: something would let a value of outside begin a line of its own. */
bool
trl_http_sendable(const struct trl_http_response *response)
{
	for (size_t i = 0; i < response->n_headers; i++) {
		const struct trl_http_header *h = &response->headers[i];

		/* Names are texts of our own. */
		if (!trl_http_is_value(h->name, strlen(h->name)) ||
		    !trl_http_is_value(h->value, h->value_len))
			return false;
	}
	return true;
}

/* First line, Date and headers, with room for what follows. False: a header cannot be
 * sent, and 500 is what was written. */
static bool
add_head(struct trl_http_conn *conn, const struct trl_http_response *response,
    size_t body_len)
{
	struct trl_buf *out = &conn->out;
	uint8_t *at;

	if (!trl_http_sendable(response)) {
		trl_http_refuse(conn, NULL, 500, "The answer cannot be sent.");
		return false;
	}
	conn->answered = true;
	at = trl_buf_reserve(out, head_bytes(response) + body_len);
	at = put_number(puts_at(at, "HTTP/1.1 "), response->status);
	at = puts_at(puts_at(at, " "), reason(response->status));
	at = puts_at(puts_at(at, "\r\nDate: "), date(conn->server));
	at = puts_at(at, "\r\n");
	if (response->fixed_len)
		at = put(at, response->fixed, response->fixed_len);
	for (size_t i = 0; i < response->n_headers; i++) {
		const struct trl_http_header *h = &response->headers[i];

		at = puts_at(puts_at(at, h->name), ": ");
		at = puts_at(put(at, h->value, h->value_len), "\r\n");
	}
	out->len = (size_t)(at - out->data);
	return true;
}

/* Whether there is none, whatever the method. */
static bool
bodiless(const struct trl_http_response *response)
{
	return response->status == 204 || response->status == 304 ||
	       response->status < 200;
}

static void
end_head(struct trl_http_conn *conn, const struct http_framing *framing)
{
	struct trl_buf *out = &conn->out;

	if (framing->length != UINT64_MAX) {
		uint8_t line[48], *end = puts_at(line, "Content-Length: ");

		end = puts_at(put_number(end, framing->length), "\r\n");
		trl_buf_add(out, line, (size_t)(end - line));
	}
	if (framing->chunked)
		trl_buf_adds(out, "Transfer-Encoding: chunked\r\n");
	trl_buf_adds(out, !framing->keep   ? "Connection: close\r\n\r\n"
			  : conn->keep_old ? "Connection: keep-alive\r\n\r\n"
					   : "\r\n");
	conn->close_after = !framing->keep;
	trl_http_dirty(conn);
}

void
trl_http_write_response(
    struct trl_http_conn *conn, const struct trl_http_response *response, bool keep)
{
	const bool no_body = bodiless(response);

	if (!add_head(conn, response, response->body_len))
		return;
	end_head(conn,
	    &(const struct http_framing){
		.length = no_body ? UINT64_MAX : response->body_len, .keep = keep });
	if (!no_body && !conn->head_only && response->body_len)
		trl_buf_add(&conn->out, response->body, response->body_len);
	conn->answers++;
}

bool
trl_http_write_head(struct trl_http_conn *conn,
    const struct trl_http_response *response, const struct http_framing *framing)
{
	if (!add_head(conn, response, 0))
		return false;
	end_head(conn, framing);
	return true;
}

void
trl_http_dirty(struct trl_http_conn *conn)
{
	if (conn->dirty || conn->closed)
		return;
	conn->dirty = true;
	conn->dirty_next = conn->server->dirty;
	conn->server->dirty = conn;
}

/* All is written. */
static void
written(struct trl_http_conn *conn)
{
	conn->answers = 0;
	conn->untaken = 0;
	trl_http_stream_wake(conn);
	if (conn->state == HTTP_ENDING) {
		if (!conn->linger || conn->eof) {
			trl_http_conn_close(conn);
			return;
		}
		/* A close with unread bytes would make the kernel send RST and the
		 * client lose the answer. */
		conn->state = HTTP_LINGERING;
		conn->seen = 0;
		trl_http_wait(conn, HTTP_LINGER);
		trl_http_conn_read(conn, true);
		(void)shutdown(trl_http_conn_fd(conn), SHUT_WR);
		return;
	}
	trl_http_conn_step(conn);
}

static void
on_written(uv_write_t *req, int status)
{
	struct writing *writing = (struct writing *)req;
	struct trl_http_conn *conn = writing->conn;

	free(writing->data);
	free(writing);
	conn->writing = false;
	if (conn->closed)
		return;
	trl_http_wait_none(conn);
	if (status < 0)
		trl_http_conn_lost(conn, status);
	else if (conn->out.len)
		trl_http_dirty(conn);
	else
		written(conn);
}

size_t
trl_http_untaken(const struct trl_http_conn *conn)
{
	int queued = 0;

	(void)ioctl(trl_http_conn_fd(conn), SIOCOUTQ, &queued);
	return conn->out.len + (size_t)queued +
	       uv_stream_get_write_queue_size(&conn->uv.stream);
}

void
trl_http_write_rest(struct trl_http_conn *conn, size_t done)
{
	struct writing *writing = calloc(1, sizeof *writing);
	uv_buf_t buf = uv_buf_init(
	    (char *)conn->out.data + done, (unsigned)(conn->out.len - done));
	int rc;

	trl_assert(writing);
	writing->conn = conn;
	writing->data = conn->out.data;
	conn->out = (struct trl_buf){ 0 };
	conn->writing = true;
	if (!conn->writer) /* whose actor waits */
		trl_http_wait(conn, HTTP_WRITE);
	rc = uv_write(&writing->req, &conn->uv.stream, &buf, 1, on_written);
	if (rc) {
		free(writing->data);
		free(writing);
		conn->writing = false;
		trl_http_conn_lost(conn, rc);
	}
}

void
trl_http_flush_one(struct trl_http_conn *conn)
{
	uv_buf_t buf;
	int n;

	if (conn->stream.slow) {
		trl_http_conn_close(conn);
		return;
	}
	if (conn->writing)
		return;
	if (conn->out.len) {
		buf = uv_buf_init((char *)conn->out.data, (unsigned)conn->out.len);
		n = uv_try_write(&conn->uv.stream, &buf, 1);
		if (n < 0 && n != UV_EAGAIN) {
			trl_http_conn_lost(conn, n);
			return;
		}
		if (n < 0 || (size_t)n < conn->out.len) {
			trl_http_write_rest(conn, n < 0 ? 0 : (size_t)n);
			return;
		}
		trl_buf_fini(&conn->out);
	}
	written(conn);
}

void
trl_http_flush(void *self)
{
	trl_http_server *server = self;
	struct trl_http_conn *conn, *next = TRL_TAKE(server->dirty);

	while ((conn = next)) {
		next = conn->dirty_next;
		conn->dirty = false;
		if (!conn->closed)
			trl_http_flush_one(conn);
	}
}
