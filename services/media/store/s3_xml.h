/* s3_xml.h - the XML of S3's answers: elements and their text, nothing else. Namespaces
 * and attributes count for nothing, and no document type is taken. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum { S3_XML_NAME = 64, S3_XML_TEXT = 4096, S3_XML_DEPTH = 8 };

struct s3_xml {
	const char *at, *end;
	unsigned depth; /* of the element that name is of; the root has 1 */
	char names[S3_XML_DEPTH][S3_XML_NAME];
	/* Of the element that has just ended: its own text, decoded and cut off at its
	 * size; "" where it had elements in it. */
	char text[S3_XML_TEXT];
	size_t text_len;
	bool empty; /* <a/>: its end is told next */
};

enum s3_xml_event {
	S3_XML_BEGIN, /* name and depth */
	S3_XML_LEAVE, /* the same, and text */
	S3_XML_OVER,  /* the root has ended */
	S3_XML_WRONG  /* this is no such document */
};

void s3_xml_init(struct s3_xml *xml, const char *text, size_t len);
enum s3_xml_event s3_xml_next(struct s3_xml *xml, const char **name, unsigned *depth);

/* Copies the text of the first element with this name below the root; false: there is
 * none, its text is as long as out or longer, or the document is wrong. root (may be
 * NULL) is what the document must be. */
bool s3_xml_find(const char *text, size_t len, const char *root, const char *name,
    char *out, size_t size);
