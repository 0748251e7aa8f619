/* Which method a path leads to, and what is said where it leads to none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "test_rig.h"

static void
finds_the_method_of_a_path(void **state)
{
	static const struct {
		const char *method, *path, *name; /* NULL: not found */
	} rows[] = { { "GET", "/api/v1/me", "auth.v1.Auth.GetMe" },
		{ "PATCH", "/api/v1/me", "auth.v1.Auth.UpdateMe" },
		{ "HEAD", "/api/v1/me", "auth.v1.Auth.GetMe" },
		{ "GET", "/api/v1/tenants/" RIG_ID "/members",
		    "tenants.v1.Tenants.ListMembers" },
		{ "DELETE", "/api/v1/tenants/" RIG_ID "/members/" RIG_ID,
		    "tenants.v1.Tenants.RemoveMember" },
		{ "GET", "/api/v1/notifications/unread-count",
		    "notify.v1.Notify.CountUnread" },
		{ "GET", "/api/v1/m%65", "auth.v1.Auth.GetMe" }, { "GET", "/", NULL },
		{ "GET", "/api/v1", NULL }, { "GET", "/api/v1/me/", NULL },
		{ "GET", "/api/v1//me", NULL }, { "GET", "/API/v1/me", NULL },
		{ "GET", "/api/v1/tenants//members", NULL },
		{ "GET", "/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o", NULL } };

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(rows); i++) {
		struct edge_request *request = rig_ask(rows[i].method, rows[i].path);
		const enum trl_code rc = edge_route(request);

		if (!rows[i].name) {
			assert_int_equal(rc, TRL_NOT_FOUND);
			assert_null(request->route);
			continue;
		}
		if (rc != TRL_OK)
			fail_msg("%s: %s", rows[i].path, rig.ctx.err.message);
		assert_string_equal(request->route->method->name, rows[i].name);
		assert_ptr_equal(rig.ctx.method, request->route->method);
	}
}

static void
keeps_what_was_encoded_within_its_segment(void **state)
{
	struct edge_request *request =
	    rig_ask("GET", "/api/v1/templates/member%20added/e%6e");

	(void)state;
	rig_route();
	assert_int_equal(request->n_segments, 5);
	assert_string_equal(request->segments[3], "member added");
	assert_string_equal(request->segments[4], "en");
}

static void
refuses_a_path_that_others_may_read_otherwise(void **state)
{
	static const char *const paths[] = { "/api/v1/../me", "/api/./me",
		"/api/v1/%2e%2e", "/api/v1/a%2fb", "/api/v1/a%5cb", "/api/v1/%252e",
		"/api/v1/%01", "/api/v1/%7f", "/api/v1/%00", "/api/v1/%ff", "/%",
		"/%4" };

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(paths); i++)
		if (edge_route(rig_ask("GET", paths[i])) != TRL_MALFORMED)
			fail_msg("%s was not refused", paths[i]);
}

static void
names_the_methods_that_a_resource_has(void **state)
{
	static const struct {
		const char *method, *path, *allow;
	} rows[] = { { "DELETE", "/api/v1/me", "GET, HEAD, PATCH, OPTIONS" },
		{ "GET", "/api/v1/auth/login", "POST, OPTIONS" },
		{ "HEAD", "/api/v1/auth/login", "POST, OPTIONS" },
		{ "get", "/api/v1/me", "GET, HEAD, PATCH, OPTIONS" },
		{ "BREW", "/api/v1/tenants/" RIG_ID,
		    "DELETE, GET, HEAD, PATCH, OPTIONS" } };

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(rows); i++) {
		struct edge_request *request = rig_ask(rows[i].method, rows[i].path);

		assert_int_equal(edge_route(request), TRL_MALFORMED);
		assert_int_equal(request->status, 405);
		assert_string_equal(edge_route_allow(request), rows[i].allow);
		edge_problem(request, TRL_MALFORMED);
		assert_int_equal(request->response.status, 405);
		assert_string_equal(rig_told("Allow"), rows[i].allow);
	}
	rig_ask("GET", "/nothing");
	assert_int_equal(edge_route(&rig.request), TRL_NOT_FOUND);
	assert_string_equal(edge_route_allow(&rig.request), "");
}

