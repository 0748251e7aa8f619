/* request.h - the least valid request of any method, made from its rules. For the
 * tests of this folder. */
#pragma once

#include <trl/arena.h>
#include <trl/method.h>

/* Ids to put into fields of that name; NULL ends the list. */
struct request_id {
	const char *field;
	struct trl_id id;
};

/* A request whose ID fields hold the ids given (NULL: none; random ones where the name
 * is missing), whose texts hold the text, and whose other fields, page tokens apart,
 * hold something acceptable. */
ProtobufCMessage *request_new(trl_arena *arena, const struct trl_method *method,
    const struct request_id *ids, const char *text);
/* Whether the method names an object beside its tenant. */
bool request_has_object(const struct trl_method *method);
