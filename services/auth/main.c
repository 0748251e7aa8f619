/* trellis-auth - accounts, sessions and API keys: who is calling. */
#include "auth.h"

int
main(int argc, char **argv)
{
	static const struct trl_service *const services[] = { &auth_service };

	return trl_service_main(argc, argv, services, 1);
}
