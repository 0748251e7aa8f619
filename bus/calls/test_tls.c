/* Both ends of tls+tcp show a certificate, and each holds the other's to its own
 * authority: with a good key for the bus's tags in hand, a stranger gets no hearing. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "bulk_link.h"
#include "peer.h"
#include "test_body.h"

static struct rig rig;
static char address[80];

static void
call(trl_ctx *ctx, void *arg)
{
	sample_note *out;
	*(enum trl_code *)arg =
	    sample_call(ctx, rig.bus, sample_methods[SAMPLE_ECHO], "x", 1, &out);
}

static bool
is_up(void *self)
{
	(void)self;
	return trl_bus_peers_up(rig.bus, "sample") > 0;
}

/* One of ours is let in, then one that shows or believes something else is not,
 * however often it dials within a second and a half: a handshake takes 10 ms. */
static void
must_stay_apart(enum rig_certificate which)
{
	enum trl_code code;
	snprintf(address, sizeof address, "tls+tcp://127.0.0.1:%u", rig_port());
	rig_serve(address, rig_shared(), 0);
	rig_open(&rig, "edge", address, NULL);
	rig_await_peers(&rig, 1);
	rig_run(&rig, call, &code);
	MUST(code == TRL_OK);

	rig_certificate(which);
	rig_open(&rig, "edge", address, NULL);
	MUST(!trl_loop_run_until(rig.loop, is_up, NULL, 1500));
	rig_run(&rig, call, &code);
	MUST(code == TRL_UNAVAILABLE);

	rig_certificate(RIG_OURS); /* and the server has taken no harm */
	rig_open(&rig, "edge", address, NULL);
	rig_await_peers(&rig, 1);
	rig_run(&rig, call, &code);
	MUST(code == TRL_OK);
}

static void
strangers_body(void)
{
	must_stay_apart(RIG_STRANGERS);
}

static void
believer_body(void)
{
	must_stay_apart(RIG_BELIEVES_STRANGERS);
}

static void
a_caller_whose_certificate_another_authority_signed_is_refused(void **state)
{
	(void)state;
	rig_test(strangers_body);
}

static void
a_server_whose_certificate_another_authority_signed_is_refused(void **state)
{
	(void)state;
	rig_test(believer_body);
}

static bool
is_down(void *self)
{
	return !is_up(self);
}

static void
take_a_body(trl_ctx *ctx, void *arg)
{
	trl_stream *stream;
	uint64_t len;

	(void)arg;
	MUST(
	    body_open(ctx, rig.bus, SAMPLE_GIVE, "", 1 << 20, NULL, &stream) == TRL_OK);
	body_reply(ctx, stream);
	MUST(body_read(ctx, stream, &len) == TRL_OK && len == 1 << 20);
	trl_stream_close(&stream);
}

static bool
has_no_bulk(void *self)
{
	return ((struct bus_peer *)self)->bulk.link->link.pipe == 0;
}

/* What nng does to a dialler when a connection ends in the middle of its greeting. */
static void
dialler_body(void)
{
	struct bus_peer *peer;
	enum trl_code code;

	snprintf(address, sizeof address, "tls+tcp://127.0.0.1:%u", rig_port());
	rig_serve(address, rig_shared(), 0);
	rig_open(&rig, "edge", address, NULL);
	rig_await_peers(&rig, 1);
	rig_run(&rig, take_a_body, NULL);
	peer = bus_target_find(rig.bus, "sample")->peers;
	MUST(peer->bulk.link != NULL && nng_dialer_close(peer->bulk.link->dialer) == 0);
	MUST(trl_loop_run_until(rig.loop, has_no_bulk, peer, 10000));
	peer->bulk.link->waited = BUS_PATIENCE - 2;
	rig_run(&rig, take_a_body, NULL);
	peer->patience = 2;
	MUST(nng_dialer_close(peer->dialer) == 0);
	MUST(trl_loop_run_until(rig.loop, is_down, NULL, 10000));
	rig_await_peers(&rig, 1);
	rig_run(&rig, call, &code);
	MUST(code == TRL_OK);
}

static void
a_dialler_that_has_ended_is_replaced(void **state)
{
	(void)state;
	rig_test(dialler_body);
}

static bool
is_ejected(void *self)
{
	(void)self;
	return rig_metric("trellis_bus_ejections_total") >= 1;
}

/* As if nng had not heard of its end: what is there says nothing, and nobody calls it.
 */
static void
drained_body(void)
{
	struct bus_peer *peer;
	enum trl_code code;
	pid_t pid;

	snprintf(address, sizeof address, "tls+tcp://127.0.0.1:%u", rig_port());
	pid = rig_serve(address, rig_shared(), 0);
	rig_open(&rig, "edge", address, NULL);
	rig_await_peers(&rig, 1);
	peer = bus_target_find(rig.bus, "sample")->peers;
	peer->draining = true;
	peer->drains = 6;
	MUST(kill(pid, SIGSTOP) == 0);
	MUST(trl_loop_run_until(rig.loop, is_ejected, NULL, 20000));
	MUST(kill(pid, SIGCONT) == 0);
	rig_await_peers(&rig, 1);
	rig_run(&rig, call, &code);
	MUST(code == TRL_OK);
}

static void
one_that_went_unheard_after_it_drained_is_dialled_anew(void **state)
{
	(void)state;
	rig_test(drained_body);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_caller_whose_certificate_another_authority_signed_is_refused),
		cmocka_unit_test(
		    a_server_whose_certificate_another_authority_signed_is_refused),
		cmocka_unit_test(a_dialler_that_has_ended_is_replaced),
		cmocka_unit_test(
		    one_that_went_unheard_after_it_drained_is_dialled_anew),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
