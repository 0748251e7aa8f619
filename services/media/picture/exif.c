/* exif.c - see exif.h. EXIF is a TIFF (CIPA DC-008, 4.5 and 4.6): an order of bytes,
 * the place of the first directory, and in that entries of tag, type, count and value.
 */
#include "picture/exif.h"

#include <stdbool.h>
#include <string.h>

enum { ORIENTATION = 0x112, SHORT = 3, ENTRY = 12 };

struct tiff {
	const uint8_t *data;
	size_t len;
	bool is_big_endian;
};

/* n bytes at a place that is there. */
static uint32_t
number_at(const struct tiff *tiff, size_t at, size_t n)
{
	uint32_t value = 0;

	for (size_t i = 0; i < n; i++)
		value |= (uint32_t)tiff->data[at + i]
			 << 8 * (tiff->is_big_endian ? n - 1 - i : i);
	return value;
}

static int
value_of(const struct tiff *tiff, size_t entry)
{
	const uint32_t value = number_at(tiff, entry + 8, 2);

	if (number_at(tiff, entry + 2, 2) != SHORT ||
	    number_at(tiff, entry + 4, 4) != 1 || value < 1 || value > 8)
		return 1;
	return (int)value;
}

int
exif_orientation(const uint8_t *data, size_t len)
{
	struct tiff tiff = { .data = data, .len = len };
	size_t at, entries;

	if (len >= 6 && memcmp(data, "Exif\0\0", 6) == 0) {
		tiff.data += 6;
		tiff.len -= 6;
	}
	if (tiff.len < 8 ||
	    (memcmp(tiff.data, "II*\0", 4) != 0 && memcmp(tiff.data, "MM\0*", 4) != 0))
		return 1;
	tiff.is_big_endian = tiff.data[0] == 'M';
	at = number_at(&tiff, 4, 4);
	if (at > tiff.len - 2)
		return 1;
	entries = number_at(&tiff, at, 2);
	for (at += 2; entries > 0 && tiff.len - at >= ENTRY; at += ENTRY, entries--)
		if (number_at(&tiff, at, 2) == ORIENTATION)
			return value_of(&tiff, at);
	return 1;
}
