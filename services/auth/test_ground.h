/* test_ground.h - what tests of auth stand on beside the world (test_service.h): cheap
 * password hashes, limits that nobody reaches, sign-ups and the e-mails that are asked
 * for. What handlers do to PostgreSQL, Redis and the hash pool is written into a trace
 * by wrapped calls (meson.build), so that the work of two calls can be compared. */
#pragma once

#include "auth.h"
#include "test_service.h"

int ground_open(void **state);
int ground_close(void **state);
struct auth *world_auth(void);
/* Multiplies the limits from now on. */
void world_rate_scale(const char *scale);
/* An address nobody has. */
const char *world_email(const char *name);
/* The token in the newest of the e-mails that the outbox asks for to an address; fails
 * the test when there are not so many. */
const char *world_letter_token(const char *email, unsigned letters);
unsigned world_letters(const char *email);
/* What the calls from now on do, a line each; and what they did since. */
void world_trace_begin(void);
const char *world_trace(void);

enum trl_code world_sign_up(
    const char *email, const char *password, auth_signed_in **out);
enum trl_code world_log_in(
    const char *email, const char *password, auth_signed_in **out);
/* Who a signed-in reply is. */
struct world_caller world_who(const auth_signed_in *signed_in);
enum trl_code world_resolve(const char *token, Auth__V1__ResolvedSession **out);
