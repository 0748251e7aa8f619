/* url.h - connection strings. Private to shared/pg. */
#pragma once

#include <stdbool.h>

enum { PG_WHY = 256, PG_PASSWORD_MAX = 1024 };

/* The password that a connection string holds; false: none. The caller wipes out. */
bool pg_url_password(const char *url, char out[PG_PASSWORD_MAX]);
/* What to do about a refusal, to be said after it; "": nothing is known. */
const char *pg_url_advice(const char *why);
