/* What comes out for a request: a PDF whose text, read by poppler's pdftotext, has
 * every line and sum, in the same bytes each time; and a reason where none does. Over
 * 400 lines: each case is a document of its own, made and read by the same few helpers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

#include <trl/value.h>
#include <trl/wire.h>

#include "billing_v1.trl.h"
#include "pdf/pdf.h"

#define NB "\xc2\xa0"
enum { ISSUED = 1797811200 /* 2026-12-21 */, MONTH = 31 * 86400, LINES_MAX = 1000 };

/* What these libraries keep of fonts until the process ends is no leak: 3,000 documents
 * take no more of it than a hundred. */
const char *__lsan_default_suppressions(void);
const char *
__lsan_default_suppressions(void)
{
	return "leak:libfontconfig.so\nleak:libcairo.so\nleak:libpango\n";
}

static struct {
	trl_ctx ctx;
	Billing__V1__PdfRequest request;
	struct trl_buf reply;
	const Billing__V1__PdfReply *said;
	char *text; /* of the last PDF */
	unsigned pages;
} rig;

static char *
owned(const char *text)
{
	return (char *)(uintptr_t)text;
}

static Google__Protobuf__Timestamp *
at(int64_t s)
{
	return trl_value_time(&rig.ctx, s * 1000000);
}

static Billing__V1__Party *
party(const char *name, const char *city, const char *country)
{
	Billing__V1__Party *party = billing_v1_party_new(&rig.ctx);

	party->name = owned(name);
	party->address_line1 = owned("1 Long Street");
	party->postal_code = owned("1060");
	party->city = owned(city);
	party->country = owned(country);
	party->vat_id = owned("ATU12345678");
	return party;
}

static Billing__V1__Line *
line(size_t i, const char *description)
{
	Billing__V1__Line *line = billing_v1_line_new(&rig.ctx);

	line->description =
	    trl_arena_printf(rig.ctx.arena, "%s no. %zu", description, i + 1);
	line->quantity = trl_arena_printf(rig.ctx.arena, "%zu", i + 1);
	line->unit_amount = owned("900");
	trl_set(line, amount, (int64_t)(i + 1) * 900);
	line->tax_category = owned("S");
	line->tax_rate = owned("20");
	line->period_start = at(ISSUED);
	line->period_end = at(ISSUED + MONTH);
	return line;
}

static Billing__V1__TaxTotal *
tax(int64_t net, int64_t amount)
{
	Billing__V1__TaxTotal *tax = billing_v1_tax_total_new(&rig.ctx);

	tax->category = owned("S");
	tax->rate = owned("20");
	trl_set(tax, net, net);
	trl_set(tax, tax, amount);
	return tax;
}

/* An invoice of n lines, asked for in a language. */
static Billing__V1__Invoice *
invoice(const char *locale, const char *currency, size_t n, const char *description)
{
	Billing__V1__Invoice *invoice = billing_v1_invoice_new(&rig.ctx);
	int64_t net = 0;

	billing__v1__pdf_request__init(&rig.request);
	rig.request.invoice = invoice;
	rig.request.locale = owned(locale);
	rig.request.footer = owned("Acme, Vienna\nIBAN AT61 1904 3002 3457 3201");
	invoice->number = owned("INV-000042");
	trl_set(invoice, status, BILLING__V1__INVOICE__STATUS__open);
	invoice->currency = owned(currency);
	invoice->seller = party("Acme", "Wien", "AT");
	invoice->buyer = party("Widgets & Sons", "London", "GB");
	invoice->lines = trl_arena_alloc(rig.ctx.arena, (n + 1) * sizeof(void *));
	for (size_t i = 0; i < n; i++) {
		invoice->lines[i] = line(i, description);
		net += invoice->lines[i]->amount;
	}
	invoice->n_lines = n;
	invoice->taxes = trl_arena_alloc(rig.ctx.arena, 2 * sizeof(void *));
	invoice->taxes[invoice->n_taxes++] = tax(net, net / 5);
	trl_set(invoice, subtotal, net);
	trl_set(invoice, net, net);
	trl_set(invoice, tax, net / 5);
	trl_set(invoice, total, net + net / 5);
	trl_set(invoice, amount_due, net + net / 5);
	invoice->issued_at = at(ISSUED);
	invoice->due_at = at(ISSUED + 14 * 86400);
	return invoice;
}

