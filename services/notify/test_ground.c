/* What tests of notify stand on beside the world: see test_ground.h. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "test_ground.h"

struct ground ground;

static void
count_notice(void *self, struct trl_id tenant, struct trl_id subject)
{
	(void)self;
	(void)tenant;
	(void)subject;
	ground.notices++;
}

int
ground_open(void **state)
{
	static char mail[] = "/tmp/trl_mail_XXXXXX";

	(void)state;
	ground.mail = mkdtemp(mail);
	assert_non_null(ground.mail);
	setenv("TRELLIS_PUBLIC_URL", "https://trellis.test", 1);
	setenv("TRELLIS_MAIL_FROM", "Trellis <noreply@trellis.test>", 1);
	setenv("TRELLIS_MAIL_FOLDER", ground.mail, 1);
	if (world_open_one(&notify_service) != 0)
		return -1;
	ground.letters = trl_sealer_new(world.host.seal_key, "auth letter");
	ground.invitations = trl_sealer_new(world.host.seal_key, "tenants invitation");
	trl_bus_watch(world_bus("edge"), "notify.person", count_notice, NULL);
	return 0;
}

static void
empty_mailbox(void)
{
	DIR *dir = opendir(ground.mail);
	char path[400];

	for (struct dirent *entry; (entry = readdir(dir));) {
		snprintf(path, sizeof path, "%s/%s", ground.mail, entry->d_name);
		(void)unlink(path);
	}
	closedir(dir);
}

int
ground_close(void **state)
{
	trl_sealer_free(&ground.letters);
	trl_sealer_free(&ground.invitations);
	(void)world_close(state);
	empty_mailbox();
	rmdir(ground.mail);
	return 0;
}

int
ground_forget(void **state)
{
	empty_mailbox();
	return world_forget(state);
}

int
ground_settle(void **state)
{
	world_settle();
	return ground_forget(state);
}

void
world_call_both(const struct world_caller *who, const struct trl_method *method,
    const ProtobufCMessage *const in[2], enum trl_code rcs[2])
{
	struct world_run runs[2];

	for (size_t i = 0; i < 2; i++) {
		runs[i] =
		    (struct world_run){ .who = *who, .method = method, .in = in[i] };
		world_start(&runs[i]);
	}
	world_wait((struct world_run *[]){ &runs[0], &runs[1] }, 2);
	for (size_t i = 0; i < 2; i++)
		rcs[i] = runs[i].rc;
}

static void
apply_one(trl_ctx *ctx, void *arg)
{
	const struct trl_event *event = arg;
	TRL_AUTO(trl_tx_rollback) trl_tx *tx = NULL;
	enum trl_code rc;

	ctx->service = "notify";
	ctx->tenant = event->tenant;
	rc = trl_tx_begin(ctx, world.host.sys, TRL_SCOPE_TENANT(event->tenant), &tx);
	if (rc == TRL_OK)
		rc = notify_hears_facts.apply(world.self, ctx, tx, event, 1);
	if (rc == TRL_OK)
		rc = trl_tx_commit(&tx, NULL);
	if (rc != TRL_OK)
		fail_msg("apply: %s", ctx->err.message);
}

void
world_hear(const struct trl_event_type *type, struct trl_id tenant,
    struct trl_id subject, const ProtobufCMessage *payload, uint64_t seq)
{
	size_t len = protobuf_c_message_get_packed_size(payload);
	uint8_t *data = trl_arena_alloc(world.arena, len);
	struct trl_event event = { .id = trl_id_new(),
		.seq = seq,
		.type_name = type->name,
		.type = type,
		.tenant = tenant,
		.subject = subject,
		.at_us = trl_wall_us(),
		.payload = payload,
		.data = data,
		.len = len };

	protobuf_c_message_pack(payload, data);
	world_act(apply_one, &event);
}

void
world_job(const char *kind)
{
	world_sql(
	    "insert into job (id, tenant_id, kind, state, priority, run_at, attempt, "
	    "attempts, payload, trace, made_at) values (gen_random_uuid(), '%s', "
	    "'%s', 'ready', 0, now(), 0, 5, '', '', now())",
	    world_id_text(trl_id_nil), kind);
}

static bool
nothing_is_due(void *self)
{
	(void)self;
	return strcmp(world_sql("select count(*) from job where run_at <= now() and "
				"state not in ('dead', 'cancelled')"),
		   "0") == 0;
}

void
world_settle(void)
{
	if (!trl_loop_run_until(world.loop, nothing_is_due, NULL, 20000))
		fail_msg("a job does not end: %s",
		    world_sql("select kind || ': ' || coalesce(error, '') from job"));
}

struct trl_id
world_person(const char *email, const char *locale, bool verified)
{
	Auth__V1__Account account = AUTH__V1__ACCOUNT__INIT;
	Auth__V1__AccountEvent told = AUTH__V1__ACCOUNT_EVENT__INIT;
	struct trl_id id = trl_id_new();

	account.has_id = account.has_version = account.has_email_verified = true;
	account.id = world_bytes(&id);
	account.version = 1;
	account.email = (char *)(uintptr_t)email;
	account.display_name = (char *)(uintptr_t) "Ada <b>Lovelace</b>";
	account.locale = (char *)(uintptr_t)locale;
	account.email_verified = verified;
	told.account = &account;
	world_hear(&auth_event_account_created, trl_id_nil, id, &told.base, 0);
	return id;
}

struct trl_id
world_tenant(const char *name)
{
	Tenants__V1__Tenant tenant = TENANTS__V1__TENANT__INIT;
	Tenants__V1__TenantEvent told = TENANTS__V1__TENANT_EVENT__INIT;
	struct trl_id id = trl_id_new();

	tenant.has_id = tenant.has_version = true;
	tenant.id = world_bytes(&id);
	tenant.version = 1;
	tenant.slug = (char *)(uintptr_t) "acme";
	tenant.display_name = (char *)(uintptr_t)name;
	told.tenant = &tenant;
	world_hear(&tenants_event_tenant_created, id, id, &told.base, 0);
	return id;
}

void
world_member(struct trl_id tenant, struct trl_id account,
    Tenants__V1__Member__Role role, struct trl_id by)
{
	Tenants__V1__Member member = TENANTS__V1__MEMBER__INIT;
	Tenants__V1__MemberEvent told = TENANTS__V1__MEMBER_EVENT__INIT;

	member.has_account_id = member.has_version = member.has_role = true;
	member.account_id = world_bytes(&account);
	member.version = 1;
	member.role = role;
	told.member = &member;
	told.has_by = !trl_id_is_nil(by);
	told.by = world_bytes(&by);
	world_hear(&tenants_event_member_added, tenant, account, &told.base,
	    told.has_by ? 1 : 0);
}

unsigned
world_mails(const char *address, char *text, size_t size)
{
	char path[400], newest[300] = "", to[300], read[200000];
	DIR *dir = opendir(ground.mail);
	unsigned n = 0;

	snprintf(to, sizeof to, "\r\nTo: %s\r\n", address);
	for (struct dirent *entry; (entry = readdir(dir));) {
		FILE *file;
		size_t len;

		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof path, "%s/%s", ground.mail, entry->d_name);
		file = fopen(path, "r");
		assert_non_null(file);
		len = fread(read, 1, sizeof read - 1, file);
		read[len] = '\0';
		fclose(file);
		if (!strstr(read, to))
			continue;
		n++;
		if (strcmp(entry->d_name, newest) < 0)
			continue;
		snprintf(newest, sizeof newest, "%s", entry->d_name);
		snprintf(text, size, "%s", read);
	}
	closedir(dir);
	return n;
}
