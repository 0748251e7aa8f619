/* base64 with the alphabet of RFC 4648 section 4; decoding accepts exactly one
 * text for each run of bytes. */
#include "base64.h"

static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void
json_base64_encode(const uint8_t *bytes, size_t len, char *out)
{
	for (size_t i = 0; i < len; i += 3, out += 4) {
		uint32_t word = (uint32_t)bytes[i] << 16;

		if (i + 1 < len)
			word |= (uint32_t)bytes[i + 1] << 8;
		if (i + 2 < len)
			word |= bytes[i + 2];
		out[0] = alphabet[word >> 18];
		out[1] = alphabet[word >> 12 & 63];
		out[2] = i + 1 < len ? alphabet[word >> 6 & 63] : '=';
		out[3] = i + 2 < len ? alphabet[word & 63] : '=';
	}
}

/* -1 for what is not in the alphabet. */
static int
sextet(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

bool
json_base64_decode(const char *text, size_t len, uint8_t *out, size_t *out_len)
{
	uint32_t word = 0;
	size_t pad = 0, at = 0;

	if (len % 4 != 0)
		return false;
	if (len > 0)
		pad = text[len - 1] != '=' ? 0 : text[len - 2] != '=' ? 1 : 2;
	for (size_t i = 0; i < len - pad; i++) {
		int bits = sextet(text[i]);

		if (bits < 0)
			return false;
		word = word << 6 | (uint32_t)bits;
		if (i % 4 == 0)
			continue;
		out[at++] = (uint8_t)(word >> (6 - i % 4 * 2));
	}
	*out_len = at;
	/* What the padding cuts off must be zero. */
	return pad == 0 || (word & (pad == 1 ? 3 : 15)) == 0;
}