static const Billing__V1__PdfReply *
run(const uint8_t *data, size_t len)
{
	ProtobufCMessage *message;

	trl_buf_clear(&rig.reply);
	pdf_answer(data, len, &rig.reply);
	assert_true(rig.reply.len <= PDF_REPLY_MAX);
	assert_int_equal(trl_wire_decode(&rig.ctx, &billing__v1__pdf_reply__descriptor,
			     rig.reply.data, rig.reply.len, &message),
	    TRL_OK);
	return (const Billing__V1__PdfReply *)message;
}

static void
ask(void)
{
	const uint8_t *data;
	size_t len;

	trl_wire_encode(rig.ctx.arena, &rig.request.base, &data, &len);
	rig.said = run(data, len);
}

/* Reads it as a person would: spaces that do not break are spaces, and marks of
 * direction are not seen. */
static void
normalize(char *text)
{
	char *to = text;

	for (const char *from = text; *from;) {
		if (strncmp(from, NB, 2) == 0) {
			*to++ = ' ';
			from += 2;
		} else if (strncmp(from, "\xe2\x80\xaf", 3) == 0) {
			*to++ = ' ';
			from += 3;
		} else if (strncmp(from, "\xe2\x80\x8e", 3) == 0 ||
			   strncmp(from, "\xe2\x80\xaa", 3) == 0 ||
			   strncmp(from, "\xe2\x80\xab", 3) == 0 ||
			   strncmp(from, "\xe2\x80\xac", 3) == 0) {
			from += 3;
		} else {
			*to++ = *from++;
		}
	}
	*to = '\0';
}

/* What a program of poppler's says of the PDF, in rig.ctx's arena. */
static char *
told_by(const char *program)
{
	char path[] = "/tmp/trellis-pdf-XXXXXX", command[128], *told;
	const int file = mkstemp(path);
	struct trl_buf text = { 0 };
	FILE *pipe;
	size_t n;

	assert_true(file >= 0);
	assert_int_equal(write(file, rig.said->pdf.data, rig.said->pdf.len),
	    (ssize_t)rig.said->pdf.len);
	close(file);
	(void)snprintf(command, sizeof command, "%s %s%s", program, path,
	    strstr(program, "text") ? " -" : "");
	pipe = popen(command, "r");
	assert_non_null(pipe);
	while ((n = fread(trl_buf_reserve(&text, 65536), 1, 65536, pipe)) > 0)
		text.len += n;
	assert_int_equal(pclose(pipe), 0);
	unlink(path);
	trl_buf_add(&text, "", 1);
	told = trl_arena_strdup(rig.ctx.arena, (char *)text.data);
	trl_buf_fini(&text);
	return told;
}

static void
read_pdf(void)
{
	rig.text = told_by("pdftotext -layout");
	rig.pages = 0;
	for (const char *c = rig.text; *c; c++)
		rig.pages += *c == '\f';
	normalize(rig.text);
}

static void
make(void)
{
	ask();
	if (!rig.said->has_pdf)
		fail_msg("%s", rig.said->error);
	read_pdf();
}

static void
must_say(const char *what)
{
	if (!strstr(rig.text, what))
		fail_msg("\"%s\" is not in:\n%s", what, rig.text);
}

