/* erase.h - what becomes of an organisation that is erased (bus/service/erase.c). */
#pragma once

#include "billing.h"

/* trl_service.erase_tenant: does what the classes of tables do not say. Profile, ways
 * to pay, what the operator gave it and the copy of its status go by these. Books are
 * kept, because the law asks for it: final invoices and credit notes with the buyer's
 * name and address as they are on them, payments, and the ledger. Of the subscription's
 * row the balance, the carried debt and the numbers of its series stay; the
 * subscription is none any more. Open invoices stay open: a debt does not end with the
 * organisation, and the operator may record its payment, write it off or declare it
 * void. So do, that neither is had again, the coupons it took and the trial that its
 * founder had. Errors: faults. */
enum trl_code erase_account(
    void *self, trl_ctx *ctx, struct trl_id tenant) TRL_MUST_CHECK;
