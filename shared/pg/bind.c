/* bind.c - see bind.h. A parameter is first made a value (of a few kinds, from an
 * argument or a field), then written in the binary format of its SQL type; a
 * column is read straight into its field. Types that do not fit name statement
 * and parameter, and are INTERNAL: a programmer's mistake, not a caller's. */
#include "bind.h"

#include <stdlib.h>
#include <string.h>

#include <endian.h>

#include "wire_types.h"

struct pg_in_plan {
	struct pg_in_plan *next;
	const ProtobufCMessageDescriptor *type;
	const ProtobufCFieldDescriptor **fields; /* a parameter each, or NULL */
};

struct target {
	const ProtobufCFieldDescriptor
	    *outer; /* "account." of "account.email", or NULL */
	const ProtobufCFieldDescriptor *field; /* NULL: the column is ignored */
};

struct pg_out_plan {
	struct pg_out_plan *next;
	const ProtobufCMessageDescriptor *type;
	const ProtobufCFieldDescriptor *list; /* the rows fill it, or NULL */
	struct target *targets;               /* a column each */
};

void
pg_statement_fini(struct pg_statement *st)
{
	while (st->ins) {
		struct pg_in_plan *plan = st->ins;

		st->ins = plan->next;
		free(plan->fields);
		free(plan);
	}
	while (st->outs) {
		struct pg_out_plan *plan = st->outs;

		st->outs = plan->next;
		free(plan->targets);
		free(plan);
	}
	for (size_t i = 0; i < st->n_columns; i++)
		free(st->column_names[i]);
	free(st->column_names);
	free(st->param_types);
	*st = (struct pg_statement){ .sql = st->sql };
}

static const struct pg_in_plan *
in_plan(struct pg_statement *st, const ProtobufCMessageDescriptor *type)
{
	struct pg_in_plan *plan;

	for (plan = st->ins; plan; plan = plan->next)
		if (plan->type == type)
			return plan;
	plan = calloc(1, sizeof *plan);
	trl_assert(plan != NULL);
	plan->type = type;
	plan->fields = calloc(st->sql->n_params + 1, sizeof *plan->fields);
	trl_assert(plan->fields != NULL);
	for (size_t i = 0; type && i < st->sql->n_params; i++)
		plan->fields[i] = protobuf_c_message_descriptor_get_field_by_name(
		    type, st->sql->params[i]);
	plan->next = st->ins;
	st->ins = plan;
	return plan;
}

static const ProtobufCFieldDescriptor *
only_list(const ProtobufCMessageDescriptor *type)
{
	const ProtobufCFieldDescriptor *found = NULL;

	for (unsigned i = 0; i < type->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &type->fields[i];

		if (field->label != PROTOBUF_C_LABEL_REPEATED ||
		    field->type != PROTOBUF_C_TYPE_MESSAGE)
			continue;
		if (found)
			return NULL;
		found = field;
	}
	return found;
}

static struct target
find_target(const ProtobufCMessageDescriptor *type, const char *column)
{
	const char *dot = strchr(column, '.');
	struct target target = { 0 };
	char outer[64];

	if (dot && (size_t)(dot - column) < sizeof outer) {
		memcpy(outer, column, (size_t)(dot - column));
		outer[dot - column] = '\0';
		target.outer =
		    protobuf_c_message_descriptor_get_field_by_name(type, outer);
		if (!target.outer || target.outer->type != PROTOBUF_C_TYPE_MESSAGE ||
		    target.outer->label == PROTOBUF_C_LABEL_REPEATED)
			return (struct target){ 0 };
		type = target.outer->descriptor;
		column = dot + 1;
	}
	target.field = protobuf_c_message_descriptor_get_field_by_name(type, column);
	return target;
}

static size_t
count_targets(const struct pg_statement *st, const ProtobufCMessageDescriptor *type)
{
	size_t n = 0;

	for (size_t i = 0; i < st->n_columns; i++)
		n += find_target(type, st->column_names[i]).field != NULL;
	return n;
}

static const struct pg_out_plan *
out_plan(struct pg_statement *st, const ProtobufCMessageDescriptor *type)
{
	struct pg_out_plan *plan;

	for (plan = st->outs; plan; plan = plan->next)
		if (plan->type == type)
			return plan;
	plan = calloc(1, sizeof *plan);
	trl_assert(plan != NULL);
	plan->type = type;
	plan->list = only_list(type);
	if (plan->list &&
	    count_targets(st, type) > count_targets(st, plan->list->descriptor))
		plan->list = NULL; /* a row that has a list beside its columns */
	plan->targets = calloc(st->n_columns + 1, sizeof *plan->targets);
	trl_assert(plan->targets != NULL);
	for (size_t i = 0; i < st->n_columns; i++)
		plan->targets[i] = find_target(
		    plan->list ? plan->list->descriptor : type, st->column_names[i]);
	plan->next = st->outs;
	st->outs = plan;
	return plan;
}

static bool
bind_value(trl_ctx *ctx, const struct pg_value *value, Oid type, const char **values,
    int *lengths, size_t i)
{
	const void *data = NULL;
	size_t len = 0;

	if (!pg_encode(ctx->arena, value, type, &data, &len))
		return false;
	values[i] = data;
	lengths[i] = (int)len;
	return true;
}

