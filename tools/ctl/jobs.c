/* jobs.c - trellis jobs: what waits, runs or has failed for good, and another try. A
 * job is asked for at every service until one has it. */
#include "ctl.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <trellis/empty.trl.h>
#include <operator_v1.trl.h>

enum { PAGE_MAX = 200 };

static const char JOB[] = "a job; trellis jobs list shows them";

static const char *const states[] = {
	[OPERATOR__V1__JOB__STATE__scheduled] = "scheduled",
	[OPERATOR__V1__JOB__STATE__ready] = "ready",
	[OPERATOR__V1__JOB__STATE__running] = "running",
	[OPERATOR__V1__JOB__STATE__dead] = "dead",
	[OPERATOR__V1__JOB__STATE__cancelled] = "cancelled",
};

static const char *
state_text(const Operator__V1__Job *job)
{
	return job->has_state && job->state < TRL_COUNT(states) &&
		       states[job->state] != NULL
		   ? states[job->state]
		   : "?";
}

static void
show_job(struct ctl_table *t, const char *service, const Operator__V1__Job *job)
{
	char text[TRL_ID_TEXT];

	ctl_table_add(t, "%s", service);
	trl_id_format(trl_value_id(job->id), text);
	ctl_table_add(t, "%s", text);
	ctl_table_add(t, "%s", job->kind ? job->kind : "");
	ctl_table_add(t, "%s", state_text(job));
	ctl_table_add(t, "%" PRIu32 "/%" PRIu32, job->attempt, job->attempts);
	ctl_table_add(t, "%s", ctl_time_text(text, job->run_at));
	text[0] = '\0';
	if (job->has_tenant_id)
		trl_id_format(trl_value_id(job->tenant_id), text);
	ctl_table_add(t, "%s", text);
	ctl_table_add(t, "%.80s", job->error ? job->error : "");
}

/* Pages of one service, until they end or --limit is reached. */
static void
list_one(struct ctl *ctl, trl_ctx *ctx, const struct ctl_service *service,
    Operator__V1__ListJobsRequest in, struct ctl_table *table, int64_t *left)
{
	ProtobufCMessage *out;

	while (*left > 0) {
		const Operator__V1__ListJobsReply *reply;
		in.has_limit = true;
		in.limit = (uint32_t)(*left < PAGE_MAX ? *left : PAGE_MAX);
		if (!ctl_ask(ctl, ctx, service, &operator_v1_list_jobs, &in.base, &out))
			return;
		reply = (const void *)out;
		for (size_t i = 0; i < reply->n_jobs; i++)
			if ((ctl->args.given & CTL_JSON) != 0)
				ctl_json_item(ctl, service->name,
				    &operator_v1_job_rules, &reply->jobs[i]->base);
			else
				show_job(table, service->name, reply->jobs[i]);
		*left -= (int64_t)reply->n_jobs;
		if (reply->n_jobs < in.limit)
			return;
		in.has_after_id = true;
		in.after_id = reply->jobs[reply->n_jobs - 1]->id;
	}
}

static bool
read_filter(struct ctl *ctl, trl_ctx *ctx, Operator__V1__ListJobsRequest *in)
{
	const struct ctl_args *args = &ctl->args;
	struct trl_id tenant;

	in->kind = (char *)(uintptr_t)args->kind;
	for (size_t i = 1; args->state != NULL && i < TRL_COUNT(states); i++)
		if (strcmp(states[i], args->state) == 0) {
			in->has_state = true;
			in->state = (Operator__V1__Job__State)i;
		}
	if (args->state != NULL && !in->has_state) {
		fprintf(stderr,
		    "trellis: --state is scheduled, ready, running, dead or "
		    "cancelled\n");
		return false;
	}
	if (args->tenant != NULL) {
		if (!trl_id_parse(args->tenant, strlen(args->tenant), &tenant)) {
			fprintf(stderr, "trellis: --tenant '%.60s' is not an id\n",
			    args->tenant);
			return false;
		}
		in->has_tenant_id = true;
		in->tenant_id = trl_value_bytes(ctx, tenant);
	}
	return true;
}

enum ctl_exit
ctl_jobs_list(struct ctl *ctl, trl_ctx *ctx)
{
	static const char *const heads[] = { "SERVICE", "JOB", "KIND", "STATE",
		"ATTEMPT", "RUNS AT", "TENANT", "ERROR" };
	struct ctl_table table = { .heads = heads, .n_columns = TRL_COUNT(heads) };
	Operator__V1__ListJobsRequest in = OPERATOR__V1__LIST_JOBS_REQUEST__INIT;
	int64_t left = ctl->args.limit;

	if (!read_filter(ctl, ctx, &in))
		return CTL_MISUSED;
	if ((ctl->args.given & CTL_JSON) != 0)
		ctl_json_open(ctl);
	for (unsigned i = 0; i < ctl->n_services; i++)
		if (ctl->services[i].wanted)
			list_one(ctl, ctx, &ctl->services[i], in, &table, &left);
	if ((ctl->args.given & CTL_JSON) != 0)
		ctl_json_close(ctl);
	ctl_table_put(&table, &ctl->out, ctl_is_terminal());
	return CTL_FINE;
}

