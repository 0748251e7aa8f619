/* id.c - UUIDs. Version 7 (RFC 9562, 5.7 and 6.2 method 1): 48 bits of Unix
 * milliseconds, a counter of 26 bits around the variant, 48 random bits.
 *
 * The counter starts each millisecond at a random number with its top bit clear
 * and rises by one an id; when it runs over, or the clock steps back, the id
 * borrows from the next millisecond. So ids of one process always rise. */
#include <trl/id.h>

#include <pthread.h>

#include <uuid/uuid.h>

#include <trl/clock.h>

#include "random.h"

static const uint32_t counter_end = 1u << 26;

static struct {
	pthread_mutex_t lock;
	int64_t ms;
	uint32_t counter;
} last = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* Takes the next (millisecond, counter); seed is 25 random bits. */
static void
next_moment(uint32_t seed, int64_t *ms, uint32_t *counter)
{
	int64_t now = trl_wall_us() / 1000;

	pthread_mutex_lock(&last.lock);
	if (now > last.ms) {
		last.ms = now;
		last.counter = seed;
	} else if (++last.counter == counter_end) {
		last.ms++;
		last.counter = seed;
	}
	*ms = last.ms;
	*counter = last.counter;
	pthread_mutex_unlock(&last.lock);
}

struct trl_id
trl_id_new(void)
{
	struct trl_id id;
	uint32_t seed, counter;
	uint8_t random[10];
	int64_t ms;

	trl_random(random, sizeof random);
	memcpy(&seed, random, sizeof seed);
	next_moment(seed & (counter_end / 2 - 1), &ms, &counter);
	for (int i = 0; i < 6; i++)
		id.bytes[i] = (uint8_t)(ms >> (40 - 8 * i));
	id.bytes[6] = (uint8_t)(0x70 | counter >> 22);
	id.bytes[7] = (uint8_t)(counter >> 14);
	id.bytes[8] = (uint8_t)(0x80 | (counter >> 8 & 0x3f));
	id.bytes[9] = (uint8_t)counter;
	memcpy(id.bytes + 10, random + sizeof seed, 6);
	return id;
}

struct trl_id
trl_id_random(void)
{
	struct trl_id id;

	uuid_generate_random(id.bytes);
	return id;
}

void
trl_id_format(struct trl_id id, char text[TRL_ID_TEXT])
{
	static const char hex[] = "0123456789abcdef";
	char *p = text;

	for (int i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*p++ = '-';
		*p++ = hex[id.bytes[i] >> 4];
		*p++ = hex[id.bytes[i] & 15];
	}
	*p = '\0';
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* By hand: libuuid's calls strtoul for each byte, and every request has a few ids. */
bool
trl_id_parse(const char *text, size_t len, struct trl_id *out)
{
	const char *p = text;
	struct trl_id id;

	if (len != TRL_ID_TEXT - 1)
		return false;
	for (int i = 0; i < 16; i++) {
		int high, low;

		if ((i == 4 || i == 6 || i == 8 || i == 10) && *p++ != '-')
			return false;
		high = hex_digit(*p++);
		low = hex_digit(*p++);
		if (high < 0 || low < 0)
			return false;
		id.bytes[i] = (uint8_t)(high << 4 | low);
	}
	if (trl_id_is_nil(id))
		return false;
	*out = id;
	return true;
}

int64_t
trl_id_ms(struct trl_id id)
{
	int64_t ms = 0;

	for (int i = 0; i < 6; i++)
		ms = ms << 8 | id.bytes[i];
	return ms;
}
