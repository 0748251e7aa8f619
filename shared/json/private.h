/* private.h - what the files of shared/json share: reading into a message. */
#pragma once

#include <jansson.h>

#include <trl/ctx.h>
#include <trl/json.h>
#include <trl/pointer.h>

/* One reading: where it is and what was wrong so far. */
struct json_read {
	trl_ctx *ctx;
	struct trl_pointer at;
	enum trl_code code; /* MALFORMED outweighs INVALID */
};

/* Notes what is wrong at the present place. */
void json_refuse(struct json_read *read, enum trl_code code, const char *detail);
/* Writes the error of what was refused, if anything was. */
enum trl_code json_finish(struct json_read *read);

/* Memory that the text's size decides; NULL (and refused) at the arena's limit. */
void *json_alloc(struct json_read *read, size_t size);

/* One value from text (a path variable, a parameter, the key of a map), or from a
 * JSON string. False where it was refused. */
bool json_set_text(struct json_read *read, const struct trl_field *rule,
    const ProtobufCFieldDescriptor *field, void *member, const char *text, size_t len);
/* One value from a parsed JSON value. */
bool json_set_value(struct json_read *read, const struct trl_field *rule,
    const ProtobufCFieldDescriptor *field, void *member, json_t *value);
/* A whole number into a member of any width, within its type and 2^53. */
bool json_set_integer(struct json_read *read, const ProtobufCFieldDescriptor *field,
    void *member, int64_t value);
/* An object into a message. */
void json_read_object(struct json_read *read, const struct trl_message *rules,
    json_t *object, ProtobufCMessage *message);

/* Before parsing: NULL when the brackets are at most 32 deep; *code is set. */
const char *json_scan(const char *text, size_t len, enum trl_code *code);
