"""Writes trl_config_known: every table of the build, by the names given."""
import sys

out, tables = sys.argv[1], sys.argv[2:]
with open(out, "w") as file:
    file.write("#include <trl/config.h>\n\n")
    for table in tables:
        file.write(f"extern const struct trl_config_table {table};\n")
    file.write("\nconst struct trl_config_table *const trl_config_known[] = {\n")
    for table in tables:
        file.write(f"\t&{table},\n")
    file.write("\tNULL,\n};\n")
