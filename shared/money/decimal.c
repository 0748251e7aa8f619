/* decimal.c - decimal numbers as scaled integers, and their text. */
#include <trl/money.h>

#include <stdio.h>
#include <string.h>

#include <trl/compiler.h>

enum { DIGITS_MAX = 38, TEXT_MAX = 80, EXPONENT_MAX = 400 };

struct parts {
	bool negative;
	trl_uint128 digits; /* without the point */
	long places;        /* how many of them stand behind it */
};

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
push(struct parts *parts, char c)
{
	trl_uint128 most = ~(trl_uint128)0 >> 1;

	if (parts->digits > (most - 9) / 10)
		return false;
	parts->digits = parts->digits * 10 + (trl_uint128)(c - '0');
	return true;
}

static const char *
read_exponent(const char *at, const char *end, struct parts *parts)
{
	bool negative = at < end && *at == '-';
	long n = 0;

	if (at < end && (*at == '-' || *at == '+'))
		at++;
	if (at == end)
		return "it is not a number";
	for (; at < end; at++) {
		if (!is_digit(*at))
			return "it is not a number";
		n = n * 10 + (*at - '0');
		if (n > EXPONENT_MAX)
			return negative ? "it has too many places" : "it is too large";
	}
	parts->places += negative ? n : -n;
	return NULL;
}

static const char *
read_parts(const char *at, const char *end, struct parts *parts)
{
	bool point = false, any = false;

	if (at < end && *at == '-') {
		parts->negative = true;
		at++;
	}
	for (; at < end && (is_digit(*at) || (*at == '.' && any && !point)); at++) {
		if (*at == '.') {
			point = true;
			any = false; /* a digit must follow */
			continue;
		}
		any = true;
		parts->places += point;
		if (!push(parts, *at))
			return "it is too large";
	}
	if (!any)
		return "it is not a number";
	if (at == end)
		return NULL;
	return *at == 'e' || *at == 'E' ? read_exponent(at + 1, end, parts)
					: "it is not a number";
}

const char *
trl_decimal_read(const char *text, size_t len, unsigned places, trl_int128 *out)
{
	struct parts parts = { 0 };
	const char *why;

	if (len > TEXT_MAX)
		return "it is too long";
	why = read_parts(text, text + len, &parts);
	if (why)
		return why;
	for (;
	     parts.places > (long)places && parts.digits % 10 == 0 && parts.digits != 0;
	     parts.places--)
		parts.digits /= 10;
	if (parts.places > (long)places && parts.digits != 0)
		return "it has too many places";
	for (; parts.places < (long)places && parts.digits != 0; parts.places++)
		if (!push(&parts, '0'))
			return "it is too large";
	*out = parts.negative ? -(trl_int128)parts.digits : (trl_int128)parts.digits;
	return NULL;
}

void
trl_decimal_write(trl_int128 value, unsigned places, char *out, size_t size)
{
	char text[TEXT_MAX], *at = text + sizeof text;
	trl_uint128 rest = value < 0 ? -(trl_uint128)value : (trl_uint128)value;
	bool shown = false;

	trl_assert(places <= DIGITS_MAX);
	*--at = '\0';
	for (unsigned i = 0; i <= places || rest > 0; i++) {
		char digit = (char)('0' + (int)(rest % 10));

		if (i == places && shown)
			*--at = '.';
		shown |= digit != '0';
		if (shown || i >= places)
			*--at = digit;
		rest /= 10;
	}
	if (value < 0)
		*--at = '-';
	trl_assert((size_t)snprintf(out, size, "%s", at) < size);
}
