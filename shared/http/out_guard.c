/* out_guard.c - which addresses may be connected to. The tables are IANA's registries
 * of special addresses (RFC 6890, as of 2024). Of IPv6 only 2000::/3 is given out to
 * the world: all else is refused without being listed, so also what embeds an IPv4
 * address for a translator (64:ff9b::/96, ::a.b.c.d). An IPv4 address is judged as
 * such in its mapped form as well. */
#include "out.h"

#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>

static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

struct range {
	const char *text;
	unsigned bits;
};

static const struct range special_v4[] = {
	{ "0.0.0.0", 8 },       /* this network */
	{ "10.0.0.0", 8 },      /* private */
	{ "100.64.0.0", 10 },   /* shared by carriers */
	{ "127.0.0.0", 8 },     /* loopback */
	{ "169.254.0.0", 16 },  /* link-local, clouds' metadata */
	{ "172.16.0.0", 12 },   /* private */
	{ "192.0.0.0", 24 },    /* protocol assignments */
	{ "192.0.2.0", 24 },    /* documentation */
	{ "192.31.196.0", 24 }, /* AS112 */
	{ "192.52.193.0", 24 }, /* AMT */
	{ "192.88.99.0", 24 },  /* 6to4 relays */
	{ "192.168.0.0", 16 },  /* private */
	{ "192.175.48.0", 24 }, /* AS112 */
	{ "198.18.0.0", 15 },   /* benchmarks */
	{ "198.51.100.0", 24 }, /* documentation */
	{ "203.0.113.0", 24 },  /* documentation */
	{ "224.0.0.0", 4 },     /* multicast */
	{ "240.0.0.0", 4 },     /* reserved, broadcast */
};

static const struct range special_v6[] = {
	{ "2001::", 23 },         /* protocol assignments; Teredo */
	{ "2001:db8::", 32 },     /* documentation */
	{ "2002::", 16 },         /* 6to4: an IPv4 address inside */
	{ "2620:4f:8000::", 48 }, /* AS112 */
	{ "3fff::", 20 },         /* documentation */
};

static bool
within(const uint8_t address[16], const uint8_t range[16], unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;

	return memcmp(address, range, whole) == 0 &&
	       (rest == 0 || ((address[whole] ^ range[whole]) >> (8 - rest)) == 0);
}

static bool
parse_address(const char *text, uint8_t out[16], bool *v4)
{
	memcpy(out, mapped, sizeof mapped);
	*v4 = inet_pton(AF_INET, text, out + 12) == 1;
	return *v4 || inet_pton(AF_INET6, text, out) == 1;
}

static bool
is_v4(const uint8_t address[16])
{
	return memcmp(address, mapped, sizeof mapped) == 0;
}

static bool
in_table(const uint8_t address[16], const struct range *table, size_t n)
{
	uint8_t range[16];
	bool v4;

	for (size_t i = 0; i < n; i++) {
		trl_assert(parse_address(table[i].text, range, &v4));
		if (within(address, range, table[i].bits + (v4 ? 96 : 0)))
			return true;
	}
	return false;
}

enum out_verdict
out_guard_judge(const struct out_guard *guard, const struct in6_addr *in)
{
	const uint8_t *address = in->s6_addr;

	if (guard->any)
		return OUT_ALLOWED;
	for (size_t i = 0; i < guard->n_allow; i++)
		if (within(address, guard->allow[i].address, guard->allow[i].bits))
			return OUT_ALLOWED;
	if (is_v4(address))
		return in_table(address, special_v4, TRL_COUNT(special_v4))
			   ? OUT_REFUSED
			   : OUT_PUBLIC;
	if (address[0] >> 5 != 1) /* 2000::/3 */
		return OUT_REFUSED;
	return in_table(address, special_v6, TRL_COUNT(special_v6)) ? OUT_REFUSED
								    : OUT_PUBLIC;
}

/* One range of the list; the text is changed. */
static bool
read_range(char *text, struct out_range *out)
{
	char *slash = strchr(text, '/'), *end;
	unsigned long bits;
	bool v4;

	if (slash == NULL)
		return false;
	*slash = '\0';
	bits = strtoul(slash + 1, &end, 10);
	if (slash[1] < '0' || slash[1] > '9' || *end != '\0' ||
	    !parse_address(text, out->address, &v4) || bits > (v4 ? 32 : 128))
		return false;
	out->bits = (unsigned)bits + (v4 ? 96 : 0);
	return true;
}

bool
out_guard_read(struct out_guard *guard, bool any, const char *allow_cidrs)
{
	char *copy, *rest, *word;
	bool fine = true;

	*guard = (struct out_guard){ .any = any };
	if (allow_cidrs == NULL)
		return true;
	copy = rest = strdup(allow_cidrs);
	trl_assert(copy != NULL);
	while (fine && (word = strsep(&rest, ", ")) != NULL) {
		if (*word == '\0')
			continue;
		fine = guard->n_allow < OUT_ALLOW_MAX &&
		       read_range(word, &guard->allow[guard->n_allow]);
		guard->n_allow += fine;
	}
	free(copy);
	return fine;
}

bool
out_address_of(const struct sockaddr *from, struct in6_addr *out)
{
	if (from->sa_family == AF_INET) {
		memcpy(out->s6_addr, mapped, sizeof mapped);
		memcpy(out->s6_addr + 12,
		    &((const struct sockaddr_in *)(const void *)from)->sin_addr, 4);
		return true;
	}
	if (from->sa_family != AF_INET6)
		return false;
	*out = ((const struct sockaddr_in6 *)(const void *)from)->sin6_addr;
	return true;
}

void
out_address_text(const struct in6_addr *address, char text[INET6_ADDRSTRLEN])
{
	if (is_v4(address->s6_addr))
		inet_ntop(AF_INET, address->s6_addr + 12, text, INET6_ADDRSTRLEN);
	else
		inet_ntop(AF_INET6, address, text, INET6_ADDRSTRLEN);
}
