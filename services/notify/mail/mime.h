/* mime.h - a mail as the text of RFC 5322: headers (RFC 2047), a text and an HTML part
 * (RFC 2046, multipart/alternative). Known within this folder; anywhere in it. */
#pragma once

#include <stdbool.h>

#include <trl/buf.h>
#include <trl/id.h>

struct notify_mail {
	const char *from_name; /* or NULL */
	const char *from, *to; /* bare addresses */
	const char *reply_to;  /* or NULL */
	const char *subject;
	const char *text, *html;
	struct trl_id id; /* the same each time it is sent: Message-ID */
	int64_t at_us;
	const char *unsubscribe; /* URL for List-Unsubscribe (RFC 8058), or NULL */
	bool eight_bit;          /* the text as it is, for a mailbox that people read */
};

/* NULL, or why an address cannot stand in a header: static text. */
const char *notify_address_wrong(const char *address);
/* Whether a text is a host's name of several parts (RFC 5321, 2.3.5), and no address.
 */
bool notify_is_full_name(const char *name);
/* Reads "Name <a@b>" or "a@b" into two texts of at most 255 bytes. False: it is none.
 */
bool notify_address_split(const char *from, char name[256], char address[256]);
/* Appends the whole. Addresses have passed notify_address_wrong; whatever stands in
 * names and subject ends no header. */
void notify_mime_write(const struct notify_mail *mail, struct trl_buf *out);