/* A path of the route's own making: its literals, and something for each variable. */
static const char *
path_of(const struct edge_route *route)
{
	const char *path = "";

	for (size_t i = 0; i < route->n_segments; i++)
		path = trl_arena_printf(rig.ctx.arena, "%s/%s", path,
		    route->is_variable[i] ? "something" : route->segments[i]);
	return path;
}

static void
no_route_hides_another(void **state)
{
	static const char *const verbs[] = { "", "GET", "POST", "PUT", "PATCH",
		"DELETE", "HEAD" };

	(void)state;
	assert_true(rig.edge.n_routes > 40);
	for (size_t i = 0; i < rig.edge.n_routes; i++) {
		const struct edge_route *route = &rig.edge.routes[i];
		char *path = strdup(path_of(route));

		rig_ask(verbs[route->method->verb], path);
		rig_route();
		assert_string_equal(
		    rig.request.route->method->name, route->method->name);
		free(path);
	}
}

static void
a_literal_goes_before_a_variable(void **state)
{
	struct edge_route *const whole = rig.edge.routes;
	const size_t n = rig.edge.n_routes;
	struct trl_method method = { .verb = TRL_GET };
	/* In the order in which contractgen would put them. */
	struct edge_route two[] = {
		{ .method = &method, .n_segments = 2, .segments = { "things", "new" } },
		{ .method = &method,
		    .n_segments = 2,
		    .segments = { "things", "id" },
		    .is_variable = { false, true } },
	};

	(void)state;
	rig.edge.routes = two;
	rig.edge.n_routes = 2;
	rig_ask("GET", "/things/new");
	rig_route();
	assert_ptr_equal(rig.request.route, &two[0]);
	rig_ask("GET", "/things/newer");
	rig_route();
	assert_ptr_equal(rig.request.route, &two[1]);
	rig.edge.routes = whole;
	rig.edge.n_routes = n;
}

static void
learns_what_the_rooms_ask_of_a_route(void **state)
{
	(void)state;
	rig_ask("GET", "/api/v1/tenants/" RIG_ID "/members");
	rig_route();
	assert_int_equal(rig.request.route->tenant_segment, 3);
	assert_true(rig.request.route->names);
	assert_true(rig.request.route->next_page_token >= 0);
	assert_true(rig.request.route->version < 0);
	assert_false(rig.request.route->wants_body);
	rig_ask("POST", "/api/v1/tenants");
	rig_route();
	assert_false(rig.request.route->names);
	assert_true(rig.request.route->locates); /* GET /api/v1/tenants/{tenant_id} */
	assert_true(rig.request.route->wants_body);
	assert_int_equal(rig.request.route->tenant_segment, -1);
	rig_ask("POST", "/api/v1/tenants/" RIG_ID "/restore");
	rig_route();
	assert_false(rig.request.route->locates);
	assert_false(rig.request.route->wants_body);
	rig_ask("PATCH", "/api/v1/me");
	rig_route();
	assert_true(rig.request.route->wants_body);
	assert_true(rig.request.route->version >= 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_the_method_of_a_path),
		cmocka_unit_test(keeps_what_was_encoded_within_its_segment),
		cmocka_unit_test(refuses_a_path_that_others_may_read_otherwise),
		cmocka_unit_test(names_the_methods_that_a_resource_has),
		cmocka_unit_test(no_route_hides_another),
		cmocka_unit_test(a_literal_goes_before_a_variable),
		cmocka_unit_test(learns_what_the_rooms_ask_of_a_route),
	};

	return cmocka_run_group_tests(tests, rig_open, rig_close);
}