enum trl_code
pg_bind(trl_ctx *ctx, struct pg_statement *st, const ProtobufCMessage *in,
    const struct trl_arg *args, struct pg_call *call)
{
	const struct trl_sql *sql = st->sql;
	const struct pg_in_plan *plan = in_plan(st, in ? in->descriptor : NULL);
	size_t n = sql->n_params, bound = 0;
	const char **values = trl_arena_alloc(ctx->arena, n * sizeof *values);
	int *lengths = trl_arena_alloc(ctx->arena, n * sizeof *lengths);
	uint64_t seen = 0;

	trl_assert(n == st->n_params && n <= PG_PARAMS_MAX);
	*call = (struct pg_call){
		.sql = sql, .values = values, .lengths = lengths, .n_params = n
	};
	for (const struct trl_arg *arg = args; arg && arg->name; arg++) {
		struct pg_value value = pg_value_of_arg(arg);
		size_t i = 0;

		while (i < n && sql->params[i] != arg->name &&
		       strcmp(sql->params[i], arg->name))
			i++;
		if (i == n)
			return trl_fail(ctx, TRL_INTERNAL,
			    "%s: there is no parameter :%s", sql->file, arg->name);
		if (!bind_value(ctx, &value, st->param_types[i], values, lengths, i))
			return trl_fail(ctx, TRL_INTERNAL,
			    "%s: the argument :%s does not fit %s", sql->file,
			    arg->name, pg_type_name(st->param_types[i]));
		bound += !(seen >> i & 1);
		seen |= UINT64_C(1) << i;
	}
	for (size_t i = 0; bound < n && i < n; i++) {
		struct pg_value value;

		if (seen >> i & 1)
			continue;
		if (!plan->fields[i])
			return trl_fail(ctx, TRL_INTERNAL,
			    "%s: nothing gives :%s (no argument, no field of %s)",
			    sql->file, sql->params[i],
			    in ? in->descriptor->name : "no message");
		value = pg_value_of_field(ctx->arena, in, plan->fields[i]);
		if (!bind_value(ctx, &value, st->param_types[i], values, lengths, i))
			return trl_fail(ctx, TRL_INTERNAL,
			    "%s: the field :%s does not fit %s", sql->file,
			    sql->params[i], pg_type_name(st->param_types[i]));
	}
	return TRL_OK;
}

static ProtobufCMessage *
sub_message(
    trl_ctx *ctx, ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
	ProtobufCMessage **place =
	    (ProtobufCMessage **)((char *)message + field->offset);

	if (!*place) {
		const ProtobufCMessageDescriptor *type = field->descriptor;

		*place = trl_arena_alloc(ctx->arena, type->sizeof_message);
		protobuf_c_message_init(type, *place);
		pg_mark_present(message, field);
	}
	return *place;
}

static enum trl_code
fill_row(trl_ctx *ctx, struct pg_statement *st, const struct pg_out_plan *plan,
    const PGresult *rows, int row, ProtobufCMessage *out)
{
	for (int i = 0; i < (int)st->n_columns; i++) {
		const struct target *target = &plan->targets[i];
		ProtobufCMessage *message = out;

		if (!target->field)
			continue;
		if (PQgetisnull(rows, row, i)) {
			if (!target->outer)
				pg_mark_absent(message, target->field);
			continue;
		}
		if (target->outer)
			message = sub_message(ctx, out, target->outer);
		if (!pg_decode(ctx->arena, PQftype(rows, i), PQgetvalue(rows, row, i),
			(size_t)PQgetlength(rows, row, i), message, target->field))
			return trl_fail(ctx, TRL_INTERNAL,
			    "%s: the column %s (%s) does not fit its field",
			    st->sql->file, st->column_names[i],
			    pg_type_name(PQftype(rows, i)));
	}
	return TRL_OK;
}

static enum trl_code
fill_list(trl_ctx *ctx, struct pg_statement *st, const struct pg_out_plan *plan,
    const PGresult *rows, ProtobufCMessage *out)
{
	const ProtobufCMessageDescriptor *type = plan->list->descriptor;
	size_t n = (size_t)PQntuples(rows);
	ProtobufCMessage **list = trl_arena_alloc(ctx->arena, n * sizeof *list);
	char *items = trl_arena_alloc(ctx->arena, n * type->sizeof_message);

	for (size_t i = 0; i < n; i++) {
		enum trl_code rc;

		list[i] = (ProtobufCMessage *)(items + i * type->sizeof_message);
		protobuf_c_message_init(type, list[i]);
		rc = fill_row(ctx, st, plan, rows, (int)i, list[i]);
		if (rc != TRL_OK)
			return rc;
	}
	*(size_t *)((char *)out + plan->list->quantifier_offset) = n;
	*(ProtobufCMessage ***)((char *)out + plan->list->offset) = list;
	return TRL_OK;
}

enum trl_code
pg_fill(
    trl_ctx *ctx, struct pg_statement *st, const PGresult *rows, ProtobufCMessage *out)
{
	const struct pg_out_plan *plan = out_plan(st, out->descriptor);

	if (PQnfields(rows) != (int)st->n_columns)
		return trl_fail(
		    ctx, TRL_INTERNAL, "%s: its columns have changed", st->sql->file);
	if (plan->list)
		return fill_list(ctx, st, plan, rows, out);
	if (PQntuples(rows) == 0)
		return TRL_OK;
	if (PQntuples(rows) > 1)
		return trl_fail(ctx, TRL_INTERNAL, "%s: %d rows for one message",
		    st->sql->file, PQntuples(rows));
	return fill_row(ctx, st, plan, rows, 0, out);
}
