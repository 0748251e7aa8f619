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

/* Closes it: the books of all its organisations must hold by then (CheckLedger). */
int ground_close(void **state);

/* An organisation of its own, with its owner. */
struct world_caller ground_owner(void);
extern const struct world_caller ground_operator;

/* A request of JSON, in world.arena. */
const ProtobufCMessage *ground_message(
    const struct trl_method *method, const char *json);
/* Calls a method with a request in JSON; out may be NULL, else a message in
 * world.arena. */
enum trl_code ask(const struct world_caller *who, const struct trl_method *method,
    const char *json, void *out);
/* The same, and fails the test where it is refused. */
void must(const struct world_caller *who, const struct trl_method *method,
    const char *json, void *out);
/* Applies another catalogue; the usual one again. */
void ground_catalogue(const char *json);
void ground_usual(void);

/* Gives the organisation a card of the provider "test" as its default way to pay. */
void ground_card(const struct world_caller *who, const char *number);
/* Sets one up as its owner would; it may still have to be answered. */
Billing__V1__PaymentMethod *ground_set_up(
    const struct world_caller *who, const char *number);
/* The same, answered, and the default. Returns its id's JSON: {"method_id":"..."}. */
const char *ground_pay_with(const struct world_caller *who, const char *number);
/* {"field":"id"}. */
const char *ground_id(const char *field, ProtobufCBinaryData id);
/* Answers a bank's question at a way to pay or payment. */
enum trl_code ground_answer(
    const struct world_caller *who, ProtobufCBinaryData id, bool pass);
/* Moves its test clock on, by seconds from where it is, and begins it where there is
 * none. */
void ground_pass(const struct world_caller *who, int64_t seconds);
/* The ledger's sum of an account in an organisation. */
int64_t ground_sum(const struct world_caller *who, const char *account);

/* What trellis ledger check says of it, a line each; "" where its books hold. */
const char *ground_faults(const struct world_caller *who);

/* Applies a catalogue without tax that has the plan team, 900 a seat and month, and a
 * trial of it: "\"days\":14,\"end\":\"pause\"". */
void ground_trial(const char *trial);
/* Tells billing what tenants tells: that the organisation was founded by its owner, is
 * being deleted, is restored, as of a version; seconds. */
void ground_hear(const struct world_caller *who, const struct trl_event_type *type,
    int64_t version, bool deleting, int64_t at);
/* Waits until all that was caused is done. */
void ground_settle(void);
/* Founded at a time, and that is done. */
void ground_found(const struct world_caller *who, int64_t at);
int64_t ground_now(void); /* of the wall's clock */

/* An expression of its row, as text. */
const char *ground_of(const struct world_caller *who, const char *what);
/* The types of events told of it, in order: "subscription.started invoice.paid". */
const char *ground_told(const struct world_caller *who);