static void
every_line_and_sum_is_there_in_each_language(void **state)
{
	static const struct {
		const char *locale, *says[9];
	} rows[] = {
		{ "en", { "Invoice", "INV-000042", "21 December 2026", "4 January 2027",
			    "Amount (EUR)", "54.00", "Tax 20%", "EUR 64.80",
			    "Page 1 of 1" } },
		{ "de-AT",
		    { "Rechnung", "21.12.2026", "04.01.2027", "Betrag (EUR)", "9,00",
			"54,00", "10,80", "64,80 EUR", "Seite 1 von 1" } },
		{ "fr", { "Facture", "21/12/2026", "54,00", "10,80", "64,80 EUR" } },
		{ "es", { "Factura", "21/12/2026", "54,00", "64,80 EUR" } },
		{ "it", { "Fattura", "21/12/2026", "54,00", "64,80 EUR" } },
		{ "nl", { "Factuur", "21-12-2026", "EUR 64,80" } },
		{ "pl", { "Faktura", "21.12.2026", "64,80 EUR" } },
		{ "pt", { "Fatura", "21/12/2026", "EUR 64,80" } },
		{ "pt-PT", { "Fatura", "21/12/2026", "64,80 EUR" } },
		{ "ja", { "請求書", "2026年12月21日", "EUR 64.80" } },
		{ "ar", { "INV-000042", "21/12/2026", "54.00", "10.80", "64.80" } },
		{ "xx", { "Invoice", "2026-12-21", "EUR 64.80" } },
	};

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(rows); i++) {
		invoice(rows[i].locale, "EUR", 3, "Seats");
		make();
		for (size_t k = 0; k < 9 && rows[i].says[k]; k++)
			must_say(rows[i].says[k]);
		must_say("Seats no. 1");
		must_say("Seats no. 3");
		must_say("Widgets & Sons");
		must_say("IBAN AT61 1904 3002 3457 3201");
		assert_int_equal(rig.said->missing, 0);
	}
}

static void
other_scripts_are_drawn_and_read_again(void **state)
{
	static const char *const names[] = { "株式会社東京製作所", "ООО Ромашка",
		"Ελληνική Εταιρεία", "한국 회사", "深圳市腾讯" };

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(names); i++) {
		invoice("en", "EUR", 1, "Seats")->buyer->name = owned(names[i]);
		make();
		must_say(names[i]);
		assert_int_equal(rig.said->missing, 0);
	}
	/* From right to left: what pdftotext makes of their order is its own. */
	invoice("ar", "SAR", 1, "Seats")->buyer->name = owned("شركة النور للتجارة");
	make();
	assert_int_equal(rig.said->missing, 0);
	invoice("he", "ILS", 1, "Seats")->buyer->name = owned("חברת האור");
	make();
	assert_int_equal(rig.said->missing, 0);
}

static void
what_no_font_has_is_counted_and_not_hidden(void **state)
{
	(void)state;
	/* Characters of a private area: nobody has them. */
	invoice("en", "EUR", 1, "Seats \xf4\x8f\xbf\xb0\xf4\x8f\xbf\xb1");
	make();
	assert_int_equal(rig.said->missing, 2);
	must_say("10"); /* the boxes have their numbers */
}

static void
forty_lines_take_two_pages(void **state)
{
	char text[32];

	(void)state;
	invoice("en", "EUR", 40, "Seats");
	make();
	assert_int_equal(rig.pages, 2);
	for (int i = 1; i <= 40; i++) {
		(void)snprintf(text, sizeof text, "Seats no. %d ", i);
		must_say(text);
	}
	must_say("Page 1 of 2");
	must_say("Page 2 of 2");
	must_say("Brought forward");
	must_say("7,380.00");
	must_say("EUR 8,856.00");
	/* The names of the columns on each. */
	assert_non_null(strstr(strchr(rig.text, '\f'), "Unit price"));
}

static void
each_number_of_lines_has_its_sums_with_a_line(void **state)
{
	(void)state;
	for (size_t n = 18; n < 34; n++) {
		const char *last;

		invoice("en", "EUR", n, "Seats");
		make();
		last = rig.text;
		for (unsigned i = 1; i < rig.pages; i++)
			last = strchr(last, '\f') + 1;
		if (rig.pages > 1 && strstr(last, "Amount due"))
			assert_non_null(strstr(last, "Seats no."));
		must_say("Amount due");
	}
}

