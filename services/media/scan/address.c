/* address.c - where clamd is, as it is set. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scan/clamd.h"

enum { SEND_MS = 30000, ANSWER_MS = 300000 };

bool
clamd_address_read(const char *text, struct clamd_address *out)
{
	const char *host = text + strlen("tcp://"), *end, *port;

	*out = (struct clamd_address){ .send_ms = SEND_MS, .answer_ms = ANSWER_MS };
	if (strncmp(text, "unix:/", 6) == 0 && strlen(text) - 5 <= CLAMD_PATH_MAX) {
		(void)snprintf(out->path, sizeof out->path, "%s", text + 5);
		return true;
	}
	if (strncmp(text, "tcp://", 6) != 0)
		return false;
	end = *host == '[' ? strchr(host, ']') : strchr(host, ':');
	port = !end ? NULL : *end == ']' ? end + 1 : end;
	host += *host == '[';
	if (!end || end == host || (size_t)(end - host) >= CLAMD_HOST_MAX ||
	    *port != ':' || strlen(port + 1) < 1 || strlen(port + 1) > 5 ||
	    strspn(port + 1, "0123456789") != strlen(port + 1) || atoi(port + 1) < 1 ||
	    atoi(port + 1) > 65535)
		return false;
	out->tcp = true;
	memcpy(out->host, host, (size_t)(end - host));
	(void)snprintf(out->port, sizeof out->port, "%s", port + 1);
	return true;
}
