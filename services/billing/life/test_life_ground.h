/* test_life_ground.h - an account that is only in memory, and what is noted of it:
 * "i2:-500+1000 " is an invoice and its lines, "c2:-500 " what is credited of one. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "life/life.h"

enum { DAY = 86400, HOUR = 3600, NOTES = 1 << 16, MANY = 4096 };

/* The catalogue of these tests: minor units are whole. */
#define EACH(n) ((trl_int128)(n)*1000000000000)
#define OFFER(name, of_rank, every, of_model, amount)                                  \
	{                                                                              \
		.key = name, .plan = name, .currency = "EUR", .rank = of_rank,         \
		.interval = every, .count = 1,                                         \
		.price = { .model = of_model, .unit = EACH(amount) },                  \
	}
extern struct offer basic, team, team_year, big, seats, seats_year, seats_week,
    free_plan;
int offers(void **state); /* as they were */

extern struct world {
	struct life life;
	struct life_rules rules;
	struct life_outcome out;
	enum { PAYS, FAILS, FAILS_HARD, WAITS, HAS_NO_WAY } payer;
	char notes[NOTES];
	int64_t billed, credited;
	int64_t asked[MANY]; /* by each invoice, and is not credited yet */
} w;

/* A new account that pays. */
void begin_world(void);
/* The same, with a subscription. */
void begin(int64_t now, const struct offer *offer, unsigned n);
void do_acts(int64_t now);
void until(int64_t now);
void wish(int64_t now, const struct offer *offer, unsigned n);
void wish_when(int64_t now, const struct offer *offer, unsigned n, int when);
/* Why it is refused; it fails where it is not. */
const char *refused(int64_t now, const struct offer *offer, unsigned n, int when);
void stop(int64_t now);       /* at once */
void stop_later(int64_t now); /* at the end of the period */
void resume(int64_t now);
void new_card(int64_t now);
/* What was noted since the last time. */
void noted(const char *expected);
