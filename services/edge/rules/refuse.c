/* refuse.c - an answer whose status is HTTP's own and no code of ours (405, 415 ...);
 * rooms/problem.c has the words of each. */
#include "rules/rules.h"

enum trl_code
edge_refuse(struct edge_request *request, uint16_t status, const char *detail)
{
	trl_err_clear(request->ctx);
	request->status = status;
	return trl_fail(request->ctx, TRL_MALFORMED, "%s", detail);
}
