/* out_smtp.c - e-mail by SMTP, on threads. libcurl's multi interface does not serve
 * here: at the end of a mail it waits for the server's answer without giving the loop
 * back (libcurl-multi(3), "BLOCKING"), and so it does for the answer to QUIT. As many
 * handles as threads, some of which keep their connection for the next mail to the
 * same server by the same user; a lock guards which mail has which. Names are resolved
 * on the loop, as for HTTP.
 *
 * A conversation may be held up by the other side at each step, so there are many,
 * and the caller shares them out (notify/mail.c). A step has ten seconds; the answer to
 * the mail itself has all the time there is, for whoever gives up waiting for it sends
 * the mail twice. */
#include "out.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <trl/clock.h>
#include <trl/span.h>
#include <trl/utf8.h>

enum { PLAIN = 1, WANT_STARTTLS, TLS };
enum { WHY_BYTES = 160 }; /* of a reply, in an error */

/* What a thread works on; lives on the actor's stack until the thread is done. */
struct sending {
	trl_http_out *out;
	const char *key;
	struct out_smtp_link *link;
	const struct trl_smtp_mail *mail;
	const struct out_url *url;
	int security;
	const char *list;
	uint64_t end_us;
	size_t read;
	CURLcode result;
	char error[CURL_ERROR_SIZE];
	struct out_smtp_talk talk;
	enum trl_smtp_stage stage; /* as it was last looked at */
	uint64_t stage_us;         /* when it was first seen */
	const char *refused;
};

void
out_smtp_open(trl_http_out *out)
{
	for (size_t i = 0; i < OUT_SMTP_SLOTS; i++)
		out->links[i].fd = CURL_SOCKET_BAD;
	trl_assert(uv_mutex_init(&out->links_lock) == 0);
	out->smtp = (struct trl_offload){ .name = "smtp",
		.slots = OUT_SMTP_SLOTS,
		.queue = OUT_SMTP_QUEUE,
		.retry_after_ms = 1000,
		.waits = true };
	trl_offload_init(out->loop, &out->smtp);
}

/* Ends a link's connection; nobody waits for the answer to a QUIT. */
static void
drop(struct out_smtp_link *link)
{
	if (link->fd != CURL_SOCKET_BAD)
		shutdown(link->fd, SHUT_RDWR);
	curl_easy_cleanup(TRL_TAKE(link->easy));
	free(TRL_TAKE(link->key));
}

void
out_smtp_close(trl_http_out *out)
{
	for (size_t i = 0; i < OUT_SMTP_SLOTS; i++) {
		trl_assert(!out->links[i].busy);
		drop(&out->links[i]);
	}
	uv_mutex_destroy(&out->links_lock);
	trl_offload_fini(&out->smtp);
}

static size_t
on_read(char *to, size_t one, size_t room, void *self)
{
	struct sending *sending = self;
	size_t left = sending->mail->message_len - sending->read;
	size_t n = room * one < left ? room * one : left;

	memcpy(to, (const char *)sending->mail->message + sending->read, n);
	sending->read += n;
	return n;
}

/* Also while libcurl waits without looking at its own limit. */
static int
on_progress(void *self, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	struct sending *sending = self;
	const uint64_t now = trl_mono_us();

	(void)a, (void)b, (void)c, (void)d;
	if (sending->stage != sending->talk.stage || sending->stage_us == 0) {
		sending->stage = sending->talk.stage;
		sending->stage_us = now;
	}
	if (sending->stage < TRL_SMTP_BODY &&
	    now - sending->stage_us > UINT64_C(1000) * OUT_SMTP_PHASE_MS)
		return 1;
	return now > sending->end_us;
}

static curl_socket_t
open_socket(void *self, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct sending *sending = self;

	(void)purpose;
	sending->link->fd = out_open_socket(
	    &sending->out->guard, sending->url, address, &sending->refused);
	return sending->link->fd;
}

static int
close_socket(void *self, curl_socket_t fd)
{
	struct out_smtp_link *link = self;

	if (link->fd == fd)
		link->fd = CURL_SOCKET_BAD;
	return close(fd);
}

static void
set_who(CURL *easy, const struct trl_smtp_mail *mail)
{
	if (mail->user != NULL)
		curl_easy_setopt(easy, CURLOPT_USERNAME, mail->user);
	if (mail->password != NULL)
		curl_easy_setopt(easy, CURLOPT_PASSWORD, mail->password);
	curl_easy_setopt(easy, CURLOPT_MAIL_FROM, mail->from);
}

