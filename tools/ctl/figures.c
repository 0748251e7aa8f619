/* figures.c - times and sizes as people read them. */
#include "ctl.h"

#include <inttypes.h>
#include <stdio.h>

const char *
ctl_ms_text(char text[32], uint64_t ms)
{
	uint64_t s = ms / 1000;
	if (s == 0)
		snprintf(text, 32, "%" PRIu64 " ms", ms);
	else if (s < 60)
		snprintf(text, 32, "%.1f s", (double)ms / 1000);
	else if (s < 3600)
		snprintf(text, 32, "%" PRIu64 "m %" PRIu64 "s", s / 60, s % 60);
	else if (s < 86400)
		snprintf(text, 32, "%" PRIu64 "h %" PRIu64 "m", s / 3600, s / 60 % 60);
	else
		snprintf(
		    text, 32, "%" PRIu64 "d %" PRIu64 "h", s / 86400, s / 3600 % 24);
	return text;
}

const char *
ctl_bytes_text(char text[32], uint64_t bytes)
{
	snprintf(text, 32, "%.1f MB", (double)bytes / 1e6);
	return text;
}

const char *
ctl_time_text(char text[32], const Google__Protobuf__Timestamp *at)
{
	text[0] = '\0';
	if (at != NULL) {
		int64_t us = trl_value_time_us(at);
		trl_time_format(us - us % 1000000, text);
		text[10] = ' ';
	}
	return text;
}
