"""Messages with their rules: struct trl_message and the table of struct trl_field."""
from .text import c_string


class Rules:
    """The rules of one message."""

    def __init__(self, message):
        self.message = message

    def declaration(self):
        return f'extern const struct trl_message {self.message.c_rules};'

    def definition(self):
        m = self.message
        table = m.c_rules[:-len('_rules')] + '_fields'
        fields = '0'
        out = []
        if m.fields:
            rows = '\n'.join(self.row(f) for f in m.fields)
            out.append(f'static const struct trl_field {table}[] = {{\n{rows}\n}};\n')
            fields = table
        clear = next((i for i, f in enumerate(m.fields) if f.is_clear), -1)
        entry = 'true' if m.is_entry else 'false'
        out.append(
            f'const struct trl_message {m.c_rules} = {{\n'
            f'\t.descriptor = &{m.c_descriptor},\n'
            f'\t.fields = {fields},\n'
            f'\t.has_secret = {"true" if m.has_secret() else "false"},\n'
            f'\t.is_entry = {entry},\n'
            f'\t.is_lenient = {"true" if m.lenient else "false"},\n'
            f'\t.clear_field = {clear},\n}};\n')
        return ''.join(out)

    def row(self, field):
        parts = []
        key = f'"{field.option("shown_as") or field.name}":'
        parts.append(f'.key = {c_string(key)}, .key_len = {len(key)}')
        if field.is_message and not field.is_timestamp:
            parts.append(f'.message = &{field.target.c_rules}')
        if field.format != 'NONE':
            parts.append(f'.format = TRL_FORMAT_{field.format}')
        if field.header:
            parts.append(f'.header = {c_string(field.header)}')
        if field.option('only'):
            parts.append(f'.only = {c_string(field.option("only"))}')
        if field.option('minor_of'):
            parts.append(f'.minor_of = {c_string(field.option("minor_of"))}')
        flags = {'required': field.required, 'internal': field.internal}
        for name in ('nullable', 'secret', 'output_only'):
            flags[name] = field.option(name, False)
        parts += [f'.{name} = true' for name, value in flags.items() if value]
        parts += [f'.{name} = {value}' for name, value in self.lengths(field)]
        for bound in ('min', 'max'):
            value = field.option(bound)
            if value is not None:
                parts.append(f'.has_{bound} = true, .{bound} = {int64(value)}')
        return '\t{ ' + ', '.join(parts) + ' },'

    def lengths(self, field):
        values = [('min_len', field.option('min_len', 0)), ('max_len', field.max_len),
                  ('item_max_len', field.item_max_len)]
        return [(name, value) for name, value in values if value]


def int64(value):
    return 'INT64_MIN' if value == -2**63 else f'INT64_C({value})'

