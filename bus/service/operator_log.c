/* operator_log.c - from which level on the process logs, changed while it runs: what is
 * only seen now and then is looked into without a restart, which would end it. Services
 * of one process have one log. */
#include "operator.h"

#include <trl/log.h>
#include <trl/value.h>

static Operator__V1__LogLevel__Level
shown(enum trl_log_level level)
{
	return (Operator__V1__LogLevel__Level)(OPERATOR__V1__LOG_LEVEL__LEVEL__debug +
					       (int)level);
}

static void
fill(const operator_self *self, Operator__V1__LogLevel *out)
{
	enum trl_log_level configured = TRL_LOG_INFO;

	(void)trl_log_level_named(self->config->log_level, &configured);
	trl_set(out, level, shown(trl_log_least()));
	trl_set(out, configured, shown(configured));
}

enum trl_code
operator_get_log_level(operator_self *self, trl_ctx *ctx,
    const Operator__V1__GetLogLevelRequest *in, Operator__V1__LogLevel *out)
{
	(void)ctx, (void)in;
	fill(self, out);
	return TRL_OK;
}

enum trl_code
operator_set_log_level(operator_self *self, trl_ctx *ctx,
    const Operator__V1__SetLogLevelRequest *in, Operator__V1__LogLevel *out)
{
	trl_log_set_least(
	    (enum trl_log_level)(in->level - OPERATOR__V1__LOG_LEVEL__LEVEL__debug));
	fill(self, out);
	trl_unchanged(ctx); /* nothing that is stored */
	return TRL_OK;
}
