/* trellis-notify - what people and systems are told. */
#include "notify.h"

int
main(int argc, char **argv)
{
	static const struct trl_service *const services[] = { &notify_service };

	return trl_service_main(argc, argv, services, 1);
}
