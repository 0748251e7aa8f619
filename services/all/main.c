/* trellis-all - all services in one process, over inproc. */
#include "../auth/auth.h"
#include "../edge/edge.h"
#include "../notify/notify.h"
#include "../tenants/tenants.h"

int
main(int argc, char **argv)
{
	static const struct trl_service *const services[] = { &auth_service,
		&tenants_service, &notify_service, &edge_service };

	return trl_service_main(argc, argv, services, TRL_COUNT(services));
}
