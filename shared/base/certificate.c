/* certificate.c - of a certificate only when it ends. DER is walked as far as that and
 * no further (X.690, 8.1; RFC 5280, 4.1): whether it is to be believed is for whoever
 * speaks TLS. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sodium.h>

#include <trl/ages.h>
#include <trl/compiler.h>

static const char begins[] = "-----BEGIN CERTIFICATE-----";
static const char ends[] = "-----END CERTIFICATE-----";

enum {
	INTEGER = 0x02,
	UTC_TIME = 0x17,
	GENERALIZED_TIME = 0x18,
	SEQUENCE = 0x30,
	VERSION = 0xa0
};

struct der {
	const uint8_t *at, *end;
};

/* The next value and its tag; of moves on behind it. False: there is none. */
static bool
take(struct der *of, uint8_t *tag, struct der *value)
{
	size_t len;

	if (of->end - of->at < 2)
		return false;
	*tag = *of->at++;
	len = *of->at++;
	if (len >= 0x80) { /* so many bytes of length follow */
		size_t n = len & 0x7f;

		if (n == 0 || n > 4 || (size_t)(of->end - of->at) < n)
			return false;
		for (len = 0; n > 0; n--)
			len = len << 8 | *of->at++;
	}
	if ((size_t)(of->end - of->at) < len)
		return false;
	*value = (struct der){ of->at, of->at + len };
	of->at += len;
	return true;
}

static bool
take_a(struct der *of, uint8_t wanted, struct der *value)
{
	uint8_t tag;

	return take(of, &tag, value) && tag == wanted;
}

static bool
digits(const uint8_t *at, int n, int *number)
{
	for (*number = 0; n > 0; n--, at++) {
		if (*at < '0' || *at > '9')
			return false;
		*number = *number * 10 + (*at - '0');
	}
	return true;
}

/* YYMMDDHHMMSSZ, whose years from 50 on are of 1950 (4.1.2.5.1), or with four digits of
 * year. */
static int64_t
time_of(uint8_t tag, struct der text)
{
	const int year_digits = tag == UTC_TIME ? 2 : 4;
	struct tm tm = { 0 };
	const uint8_t *at = text.at;

	if ((tag != UTC_TIME && tag != GENERALIZED_TIME) ||
	    text.end - text.at != year_digits + 11 || text.end[-1] != 'Z' ||
	    !digits(at, year_digits, &tm.tm_year) ||
	    !digits(at + year_digits, 2, &tm.tm_mon) ||
	    !digits(at + year_digits + 2, 2, &tm.tm_mday) ||
	    !digits(at + year_digits + 4, 2, &tm.tm_hour) ||
	    !digits(at + year_digits + 6, 2, &tm.tm_min) ||
	    !digits(at + year_digits + 8, 2, &tm.tm_sec))
		return -1;
	if (tag == UTC_TIME)
		tm.tm_year += tm.tm_year < 50 ? 100 : 0;
	else
		tm.tm_year -= 1900;
	tm.tm_mon--;
	return timegm(&tm);
}

/* Certificate, TBSCertificate: version, serialNumber, signature, issuer, validity. */
static int64_t
expiry_of(const uint8_t *der, size_t len)
{
	struct der all = { der, der + len }, certificate, body, validity, value;
	uint8_t tag;

	if (!take_a(&all, SEQUENCE, &certificate) ||
	    !take_a(&certificate, SEQUENCE, &body) || !take(&body, &tag, &value))
		return -1;
	if (tag == VERSION && !take(&body, &tag, &value))
		return -1;
	if (tag != INTEGER || !take_a(&body, SEQUENCE, &value) ||
	    !take_a(&body, SEQUENCE, &value) || !take_a(&body, SEQUENCE, &validity) ||
	    !take(&validity, &tag, &value) || !take(&validity, &tag, &value))
		return -1;
	return time_of(tag, value);
}

/* The base64 between the two lines. */
static int64_t
expiry_of_base64(const char *text, size_t len)
{
	uint8_t *der = malloc(len + 1);
	size_t n = 0;
	int64_t at = -1;

	trl_assert(der != NULL);
	if (sodium_base642bin(der, len, text, len, " \t\r\n", &n, NULL,
		sodium_base64_VARIANT_ORIGINAL) == 0)
		at = expiry_of(der, n);
	free(der);
	return at;
}

int64_t
trl_certificate_expiry(const char *pem, size_t len)
{
	int64_t first = -1;

	for (;;) {
		const char *from = memmem(pem, len, begins, sizeof begins - 1), *to;
		int64_t at;

		if (from == NULL)
			return first;
		from += sizeof begins - 1;
		to = memmem(from, (size_t)(pem + len - from), ends, sizeof ends - 1);
		if (to == NULL)
			return -1;
		at = expiry_of_base64(from, (size_t)(to - from));
		if (at < 0)
			return -1;
		if (first < 0 || at < first)
			first = at;
		len = (size_t)(pem + len - to);
		pem = to;
	}
}