static void
set_options(struct sending *sending, long left_ms)
{
	CURL *easy = sending->link->easy;

	curl_easy_reset(easy); /* keeps the connection */
	out_set_common(sending->out, easy);
	curl_easy_setopt(easy, CURLOPT_CURLU, sending->url->parsed);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
	curl_easy_setopt(easy, CURLOPT_USE_SSL,
	    (long)(sending->security == WANT_STARTTLS ? CURLUSESSL_ALL
						      : CURLUSESSL_NONE));
	curl_easy_setopt(easy, CURLOPT_MAXCONNECTS, 1L);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, left_ms);
	curl_easy_setopt(easy, CURLOPT_SERVER_RESPONSE_TIMEOUT, left_ms / 1000 + 1);
	curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_easy_setopt(easy, CURLOPT_XFERINFODATA, sending);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, sending->error);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, sending);
	curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, close_socket);
	curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, sending->link);
	out_smtp_listen(easy, &sending->talk);
	curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_read);
	curl_easy_setopt(easy, CURLOPT_READDATA, sending);
	set_who(easy, sending->mail);
}

/* What pointed at this mail is gone when it is sent; the handle stays. */
static void
forget(CURL *easy)
{
	curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 1L);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, NULL);
	curl_easy_setopt(easy, CURLOPT_MAIL_RCPT, NULL);
	curl_easy_setopt(easy, CURLOPT_RESOLVE, NULL);
	out_smtp_listen(easy, NULL);
}

/* The one that was there last, else one that has none, else any. There is one: the
 * threads are as many. */
static struct out_smtp_link *
choose_link(trl_http_out *out, const char *key)
{
	struct out_smtp_link *best = NULL;

	for (size_t i = 0; i < OUT_SMTP_SLOTS; i++) {
		struct out_smtp_link *link = &out->links[i];

		if (link->busy)
			continue;
		if (link->key != NULL && !strcmp(link->key, key))
			return link;
		if (best == NULL || (best->key != NULL && link->key == NULL))
			best = link;
	}
	return best;
}

static struct out_smtp_link *
take_link(trl_http_out *out, const char *key)
{
	struct out_smtp_link *link;

	uv_mutex_lock(&out->links_lock);
	link = choose_link(out, key);
	trl_assert(link != NULL);
	if (link->easy == NULL)
		link->easy = curl_easy_init();
	free(link->key);
	link->key = strdup(key);
	trl_assert(link->easy != NULL && link->key != NULL);
	link->busy = true;
	uv_mutex_unlock(&out->links_lock);
	return link;
}

static void
give_link(trl_http_out *out, struct out_smtp_link *link)
{
	size_t kept = 0;

	uv_mutex_lock(&out->links_lock);
	for (size_t i = 0; i < OUT_SMTP_SLOTS; i++)
		kept += !out->links[i].busy && out->links[i].easy != NULL;
	if (kept >= OUT_SMTP_KEPT)
		drop(link);
	link->busy = false;
	uv_mutex_unlock(&out->links_lock);
}

static void
send_by(struct sending *sending, uint64_t left_us)
{
	CURL *easy = sending->link->easy;
	struct curl_slist *to = curl_slist_append(NULL, sending->mail->to);
	struct curl_slist *list = NULL;

	set_options(sending, (long)(left_us / 1000 + 1));
	curl_easy_setopt(easy, CURLOPT_MAIL_RCPT, to);
	if (sending->list != NULL)
		list = curl_slist_append(NULL, sending->list);
	curl_easy_setopt(easy, CURLOPT_RESOLVE, list);
	sending->result = curl_easy_perform(easy);
	forget(easy);
	/* Where the server was given up waiting for, libcurl would keep the connection,
	 * and a late answer to this mail would be taken for one to the next. */
	if (sending->result != CURLE_OK)
		drop(sending->link);
	curl_slist_free_all(to);
	curl_slist_free_all(list);
}

/* On a thread of the pool. */
static void
send_letter(void *arg)
{
	struct sending *sending = arg;
	uint64_t now = trl_mono_us();

	sending->result = CURLE_OPERATION_TIMEDOUT;
	if (now >= sending->end_us)
		return;
	sending->link = take_link(sending->out, sending->key);
	send_by(sending, sending->end_us - now);
	give_link(sending->out, sending->link);
}

/* Whether libcurl gave up for what the server said. */
static bool
was_refused(CURLcode result)
{
	return result == CURLE_SEND_ERROR || result == CURLE_WEIRD_SERVER_REPLY;
}

