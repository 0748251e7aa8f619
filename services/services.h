/* services.h - the services that an executable is built with, in the order of
 * services/list. Made by services_list.py. */
#pragma once

#include <trl/service.h>

extern const struct trl_service *const trl_services[]; /* NULL-ended */
