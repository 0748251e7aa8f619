/* Finding methods and permissions in the generated tables, which rise by id; the
 * id of a name is its CRC-32, and the generator refuses two names of one id. Types
 * of events and kinds of what people are told rise by name. */
#include <string.h>

#include <zlib.h>

#include <trl/event_type.h>
#include <trl/method.h>
#include <trl/told_kind.h>

static uint32_t
id_of(const char *name)
{
	return (uint32_t)crc32(0, (const Bytef *)name, (uInt)strlen(name));
}

const struct trl_method *
trl_method_by_id(uint32_t id)
{
	size_t low = 0, high = trl_methods_count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (trl_methods[mid]->id == id)
			return trl_methods[mid];
		if (trl_methods[mid]->id < id)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

const struct trl_method *
trl_method_by_name(const char *name)
{
	const struct trl_method *method = trl_method_by_id(id_of(name));

	return method && strcmp(method->name, name) == 0 ? method : NULL;
}

const struct trl_permission *
trl_permission_by_id(uint32_t id)
{
	size_t low = 0, high = trl_permissions_count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (trl_permissions[mid].id == id)
			return &trl_permissions[mid];
		if (trl_permissions[mid].id < id)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

const struct trl_permission *
trl_permission_by_name(const char *name)
{
	const struct trl_permission *found = trl_permission_by_id(id_of(name));

	return found && strcmp(found->name, name) == 0 ? found : NULL;
}

static const struct trl_event_type *
find_event_type(const char *name)
{
	size_t low = 0, high = trl_event_types_count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int order = strcmp(trl_event_types[mid]->name, name);

		if (order == 0)
			return trl_event_types[mid];
		if (order < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

const struct trl_told_kind *
trl_told_kind_by_name(const char *name)
{
	size_t low = 0, high = trl_told_kinds_count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int order = strcmp(trl_told_kinds[mid].name, name);

		if (order == 0)
			return &trl_told_kinds[mid];
		if (order < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

bool
trl_told_kind_is_of(const struct trl_told_kind *kind, const struct trl_event_type *type)
{
	for (size_t i = 0; kind->on[i]; i++)
		if (kind->on[i] == type)
			return true;
	return false;
}

const struct trl_event_type *
trl_event_type_by_name(const char *name)
{
	const struct trl_event_type *found = find_event_type(name);
	const char *rest = strchr(name, '.');
	char every[128];

	if (found || !rest || strlen(rest) + 2 > sizeof every)
		return found;
	every[0] = '*';
	memcpy(every + 1, rest, strlen(rest) + 1);
	return find_event_type(every);
}
