/* tax.h - what tax an invoice carries: by where the seller and the buyer are. Pure. */
#pragma once

#include "account/account.h"

/* Fills *out for a plan's class of tax; names are the catalogue's. */
void tax_for(const billing_catalogue *catalogue, const billing_profile *buyer,
    const char *tax_class, struct bill_tax *out);
/* Why an invoice carries no tax under a category, in the buyer's language, or in the
 * operator's words; NULL where no reason is asked for (EN 16931: S and Z). */
const char *tax_reason(const billing_profile *buyer, const char *category);
/* Whether a VAT id can be one of the country: its prefix (EL for Greece) and 2 to 12
 * letters and digits. Whether it was given to anybody only the country knows. */
bool tax_is_vat_id(const char *country, const char *vat_id);
bool tax_in_eu(const char *country);
