/* test_out_rig.h - the client, a world outside for it to call (test_out_world.py), and
 * names that resolve as the cases want. */
#pragma once

#include <stdatomic.h>
#include <stdio.h>
#include <sys/types.h>

#include <trl/http_out.h>

struct rig {
	const char *script;
	pid_t pid;
	FILE *told;
	int input;
	char ca[200];
	unsigned http, https, https_wrong, smtp, smtps, smtp_plain,
	    smtp_closed; /* ports */
	trl_loop *loop;
	trl_http_out *out; /* may call any address, believes the world's authority */
	/* rebinds.test is 127.0.0.1 to whoever asks first, and 127.0.0.66 from then on.
	 */
	atomic_uint asked, answered;
	atomic_uint let_go;      /* bit n: deadN.test answers, that it has no address */
	atomic_bool answer_late; /* late.test waits for it */
};

extern struct rig world;

int open_world(void **state);
int close_world(void **state);

/* One call or mail, made by an actor, and what came of it. */
struct visit {
	trl_http_out *out;
	struct trl_id tenant; /* whose actor it is */
	struct trl_trace trace;
	char url[100]; /* room for call.url */
	struct trl_http_call call;
	struct trl_smtp_mail mail;
	struct trl_smtp_answer smtp;
	char smtp_text[300], smtp_status[20];
	struct trl_http_answer answer;
	enum trl_code rc;
	char why[300];
	char *body; /* a copy; freed by the next visit of it */
	char address[80];
	uint32_t actor_ms;
	bool done;
};

enum { VISITS = 40 };

void begin_call(struct visit *visit);
void begin_letter(struct visit *visit);
bool is_done(void *visit);
bool all_done(void *visits); /* VISITS of them */
/* Begins and waits. */
void go(struct visit *visit);
void post(struct visit *visit);
/* A URL at localhost; four of them live at once. */
const char *at(unsigned port, const char *path);
/* How many connections the HTTP servers have taken. */
unsigned connections(void);
/* A call for which no name is looked up; the loop has turned meanwhile. */
bool calls_by_address(void);
