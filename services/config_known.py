"""Writes trl_config_known: every table of the build, by the names given; behind "--" are
services that have no settings, whose names the families of services know all the same."""
import sys

out, *names = sys.argv[1:]
end = names.index("--")
tables, bare = names[:end], names[end + 1:]
with open(out, "w") as file:
    file.write("#include <trl/config.h>\n\n")
    for table in tables:
        file.write(f"extern const struct trl_config_table {table};\n")
    for name in bare:
        file.write(f"\nstatic const struct trl_config_table {name}_config_table = {{\n"
                   f"\t.owner = \"{name}\",\n\t.is_service = true,\n}};\n")
    file.write("\nconst struct trl_config_table *const trl_config_known[] = {\n")
    for table in [*tables, *(f"{name}_config_table" for name in bare)]:
        file.write(f"\t&{table},\n")
    file.write("\tNULL,\n};\n")
