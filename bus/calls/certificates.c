/* certificates.c - whether a certificate, its key and the authorities beside them can
 * be used on the bus, before any socket has them: nng would take a key that is another
 * certificate's, and every handshake would then fail without a word. Asked of Mbed TLS,
 * the library that nng's TLS is made of, so that both agree. */
#include <stdlib.h>
#include <string.h>

#include <mbedtls/oid.h>
#include <mbedtls/pk.h>
#include <mbedtls/version.h>
#include <mbedtls/x509_crt.h>
#include <sodium.h>

#include <trl/bus_open.h>

struct read {
	mbedtls_x509_crt ca, own;
	mbedtls_pk_context key;
};

/* Debian 13 has version 3, which blinds what it computes with a key. */
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
static int
draw(void *self, unsigned char *out, size_t len)
{
	(void)self;
	randombytes_buf(out, len);
	return 0;
}
#define WITH_RANDOM , draw, NULL
#else
#define WITH_RANDOM
#endif

/* All of the text's certificates, at least one. */
static bool
read_certificates(mbedtls_x509_crt *out, const char *pem)
{
	return mbedtls_x509_crt_parse(
		   out, (const unsigned char *)pem, strlen(pem) + 1) == 0;
}

/* A PEM text has to end with NUL here. */
static bool
read_key(mbedtls_pk_context *out, const char *pem, size_t len)
{
	unsigned char *text = calloc(1, len + 1);
	bool fine;

	trl_assert(text != NULL);
	memcpy(text, pem, len);
	fine = mbedtls_pk_parse_key(out, text, len + 1, NULL, 0 WITH_RANDOM) == 0;
	sodium_memzero(text, len);
	free(text);
	return fine;
}

/* Every process of the bus both calls and is called (RFC 5280, 4.2.1.12). */
static bool
is_for_both_ends(const mbedtls_x509_crt *own)
{
	return mbedtls_x509_crt_check_extended_key_usage(own, MBEDTLS_OID_SERVER_AUTH,
		   MBEDTLS_OID_SIZE(MBEDTLS_OID_SERVER_AUTH)) == 0 &&
	       mbedtls_x509_crt_check_extended_key_usage(own, MBEDTLS_OID_CLIENT_AUTH,
		   MBEDTLS_OID_SIZE(MBEDTLS_OID_CLIENT_AUTH)) == 0;
}

static const char *
refused(struct read *read, const struct trl_bus_net_options *options)
{
	uint32_t flags = 0;

	if (!read_certificates(&read->ca, options->tls_ca))
		return "the authorities are no certificates in PEM";
	if (!read_certificates(&read->own, options->tls_cert))
		return "the certificate is none in PEM";
	if (!read_key(&read->key, options->tls_key, options->tls_key_len))
		return "the key is none in PEM";
	if (mbedtls_pk_check_pair(&read->own.pk, &read->key WITH_RANDOM) != 0)
		return "the key is another certificate's";
	if (!is_for_both_ends(&read->own))
		return "the certificate is not for both client and server";
	if (mbedtls_x509_crt_verify(
		&read->own, &read->ca, NULL, NULL, &flags, NULL, NULL) == 0)
		return NULL;
	if (flags & MBEDTLS_X509_BADCERT_EXPIRED)
		return "the certificate, or one that signed it, has ended";
	if (flags & MBEDTLS_X509_BADCERT_FUTURE)
		return "the certificate, or one that signed it, does not begin yet";
	return "none of the authorities has signed the certificate";
}

const char *
trl_bus_tls_refused(const struct trl_bus_net_options *options)
{
	struct read read;
	const char *why;

	mbedtls_x509_crt_init(&read.ca);
	mbedtls_x509_crt_init(&read.own);
	mbedtls_pk_init(&read.key);
	why = refused(&read, options);
	mbedtls_pk_free(&read.key);
	mbedtls_x509_crt_free(&read.own);
	mbedtls_x509_crt_free(&read.ca);
	return why;
}
