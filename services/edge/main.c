/* trellis-edge - the only door: HTTP/1.1 to the mesh. */
#include "edge.h"

int
main(int argc, char **argv)
{
	static const struct trl_service *const services[] = { &edge_service };

	return trl_service_main(argc, argv, services, TRL_COUNT(services));
}
