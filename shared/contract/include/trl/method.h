/* method.h - what tools/contractgen makes of a contract: a method's terms and a
 * message's rules, as tables. Generated code fills them, the bus, the edge and
 * the JSON transcoder read them; nobody writes one by hand. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <protobuf-c/protobuf-c.h>
#include <trl/ctx.h>

enum trl_auth {        /* as trellis.Auth */
	TRL_AUTH_NONE, /* not declared: refused */
	TRL_AUTH_PUBLIC,
	TRL_AUTH_SESSION,
	TRL_AUTH_TENANT,
	TRL_AUTH_OPERATOR,
	TRL_AUTH_MESH
};
enum trl_effect { TRL_READ = 1, TRL_WRITE = 2 };
enum trl_role { TRL_ROLE_NONE, TRL_VIEWER, TRL_MEMBER, TRL_ADMIN, TRL_OWNER };
enum trl_verb {
	TRL_VERB_NONE,
	TRL_GET,
	TRL_POST,
	TRL_PUT,
	TRL_PATCH,
	TRL_DELETE,
	TRL_HEAD
};

/* Whether it only reads: a page of another origin may make a browser send it. */
static inline bool
trl_verb_reads(enum trl_verb verb)
{
	return verb == TRL_GET || verb == TRL_HEAD;
}

enum trl_format { /* as trellis.Format */
	TRL_FORMAT_NONE,
	TRL_FORMAT_ID,
	TRL_FORMAT_SLUG,
	TRL_FORMAT_EMAIL,
	TRL_FORMAT_URL,
	TRL_FORMAT_LOCALE,
	TRL_FORMAT_TOKEN,
	TRL_FORMAT_NAME,
	TRL_FORMAT_TIME_ZONE,
	TRL_FORMAT_PERMISSION
};

enum trl_protocol { TRL_NO_PROTOCOL, TRL_OFREP }; /* as trellis.Protocol */

/* The rules of one field; the i-th belongs to descriptor->fields[i]. */
struct trl_field {
	const char *key; /* "\"name\":" as JSON has it */
	size_t key_len;
	const struct trl_message *message; /* of a message field, but a Timestamp */
	enum trl_format format;
	bool required, nullable, secret, output_only, internal;
	const char *minor_of; /* an amount: the field with its currency */
	const char *header;   /* of HTTP, which holds it in place of JSON; or NULL */
	const char *only;     /* its only value (the edge: 412 else); or NULL */
	bool has_min, has_max;
	uint32_t min_len, max_len; /* defaults are filled in */
	uint32_t item_max_len;
	int64_t min, max;
};

/* A message with its rules. */
struct trl_message {
	const ProtobufCMessageDescriptor *descriptor;
	const struct trl_field *fields;
	bool has_secret; /* somewhere inside */
	bool is_entry;   /* an entry of a map: key, value */
	bool is_lenient; /* members that it does not have are passed over */
	int clear_field; /* index of the repeated string "clear", or -1 */
};

/* A body of bytes beside a method's message (<trl/stream.h>). */
struct trl_body {
	const char *const *media_types; /* that are taken, NULL-ended; NULL: any */
	uint64_t max_bytes;
	bool optional; /* it may be absent */
};

/* A method's terms. */
struct trl_method {
	uint32_t id;         /* CRC-32 of name; the generator refuses collisions */
	const char *name;    /* "tenants.v1.Tenants.CreateTenant" */
	const char *service; /* "tenants": whom the bus calls */
	enum trl_auth auth;
	enum trl_effect effect;
	uint32_t timeout_ms;
	const char *rate;
	uint32_t max_body_bytes;
	uint32_t permission; /* id in the catalogue, 0: none */
	const char *permission_name;
	uint64_t errors; /* bit n: condition n may be returned, those that come
			    with idempotency, If-Match and paging included */
	const char *const *callers; /* NULL-ended */
	bool if_match, signs_in;
	bool revalidates;  /* If-None-Match is answered: the version counts all of it */
	bool sees_session; /* PUBLIC, but the principal is a session's where one is */
	bool stream; /* its answer is a text/event-stream that the edge goes on with */
	const struct trl_body *takes, *gives; /* beside the messages; or NULL */
	/* Its answer is the reply's field body, of this type; NULL: JSON. */
	/* What of the plan it needs, as trl_may asks for it; NULL and 0: nothing. */
	const char *feature;
	uint32_t feature_id;
	enum trl_protocol protocol;
	bool tagged; /* the answer's ETag is made of its bytes */
	bool exact;  /* path as it stands, no query */
	const char *media_type;
	/* Header fields that are always the same, names and values in turn, NULL-ended;
	 * or NULL. With every answer; with the answer to OPTIONS of the path. */
	const char *const *answers, *const *offers;
	const struct trl_message *in, *out;
	/* HTTP; verb NONE where the method is only for the mesh. */
	enum trl_verb verb;
	const char *path; /* "/api/v1/tenants/{tenant_id}" */
	uint16_t status;
	int tenant_field; /* index in in->fields of the tenant's id, or -1 */
};

/* A handler behind its typed thunk, made by the generator. */
typedef enum trl_code trl_thunk(
    void *self, trl_ctx *ctx, const ProtobufCMessage *in, ProtobufCMessage *out);

/* What a service serves of one contract: methods and thunks side by side. */
struct trl_contract {
	const char *service;
	size_t n_methods;
	const struct trl_method *const *methods;
	trl_thunk *const *thunks;
};

/* An entry of the permission catalogue. */
struct trl_permission {
	uint32_t id;        /* CRC-32 of name, never 0 */
	const char *name;   /* "tenants.member.invite" */
	enum trl_role role; /* the least built-in role that holds it */
	const char *description;
};
/* The catalogue of all contracts, rising by id (generated; <trl/catalogue.h>). */
extern const struct trl_permission trl_permissions[];
extern const size_t trl_permissions_count;
const struct trl_permission *trl_permission_by_name(const char *name);
const struct trl_permission *trl_permission_by_id(uint32_t id);

/* All methods of all contracts, rising by id (generated). */
extern const struct trl_method *const trl_methods[];
extern const size_t trl_methods_count;
const struct trl_method *trl_method_by_id(uint32_t id);
const struct trl_method *trl_method_by_name(const char *name);

/* A feature of plans that some contract names; its id is among the permissions of
 * whoever's plan has it. */
struct trl_feature {
	uint32_t id; /* CRC-32 of "feature:" and the name */
	const char *name;
};
/* All of them, rising by id (generated). */
extern const struct trl_feature trl_features[];
extern const size_t trl_features_count;
