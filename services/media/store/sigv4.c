/* See sigv4.h. The secret makes a key of the day, the region and the service, and that
 * one signs a hash of the request as both sides write it down. */
#include "sigv4.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include <trl/compiler.h>

static const char algorithm[] = "AWS4-HMAC-SHA256";

void
sigv4_time(int64_t wall_us, char time[SIGV4_TIME])
{
	const time_t s = (time_t)(wall_us / 1000000);
	struct tm tm;

	trl_assert(gmtime_r(&s, &tm) != NULL &&
		   strftime(time, SIGV4_TIME, "%Y%m%dT%H%M%SZ", &tm) == SIGV4_TIME - 1);
}

void
sigv4_encode(struct trl_buf *out, const void *bytes, size_t len, bool path)
{
	static const char kept[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "0123456789-._~";
	const uint8_t *at = bytes;

	for (size_t i = 0; i < len; i++)
		if (at[i] != '\0' &&
		    (strchr(kept, at[i]) != NULL || (path && at[i] == '/')))
			trl_buf_add(out, &at[i], 1);
		else
			trl_buf_printf(out, "%%%02X", (unsigned)at[i]);
}

static void
to_hex(const uint8_t hash[SHA256_DIGEST_LENGTH], char hex[SIGV4_HEX])
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < SHA256_DIGEST_LENGTH; i++) {
		hex[2 * i] = digits[hash[i] >> 4];
		hex[2 * i + 1] = digits[hash[i] & 15];
	}
	hex[SIGV4_HEX - 1] = '\0';
}

void
sigv4_hash(const void *bytes, size_t len, char hex[SIGV4_HEX])
{
	uint8_t hash[SHA256_DIGEST_LENGTH];

	trl_assert(EVP_Digest(bytes, len, hash, NULL, EVP_sha256(), NULL) == 1);
	to_hex(hash, hex);
}

static void
sign(const void *key, size_t key_len, const void *text, size_t len,
    uint8_t out[SHA256_DIGEST_LENGTH])
{
	trl_assert(HMAC(EVP_sha256(), key, (int)key_len, text, len, out, NULL) != NULL);
}

/* "20130524/us-east-1/s3/aws4_request" */
static void
add_scope(struct trl_buf *out, const struct sigv4_key *key, const char *time)
{
	trl_buf_printf(out, "%.8s/%s/%s/aws4_request", time, key->region, key->service);
}

static void
key_of_day(
    const struct sigv4_key *key, const char *time, uint8_t out[SHA256_DIGEST_LENGTH])
{
	TRL_AUTO(trl_buf_fini) struct trl_buf secret = { .len = 0 };
	static const char end[] = "aws4_request";

	trl_buf_adds(&secret, "AWS4");
	trl_buf_add(&secret, key->secret, key->secret_len);
	sign(secret.data, secret.len, time, 8, out);
	OPENSSL_cleanse(secret.data, secret.len);
	sign(out, SHA256_DIGEST_LENGTH, key->region, strlen(key->region), out);
	sign(out, SHA256_DIGEST_LENGTH, key->service, strlen(key->service), out);
	sign(out, SHA256_DIGEST_LENGTH, end, sizeof end - 1, out);
}

static void
add_names(struct trl_buf *out, const struct sigv4_request *request)
{
	for (size_t i = 0; i < request->n_headers; i++)
		trl_buf_printf(out, "%s%s", i > 0 ? ";" : "", request->headers[i].name);
}

static void
hash_request(
    const struct sigv4_request *request, const char *query, char hex[SIGV4_HEX])
{
	TRL_AUTO(trl_buf_fini) struct trl_buf text = { .len = 0 };

	trl_buf_printf(&text, "%s\n%s\n%s\n", request->method, request->path, query);
	for (size_t i = 0; i < request->n_headers; i++)
		trl_buf_printf(&text, "%s:%s\n", request->headers[i].name,
		    request->headers[i].value);
	trl_buf_adds(&text, "\n");
	add_names(&text, request);
	trl_buf_printf(&text, "\n%s", request->payload);
	sigv4_hash(text.data, text.len, hex);
}

static void
add_signature(struct trl_buf *out, const struct sigv4_key *key,
    const struct sigv4_request *request, const char *query)
{
	TRL_AUTO(trl_buf_fini) struct trl_buf text = { .len = 0 };
	uint8_t signing[SHA256_DIGEST_LENGTH];
	char hex[SIGV4_HEX];

	hash_request(request, query, hex);
	trl_buf_printf(&text, "%s\n%s\n", algorithm, request->time);
	add_scope(&text, key, request->time);
	trl_buf_printf(&text, "\n%s", hex);
	key_of_day(key, request->time, signing);
	sign(signing, sizeof signing, text.data, text.len, signing);
	to_hex(signing, hex);
	OPENSSL_cleanse(signing, sizeof signing);
	trl_buf_adds(out, hex);
}

void
sigv4_authorize(struct trl_buf *out, const struct sigv4_key *key,
    const struct sigv4_request *request)
{
	trl_buf_printf(out, "%s Credential=%s/", algorithm, key->id);
	add_scope(out, key, request->time);
	trl_buf_adds(out, ",SignedHeaders=");
	add_names(out, request);
	trl_buf_adds(out, ",Signature=");
	add_signature(out, key, request, request->query);
}

void
sigv4_presign(struct trl_buf *out, const struct sigv4_key *key,
    const struct sigv4_request *request, uint32_t expires_s)
{
	TRL_AUTO(trl_buf_fini) struct trl_buf scope = { .len = 0 };
	TRL_AUTO(trl_buf_fini) struct trl_buf query = { .len = 0 };

	trl_assert(expires_s >= 1 && expires_s <= SIGV4_EXPIRES_MAX);
	trl_buf_printf(&scope, "%s/", key->id);
	add_scope(&scope, key, request->time);
	trl_buf_printf(&query, "X-Amz-Algorithm=%s&X-Amz-Credential=", algorithm);
	sigv4_encode(&query, scope.data, scope.len, false);
	trl_buf_printf(&query,
	    "&X-Amz-Date=%s&X-Amz-Expires=%u&X-Amz-SignedHeaders=", request->time,
	    expires_s);
	for (size_t i = 0; i < request->n_headers; i++)
		trl_buf_printf(
		    &query, "%s%s", i > 0 ? "%3B" : "", request->headers[i].name);
	if (request->query[0] != '\0')
		trl_buf_printf(&query, "&%s", request->query);
	trl_buf_add(&query, "", 1);
	trl_buf_adds(out, (const char *)query.data);
	trl_buf_adds(out, "&X-Amz-Signature=");
	add_signature(out, key, request, (const char *)query.data);
}
