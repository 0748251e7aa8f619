"""Writes trl_services: the services of an executable, by the names given."""
import sys

out, names = sys.argv[1], sys.argv[2:]
with open(out, "w") as file:
    file.write("#include <trl/service.h>\n\n#include \"services.h\"\n\n")
    for name in names:
        file.write(f"extern const struct trl_service {name}_service;\n")
    file.write("\nconst struct trl_service *const trl_services[] = {\n")
    for name in names:
        file.write(f"\t&{name}_service,\n")
    file.write("\tNULL,\n};\n")
