/* pause.h - when a payload is tried again. Private to shared/telemetry. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { SENDER_GIVE_UP_S = 300 };

/* Whether an answer of this status, 0: none, is worth a further attempt. */
bool sender_tries_again(unsigned status);
/* Milliseconds before the next one, after so many attempts. */
uint32_t sender_pause_ms(unsigned attempts, uint32_t retry_after_s);