static void
line(struct trl_buf *out, const char *name, const char *value)
{
	if (value == NULL || *value == '\0')
		return;
	trl_buf_printf(out, "%-12s ", name);
	ctl_plain(out, value);
	trl_buf_adds(out, "\n");
}

static void
show_whole(struct trl_buf *out, const char *service, const Operator__V1__Job *job)
{
	char text[TRL_ID_TEXT];

	trl_id_format(trl_value_id(job->id), text);
	line(out, "job", text);
	line(out, "service", service);
	line(out, "kind", job->kind);
	line(out, "state", state_text(job));
	if (job->has_tenant_id) {
		trl_id_format(trl_value_id(job->tenant_id), text);
		line(out, "tenant", text);
	}
	snprintf(
	    text, sizeof text, "%" PRIu32 " of %" PRIu32, job->attempt, job->attempts);
	line(out, "attempt", text);
	line(out, "key", job->key);
	line(out, "error", job->error);
	line(out, "made", ctl_time_text(text, job->made_at));
	line(out, "runs", ctl_time_text(text, job->run_at));
	line(out, "leased until", ctl_time_text(text, job->lease_until));
	line(out, "ended", ctl_time_text(text, job->ended_at));
	line(out, "trace", job->trace_id);
	if (job->payload != NULL) {
		trl_buf_adds(out, "payload ");
		ctl_json_pretty(out, job->payload, strlen(job->payload));
	}
}

/* Asks one service after the other; not having the job is no failure. */
static const struct ctl_service *
ask_until(struct ctl *ctl, trl_ctx *ctx, const struct trl_method *method,
    const ProtobufCMessage *in, ProtobufCMessage **out)
{
	for (unsigned i = 0; i < ctl->n_services; i++) {
		const struct ctl_service *service = &ctl->services[i];
		if (!service->wanted)
			continue;
		if (ctl_ask(ctl, ctx, service, method, in, out)) {
			ctl->n_errors = 0;
			return service;
		}
		if (ctl->errors[ctl->n_errors - 1].code == TRL_NOT_FOUND)
			ctl->n_errors--;
	}
	return NULL;
}

static enum ctl_exit
say_none(const struct ctl *ctl)
{
	if (ctl->n_errors == 0)
		fprintf(
		    stderr, "trellis: no service has a job %s\n", ctl->args.words[0]);
	return CTL_FAILED;
}

enum ctl_exit
ctl_jobs_show(struct ctl *ctl, trl_ctx *ctx)
{
	Operator__V1__GetJobRequest in = OPERATOR__V1__GET_JOB_REQUEST__INIT;
	const struct ctl_service *service;
	ProtobufCMessage *out;
	struct trl_id id;
	bool json = (ctl->args.given & CTL_JSON) != 0;

	if (!ctl_take_word_id(ctl, JOB, &id))
		return CTL_MISUSED;
	in.has_job_id = true;
	in.job_id = trl_value_bytes(ctx, id);
	service = ask_until(ctl, ctx, &operator_v1_get_job, &in.base, &out);
	if (json)
		ctl_json_open(ctl);
	if (service != NULL && json)
		ctl_json_item(ctl, service->name, &operator_v1_job_rules, out);
	else if (service != NULL)
		show_whole(&ctl->out, service->name, (const void *)out);
	if (json)
		ctl_json_close(ctl);
	return service != NULL ? CTL_FINE : say_none(ctl);
}

/* A change of one job: its request's one field is the id. */
static enum ctl_exit
change(struct ctl *ctl, trl_ctx *ctx, const struct trl_method *method,
    const ProtobufCMessage *in, const char *done)
{
	const struct ctl_service *service;
	ProtobufCMessage *out;
	bool json = (ctl->args.given & CTL_JSON) != 0;

	service = ask_until(ctl, ctx, method, in, &out);
	if (json)
		ctl_json_open(ctl);
	if (service != NULL && json)
		ctl_json_item(ctl, service->name, &trellis_empty_rules, out);
	else if (service != NULL)
		trl_buf_printf(&ctl->out, "%s: job %s %s\n", service->name,
		    ctl->args.words[0], done);
	if (json)
		ctl_json_close(ctl);
	return service != NULL ? CTL_FINE : say_none(ctl);
}

enum ctl_exit
ctl_jobs_retry(struct ctl *ctl, trl_ctx *ctx)
{
	Operator__V1__RetryJobRequest in = OPERATOR__V1__RETRY_JOB_REQUEST__INIT;
	struct trl_id id;

	if (!ctl_take_word_id(ctl, JOB, &id))
		return CTL_MISUSED;
	in.has_job_id = true;
	in.job_id = trl_value_bytes(ctx, id);
	return change(ctl, ctx, &operator_v1_retry_job, &in.base, "is ready once more");
}

enum ctl_exit
ctl_jobs_cancel(struct ctl *ctl, trl_ctx *ctx)
{
	Operator__V1__CancelJobRequest in = OPERATOR__V1__CANCEL_JOB_REQUEST__INIT;
	struct trl_id id;

	if (!ctl_take_word_id(ctl, JOB, &id))
		return CTL_MISUSED;
	in.has_job_id = true;
	in.job_id = trl_value_bytes(ctx, id);
	return change(ctl, ctx, &operator_v1_cancel_job, &in.base,
	    "is cancelled, or asked to stop");
}
