/* The catalogue of a program without contracts (a unit test): nothing in it.
 * Weak, so that the generated one, linked whole by contracts_dep, stands in its
 * place; a unit of its own, so that no compiler knows the values. */
#include <trl/event_type.h>
#include <trl/method.h>
#include <trl/routes.h>
#include <trl/told_kind.h>

#define WEAK __attribute__((weak))

WEAK const struct trl_method *const trl_methods[] = { NULL };
WEAK const size_t trl_methods_count = 0;
WEAK const struct trl_method *const trl_routes[] = { NULL };
WEAK const size_t trl_routes_count = 0;
WEAK const struct trl_permission trl_permissions[] = { { .name = NULL } };
WEAK const size_t trl_permissions_count = 0;
WEAK const struct trl_event_type *const trl_event_types[] = { NULL };
WEAK const size_t trl_event_types_count = 0;
WEAK const struct trl_told_kind trl_told_kinds[] = { { .name = NULL } };
WEAK const size_t trl_told_kinds_count = 0;
WEAK const char *const trl_tellers[] = { NULL };
WEAK const unsigned char trl_openapi_json[] = { '{', '}' };
WEAK const size_t trl_openapi_json_len = sizeof trl_openapi_json;
