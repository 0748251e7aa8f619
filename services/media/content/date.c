/* date.c - dates of HTTP (RFC 9110, 5.6.7): the one that everybody sends, and the two
 * that whoever receives must still read. Each is read by a pattern: d is a digit of the
 * day, p one or a space, N a letter of the month, y, h, m and s digits; all else stands
 * for itself. The day's name says nothing that the rest does not. */
#include <string.h>

#include <trl/compiler.h>
#include <trl/date.h>

#include "content/condition.h"

static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul",
	"Aug", "Sep", "Oct", "Nov", "Dec" };

struct moment {
	unsigned year, month, day, hour, minute, second;
};

/* The digit's place in a moment; NULL: the pattern's letter is none. */
static unsigned *
place_of(struct moment *at, char letter)
{
	switch (letter) {
	case 'd':
	case 'p':
		return &at->day;
	case 'y':
		return &at->year;
	case 'h':
		return &at->hour;
	case 'm':
		return &at->minute;
	case 's':
		return &at->second;
	default:
		return NULL;
	}
}

static bool
read_month(const char *text, struct moment *at)
{
	for (unsigned i = 0; i < TRL_COUNT(months); i++)
		if (strncmp(text, months[i], 3) == 0)
			at->month = i + 1;
	return at->month > 0;
}

static bool
read_by(const char *pattern, const char *text, struct moment *at)
{
	*at = (struct moment){ 0 };
	if (strlen(text) != strlen(pattern))
		return false;
	for (; *pattern; pattern++, text++) {
		unsigned *place = place_of(at, *pattern);

		if (*pattern == 'N') {
			if (!at->month && !read_month(text, at))
				return false;
		} else if (!place) {
			if (*text != *pattern)
				return false;
		} else if (*text >= '0' && *text <= '9') {
			*place = *place * 10 + (unsigned)(*text - '0');
		} else if (*pattern != 'p' || *text != ' ') {
			return false;
		}
	}
	return true;
}

/* Whether it can be, and then when. A leap second is the one after it. */
static bool
seconds_of(const struct moment *at, int64_t *seconds)
{
	if (at->year < 1 || at->day < 1 ||
	    at->day > trl_month_days(at->year, at->month) || at->hour > 23 ||
	    at->minute > 59 || at->second > 60)
		return false;
	*seconds = trl_days_of(at->year, at->month, at->day) * 86400 + at->hour * 3600 +
		   at->minute * 60 + at->second;
	return true;
}

bool
content_date_read(const char *text, int64_t *seconds)
{
	const size_t name = strcspn(text, " ,");
	struct moment at;

	if (name < 3 || name > 9)
		return false;
	text += name;
	if (read_by(", dd-NNN-yy hh:mm:ss GMT", text, &at))
		at.year += at.year < 70 ? 2000 : 1900;
	else if (!read_by(", dd NNN yyyy hh:mm:ss GMT", text, &at) &&
		 !read_by(" NNN pd hh:mm:ss yyyy", text, &at))
		return false;
	return seconds_of(&at, seconds);
}
