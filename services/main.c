/* Every executable of the mesh: the services it is built with, one or all of them, hang
 * on one skeleton (trl/service.h). */
#include <trl/service.h>

#include "services.h"

int
main(int argc, char **argv)
{
	size_t n = 0;

	while (trl_services[n] != NULL)
		n++;
	return trl_service_main(argc, argv, trl_services, n);
}
