/* texts.h - the words of invoices and credit notes, in the languages that we have: what
 * is kept with them, and the labels of their PDF. Pure, of any thread; sees nothing of
 * the service, so that the renderer can use it too. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* {1} and {2} stand for values, which text_fill puts in. */
enum text {
	/* Of the document. */
	TEXT_INVOICE,
	TEXT_CREDIT_NOTE,
	TEXT_NUMBER,
	TEXT_DATE,
	TEXT_DUE,
	TEXT_FOR_INVOICE, /* {1}: the number of the invoice that is credited */
	TEXT_BILL_TO,
	TEXT_FROM,
	TEXT_VAT_ID,
	TEXT_TAX_ID,
	TEXT_EMAIL,
	TEXT_PAGE, /* {1} of {2} */
	/* The table of its lines. */
	TEXT_DESCRIPTION,
	TEXT_SERVICE_PERIOD,
	TEXT_QUANTITY,
	TEXT_UNIT_PRICE,
	TEXT_TAX,
	TEXT_AMOUNT,
	TEXT_BROUGHT_FORWARD, /* at the top of the second page and those after it */
	/* Its sums. */
	TEXT_SUBTOTAL,
	TEXT_DISCOUNT,
	TEXT_DISCOUNT_CODE, /* {1}: the coupon's code */
	TEXT_NET,
	TEXT_TAX_RATE,     /* {1}: the rate, without its % */
	TEXT_TAX_INCLUDED, /* the same, where prices have it in them */
	TEXT_TOTAL,
	TEXT_FROM_BALANCE,
	TEXT_TO_BALANCE,
	TEXT_CARRIED,    /* a debt of earlier invoices */
	TEXT_CARRIED_ON, /* one too small to collect, for the next invoice */
	TEXT_CREDITED,   /* what credit notes took off */
	TEXT_PAID,
	TEXT_AMOUNT_DUE,
	TEXT_OFF_DUE, /* of a credit note: the invoice's due became less */
	TEXT_REFUNDED,
	/* How it stands. */
	TEXT_IS_DRAFT,
	TEXT_IS_OPEN,
	TEXT_IS_PAID,
	TEXT_IS_PAID_ON, /* {1}: the day */
	TEXT_IS_VOID,
	TEXT_IS_UNCOLLECTIBLE,
	/* Sentences below the lines. */
	TEXT_REVERSE_CHARGE,
	TEXT_NOT_SUBJECT,
	TEXT_EXEMPT,
	TEXT_ZERO_RATED,
	TEXT_TERMS_AT_ONCE,
	TEXT_TERMS_DAYS, /* {1}: how many, 2 or more */
	TEXT_TERMS_DAY,
	TEXT_TERMS_CHARGED, /* by itself, to the way to pay that there is */
	TEXT_PAY_ONLINE,
	/* What lines say. */
	TEXT_SEATS,     /* {1} times {2} */
	TEXT_UNUSED,    /* {1}: what */
	TEXT_REMAINING, /* {1}: what */
	TEXT_CREDIT_OF, /* {1}: the line of the invoice */
	/* Why there is a credit note. */
	TEXT_REASON,
	TEXT_REASON_DUPLICATE,
	TEXT_REASON_FRAUDULENT,
	TEXT_REASON_ORDER_CHANGE,
	TEXT_REASON_UNSATISFACTORY,
	TEXTS
};

/* The phrase for a locale (BCP 47: "de-AT"; NULL: none is set), by its language;
 * English where we have none in that. Never NULL. */
const char *text_of(enum text which, const char *locale);
/* The same with values for {1} and {2} (NULL where it has none), cut to size at a
 * character's end. Gives out. */
const char *text_fill(char *out, size_t size, enum text which, const char *locale,
    const char *first, const char *second);
/* Whether the words that text_of gives for it are written from right to left. */
bool text_is_rtl(const char *locale);
