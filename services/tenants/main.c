/* trellis-tenants - organisations, members, invitations, roles, audit. */
#include "tenants.h"

int
main(int argc, char **argv)
{
	static const struct trl_service *const services[] = { &tenants_service };

	return trl_service_main(argc, argv, services, 1);
}
