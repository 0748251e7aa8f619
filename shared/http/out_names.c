/* out_names.c - what a client remembers of names: those that took long for nothing,
 * which are left alone for a minute, and those that were quick the last time. */
#include "out.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <trl/clock.h>

enum { ALONE_US = 60000000 };

bool
out_name_is_left_alone(const trl_http_out *out, const char *host)
{
	for (size_t i = 0; i < out->n_dead; i++)
		if (trl_mono_us() < out->dead[i].until_us &&
		    !strcasecmp(out->dead[i].host, host))
			return true;
	return false;
}

/* Where there is no room, in the place of the one whose time is over first. */
void
out_name_leave_alone(trl_http_out *out, const char *host)
{
	struct out_dead *first = &out->dead[0];
	const uint64_t now = trl_mono_us();

	for (size_t i = 1; i < out->n_dead; i++)
		if (out->dead[i].until_us < first->until_us)
			first = &out->dead[i];
	if (first->until_us > now && out->n_dead < OUT_DEAD_MAX)
		first = &out->dead[out->n_dead];
	if (first == &out->dead[out->n_dead])
		out->n_dead++;
	first->until_us = now + ALONE_US;
	snprintf(first->host, sizeof first->host, "%s", host);
}

/* The mark of a name, and where it stands; two of one place forget each other. */
static uint64_t *
mark_of(trl_http_out *out, const char *host, uint64_t *mark)
{
	*mark = UINT64_C(14695981039346656037); /* FNV-1a */
	for (; *host != '\0'; host++)
		*mark = (*mark ^ (uint8_t)tolower((unsigned char)*host)) *
			UINT64_C(1099511628211);
	return &out->quick[*mark % OUT_QUICK_MAX];
}

bool
out_name_was_quick(trl_http_out *out, const char *host)
{
	uint64_t mark;

	return *mark_of(out, host, &mark) == mark;
}

void
out_name_note_quick(trl_http_out *out, const char *host, bool quick)
{
	uint64_t mark, *at = mark_of(out, host, &mark);

	if (quick)
		*at = mark;
	else if (*at == mark)
		*at = 0;
}
