/* Names of values in the rows. */
#include "tenants.h"

const char *
tenants_role_name(Tenants__V1__Member__Role role)
{
	const ProtobufCEnumValue *value = protobuf_c_enum_descriptor_get_value(
	    &tenants__v1__member__role__descriptor, (int)role);

	return value ? value->name : "none";
}
