/* encode.c - values in PostgreSQL's binary format of the parameter's type. */
#include "wire_types.h"

#include <endian.h>
#include <string.h>

#include "bind.h"
#include "oids.h"

static const void *
put64(trl_arena *arena, uint64_t v)
{
	uint64_t *p = trl_arena_alloc(arena, sizeof *p);

	*p = htobe64(v);
	return p;
}

static const void *
put32(trl_arena *arena, uint32_t v)
{
	uint32_t *p = trl_arena_alloc(arena, sizeof *p);

	*p = htobe32(v);
	return p;
}

static bool
encode_integer(trl_arena *arena, int64_t num, Oid type, const void **data, size_t *len)
{
	switch (type) {
	case OID_INT8:
		*data = put64(arena, (uint64_t)num);
		*len = 8;
		return true;
	case OID_INT4:
		*data = put32(arena, (uint32_t)num);
		*len = 4;
		return num >= INT32_MIN && num <= INT32_MAX;
	case OID_OID:
		*data = put32(arena, (uint32_t)num);
		*len = 4;
		return num >= 0 && num <= UINT32_MAX;
	case OID_INT2:
		*data = (const char *)put32(arena, (uint32_t)num) + 2;
		*len = 2;
		return num >= INT16_MIN && num <= INT16_MAX;
	default:
		return false;
	}
}

static bool
encode_text(trl_arena *arena, const char *text, size_t n, Oid type, const void **data,
    size_t *len)
{
	struct trl_id id;
	char *copy;

	switch (type) {
	case OID_TEXT:
	case OID_VARCHAR:
	case OID_BPCHAR:
	case OID_NAME:
	case OID_JSON:
		*data = text;
		*len = n;
		return true;
	case OID_JSONB: /* a version byte first */
		copy = trl_arena_alloc(arena, n + 1);
		copy[0] = 1;
		memcpy(copy + 1, text, n);
		*data = copy;
		*len = n + 1;
		return true;
	case OID_UUID:
		if (!trl_id_parse(text, n, &id))
			return false;
		*data = trl_arena_memdup(arena, id.bytes, 16);
		*len = 16;
		return true;
	default:
		return false;
	}
}

/* One dimension, from 1: header, then each element with its length. (Over 60 lines: a
 * case a type.) */
static bool
encode_array(trl_arena *arena, const struct pg_value *value, Oid type,
    const void **data, size_t *len)
{
	static const struct {
		Oid array, element;
	} elements[] = { { OID_UUIDS, OID_UUID }, { OID_TEXTS, OID_TEXT },
		{ OID_INT4S, OID_INT4 }, { OID_INT8S, OID_INT8 },
		{ OID_BYTEAS, OID_BYTEA } };
	Oid element = 0;
	size_t n = value->len, total = 20;
	const void **items = trl_arena_alloc(arena, n * sizeof *items);
	size_t *lengths = trl_arena_alloc(arena, n * sizeof *lengths);
	uint32_t *head;
	char *p;

	for (size_t i = 0; i < TRL_COUNT(elements); i++)
		if (elements[i].array == type)
			element = elements[i].element;
	if (!element)
		return false;
	for (size_t i = 0; i < n; i++) {
		struct pg_value item = { 0 };

		switch (value->kind) {
		case PG_V_IDS:
			item.kind = PG_V_ID;
			item.data = ((const struct trl_id *)value->data)[i].bytes;
			break;
		case PG_V_TEXTS:
			item.kind = PG_V_TEXT;
			item.data = ((const char *const *)value->data)[i];
			item.len = strlen(item.data);
			break;
		case PG_V_BYTESES:
			item.kind = PG_V_BYTES;
			item.data = ((const ProtobufCBinaryData *)value->data)[i].data;
			item.len = ((const ProtobufCBinaryData *)value->data)[i].len;
			break;
		default:
			item.kind = PG_V_INT;
			item.num = ((const int64_t *)value->data)[i];
			break;
		}
		if (!pg_encode(arena, &item, element, &items[i], &lengths[i]))
			return false;
		total += 4 + lengths[i];
	}
	head = trl_arena_alloc(arena, total);
	head[0] = htobe32(n > 0); /* dimensions */
	head[1] = 0;              /* no nulls */
	head[2] = htobe32(element);
	head[3] = htobe32((uint32_t)n);
	head[4] = htobe32(1);
	p = (char *)head + 20;
	for (size_t i = 0; i < n; i++) {
		uint32_t size = htobe32((uint32_t)lengths[i]);

		memcpy(p, &size, 4);
		memcpy(p + 4, items[i], lengths[i]);
		p += 4 + lengths[i];
	}
	*data = head;
	*len = n > 0 ? total : 12;
	return true;
}

static bool
encode_real(trl_arena *arena, double real, Oid type, const void **data, size_t *len)
{
	union {
		double d;
		uint64_t u;
	} wide = { .d = real };
	union {
		float f;
		uint32_t u;
	} narrow = { .f = (float)real };

	if (type == OID_FLOAT8) {
		*data = put64(arena, wide.u);
		*len = 8;
		return true;
	}
	*data = put32(arena, narrow.u);
	*len = 4;
	return type == OID_FLOAT4;
}

bool
pg_encode(trl_arena *arena, const struct pg_value *value, Oid type, const void **data,
    size_t *len)
{
	switch (value->kind) {
	case PG_V_NULL:
		*data = NULL;
		*len = 0;
		return true;
	case PG_V_ID:
		*data = trl_arena_memdup(arena, value->data, 16);
		*len = 16;
		return type == OID_UUID || type == OID_BYTEA;
	case PG_V_BYTES:
		*data = value->len > 0 ? value->data : "";
		*len = value->len;
		return type == OID_BYTEA || (type == OID_UUID && value->len == 16);
	case PG_V_TEXT:
		if (value->is_enum &&
		    encode_integer(arena, value->alt, type, data, len))
			return true;
		return encode_text(arena, value->data, value->len, type, data, len);
	case PG_V_INT:
		return encode_integer(arena, value->num, type, data, len);
	case PG_V_BOOL:
		*data = value->num ? "\1" : "\0";
		*len = 1;
		return type == OID_BOOL;
	case PG_V_TIME:
		*data = put64(arena, (uint64_t)(value->num - PG_EPOCH_US));
		*len = 8;
		return type == OID_TIMESTAMPTZ;
	case PG_V_REAL:
		return encode_real(arena, value->real, type, data, len);
	default:
		return encode_array(arena, value, type, data, len);
	}
}
