"""What a field on the command line means: state:open|closed:filter."""
import re

from folders import HAS_MEANING, Refused

OWN = ('id', 'tenant_id', 'version', 'created_at', 'updated_at', 'created_by', 'clear',
       'page_size', 'page_token', 'items', 'next_page_token')
MARKS = ('required', 'unique', 'filter')
# Of each type: how the contract says it, its options, the column's type.
TYPES = {
    'text': ('string', 'max_len: 1000', 'text'),
    'name': ('string', 'format: NAME max_len: 100', 'text'),
    'slug': ('string', 'format: SLUG max_len: 63', 'text'),
    'email': ('string', 'format: EMAIL max_len: 254', 'text'),
    'url': ('string', 'format: URL max_len: 2048', 'text'),
    'int': ('int64', '', 'bigint'),
    'bool': ('bool', '', 'boolean'),
    'time': ('google.protobuf.Timestamp', '', 'timestamptz'),
    'id': ('bytes', 'format: ID', 'uuid'),
}
WORD = re.compile(r'[a-z][a-z0-9]*(_[a-z0-9]+)*')


def refuse_word(word, what):
    """A word that stands in contracts, in C and in SQL."""
    if not WORD.fullmatch(word) or len(word) > 40:
        raise Refused(f'"{word}" is not a name for a {what}: lower_snake_case, at most 40 characters')
    if HAS_MEANING.get(word, 'in Trellis') != 'in Trellis':
        raise Refused(f'"{word}" has another meaning {HAS_MEANING[word]}; choose another name for the {what}')


def camel(name):
    return ''.join(part.capitalize() for part in name.split('_'))


class Field:
    def __init__(self, text):
        self.name, *rest = text.split(':')
        kind, marks = (rest or [''])[0], rest[1:]
        refuse_word(self.name, 'field')
        if self.name in OWN:
            raise Refused(f'the field {self.name} is there already: the framework sets it')
        for mark in marks:
            if mark not in MARKS:
                raise Refused(f'{text}: "{mark}" is none of the marks {", ".join(MARKS)}')
        self.values = kind.split('|') if '|' in kind else []
        for value in self.values:
            refuse_word(value, 'value of an enum')
        if len(set(self.values)) != len(self.values):
            raise Refused(f'{text}: a value stands there twice')
        if not self.values and kind not in TYPES:
            raise Refused(f'{text}: "{kind}" is no type of a field; there are {", ".join(TYPES)}, '
                          "and an enum's values, such as open|closed")
        if kind == 'id' and not self.name.endswith('_id'):
            raise Refused(f'{text}: the id of something is called after it: {self.name}_id:id')
        self.kind = kind
        self.required, self.unique, self.filter = (m in marks for m in MARKS)
        if self.values:
            self.type, self.options, self.column = camel(self.name), '', 'text'
        else:
            self.type, self.options, self.column = TYPES[kind]
        if self.filter and self.kind in ('time', 'text'):
            raise Refused(f'{text}: a filter asks for one value, which a {kind} has none of')

    @property
    def never_null(self):
        return self.required or bool(self.values) or self.kind == 'bool'

    @property
    def comment(self):
        words = self.name.replace('_', ' ')
        if self.name == 'name':
            return 'What people call it.'
        if self.values:
            return f'Its {words}.'
        if self.kind == 'bool':
            return f'Whether it is {words}.'
        if words.endswith(' at'):
            return f'When it is {words[:-3]}.'
        if self.kind == 'id':
            return f'The {words[:-3]} that it belongs to.'
        return f'Its {words}.'

    def rule(self, *more):
        """(trellis.field) of it, with what a request adds."""
        options = ' '.join(o for o in (*more, self.options) if o)
        return f' [(trellis.field) = {{ {options} }}]' if options else ''
