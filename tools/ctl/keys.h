/* keys.h - the keys that a deployment needs, as keys_needed.py makes them of what the
 * services of this build say of themselves. */
#pragma once

#include <stdio.h>

#include "ctl.h"

/* How a key is written: 64 hexadecimal digits, behind "1:" where several may be in use
 * while they change. */
enum ctl_key_form { CTL_KEY_BARE, CTL_KEY_NUMBERED };

enum {
	CTL_KEY_BYTES = 32,
	CTL_KEY_TEXT = 2 + 2 * CTL_KEY_BYTES + 2,
	CTL_KEYS_MAX = 2048
};

/* A file of somebody's. Files of the same number hold the same key. */
struct ctl_secret {
	const char *owner, *file;
	unsigned key;
	enum ctl_key_form form;
};

/* Ended by owner NULL, an owner's files together: a process a service, or all services
 * in one. */
extern const struct ctl_secret ctl_secrets[], ctl_secrets_of_one[];
/* "TRELLIS_SMTP_PASSWORD (notify)": secrets that come from elsewhere; NULL-ended. */
extern const char *const ctl_secrets_given[];

/* Keys by their numbers, made when they are first wanted. */
typedef uint8_t ctl_keyring[CTL_KEYS_MAX][CTL_KEY_BYTES];

/* The line of a key, with its end. */
void ctl_key_line(
    ctl_keyring *keys, const struct ctl_secret *secret, char line[CTL_KEY_TEXT]);
/* Kubernetes Secrets, one an owner, called NAME-OWNER-keys. */
void ctl_keys_manifest(
    struct ctl *ctl, ctl_keyring *keys, const struct ctl_secret *secrets);
/* FOLDER/OWNER/FILE, for their owner only. False: said, and nothing is left. */
bool ctl_keys_folder(
    const char *folder, ctl_keyring *keys, const struct ctl_secret *secrets);