static enum trl_code
judge(trl_ctx *ctx, const struct sending *sending, struct trl_smtp_answer *answer)
{
	const char *why =
	    sending->talk.reply[0] != '\0' ? sending->talk.reply : sending->error;

	out_smtp_answer(ctx->arena, &sending->talk, answer);
	if (sending->refused != NULL)
		return trl_fail(ctx, TRL_DENIED, "%s", sending->refused);
	if (sending->result == CURLE_OK)
		return TRL_OK;
	if (sending->result == CURLE_OPERATION_TIMEDOUT ||
	    sending->result == CURLE_ABORTED_BY_CALLBACK)
		return trl_fail(
		    ctx, TRL_DEADLINE, "the mail server did not take the mail in time");
	return trl_fail(ctx,
	    was_refused(sending->result) && out_smtp_is_final(answer) ? TRL_DENIED
								      : TRL_UNAVAILABLE,
	    "%s: %.*s", curl_easy_strerror(sending->result),
	    (int)trl_utf8_cut(why, strlen(why), WHY_BYTES), why);
}

static const char plain[] = "smtp+plain://";

const char *
trl_smtp_refused(const char *text)
{
	char usual[OUT_URL_MAX + 8];
	struct out_url url;
	const char *wrong;

	if (!strncmp(text, plain, sizeof plain - 1)) {
		snprintf(usual, sizeof usual, "smtp://%s", text + sizeof plain - 1);
		text = usual;
	}
	wrong = out_url_read(text, true, &url);
	if (wrong == NULL)
		out_url_fini(&url);
	return wrong;
}

/* The URL as libcurl takes it. */
static const char *
read_security(trl_ctx *ctx, const char *url, int *security)
{
	if (!strncmp(url, plain, sizeof plain - 1)) {
		*security = PLAIN;
		return trl_arena_printf(
		    ctx->arena, "smtp://%s", url + sizeof plain - 1);
	}
	*security = !strncmp(url, "smtps:", 6) ? TLS : WANT_STARTTLS;
	return url;
}

static bool
is_bare(const char *address)
{
	for (const char *c = address; *c != '\0'; c++)
		if ((unsigned char)*c <= 0x20 || *c == 0x7f ||
		    strchr("<>,", *c) != NULL)
			return false;
	return *address != '\0';
}

enum trl_code
trl_smtp_send(trl_ctx *ctx, trl_http_out *out, const struct trl_smtp_mail *mail,
    struct trl_smtp_answer *answer)
{
	uint32_t timeout_ms =
	    mail->timeout_ms > 0 ? mail->timeout_ms : OUT_SMTP_TIMEOUT_MS;
	uint32_t left_ms = trl_time_left_ms(ctx);
	struct sending sending = { .out = out, .mail = mail };
	const char *text = read_security(ctx, mail->url, &sending.security);
	struct out_url url;
	const char *wrong = out_url_read(text, true, &url);
	struct trl_span span;
	enum trl_code rc;

	*answer = (struct trl_smtp_answer){ .status = "", .text = "" };
	if (wrong != NULL)
		return trl_fail(ctx, TRL_UNAVAILABLE, "%s", wrong);
	if (mail->helo != NULL) /* libcurl takes it from the path */
		trl_assert(curl_url_set(url.parsed, CURLUPART_PATH,
			       trl_arena_printf(ctx->arena, "/%s", mail->helo),
			       0) == CURLUE_OK);
	trl_span_begin(ctx, &span, TRL_SPAN_MAIL, NULL);
	trl_span_text(&span, url.host);
	sending.url = &url;
	sending.key = trl_arena_printf(
	    ctx->arena, "%s %s", mail->url, mail->user != NULL ? mail->user : "");
	sending.end_us = trl_mono_us() +
			 (uint64_t)(timeout_ms < left_ms ? timeout_ms : left_ms) * 1000;
	rc = is_bare(mail->from) && is_bare(mail->to)
		 ? out_resolve(ctx, out, &url, &sending.end_us, &sending.list)
		 : trl_fail(ctx, TRL_DENIED, "The address is not one bare address.");
	if (sending.end_us > ctx->deadline_us)
		sending.end_us = ctx->deadline_us;
	if (rc == TRL_OK)
		rc = trl_offload(ctx, &out->smtp, send_letter, &sending);
	if (rc == TRL_OK)
		rc = judge(ctx, &sending, answer);
	trl_span_number(&span, answer->code);
	trl_span_end(ctx, &span, rc);
	out_url_fini(&url);
	return rc;
}
