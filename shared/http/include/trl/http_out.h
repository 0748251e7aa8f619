/* http_out.h - requests to the world outside and e-mail by SMTP, through libcurl's
 * multi interface on the loop; actors park until the answer. Every request is bounded
 * in time and size, follows no redirect and uses no proxy. Each of the service's
 * clients keeps its connections for reuse. */
#pragma once

#include <trl/actor.h>

typedef struct trl_http_out trl_http_out;

struct trl_http_out_options {
	/* Which addresses may be connected to. By default only public ones: loopback,
	 * private, link-local, multicast and other special ranges (RFC 6890) of IPv4
	 * and IPv6, mapped ones included, are refused after the name was resolved, and
	 * the connection is made to the address that was checked. */
	bool any_address;
	const char
	    *allow_cidrs;       /* "127.0.0.0/8,10.0.0.0/8": allowed as well; or NULL */
	const char *ca_file;    /* PEM; NULL: the system's */
	size_t max_connections; /* 0: 256 */
};

/* Whether allow_cidrs may have this value; NULL may be. */
bool trl_http_out_are_cidrs(const char *cidrs);

/* Start-up. NULL: allow_cidrs or ca_file is wrong; trl_complain said so. */
trl_http_out *trl_http_out_open(
    trl_loop *loop, const struct trl_http_out_options *options);
void trl_http_out_close(trl_http_out **out);

/* Why a URL could never be called, for the user: its scheme, its port (80, 443, 8080,
 * 8443 unless the host is allowed by CIDR) or a literal address. NULL: it could. Does
 * not resolve names. */
const char *trl_http_out_refused(const trl_http_out *out, const char *url);
/* The same for a client that may call any address; for settings, before there is one.
 */
const char *trl_http_url_refused(const char *url);

struct trl_http_call {
	const char *method; /* "POST"; static */
	const char *url;
	const char *const *headers; /* "Name: value", NULL-ended; or NULL */
	const void *body;
	size_t body_len;
	uint32_t timeout_ms; /* of the whole; waiting for a resolver may add 5 s; 0:
				10,000; bounded by ctx's deadline */
	size_t max_reply;    /* bytes of body that are kept; 0: 64 KiB. If there are
				more, the call ends there and truncated is set */
	const char *header;  /* the name of a header field to keep; or NULL */
};

struct trl_http_answer {
	unsigned status;
	const char *body; /* in ctx's arena, NUL behind it */
	size_t body_len;
	bool truncated;
	uint32_t retry_after_s; /* as Retry-After asks, a day at most; 0: it does not */
	uint32_t took_ms;
	const char *address; /* connected to */
	const char *header;  /* the value of call.header; "": absent, or longer than
				255 bytes */
};

/* Any status is TRL_OK. Errors: TRL_DENIED (the address is not allowed, or not a URL),
 * TRL_UNAVAILABLE (resolving, connecting, TLS, the answer's form; says which), TRL_BUSY
 * (nothing was sent: too many names are being resolved, of which ctx->tenant may have
 * one at a time), TRL_DEADLINE. */
enum trl_code trl_http_out_call(trl_ctx *ctx, trl_http_out *out,
    const struct trl_http_call *call, struct trl_http_answer *answer) TRL_MUST_CHECK;

/* A request whose body is written, and the answer's body read, in pieces: neither is
 * ever whole in memory, and both move at the pace of the slower end. In place of the
 * total time there is an idle limit, call.timeout_ms (0: 30,000), and a floor of 60 KiB
 * a minute; they count only while waiting for the other side. Each piece leaves the
 * actor at least 30 s for the next.
 *
 *   trl_http_out_begin(ctx, out, &call, length, &exchange)
 *   trl_http_out_write ...      length bytes in all
 *   trl_http_out_head           the answer's status and header fields
 *   trl_http_out_read ...       until *len is 0
 *   trl_http_out_end(&exchange)
 *
 * Errors of all: those of trl_http_out_call; after an error only end may be called. */
typedef struct trl_http_exchange trl_http_exchange;

/* call.body, body_len and max_reply are ignored; the call's texts are copied. The
 * connection is kept for reuse as for any call. */
enum trl_code trl_http_out_begin(trl_ctx *ctx, trl_http_out *out,
    const struct trl_http_call *call, uint64_t length,
    trl_http_exchange **exchange) TRL_MUST_CHECK;
/* Parks until it is taken. Also TRL_OK if the other side has answered without reading
 * it: then it is dropped, and the head tells why. More than length is an assertion. */
enum trl_code trl_http_out_write(trl_ctx *ctx, trl_http_exchange *exchange,
    const void *data, size_t len) TRL_MUST_CHECK;
/* Parks until the answer's head has arrived; answer->body is empty. */
enum trl_code trl_http_out_head(trl_ctx *ctx, trl_http_exchange *exchange,
    struct trl_http_answer *answer) TRL_MUST_CHECK;
/* The next piece, good until the next call; *len 0: the body has ended. */
enum trl_code trl_http_out_read(trl_ctx *ctx, trl_http_exchange *exchange,
    const uint8_t **data, size_t *len) TRL_MUST_CHECK;
/* Ends the exchange; one that is not complete closes its connection. */
void trl_http_out_end(trl_http_exchange **exchange);

/* One mail to one recipient by SMTP (RFC 5321). */
struct trl_smtp_mail {
	const char *url;  /* smtp://host:587 (STARTTLS wanted), smtps://host:465,
			     smtp+plain://host:25 (no TLS: a relay on this machine) */
	const char *helo; /* what we call ourselves (EHLO); NULL: the machine's name */
	const char *user, *password; /* or NULL */
	const char *from, *to;       /* bare addresses, already validated */
	const void *message;         /* RFC 5322, CRLF lines */
	size_t message_len;
	uint32_t timeout_ms; /* 0: 30,000 */
};

/* The command that the server's last reply answers. */
enum trl_smtp_stage {
	TRL_SMTP_HELLO, /* connecting, TLS, signing in: no mail yet */
	TRL_SMTP_MAIL,  /* the sender */
	TRL_SMTP_RCPT,  /* the recipient */
	TRL_SMTP_DATA,
	TRL_SMTP_BODY /* the mail itself */
};

struct trl_smtp_answer {
	unsigned code; /* of the server's last reply; 0: there was none */
	enum trl_smtp_stage stage;
	const char *status; /* "5.1.1" (RFC 3463); "": the reply names none */
	const char
	    *text; /* the reply's last line, as UTF-8, at most 255 bytes; or "" */
};

/* Why a mail server's URL cannot be used, as a sentence; NULL: it can. */
const char *trl_smtp_refused(const char *url);

/* Sends a mail. Errors: TRL_UNAVAILABLE (retry later: connection, TLS, 4xx, or a 5xx
 * about us: signing in, sending, relaying), TRL_DENIED (a 5xx about the recipient or
 * the mail, for good), TRL_BUSY, TRL_DEADLINE. */
enum trl_code trl_smtp_send(trl_ctx *ctx, trl_http_out *out,
    const struct trl_smtp_mail *mail, struct trl_smtp_answer *answer) TRL_MUST_CHECK;
