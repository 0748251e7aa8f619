/* JSON pointers: '~' and '/' inside a segment are ~0 and ~1 (RFC 6901 section 3). */
#include <stdio.h>

#include <trl/pointer.h>

size_t
trl_pointer_enter(struct trl_pointer *pointer, const char *segment)
{
	size_t before = pointer->len;

	if (pointer->len + 2 < TRL_POINTER_MAX)
		pointer->text[pointer->len++] = '/';
	for (; *segment && pointer->len + 3 < TRL_POINTER_MAX; segment++) {
		if (*segment == '~' || *segment == '/') {
			pointer->text[pointer->len++] = '~';
			pointer->text[pointer->len++] = *segment == '~' ? '0' : '1';
		} else {
			pointer->text[pointer->len++] = *segment;
		}
	}
	/* Not in the middle of a character. */
	while (*segment && pointer->len > before &&
	       (pointer->text[pointer->len - 1] & 0xc0) == 0x80)
		pointer->len--;
	pointer->text[pointer->len] = '\0';
	return before;
}

size_t
trl_pointer_enter_index(struct trl_pointer *pointer, size_t index)
{
	char text[24];

	snprintf(text, sizeof text, "%zu", index);
	return trl_pointer_enter(pointer, text);
}

void
trl_pointer_leave(struct trl_pointer *pointer, size_t before)
{
	pointer->len = before;
	pointer->text[before] = '\0';
}
