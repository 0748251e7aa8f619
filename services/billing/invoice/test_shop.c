/* test_shop.c - see test_shop.h. */
#include "invoice/test_shop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PRICE(key, currency, interval, model, amount, more)                            \
	"{\"key\":\"" key "\",\"currency\":\"" currency "\",\"interval\":\"" interval  \
	"\",\"model\":\"" model "\",\"unit_amount\":\"" amount "\"" more "}"
#define PLAN(key, rank, more, prices)                                                  \
	"{\"key\":\"" key "\",\"name\":\"" key "\",\"rank\":" rank more                \
	",\"prices\":[" prices "]}"
#define FIXED(key, currency, amount) PRICE(key, currency, "month", "fixed", amount, "")

static const char goods[] = "\"plans\":[" PLAN("free", "0", "", "") "," PLAN("team",
    "10", "",
    PRICE("team-month", "EUR", "month", "per_seat", "900", "") "," PRICE(
	"team-year", "EUR", "year", "per_seat", "9000", "")) "," PLAN("big", "20", "",
    FIXED("big-month", "EUR", "5000")) "," PLAN("gross", "5", "",
    PRICE("gross-month", "EUR", "month", "fixed", "1000",
	",\"tax_inclusive\":true")) "," PLAN("book", "6", ",\"tax_class\":\"reduced\"",
    FIXED("book-month", "EUR", "999")) "," PLAN("tiny", "1", "",
    FIXED("tiny-month", "EUR", "30") "," FIXED("tiny-usd", "USD", "60")) "," PLAN("nil",
    "1", "", FIXED("nil-month", "EUR", "0")) "," PLAN("yen", "2", "",
    FIXED("yen-month", "JPY", "500")) "," PLAN("shilling", "2", "",
    FIXED("shilling-month", "UGX", "5")) "," PLAN("krona", "2", "",
    FIXED("krona-month", "ISK",
	"5000")) "],"
		 "\"tax_rates\":[{\"country\":\"AT\",\"name\":\"USt\",\"rate\":\"20\"},"
		 "{\"country\":\"AT\",\"name\":\"USt\",\"rate\":\"10\","
		 "\"tax_class\":\"reduced\"},"
		 "{\"country\":\"DE\",\"name\":\"USt\",\"rate\":\"19\"},"
		 "{\"country\":\"CA\",\"name\":\"GST\",\"rate\":\"5\"},"
		 "{\"country\":\"CA\",\"region\":\"CA-QC\",\"name\":\"QST\",\"rate\":"
		 "\"9.975\"},"
		 "{\"country\":\"CH\",\"name\":\"MWST\",\"rate\":\"0\"}],"
		 "\"coupons\":["
		 "{\"code\":\"HALF\",\"percent_off\":\"50\",\"duration\":\"once\"},"
		 "{\"code\":\"QUARTER\",\"percent_off\":\"25\",\"duration\":"
		 "\"several\","
		 "\"periods\":2},"
		 "{\"code\":\"ALL\",\"percent_off\":\"100\",\"duration\":\"for_ever\"},"
		 "{\"code\":\"FLAT\",\"amount_off\":5000,\"currency\":\"EUR\","
		 "\"duration\":\"once\"},"
		 "{\"code\":\"DOLLAR\",\"amount_off\":100,\"currency\":\"USD\","
		 "\"duration\":\"once\"},"
		 "{\"code\":\"CAPPED\",\"percent_off\":\"10\",\"duration\":\"once\","
		 "\"most\":3},"
		 "{\"code\":\"OVER\",\"percent_off\":\"10\",\"duration\":\"once\","
		 "\"until\":\"2020-01-01T00:00:00Z\"},"
		 "{\"code\":\"TEAMS\",\"percent_off\":\"50\",\"duration\":\"for_ever\","
		 "\"plans\":[\"team\"]}],"
		 "\"dunning\":{\"days\":[1,3],\"end\":\"unpaid\"},"
		 "\"fallback_plan\":\"free\"";

void
shop_sells(const char *seller)
{
	ground_catalogue(trl_arena_printf(world.arena,
	    "{%s,\"seller\":{%s\"party\":{\"name\":\"Acme GmbH\",\"address_line1\":"
	    "\"Ring 1\",\"postal_code\":\"1010\",\"city\":\"Wien\",\"country\":\"AT\","
	    "\"vat_id\":\"ATU12345678\",\"email\":\"billing@acme.test\"},"
	    "\"prefix\":\"INV-\"}}",
	    goods, seller));
}

int
shop_open(void **state)
{
	if (ground_open(state) != 0)
		return -1;
	shop_sells("");
	return world_forget(state);
}

void
shop_profile(const struct world_caller *who, const char *profile)
{
	must(who, &billing_v1_put_profile,
	    trl_arena_printf(world.arena, "{\"legal_name\":\"Ann & Co\",%s}", profile),
	    NULL);
}

struct world_caller
shop_customer(const char *profile)
{
	struct world_caller who = ground_owner();

	shop_profile(&who, profile);
	ground_card(&who, "4242424242424242");
	ground_pass(&who, 0);
	return who;
}

void
shop_subscribe(const struct world_caller *who, const char *change)
{
	must(who, &billing_v1_change_subscription, change, NULL);
}

Billing__V1__Preview *
shop_preview(const struct world_caller *who, const char *change)
{
	Billing__V1__Preview *out;

	must(who, &billing_v1_preview_subscription, change, &out);
	return out;
}

static Billing__V1__ListInvoicesReply *
list(const struct world_caller *who)
{
	Billing__V1__ListInvoicesReply *out;

	must(who, &billing_v1_list_invoices, "{\"page_size\":100}", &out);
	return out;
}

size_t
shop_count(const struct world_caller *who)
{
	return list(who)->n_items;
}

Billing__V1__Invoice *
shop_invoice(const struct world_caller *who, unsigned n)
{
	Billing__V1__ListInvoicesReply *all = list(who);
	Billing__V1__Invoice *out;

	assert_true(n < all->n_items);
	must(who, &billing_v1_get_invoice,
	    trl_arena_printf(world.arena, "{\"invoice_id\":\"%s\"}",
		world_id_text(trl_value_id(all->items[n]->id))),
	    &out);
	return out;
}

const char *
shop_about(const struct world_caller *who, const Billing__V1__Invoice *invoice,
    const char *rest)
{
	const char *tenant = trl_arena_strdup(world.arena, world_id_text(who->tenant));

	return trl_arena_printf(world.arena,
	    "{\"tenant_id\":\"%s\",\"invoice_id\":\"%s\"%s}", tenant,
	    world_id_text(trl_value_id(invoice->id)), rest);
}

int64_t
shop_number(const struct world_caller *who, const char *column)
{
	return strtoll(
	    world_sql("select %s from billing.subscription where tenant_id = '%s'",
		column, world_id_text(who->tenant)),
	    NULL, 10);
}

void
shop_books_agree(const struct world_caller *who)
{
	assert_string_equal(
	    world_sql("select coalesce(sum(amount), 0) from billing.ledger_entry "
		      "where tenant_id = '%s'",
		world_id_text(who->tenant)),
	    "0");
	assert_string_equal(ground_faults(who), "");
}
