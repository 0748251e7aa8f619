"""Writes trl_services: the services of an executable, by the names given; and
trl_tellers: those of the whole list that have a schema, after "--tellers"."""
import sys

out, names = sys.argv[1], sys.argv[2:]
at = names.index("--tellers")
names, tellers = names[:at], names[at + 1:]
with open(out, "w") as file:
    file.write("#include <trl/event_type.h>\n#include <trl/service.h>\n\n"
               "#include \"services.h\"\n\n")
    for name in names:
        file.write(f"extern const struct trl_service {name}_service;\n")
    file.write("\nconst struct trl_service *const trl_services[] = {\n")
    for name in names:
        file.write(f"\t&{name}_service,\n")
    file.write("\tNULL,\n};\n")
    file.write("\nconst char *const trl_tellers[] = {\n")
    for name in tellers:
        file.write(f"\t\"{name}\",\n")
    file.write("\tNULL,\n};\n")