static void
a_thousand_lines_fit(void **state)
{
	static const char sentence[] =
	    "A plan with a long name, which is described in as many words";
	char text[32];

	(void)state;
	invoice("de", "EUR", LINES_MAX, sentence);
	make();
	for (int i = 1; i <= LINES_MAX; i++) {
		(void)snprintf(text, sizeof text, "no. %d", i);
		must_say(text);
	}
	must_say("4.504.500,00");
	must_say("5.405.400,00 EUR");
	print_message(
	    "1,000 lines: %u pages, %zu bytes\n", rig.pages, rig.said->pdf.len);
	assert_true(rig.said->pdf.len <= PDF_MAX);
}

static void
long_names_are_wrapped_and_not_cut(void **state)
{
	static const char *const words[] = { "Donaudampfschifffahrtsgesellschaft",
		"Kommanditgesellschaft", "Niederlassung" };
	Billing__V1__Invoice *made = invoice("de", "EUR", 1, "Seats");

	(void)state;
	made->buyer->name = made->seller->name =
	    owned("Donaudampfschifffahrtsgesellschaft Niederlassung "
		  "Österreichisch-Ungarische Gesellschaft mit beschränkter Haftung und "
		  "Co Kommanditgesellschaft");
	make();
	for (size_t i = 0; i < TRL_COUNT(words); i++)
		must_say(words[i]);
}

static void
the_largest_amounts_are_whole(void **state)
{
	Billing__V1__Invoice *made = invoice("de", "EUR", 1, "Seats");

	(void)state;
	made->lines[0]->amount = made->subtotal = INT64_MIN;
	made->from_balance = INT64_MIN;
	made->has_from_balance = 1;
	made->total = made->amount_due = INT64_MAX;
	made->lines[0]->quantity = owned("1234567890.123456789");
	made->lines[0]->unit_amount = owned("9223372036854775807");
	make();
	must_say("-92.233.720.368.547.758,08");
	must_say("92.233.720.368.547.758,07 EUR");
	must_say("1.234.567.890,123456789");
}

static void
what_takes_from_the_total_is_said(void **state)
{
	Billing__V1__Invoice *made = invoice("en", "EUR", 1, "Seats");
	char *notes[] = { owned("Reverse charge"), owned("Reverse charge") };

	(void)state;
	trl_set(made, carried_on, 17);
	trl_set(made, discount, 100);
	made->coupon = owned("AUTUMN");
	trl_set(made, from_balance, 300);
	trl_set(made, carried, 25);
	made->amount_due = made->total - 300 + 25;
	made->notes = notes;
	made->n_notes = 2;
	make();
	must_say("Discount (AUTUMN)");
	must_say("-1.00");
	must_say("-3.00");
	must_say("0.25");
	must_say("-0.17");
	must_say("EUR 8.05");
	must_say("Reverse charge");
	assert_null(strstr(strstr(rig.text, "Reverse charge") + 1, "Reverse charge"));
}

static void
what_was_paid_since_is_not_in_it(void **state)
{
	Billing__V1__Invoice *made = invoice("en", "EUR", 1, "Seats");
	uint8_t *first;

	(void)state;
	made->terms = owned("Payable within 14 days.");
	make();
	must_say("Payable within 14 days.");
	first = trl_arena_memdup(rig.ctx.arena, rig.said->pdf.data, rig.said->pdf.len);
	trl_set(made, amount_paid, made->amount_due);
	made->amount_due = 0;
	ask();
	assert_memory_equal(first, rig.said->pdf.data, rig.said->pdf.len);
	trl_set(made, status, BILLING__V1__INVOICE__STATUS__void);
	make();
	must_say("Void");
}

