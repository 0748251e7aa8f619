/* test_ground.h - what billing's tests stand on: the service with the provider "test"
 * and a catalogue, asked in JSON. */
#pragma once

#include "test_service.h"

#include "account/account.h"

/* For cmocka's group fixture: opens the world and applies the usual catalogue:
 *   free   0: 3 seats
 *   team   team-month 900 a seat, team-year 9000 a seat (EUR)
 *   big    big-month 5000 (EUR), big-usd 6000 (USD)
 * and Austria's tax of 20 %, the seller in Austria. A trial is not set. */
int ground_open(void **state);

/* An organisation of its own, with its owner. */
struct world_caller ground_owner(void);
extern const struct world_caller ground_operator;

/* Calls a method with a request in JSON; out may be NULL, else a message in
 * world.arena. */
enum trl_code ask(const struct world_caller *who, const struct trl_method *method,
    const char *json, void *out);
/* The same, and fails the test where it is refused. */
void must(const struct world_caller *who, const struct trl_method *method,
    const char *json, void *out);
/* Applies another catalogue. */
void ground_catalogue(const char *json);

/* Gives the organisation a card of the provider "test" as its default way to pay. */
void ground_card(const struct world_caller *who, const char *number);
/* Moves its test clock on, by seconds from where it is, and begins it where there is
 * none. */
void ground_pass(const struct world_caller *who, int64_t seconds);
/* The ledger's sum of an account in an organisation. */
int64_t ground_sum(const struct world_caller *who, const char *account);
