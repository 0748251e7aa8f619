/* operator.h - what every service serves to the operator's command. Private to bus/. */
#pragma once

#include <trl/service.h>

#include "service_config.h"

typedef struct operator operator_self;
struct operator
{
	const struct trl_host *host;
	const struct trl_service *service;
	const struct process_config *config;
};

extern const struct trl_contract *const operator_contracts[]; /* NULL-ended */
