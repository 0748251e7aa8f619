/* operator.h - what every service serves to the operator's command. Private to
 * bus/service. */
#pragma once

#include <trl/service.h>

#include <operator_v1.server.h>

#include "config.h"

typedef struct operator operator_self;
struct operator
{
	const struct trl_host *host;
	const struct trl_service *service;
	const struct process_config *config;
};

/* operator_events.c: one event for a reply; gives its size there, roughly. */
size_t operator_fill_event(
    trl_ctx *ctx, const struct trl_event *from, Operator__V1__Event *to);

extern const struct trl_contract *const operator_contracts[]; /* NULL-ended */
