/* keys.c - `trellis keys init`: makes the keys of a new deployment, once, and keeps no
 * copy. They go to the output as Kubernetes Secrets, or into a new folder; each process
 * has its own, and none sees another's. Whatever is there already is left alone: a
 * sealed reply or a hashed password is lost with the key it was made with. */
#include "keys.h"

#include <string.h>

#include <sodium.h>

/* What Kubernetes takes as (a part of) a name: RFC 1123's label. */
static bool
is_label(const char *text, size_t most)
{
	size_t len = strlen(text);

	return len > 0 && len <= most && text[0] != '-' && text[len - 1] != '-' &&
	       strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") == len;
}

static bool
check_options(const struct ctl_args *args)
{
	if (args->dir != NULL && (args->given & (CTL_NAMESPACE | CTL_NAME | CTL_JSON)))
		fprintf(stderr, "trellis: --dir makes files; --namespace, --name and "
				"--json are for "
				"Kubernetes Secrets\n");
	else if (args->name != NULL && !is_label(args->name, 40))
		fprintf(stderr,
		    "trellis: --name takes at most 40 of a-z, 0-9 and -, such as "
		    "trellis\n");
	else if (args->namespace != NULL && !is_label(args->namespace, 63))
		fprintf(stderr,
		    "trellis: --namespace takes at most 63 of a-z, 0-9 and -, such as "
		    "trellis\n");
	else
		return true;
	return false;
}

void
ctl_key_line(
    ctl_keyring *keys, const struct ctl_secret *secret, char line[CTL_KEY_TEXT])
{
	uint8_t *key = (*keys)[secret->key];
	char hex[2 * CTL_KEY_BYTES + 1];

	trl_assert(secret->key < CTL_KEYS_MAX);
	if (sodium_is_zero(key, CTL_KEY_BYTES))
		randombytes_buf(key, CTL_KEY_BYTES);
	sodium_bin2hex(hex, sizeof hex, key, CTL_KEY_BYTES);
	snprintf(line, CTL_KEY_TEXT, "%s%s\n",
	    secret->form == CTL_KEY_NUMBERED ? "1:" : "", hex);
	sodium_memzero(hex, sizeof hex);
}

static void
name_given(void)
{
	if (ctl_secrets_given[0] == NULL)
		return;
	fprintf(stderr, "Not made here, for they come from elsewhere:\n");
	for (size_t i = 0; ctl_secrets_given[i] != NULL; i++)
		fprintf(stderr, "  %s\n", ctl_secrets_given[i]);
}

enum ctl_exit
ctl_keys_init(struct ctl *ctl)
{
	const struct ctl_secret *secrets =
	    ctl->args.given & CTL_ONE ? ctl_secrets_of_one : ctl_secrets;

	ctl_keyring *keys;
	bool fine = true;

	if (!check_options(&ctl->args))
		return CTL_MISUSED;
	keys = sodium_allocarray(1, sizeof *keys);
	trl_assert(keys != NULL);
	sodium_memzero(keys, sizeof *keys);
	if (ctl->args.dir == NULL)
		ctl_keys_manifest(ctl, keys, secrets);
	else if ((fine = ctl_keys_folder(ctl->args.dir, keys, secrets)))
		trl_buf_printf(&ctl->out,
		    "The keys are in %s, a folder for each process.\n", ctl->args.dir);
	sodium_free(keys);
	if (fine)
		name_given();
	return fine ? CTL_FINE : CTL_FAILED;
}
