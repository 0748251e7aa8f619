/* decline.h - why a card is refused: the words of Stripe's documentation ("Decline
 * codes"), and what to make of them. */
#pragma once

#include <stdbool.h>

/* Never again with this way to pay: the holder has to set another one up. What nobody
 * knows may pass the next time. */
bool decline_is_hard(const char *code);
/* What a person can do about it, a sentence; never NULL. */
const char *decline_advice(const char *code);
/* The field of CreatePaymentMethodRequest that is to blame. */
const char *decline_field(const char *code);