static void
a_credit_note_names_its_invoice(void **state)
{
	Billing__V1__Invoice *made = invoice("en", "EUR", 2, "Seats");
	Billing__V1__CreditNote *note = billing_v1_credit_note_new(&rig.ctx);

	(void)state;
	note->number = owned("CN-000007");
	note->invoice_number = made->number;
	note->currency = made->currency;
	note->notes = &(char *){ owned("Invoiced twice") };
	note->n_notes = 1;
	note->seller = made->seller;
	note->buyer = made->buyer;
	note->lines = made->lines;
	note->n_lines = 1;
	made->taxes[0]->name = owned("VAT");
	note->taxes = made->taxes;
	note->n_taxes = 1;
	trl_set(note, net, 900);
	trl_set(note, tax, 180);
	trl_set(note, total, 1080);
	trl_set(note, refunded, 1080);
	note->issued_at = at(ISSUED);
	rig.request.invoice = NULL;
	rig.request.credit_note = note;
	make();
	must_say("Credit note");
	must_say("For invoice INV-000042");
	must_say("Invoiced twice");
	must_say("VAT 20%");
	must_say("CN-000007");
	must_say("EUR 10.80");
	must_say("Refunded");
}

/* A PNG of one colour. */
static ProtobufCBinaryData
png(uint32_t width, uint32_t height)
{
	static const uint8_t signature[] = "\x89PNG\r\n\x1a\n";
	struct trl_buf out = { 0 };
	const uLong raw_len = (uLong)height * (1 + (uLong)width * 4);
	uint8_t *raw = trl_arena_zalloc(rig.ctx.arena, raw_len);
	uLongf packed_len = compressBound(raw_len);
	uint8_t *packed = trl_arena_alloc(rig.ctx.arena, packed_len);
	uint8_t head[13] = { (uint8_t)(width >> 24), (uint8_t)(width >> 16),
		(uint8_t)(width >> 8), (uint8_t)width, (uint8_t)(height >> 24),
		(uint8_t)(height >> 16), (uint8_t)(height >> 8), (uint8_t)height, 8,
		6 };
	const struct {
		const char *name;
		const uint8_t *data;
		size_t len;
	} chunks[] = { { "IHDR", head, sizeof head }, { "IDAT", packed, 0 },
		{ "IEND", head, 0 } };
	ProtobufCBinaryData made;

	assert_int_equal(compress(packed, &packed_len, raw, raw_len), Z_OK);
	trl_buf_add(&out, signature, 8);
	for (size_t i = 0; i < TRL_COUNT(chunks); i++) {
		const size_t len = i == 1 ? packed_len : chunks[i].len;
		uLong crc = crc32(0, (const Bytef *)chunks[i].name, 4);

		if (len)
			crc = crc32(crc, chunks[i].data, (uInt)len);
		for (int k = 3; k >= 0; k--)
			trl_buf_add(&out, &(uint8_t){ (uint8_t)(len >> (8 * k)) }, 1);
		trl_buf_add(&out, chunks[i].name, 4);
		trl_buf_add(&out, chunks[i].data, len);
		for (int k = 3; k >= 0; k--)
			trl_buf_add(&out, &(uint8_t){ (uint8_t)(crc >> (8 * k)) }, 1);
	}
	made.len = out.len;
	made.data = trl_arena_memdup(rig.ctx.arena, out.data, out.len);
	trl_buf_fini(&out);
	return made;
}

