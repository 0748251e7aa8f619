/* Invoices as PDF, by trellis-pdf: the same bytes whatever changes after them, and what
 * becomes of those who ask when the process that draws them is killed. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "test_ground.h"

#include "invoice/invoice.h"

enum { MANY = 48 };

/* One pixel. */
#define LOGO                                                                           \
	"iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9" \
	"awAAAABJRU5ErkJggg=="
#define CATALOGUE(seller)                                                              \
	"{\"plans\":[{\"key\":\"free\",\"name\":\"Free\",\"rank\":0},"                 \
	"{\"key\":\"team\",\"name\":\"Team\",\"rank\":10,"                             \
	"\"prices\":[{\"key\":\"team-month\",\"currency\":\"EUR\","                    \
	"\"interval\":\"month\",\"model\":\"per_seat\",\"unit_amount\":\"900\"}]}],"   \
	"\"tax_rates\":[{\"country\":\"AT\",\"name\":\"VAT\",\"rate\":\"20\"}],"       \
	"\"seller\":{\"party\":{\"name\":\"Acme\",\"country\":\"AT\","                 \
	"\"vat_id\":\"ATU12345678\"},\"prefix\":\"INV-\"," seller                      \
	"},\"fallback_plan\":\"free\"}"

static trl_child *
child(void)
{
	return ((struct billing *)world.self)->pdf;
}

/* An organisation with an invoice, whose id is given. */
static const char *
invoice_of(const struct world_caller *who, const char *locale)
{
	Billing__V1__ListInvoicesReply *list;

	must(who, &billing_v1_put_profile,
	    trl_arena_printf(world.arena,
		"{\"legal_name\":\"Ann & Co\",\"country\":\"AT\",\"locale\":\"%s\"}",
		locale),
	    NULL);
	ground_card(who, "4242424242424242");
	must(who, &billing_v1_change_subscription,
	    "{\"plan\":\"team\",\"seats\":5,\"interval\":\"month\"}", NULL);
	must(who, &billing_v1_list_invoices, "{}", &list);
	assert_int_equal(list->n_items, 1);
	return trl_arena_strdup(
	    world.arena, world_id_text(trl_value_id(list->items[0]->id)));
}

static const char *
asking_for(const char *id)
{
	return trl_arena_printf(world.arena, "{\"invoice_id\":\"%s\"}", id);
}

static const Billing__V1__Pdf *
pdf_of(const struct world_caller *who, const char *id)
{
	Billing__V1__Pdf *out;

	must(who, &billing_v1_get_invoice_pdf, asking_for(id), &out);
	assert_memory_equal(out->body.data, "%PDF-", 5);
	return out;
}

static void
assert_same(const Billing__V1__Pdf *a, const Billing__V1__Pdf *b)
{
	assert_int_equal(a->body.len, b->body.len);
	assert_memory_equal(a->body.data, b->body.data, a->body.len);
	assert_true(a->version == b->version);
}

static void
an_invoice_is_a_pdf_with_its_number(void **state)
{
	struct world_caller who = ground_owner();
	const Billing__V1__Pdf *pdf = pdf_of(&who, invoice_of(&who, "de-AT"));
	const size_t len = strlen(pdf->file_name);

	(void)state;
	assert_memory_equal(pdf->file_name, "INV-", 4);
	assert_string_equal(pdf->file_name + len - 4, ".pdf");
	assert_true(pdf->version > 0);
}

static void
what_changes_afterwards_leaves_it_the_same_bytes(void **state)
{
	struct world_caller who = ground_owner();
	const Billing__V1__Pdf *first;
	const char *id;

	(void)state;
	ground_catalogue(CATALOGUE("\"logo\":\"" LOGO "\",\"footer\":\"Vienna\""));
	id = invoice_of(&who, "de-AT");
	first = pdf_of(&who, id);
	assert_same(first, pdf_of(&who, id));
	must(&who, &billing_v1_put_profile,
	    "{\"legal_name\":\"Another\",\"country\":\"DE\",\"locale\":\"ja\"}", NULL);
	ground_catalogue(CATALOGUE("\"footer\":\"Graz\""));
	assert_same(first, pdf_of(&who, id));
	/* By another process of the renderer, too. */
	assert_int_equal(kill(trl_child_pid(child()), SIGKILL), 0);
	assert_same(first, pdf_of(&who, id));
}

