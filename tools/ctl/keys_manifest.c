/* keys_manifest.c - keys as Kubernetes Secrets: YAML documents, or with --json a List.
 */
#include <string.h>

#include <sodium.h>

#include "keys.h"

/* A service's name may have what a Secret's may not. */
static void
put_name(struct trl_buf *out, const char *prefix, const char *owner)
{
	trl_buf_printf(out, "%s-", prefix);
	for (; *owner != '\0'; owner++)
		trl_buf_add(out, *owner == '_' ? "-" : owner, 1);
	trl_buf_adds(out, "-keys");
}

static void
open_yaml(struct trl_buf *out, const struct ctl_args *args, const char *owner)
{
	trl_buf_adds(out,
	    "---\napiVersion: v1\nkind: Secret\ntype: Opaque\nmetadata:\n  name: ");
	put_name(out, args->name ? args->name : "trellis", owner);
	if (args->namespace != NULL)
		trl_buf_printf(out, "\n  namespace: %s", args->namespace);
	trl_buf_adds(
	    out, "\n  labels:\n    app.kubernetes.io/part-of: trellis\nstringData:\n");
}

static void
open_json(struct trl_buf *out, const struct ctl_args *args, const char *owner)
{
	trl_buf_adds(out,
	    "{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"type\":\"Opaque\","
	    "\"metadata\":{\"name\":\"");
	put_name(out, args->name ? args->name : "trellis", owner);
	if (args->namespace != NULL)
		trl_buf_printf(out, "\",\"namespace\":\"%s", args->namespace);
	trl_buf_adds(out, "\",\"labels\":{\"app.kubernetes.io/"
			  "part-of\":\"trellis\"}},\"stringData\":{");
}

static bool
begins_owner(const struct ctl_secret *secrets, size_t i)
{
	return i == 0 || strcmp(secrets[i].owner, secrets[i - 1].owner) != 0;
}

void
ctl_keys_manifest(struct ctl *ctl, ctl_keyring *keys, const struct ctl_secret *secrets)
{
	bool json = (ctl->args.given & CTL_JSON) != 0;
	struct trl_buf *out = &ctl->out;
	char line[CTL_KEY_TEXT];

	if (json)
		trl_buf_adds(
		    out, "{\"apiVersion\":\"v1\",\"kind\":\"List\",\"items\":[");
	for (size_t i = 0; secrets[i].owner != NULL; i++) {
		bool begins = begins_owner(secrets, i);

		ctl_key_line(keys, &secrets[i], line);
		if (begins && json && i > 0)
			trl_buf_adds(out, "}},\n");
		if (begins)
			(json ? open_json : open_yaml)(
			    out, &ctl->args, secrets[i].owner);
		if (json)
			trl_buf_printf(out, "%s\"%s\":\"%.*s\\n\"", begins ? "" : ",",
			    secrets[i].file, (int)strcspn(line, "\n"), line);
		else
			trl_buf_printf(out, "  %s: |\n    %s", secrets[i].file, line);
	}
	if (json)
		trl_buf_adds(out, "}}]}\n");
	sodium_memzero(line, sizeof line);
}