static void
a_logo_that_cannot_be_is_left_out_and_said(void **state)
{
	ProtobufCBinaryData logo;

	(void)state;
	invoice("en", "EUR", 1, "Seats");
	trl_set(&rig.request, logo, png(200, 60));
	make();
	assert_null(rig.said->without_logo);
	logo = png(200, 60);
	trl_set(&rig.request, logo, logo);
	rig.request.logo.len -= 20; /* cut off */
	make();
	must_say("EUR 10.80");
	assert_string_equal(rig.said->without_logo, "cannot be read");
	rig.request.logo = png(3000, 2);
	ask();
	assert_true(rig.said->has_pdf);
	assert_string_equal(
	    rig.said->without_logo, "has more than 2,000 pixels a side");
	logo = png(20, 20); /* its head lies about its size */
	memset(logo.data + 16, 0xff, 4);
	rig.request.logo = logo;
	ask();
	assert_string_equal(
	    rig.said->without_logo, "has more than 2,000 pixels a side");
	rig.request.logo = (ProtobufCBinaryData){ 29,
		(uint8_t *)(uintptr_t) "<svg xmlns='http://x/'></svg>" };
	ask();
	assert_string_equal(rig.said->without_logo, "is no PNG");
}

static void
the_same_request_gives_the_same_bytes(void **state)
{
	uint8_t *first;
	size_t len;

	(void)state;
	invoice("ja", "JPY", 3, "チーム");
	trl_set(&rig.request, logo, png(200, 60));
	ask();
	len = rig.said->pdf.len;
	first = trl_arena_memdup(rig.ctx.arena, rig.said->pdf.data, len);
	assert_non_null(strstr(told_by("pdfinfo -isodates"), "2026-12-21T00:00:00Z"));
	/* And with others in between. */
	invoice("ar", "EUR", 1, "Seats");
	ask();
	invoice("ja", "JPY", 3, "チーム");
	trl_set(&rig.request, logo, png(200, 60));
	ask();
	assert_int_equal(rig.said->pdf.len, len);
	assert_memory_equal(rig.said->pdf.data, first, len);
}

static void
garbage_is_answered_with_a_reason(void **state)
{
	uint8_t bytes[256];

	(void)state;
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)(i * 37 + 11);
	for (size_t len = 0; len < sizeof bytes; len++) {
		const Billing__V1__PdfReply *reply = run(bytes, len);

		assert_false(reply->has_pdf);
		assert_non_null(reply->error);
	}
	invoice("en", "QQQ", 1, "Seats");
	ask();
	assert_non_null(rig.said->error);
	invoice("en", "euro", 1, "Seats");
	ask();
	assert_non_null(rig.said->error);
	invoice("en", "EUR", LINES_MAX + 1, "Seats");
	ask();
	assert_non_null(rig.said->error);
	invoice("en", "EUR", 1, "Seats");
	rig.request.time_zone = owned("../../etc/passwd");
	ask();
	assert_non_null(rig.said->error);
	invoice("en", "EUR", 2, "Seats");
	rig.request.invoice->lines[0]->amount = INT64_MAX;
	ask();
	assert_string_equal(rig.said->error, "the lines add up to more than fits");
}

static int
open_rig(void **state)
{
	(void)state;
	memset(&rig, 0, sizeof rig);
	rig.ctx.arena = trl_arena_new((size_t)256 << 20);
	return 0;
}

static int
close_rig(void **state)
{
	(void)state;
	trl_arena_free(&rig.ctx.arena);
	trl_buf_fini(&rig.reply);
	return 0;
}

#define RIGGED(test) cmocka_unit_test_setup_teardown(test, open_rig, close_rig)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		RIGGED(every_line_and_sum_is_there_in_each_language),
		RIGGED(other_scripts_are_drawn_and_read_again),
		RIGGED(what_no_font_has_is_counted_and_not_hidden),
		RIGGED(forty_lines_take_two_pages),
		RIGGED(each_number_of_lines_has_its_sums_with_a_line),
		RIGGED(a_thousand_lines_fit),
		RIGGED(long_names_are_wrapped_and_not_cut),
		RIGGED(the_largest_amounts_are_whole),
		RIGGED(what_takes_from_the_total_is_said),
		RIGGED(what_was_paid_since_is_not_in_it),
		RIGGED(a_credit_note_names_its_invoice),
		RIGGED(a_logo_that_cannot_be_is_left_out_and_said),
		RIGGED(the_same_request_gives_the_same_bytes),
		RIGGED(garbage_is_answered_with_a_reason),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
