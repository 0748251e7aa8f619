/* seal.h - secrets that have to travel through PostgreSQL (a token inside an event or
 * a job) are sealed under a key that is not in it: XChaCha20-Poly1305 (libsodium) with
 * a key derived from TRELLIS_SEAL_KEY for one purpose. */
#pragma once

#include <trl/arena.h>

enum { TRL_SEAL_KEY = 32 };

typedef struct trl_sealer trl_sealer; /* a purpose's key; locked memory */

/* key: the 32 bytes of TRELLIS_SEAL_KEY; purpose: "auth letter", the same where it is
 * opened. */
trl_sealer *trl_sealer_new(const uint8_t key[TRL_SEAL_KEY], const char *purpose);
void trl_sealer_free(trl_sealer **sealer);
/* The sealed bytes, in the arena; the same data seals differently each time. */
void *trl_seal(const trl_sealer *sealer, trl_arena *arena, const void *data, size_t len,
    size_t *out_len);
/* NULL: it was not sealed by this key, or was changed. A NUL stands behind the data. */
void *trl_unseal(const trl_sealer *sealer, trl_arena *arena, const void *sealed,
    size_t len, size_t *out_len);
