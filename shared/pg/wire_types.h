/* wire_types.h - PostgreSQL's binary formats of the types we use. Private to
 * shared/pg. Format: PostgreSQL's typsend and typreceive functions. */
#pragma once

#include <libpq-fe.h>

#include <protobuf-c/protobuf-c.h>

#include <trl/arena.h>
#include <trl/batch.h>

/* A parameter on its way: where it came from no longer matters. */
struct pg_value {
	enum {
		PG_V_NULL,
		PG_V_ID,
		PG_V_TEXT,
		PG_V_BYTES,
		PG_V_INT,
		PG_V_BOOL,
		PG_V_TIME,
		PG_V_REAL,
		PG_V_IDS,
		PG_V_TEXTS,
		PG_V_BYTESES,
		PG_V_INTS
	} kind;
	const void *data; /* bytes, text, or the array */
	size_t len;       /* bytes, or elements */
	int64_t num;      /* int, bool, wall microseconds */
	int64_t alt;      /* of an enum: its number, while data is its name */
	bool is_enum;
	double real;
};

struct pg_value pg_value_of_arg(const struct trl_arg *arg);
struct pg_value pg_value_of_field(trl_arena *arena, const ProtobufCMessage *message,
    const ProtobufCFieldDescriptor *field);
/* False: the value does not fit the type. NULL is *data == NULL. */
bool pg_encode(trl_arena *arena, const struct pg_value *value, Oid type,
    const void **data, size_t *len);
/* False: the column does not fit the field. */
bool pg_decode(trl_arena *arena, Oid type, const char *data, size_t len,
    ProtobufCMessage *message, const ProtobufCFieldDescriptor *field);
void pg_mark_present(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field);
void pg_mark_absent(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field);
const char *pg_type_name(Oid type);
/* google.protobuf.Timestamp, known by its name. */
bool pg_is_timestamp(const ProtobufCMessageDescriptor *type);
int64_t pg_timestamp_us(const ProtobufCMessage *timestamp);
