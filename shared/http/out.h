/* out.h - what the files of the client to the outside share; nobody else includes it.
 */
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <curl/curl.h>
#include <uv.h>

#include <trl/http_out.h>
#include <trl/loop_uv.h>

enum {
	OUT_ALLOW_MAX = 32,     /* ranges in allow_cidrs */
	OUT_URL_MAX = 2048,     /* characters of a URL */
	OUT_HOST_MAX = 253,     /* RFC 1035, 2.3.4, without the last dot */
	OUT_ADDRESSES_MAX = 16, /* of one name */
	OUT_NAMES_MAX = 256,    /* names that are being resolved, or wait for it */
	OUT_DEAD_MAX = 128,     /* names that are left alone for a while */
	OUT_QUICK_MAX = 1024,   /* marks of names that were quick */
	OUT_HEADERS_MAX = 100,  /* lines in an answer's heads */
	OUT_HEAD_BYTES = 32 << 10,
	OUT_SMTP_SLOTS = 32,       /* conversations at once */
	OUT_SMTP_KEPT = 4,         /* connections that are kept while nobody speaks */
	OUT_SMTP_PHASE_MS = 10000, /* for each step before the mail's own text */
	OUT_SMTP_QUEUE = 256,
	OUT_TIMEOUT_MS = 10000,
	OUT_IDLE_S = 4, /* a connection serves again within; some servers end theirs
			   after five, and in between others lose them unseen */
	OUT_RETRY_AFTER_S = 24 * 3600, /* at most */
	OUT_SMTP_TIMEOUT_MS = 30000,
	OUT_REPLY_BYTES = 64 << 10,
	OUT_CONNECT_MS = 10000,    /* of an exchange */
	OUT_BUFFER_BYTES = 131072, /* libcurl's, each way */
	OUT_PIECE_BYTES = 262144   /* of an answer that its reader has not taken */
};

/* out_guard.c: addresses, every one as IPv6 (IPv4 mapped). */

struct out_range {
	uint8_t address[16];
	unsigned bits;
};

struct out_guard {
	bool any;
	struct out_range allow[OUT_ALLOW_MAX];
	size_t n_allow;
};

enum out_verdict {
	OUT_REFUSED,
	OUT_PUBLIC,
	OUT_ALLOWED /* by name: in allow_cidrs, or any_address */
};

/* False: allow_cidrs is wrong. */
bool out_guard_read(struct out_guard *guard, bool any, const char *allow_cidrs);
enum out_verdict out_guard_judge(
    const struct out_guard *guard, const struct in6_addr *address);
/* False: neither AF_INET nor AF_INET6. */
bool out_address_of(const struct sockaddr *from, struct in6_addr *out);
/* A mapped address is written as IPv4. */
void out_address_text(const struct in6_addr *address, char text[INET6_ADDRSTRLEN]);

/* out_url.c */

struct out_url {
	CURLU *parsed; /* what is called is what was looked at: one parser */
	char host[OUT_HOST_MAX + 1]; /* without brackets */
	uint16_t port;
	bool smtp;  /* else http */
	bool plain; /* no TLS from the first byte */
	bool literal;
	struct in6_addr address; /* where literal */
};

/* NULL: fine, and out_url_fini is due. Else why not, for the user. */
const char *out_url_read(const char *text, bool smtp, struct out_url *url);
void out_url_fini(struct out_url *url);
/* Whether this URL may be called at this address: NULL, or why not. */
const char *out_url_refused_at(const struct out_guard *guard, const struct out_url *url,
    const struct in6_addr *address);

/* out_resolve.c */

struct out_name;

struct out_dead {
	uint64_t until_us;
	char host[OUT_HOST_MAX + 1];
};

/* The URL's addresses, all of them looked at, as CURLOPT_RESOLVE wants them; NULL
 * where the host is an address. *list lives in ctx's arena. *end_us is when to give
 * up (trl_mono_us); it is put off by what the name waited for its turn.
 * Errors: TRL_DENIED, TRL_UNAVAILABLE, TRL_BUSY (nobody was asked), TRL_DEADLINE. */
enum trl_code out_resolve(trl_ctx *ctx, trl_http_out *out, const struct out_url *url,
    uint64_t *end_us, const char **list) TRL_MUST_CHECK;