static void
a_credit_note_is_one_too(void **state)
{
	struct world_caller who = ground_owner(), other = ground_owner();
	const char *id = invoice_of(&who, "de"), *asking;
	Billing__V1__CreditNote *note;
	Billing__V1__Pdf *pdf, *again;

	(void)state;
	must(&ground_operator, &billing_v1_credit_invoice,
	    trl_arena_printf(world.arena,
		"{\"tenant_id\":\"%s\",\"invoice_id\":\"%s\","
		"\"reason\":\"duplicate\"}",
		trl_arena_strdup(world.arena, world_id_text(who.tenant)), id),
	    &note);
	asking = trl_arena_printf(world.arena, "{\"credit_note_id\":\"%s\"}",
	    world_id_text(trl_value_id(note->id)));
	must(&who, &billing_v1_get_credit_note_pdf, asking, &pdf);
	must(&who, &billing_v1_get_credit_note_pdf, asking, &again);
	assert_same(pdf, again);
	assert_string_equal(
	    pdf->file_name, trl_arena_printf(world.arena, "%s.pdf", note->number));
	assert_int_equal(
	    ask(&other, &billing_v1_get_credit_note_pdf, asking, NULL), TRL_NOT_FOUND);
}

static void
a_void_one_says_so(void **state)
{
	struct world_caller who = ground_owner();
	const char *id = invoice_of(&who, "en");
	const Billing__V1__Pdf *first = pdf_of(&who, id), *second;

	(void)state;
	world_sql("update billing.invoice set status = 'void' where id = '%s'", id);
	second = pdf_of(&who, id);
	assert_true(first->version != second->version);
	world_sql("update billing.invoice set status = 'paid' where id = '%s'", id);
}

static void
a_draft_is_none_yet(void **state)
{
	struct world_caller who = ground_owner();
	const char *id = invoice_of(&who, "en");

	(void)state;
	world_sql("update billing.invoice set status = 'draft', number = null where id "
		  "= '%s'",
	    id);
	assert_int_equal(
	    ask(&who, &billing_v1_get_invoice_pdf, asking_for(id), NULL), TRL_CONFLICT);
	world_sql("update billing.invoice set status = 'paid', number = 'again' where "
		  "id = '%s'",
	    id);
}

static void
nobody_gets_somebody_elses(void **state)
{
	struct world_caller who = ground_owner(), other = ground_owner();
	const char *id = invoice_of(&who, "en");

	(void)state;
	invoice_of(&other, "en");
	assert_int_equal(ask(&other, &billing_v1_get_invoice_pdf, asking_for(id), NULL),
	    TRL_NOT_FOUND);
}

/* A kill amid a request is one that hits while many wait. */
static void
many_ask_and_it_is_killed_amid(void **state)
{
	static struct world_run runs[MANY];
	struct world_run *all[MANY];
	struct world_caller who = ground_owner();
	Billing__V1__GetInvoicePdfRequest in =
	    BILLING__V1__GET_INVOICE_PDF_REQUEST__INIT;
	size_t fine = 0, busy = 0;
	struct trl_id id;

	(void)state;
	assert_true(trl_id_parse(invoice_of(&who, "en"), TRL_ID_TEXT - 1, &id));
	pdf_of(&who, world_id_text(id));
	trl_set(&in, invoice_id, world_bytes(&id));
	for (size_t i = 0; i < MANY; i++) {
		runs[i] = (struct world_run){ .who = who,
			.method = &billing_v1_get_invoice_pdf,
			.in = &in.base };
		all[i] = &runs[i];
		world_start(&runs[i]);
	}
	assert_int_equal(kill(trl_child_pid(child()), SIGKILL), 0);
	world_wait(all, MANY);
	for (size_t i = 0; i < MANY; i++) {
		fine += runs[i].rc == TRL_OK;
		busy += runs[i].rc == TRL_BUSY;
		if (runs[i].rc == TRL_BUSY)
			assert_true(runs[i].err.retry_after_ms > 0);
	}
	/* One is drawn and 32 wait; whoever is beyond that is told when to come again,
	 * and a killed process costs nobody an answer. */
	assert_int_equal(fine + busy, MANY);
	assert_true(fine >= invoice_pdf_child.queue);
	assert_true(busy > 0);
}

static void
a_logo_that_cannot_be_is_refused_with_the_catalogue(void **state)
{
	(void)state;
	assert_int_equal(
	    ask(&ground_operator, &billing_v1_apply_catalogue,
		"{\"catalogue\":" CATALOGUE("\"logo\":\"AAAA\"") "}", NULL),
	    TRL_INVALID);
	assert_string_equal(world.err.violations[0].pointer, "/catalogue/seller/logo");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_invoice_is_a_pdf_with_its_number),
		cmocka_unit_test(what_changes_afterwards_leaves_it_the_same_bytes),
		cmocka_unit_test(a_credit_note_is_one_too),
		cmocka_unit_test(a_void_one_says_so),
		cmocka_unit_test(a_draft_is_none_yet),
		cmocka_unit_test(nobody_gets_somebody_elses),
		cmocka_unit_test(many_ask_and_it_is_killed_amid),
		cmocka_unit_test(a_logo_that_cannot_be_is_refused_with_the_catalogue),
	};

	return cmocka_run_group_tests(tests, ground_open, ground_close);
}
