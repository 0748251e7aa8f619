/* tax.c - see tax.h. Within the European Union a business that shows its VAT id pays
 * the tax where it is (reverse charge, EN 16931 category AE), anybody else that of the
 * seller. Outside of it, whatever rates the catalogue has for the buyer's country and
 * region: a seller who lists none charges none there. */
#include "invoice/tax.h"

#include <ctype.h>
#include <string.h>

#include "invoice/texts.h"

static const char *const eu[] = { "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES",
	"FI", "FR", "GR", "HR", "HU", "IE", "IT", "LT", "LU", "LV", "MT", "NL", "PL",
	"PT", "RO", "SE", "SI", "SK" };

bool
tax_in_eu(const char *country)
{
	for (size_t i = 0; i < TRL_COUNT(eu); i++)
		if (strcmp(eu[i], country) == 0)
			return true;
	return false;
}

bool
tax_is_vat_id(const char *country, const char *vat_id)
{
	const char *prefix = strcmp(country, "GR") == 0 ? "EL" : country;
	size_t n = 0;

	if (strncmp(vat_id, prefix, 2) != 0)
		return false;
	for (const char *p = vat_id + 2; *p; p++, n++)
		if (!isdigit((unsigned char)*p) && !isupper((unsigned char)*p) &&
		    *p != '+' && *p != '*')
			return false;
	return n >= 2 && n <= 12;
}

static const char *
or_empty(const char *text)
{
	return text ? text : "";
}

/* The rates of a place: the region's beside the country's. */
static void
add_rates(const billing_catalogue *catalogue, const char *country, const char *region,
    const char *tax_class, struct bill_tax *out)
{
	for (size_t i = 0; i < catalogue->n_tax_rates; i++) {
		const Billing__V1__TaxRate *rate = catalogue->tax_rates[i];
		const char *class = rate->tax_class ? rate->tax_class : "standard";

		if (strcmp(rate->country, country) != 0 ||
		    (rate->region && strcmp(rate->region, or_empty(region)) != 0) ||
		    strcmp(class, tax_class) != 0 || out->n_rates == BILL_RATES_MAX)
			continue;
		trl_assert(!trl_decimal_read(rate->rate, strlen(rate->rate),
		    RATE_PLACES, &out->rates[out->n_rates]));
		out->names[out->n_rates] = rate->name;
		out->n_rates++;
	}
	strcpy(out->category, out->n_rates == 0                     ? "O"
			      : out->n_rates == 1 && !out->rates[0] ? "Z"
								    : "S");
}

static void
none(struct bill_tax *out, const char *category)
{
	*out = (struct bill_tax){ 0 };
	strcpy(out->category, category);
}

void
tax_for(const billing_catalogue *catalogue, const billing_profile *buyer,
    const char *tax_class, struct bill_tax *out)
{
	const Billing__V1__Party *seller =
	    catalogue->seller ? catalogue->seller->party : NULL;
	const char *from = or_empty(seller ? seller->country : NULL);
	const char *to = buyer->country ? buyer->country : from;
	const char *region = buyer->region;

	*out = (struct bill_tax){ 0 };
	if (buyer->exempt_reason) {
		none(out, "E");
		return;
	}
	if (tax_in_eu(from) && tax_in_eu(to) && strcmp(from, to) != 0) {
		if (seller->vat_id && buyer->vat_id) {
			none(out, "AE");
			return;
		}
		to = from;
		region = NULL;
	}
	add_rates(catalogue, to, region, tax_class ? tax_class : "standard", out);
}

const char *
tax_reason(const billing_profile *buyer, const char *category)
{
	if (strcmp(category, "E") == 0)
		return buyer->exempt_reason;
	if (strcmp(category, "AE") == 0)
		return text_of(TEXT_REVERSE_CHARGE, buyer->locale);
	if (strcmp(category, "O") == 0)
		return text_of(TEXT_NOT_SUBJECT, buyer->locale);
	return NULL;
}