/* Lookups that nobody waits for end without the client. */
void out_resolve_leave(trl_http_out *out);

/* out_names.c */

bool out_name_is_left_alone(const trl_http_out *out, const char *host);
void out_name_leave_alone(trl_http_out *out, const char *host);
bool out_name_was_quick(trl_http_out *out, const char *host);
void out_name_note_quick(trl_http_out *out, const char *host, bool quick);

/* out_loop.c: libcurl's sockets and timer on the loop. */

struct out_call {
	trl_http_out *out;
	const struct trl_http_call *in;
	size_t sent; /* of its body */
	const struct out_url *url;
	CURL *easy;
	struct curl_slist *headers, *resolve;
	struct trl_ticket ticket;
	bool done;
	CURLcode result;
	char error[CURL_ERROR_SIZE];
	/* What has come. */
	struct trl_buf body;
	size_t max_reply;
	size_t n_headers, head_bytes;
	char retry_after[64], header[256];
	bool truncated, head_too_large;
	const char *refused; /* why no socket was opened, or NULL */
};

bool out_loop_open(trl_http_out *out, size_t max_connections);
void out_loop_close(trl_http_out *out);

/* out_answer.c */

/* For CURLOPT_HEADERFUNCTION and CURLOPT_WRITEFUNCTION, of an out_call. */
size_t out_on_header(char *line, size_t one, size_t len, void *call);
size_t out_on_body(char *data, size_t one, size_t len, void *call);
/* What came of a transfer that is over. Errors: as trl_http_out_call. */
enum trl_code out_judge(trl_ctx *ctx, const struct out_call *call) TRL_MUST_CHECK;
void out_give_answer(
    trl_ctx *ctx, struct out_call *call, struct trl_http_answer *answer);
/* The same without its body. */
void out_give_head(trl_ctx *ctx, struct out_call *call, struct trl_http_answer *answer);
unsigned out_status(const struct out_call *call);

/* out.c */

struct out_smtp_link {
	CURL *easy;
	char *key; /* whose connection it has: URL and user */
	curl_socket_t fd;
	bool busy;
};

struct trl_http_out {
	trl_loop *loop;
	struct out_guard guard;
	char *ca_file;
	CURLM *multi;
	uv_timer_t *timer;
	size_t n_calls;
	struct out_name *names;
	size_t n_names, n_asked;
	uint64_t turns;
	uint64_t quick[OUT_QUICK_MAX];
	size_t n_dead;
	struct out_dead dead[OUT_DEAD_MAX];
	struct trl_offload smtp;
	uv_mutex_t links_lock; /* links; held for moments, by threads */
	struct out_smtp_link links[OUT_SMTP_SLOTS];
};

/* Of one call, whose easy handle is new: all but what reads or takes its body. No time
 * limit of the whole where timeout_ms is 0. */
void out_set_options(struct out_call *call, const struct trl_http_call *in,
    const char *list, uint32_t timeout_ms);
/* False: a header would be two. */
bool out_set_headers(struct out_call *call, const char *const *headers);
void out_end_call(struct out_call *call);
/* What every transfer is told, whatever its protocol: which addresses to connect to,
 * whose certificates to believe, and nothing taken from the environment. */
void out_set_common(const trl_http_out *out, CURL *easy);
/* For CURLOPT_OPENSOCKETFUNCTION. *refused is set where the address may not be. */
curl_socket_t out_open_socket(const struct out_guard *guard, const struct out_url *url,
    const struct curl_sockaddr *address, const char **refused);

/* out_smtp.c */

void out_smtp_open(trl_http_out *out);
void out_smtp_close(trl_http_out *out);

/* out_smtp_talk.c: what the server said, and to what. */

struct out_smtp_talk {
	enum trl_smtp_stage stage;
	bool over;       /* QUIT was sent; what comes now is not about the mail */
	char reply[256]; /* the last line of the last reply */
};

/* From now on, for one mail; NULL: not any more. */
void out_smtp_listen(CURL *easy, struct out_smtp_talk *talk);
void out_smtp_answer(
    trl_arena *arena, const struct out_smtp_talk *talk, struct trl_smtp_answer *answer);
/* Whether a refusal is of the recipient or the mail, for good. One about who we are,
 * or how we came, is ours to mend, and the mail waits. */
bool out_smtp_is_final(const struct trl_smtp_answer *answer);
