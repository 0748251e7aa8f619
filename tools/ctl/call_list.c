/* call_list.c - trellis call, without a method: all there are. */
#include "ctl.h"

#include <stdlib.h>
#include <string.h>

static const char *
who_may(const struct trl_method *method)
{
	static const char *const names[] = { "nobody", "public", "session", "tenant",
		"operator", "mesh" };
	return method->auth < TRL_COUNT(names) ? names[method->auth] : "?";
}

static int
by_full_name(const void *a, const void *b)
{
	return strcmp((*(const struct trl_method *const *)a)->name,
	    (*(const struct trl_method *const *)b)->name);
}

enum ctl_exit
ctl_call_list(struct ctl *ctl)
{
	static const char *const heads[] = { "METHOD", "FOR", "EFFECT", "HTTP" };
	static const char *const verbs[] = { "", "GET", "POST", "PUT", "PATCH",
		"DELETE", "HEAD" };
	struct ctl_table table = { .heads = heads, .n_columns = TRL_COUNT(heads) };
	bool json = (ctl->args.given & CTL_JSON) != 0;
	const struct trl_method **all = calloc(trl_methods_count + 1, sizeof *all);

	trl_assert(all != NULL);
	memcpy(all, trl_methods, trl_methods_count * sizeof *all);
	qsort(all, trl_methods_count, sizeof *all, by_full_name);
	if (json)
		ctl_json_open(ctl);
	for (size_t i = 0; i < trl_methods_count; i++) {
		const struct trl_method *m = all[i];
		const char *effect = m->effect == TRL_WRITE ? "write" : "read";
		if (json) {
			trl_buf_printf(&ctl->out,
			    "%s{\"method\":\"%s\",\"service\":\"%s\",\"for\":\"%s\","
			    "\"effect\":\"%s\"}",
			    i > 0 ? "," : "", m->name, m->service, who_may(m), effect);
			continue;
		}
		ctl_table_add(&table, "%s", m->name);
		ctl_table_add(&table, "%s", who_may(m));
		ctl_table_add(&table, "%s", effect);
		ctl_table_add(&table, "%s%s%s", verbs[m->verb], m->path ? " " : "",
		    m->path ? m->path : "");
	}
	free(all);
	if (json)
		ctl_json_close(ctl);
	ctl_table_put(&table, &ctl->out, ctl_is_terminal());
	return CTL_FINE;
}
