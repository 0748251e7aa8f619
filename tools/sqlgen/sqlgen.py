#!/usr/bin/python3
"""sqlgen - embeds a service's SQL: statements and migrations become C tables. (Over 400
lines: a fifth of them says how SQL is written here.)

    sqlgen.py --service tenants --out OUTDIR --folder services/tenants/sql
    sqlgen.py --service tenants --out OUTDIR FILE.sql ...

A path with /query/ is a statement, one with /schema/ a migration (and one with
/admin/ a plain text, for shared/pg only). It writes
tenants_sql.h and tenants_sql.c into OUTDIR: `extern const struct trl_sql
tenants_sql_<file>` for each statement and `extern const struct trl_sql_set
tenants_sql` for all. A file in the
folder is a statement of the service: no list has it.

CONVENTIONS

sql/query/tenant_update.sql - one statement, no semicolon needed:

    -- Changes a tenant that is still as its reader saw it.
    -- expect: one PRECONDITION
    update tenant set slug = :slug, version = :version where id = :id
    and version = :old_version

  * A parameter is :name (lower_snake_case). It binds first from an argument of
    that name (TRL_ARG_...), then from the message's field of that name; its SQL
    type is what PostgreSQL infers, so cast where it cannot (:after::uuid). Casts
    (::text), strings, quoted names, comments and dollar quotes are left alone. In
    array slices write [1 : (:n)].
  * A column fills the field of its name; alias what differs ("as next", or
    as "account.email" for a nested message). Columns without a field are ignored.
  * -- expect: one CODE   the statement must touch or return exactly one row; else
    the whole batch rolls back with that code. An update or delete without
    RETURNING counts the rows it touched. A text may follow, which the caller
    sees:  -- expect: one CONFLICT "The last owner cannot leave."
    To guard by a condition, select a row only where it holds.
  * select * is refused; columns of an insert must be named.
  * Table names are bare: search_path is the service's schema.
  * -- variant NAME: word = text; word = text   A file with such lines is a statement
    for each of them, file_list_oldest of file_list.sql, in which {word} is that text.
    For a list in several orders, each of which has to read an index of its own:
        -- variant oldest: way = asc; past = >
        -- variant newest: way = desc; past = <
        select id from file where tenant_id = :tenant_id and id {past} :after
        order by id {way} limit :limit

sql/schema/0007_add_plan.sql - a migration: four digits, an underscore, a name. It
runs once, in one transaction, as NAME_owner with search_path set to the schema.
Never edit one that was applied: add the next.

    create table tenant (
        tenant_id uuid not null, id uuid not null, ..., primary key (tenant_id, id));
    comment on table tenant is 'class: tenant';
    -- raises tenant_directory_slug_key: EXISTS slug "This slug is taken."
    create table tenant_directory (... constraint tenant_directory_slug_key unique (slug));
    comment on table tenant_directory is 'class: directory';

  * -- raises CONSTRAINT: CODE [field] "message"   what a violated constraint
    (unique, check, foreign key, exclusion) means to the caller. One that is not
    listed is INTERNAL.
  * Every table declares its class by its comment; <service> migrate then
    enables and forces row security, makes the policies and the grants (write
    none of them yourself, unless a table needs other ones: a table that has a
    policy of its own keeps it, and the class check judges the result):
      class: tenant         rows of trellis.tenant_id  (column tenant_id)
      class: person         rows of trellis.account_id (column account_id)
      class: tenant person  rows of either             (both columns)
      class: system         the app role only inserts, under its tenant_id
      class: directory      no row security; the name ends in _directory; what must
                            be found before tenant or account is known, no more
    The app role gets select, insert, update, delete (system: insert). Other
    rights stand after a semicolon:  'class: tenant; app: select, insert', also of
    columns:  'app: insert, select (id, state), update (state)'
  * When a tenant is erased (bus/service/erase.c), its rows go from every table that has
    a tenant_id, but for class person: what refers to others first, in the order of the
    foreign keys, so these form no circle. Other wishes stand in the comment, too:
    'class: tenant; erase: no' keeps them, 'erase: later' for a year. An index that
    begins with tenant_id keeps that quick where a table is large.
  * For class tenant, primary key, unique indexes and foreign keys carry tenant_id.

--contract NAME.pb: the plain statements of the resources that a contract declares
(project_get, _list, _list_by_FIELD, _insert, _update, _delete, _lock, _room; see
resources.py) are made as if they stood in sql/query/. A file there of the same name is
taken instead.
"""
import argparse
import hashlib
import pathlib
import re
import sys

from sqltext import Refused, framework_tables, line_of, named, refuse_other_schemas, tokens

sys.dont_write_bytecode = True

CODES = ('MALFORMED INVALID UNAUTHENTICATED DENIED NOT_FOUND EXISTS CONFLICT '
         'PRECONDITION RATE QUOTA BUSY UNAVAILABLE DEADLINE UNCERTAIN INTERNAL').split()
NUMBERS = dict(zip(CODES, list(range(1, 11)) + list(range(32, 37))))


VARIANT = re.compile(r'^[ \t]*--[ \t]*variant\b[ \t]*(.*?)[ \t]*$', re.M)


def statements_of(stem, source, file):
    """(name, text) of the one statement that a file has, or of its variants."""
    lines, body = list(VARIANT.finditer(source)), VARIANT.sub('', source)
    if not lines:
        yield stem, source
    for line in lines:
        said = re.fullmatch(r'([a-z0-9_]+):(.*)', line.group(1))
        words = {k.strip(): v.strip() for k, _, v in
                 (w.partition('=') for w in (said.group(2) if said else '').split(';'))}
        if not said or set(words) != set(re.findall(r'\{(\w+)\}', body)):
            raise Refused(file, line_of(source, line.start()), 'say -- variant NAME: word = text; '
                          'word = text, of each {word} that the statement has')
        yield f'{stem}_{said.group(1)}', re.sub(r'\{(\w+)\}', lambda m: words[m.group(1)], body)


class Statement:
    def __init__(self, base, source, file, service):
        self.file, self.service = file, service
        self.base = base
        if not re.fullmatch(r'[a-z][a-z0-9_]*', self.base):
            raise Refused(file, 1, 'the name must be lower_snake_case')
        self.name = f'{service}_{self.base}'
        if len(self.name) > 60:
            raise Refused(file, 1, 'the name is longer than PostgreSQL allows')
        self.expect, self.message = None, ''
        self.read_header(source)
        self.params = []
        self.text = self.translate(source)
        self.words = [t.lower() for k, t, _ in tokens(self.text) if k == 'word']
        if not self.words:
            raise Refused(file, 1, 'there is no statement')
        self.check(source)
        refuse_other_schemas(source, file)
        self.writes = any(w in self.words for w in ('insert', 'update', 'delete', 'merge')) \
            or 'share' in self.words and 'for' in self.words \
            or self.words[0] not in ('select', 'with', 'values')
        self.plain = self.text
        self.guarded = None
        if self.expect:
            self.guarded = self.wrap()

    def read_header(self, source):
        for match in re.finditer(r'^[ \t]*--[ \t]*expect:[ \t]*(.*?)[ \t]*$', source, re.M):
            line = line_of(source, match.start())
            if self.expect:
                raise Refused(self.file, line, 'a second expect')
            found = re.fullmatch(r'one ([A-Z_]+)(?: "([^"\']*)")?', match.group(1))
            if not found or found.group(1) not in NUMBERS:
                raise Refused(self.file, line, 'say "expect: one CODE", with a code of '
                              'error.proto and perhaps a "text"')
            self.expect, self.message = found.group(1), found.group(2) or ''

    def translate(self, source):
        out = []
        for kind, text, offset in tokens(source):
            if kind == 'comment':
                out.append(' ')
            elif kind == 'param':
                name = text[1:]
                if name not in self.params:
                    self.params.append(name)
                out.append('$%d' % (self.params.index(name) + 1))
            elif kind == 'space':
                out.append(' ')
            elif kind == 'other' and text == '$':
                raise Refused(self.file, line_of(source, offset),
                              'parameters are named (:slug), not numbered')
            else:
                out.append(text)
        text = re.sub(r' +', ' ', ''.join(out)).strip() if "'" not in source \
            else ''.join(out).strip()
        text = text.rstrip(';').rstrip()
        if any(k == 'other' and t == ';' for k, t, _ in tokens(text)):
            raise Refused(self.file, 1, 'more than one statement')
        if len(self.params) > 48:
            raise Refused(self.file, 1, 'more than 48 parameters')
        return text

    def check(self, source):
        before = None
        for kind, text, offset in tokens(source):
            if kind in ('space', 'comment'):
                continue
            if kind == 'other' and text == '*' and before is not None and \
                    before.lower() in ('select', 'distinct', 'returning', ',', '.'):
                raise Refused(self.file, line_of(source, offset), 'name the columns instead of *')
            before = text
        for match in re.finditer(r'\binsert\s+into\s+[\w."]+(?:\s+as\s+\w+)?\s*(\S)', self.text, re.I):
            if match.group(1) != '(':
                raise Refused(self.file, 1, 'name the columns of the insert')

    def split_with(self):
        """The WITH list (or '') and the main statement after it."""
        found = list(tokens(self.text))
        if found[0][1].lower() != 'with':
            return '', self.text
        depth, after_body = 0, False
        for kind, text, offset in found:
            if kind == 'other' and text == '(':
                depth += 1
            elif kind == 'other' and text == ')':
                depth -= 1
                after_body = depth == 0
            elif depth == 0 and kind == 'word' and after_body and text.lower() in (
                    'select', 'insert', 'update', 'delete', 'values'):
                return self.text[:offset].rstrip() + ', ', self.text[offset:]
            elif depth == 0 and kind == 'other' and text == ',':
                after_body = False
        raise Refused(self.file, 1, 'cannot find the statement after WITH')

    def wrap(self):
        """PostgreSQL itself raises where the count is wrong, so that the batch
        rolls back; the function is only called then."""
        before, main = self.split_with()
        head = before or 'with '
        first = main.split(None, 1)[0].lower()
        depth, returns = 0, first in ('select', 'values')
        for kind, text, _ in tokens(main):
            if kind == 'other' and text in '()':
                depth += 1 if text == '(' else -1
            elif depth == 0 and kind == 'word' and text.lower() == 'returning':
                returns = True
        guard = (f"case when count(*) = 1 then true else trl_raise({NUMBERS[self.expect]}, "
                 f"'{self.name}', count(*)) end as trl_ok")
        if returns:
            return (f'{head}trl_g as ({main}) select trl_g.* from (select {guard} from trl_g) '
                    f'trl_e left join trl_g on true where trl_e.trl_ok')
        return f'{head}trl_g as ({main} returning 1) select {guard} from trl_g'


class Migration:
    def __init__(self, path, file, taken=()):
        self.file = file
        found = re.fullmatch(r'(\d{4})_[a-z0-9_]+', path.stem)
        if not found:
            raise Refused(file, 1, 'a migration is named 0007_add_plan.sql')
        self.number, self.name = int(found.group(1)), path.stem
        self.text = path.read_text()
        self.checksum = hashlib.blake2b(self.text.encode(), digest_size=32).digest()
        self.constraints = []
        for match in re.finditer(r'^[ \t]*--[ \t]*raises\b[ \t]*(.*?)[ \t]*$', self.text, re.M):
            line = line_of(self.text, match.start())
            rule = re.fullmatch(r'([a-z0-9_]+): ([A-Z_]+)(?: ([a-z0-9_.]+))? "([^"]*)"',
                                match.group(1))
            if not rule or rule.group(2) not in NUMBERS:
                raise Refused(file, line, 'say -- raises CONSTRAINT: CODE field "message"')
            self.constraints.append(rule.groups())
        if re.search(r'\bsecurity\s+definer\b', self.text, re.I):
            raise Refused(file, 1, 'SECURITY DEFINER passes row security')
        refuse_other_schemas(self.text, file)
        for before, name, line in named(self.text, 'table'):
            if before == 'create' and name[0] in taken:
                raise Refused(file, line, f'the table {name[0]} is the framework\'s, and in every '
                              'schema: choose another name')
        for before, _, line in named(self.text, 'schema'):
            if before == 'create':
                raise Refused(file, line, 'makes a schema; a service has its own already')


def misnumbered(migrations):
    """What is wrong with the numbers of migrations in their order, which go 0001, 0002, 0003."""
    found = []
    for want, item in enumerate(migrations, 1):
        if item.number < want:
            found.append(f'{item.file}:1: {migrations[want - 2].name}.sql has its number; the next free '
                         f'one is {migrations[-1].number + 1:04d}')
        elif item.number > want:
            found.append(f'{item.file}:1: there is no {want:04d} before it; the numbers have no gap')
    return found


def c_string(text):
    """A C literal in pieces of a line each."""
    lines = []
    for piece in text.splitlines(keepends=True) or ['']:
        for start in range(0, len(piece), 900):
            out = ''
            for byte in piece[start:start + 900].encode():
                char = chr(byte)
                if char in '"\\':
                    out += '\\' + char
                elif char == '\n':
                    out += '\\n'
                elif 32 <= byte < 127 and char != '?':
                    out += char
                else:
                    out += '\\%03o' % byte
            lines.append(f'"{out}"')
    return '\n\t    '.join(lines) or '""'


def header(service, set_name, statements, texts):
    out = [f'/* Made by tools/sqlgen from the SQL of {service}. */', '#pragma once', '',
           '#include <trl/sql.h>', '', f'extern const struct trl_sql_set {set_name};']
    for item in statements:
        out.append(f'extern const struct trl_sql {service}_sql_{item.base};')
    for name, _ in texts:
        out.append(f'extern const char {service}_sql_{name}[];')
    return '\n'.join(out) + '\n'


def source(service, set_name, statements, migrations, texts, resources, header_name):
    constraints = [(*c, item.file) for item in migrations for c in item.constraints]
    constraints += [c for r in resources for c in r.constraints]
    out = [f'/* Made by tools/sqlgen from the SQL of {service}. */',
           f'#include "{header_name}"', '', '#include <stddef.h>', '',
           '/* A migration is one text, longer than C99 asks compilers to take. */',
           '#pragma GCC diagnostic ignored "-Woverlength-strings"', '']
    for index, item in enumerate(statements):
        params = ', '.join(f'"{p}"' for p in item.params)
        symbol = f'{service}_sql_{item.base}'
        out.append(f'static const char *const {symbol}_params[] = {{ {params}{", " if params else ""}NULL }};')
        guarded = 'NULL' if item.guarded is None else c_string(item.guarded)
        out.append(f'''const struct trl_sql {symbol} = {{
	.name = "{item.name}",
	.file = "{item.file}",
	.text = {c_string(item.plain)},
	.guarded = {guarded},
	.params = {symbol}_params,
	.n_params = {len(item.params)},
	.expect = {'TRL_EXPECT_ONE' if item.expect else 'TRL_EXPECT_ANY'},
	.otherwise = {'TRL_' + item.expect if item.expect else 'TRL_OK'},
	.message = {c_string(item.message)},
	.writes = {'true' if item.writes else 'false'},
	.index = {index},
}};''')
    for name, body in texts:
        out.append(f'const char {service}_sql_{name}[] =\n\t    {c_string(body)};')
    out.append('static const struct trl_sql *const all_statements[] = {')
    out += [f'\t&{service}_sql_{item.base},' for item in statements] + ['\tNULL', '};']
    out.append('static const struct trl_sql_constraint all_constraints[] = {')
    count = 0
    seen = set()
    for name, code, field, message, file in constraints:
        if name in seen:
            raise Refused(file, 1, f'{name} is declared twice')
        seen.add(name)
        count += 1
        out.append(f'\t{{ "{name}", TRL_{code}, "{field or ""}", {c_string(message)} }},')
    out += ['\t{ NULL, TRL_OK, NULL, NULL }', '};']
    out.append('static const struct trl_sql_migration all_migrations[] = {')
    for item in migrations:
        checksum = ', '.join('0x%02x' % b for b in item.checksum)
        out.append(f'\t{{ {item.number}, "{item.name}",\n\t    {c_string(item.text)},\n\t    {{ {checksum} }} }},')
    out += ['\t{ 0, NULL, NULL, { 0 } }', '};']
    if resources:
        out += [f'extern const struct trl_resource {r.name};' for r in resources]
        out.append('static const struct trl_resource *const all_resources[] = {')
        out += [f'\t&{r.name},' for r in resources] + ['\tNULL', '};']
    out.append(f'''const struct trl_sql_set {set_name} = {{
	.service = "{service}",
	.statements = all_statements,
	.n_statements = {len(statements)},
	.constraints = all_constraints,
	.n_constraints = {count},
	.migrations = all_migrations,
	.n_migrations = {len(migrations)},
	.resources = {'all_resources' if resources else 'NULL'},
}};''')
    return '\n'.join(out) + '\n'


def add_plain(statements, resources, service):
    """The plain statements of resources, but where the service has its own, which then
    takes the same parameters. True: one does not."""
    own, failed = {s.base: s for s in statements}, False
    for made in resources:
        for base, text in made.statements:
            plain = Statement(base, text, made.place, service)
            if base not in own:
                statements.append(plain)
                continue
            for sentence in made.unbound(own[base].params, plain.params, base):
                print(f'{own[base].file}:1: {sentence}', file=sys.stderr)
                failed = True
    return failed


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--service', required=True)
    parser.add_argument('--set', help='name of the set, default SERVICE_sql')
    parser.add_argument('--name', help='stem of the files written, default the set')
    parser.add_argument('--root', default=str(pathlib.Path(__file__).resolve().parents[2]))
    parser.add_argument('--out', required=True)
    parser.add_argument('--folder', help='take all of its query/, schema/ and admin/')
    parser.add_argument('--depfile', help='of --folder: what was looked at')
    parser.add_argument('--contract', help='the descriptors of a contract with resources')
    parser.add_argument('files', nargs='*')
    args = parser.parse_args()
    if args.folder:
        folders = [p for p in (pathlib.Path(args.folder), *pathlib.Path(args.folder).iterdir()) if p.is_dir()]
        args.files += [str(p) for f in folders for p in sorted(f.glob('*.sql'))]
    set_name = args.set or f'{args.service}_sql'
    stem = args.name or set_name
    root = pathlib.Path(args.root).resolve()
    statements, migrations, texts, failed = [], [], [], False
    taken = set() if args.service == 'trl' else framework_tables()
    resources = []
    if args.contract:  # read by the generator of contracts
        from resources import read
        resources = read(args.contract)
    for name in args.files:
        path = pathlib.Path(name).resolve()
        file = str(path.relative_to(root)) if path.is_relative_to(root) else path.name
        if args.folder and not path.is_relative_to(root):  # a product's: services/NAME/sql/...
            file = str(path.relative_to(pathlib.Path(args.folder).resolve().parents[2]))
        try:
            if path.parent.name == 'query':
                statements += [Statement(base, text, file, args.service)
                               for base, text in statements_of(path.stem, path.read_text(), file)]
            elif path.parent.name == 'admin':
                texts.append((path.stem, path.read_text()))
            elif path.parent.name == 'schema':
                migrations.append(Migration(path, file, taken))
            else:
                raise Refused(file, 1, 'stands neither in query/ nor in schema/')
        except Refused as refused:
            print('%s:%d: %s' % refused.args, file=sys.stderr)
            failed = True
    failed |= add_plain(statements, resources, args.service)
    statements.sort(key=lambda s: s.name)
    migrations.sort(key=lambda m: (m.number, m.name))
    for sentence in misnumbered(migrations)[:1]:
        print(sentence, file=sys.stderr)
        failed = True
    if failed:
        return 1
    out = pathlib.Path(args.out)
    (out / f'{stem}.h').write_text(header(args.service, set_name, statements, texts))
    (out / f'{stem}.c').write_text(
        source(args.service, set_name, statements, migrations, texts, resources,
               f'{stem}.h'))
    if args.depfile:
        seen = ' '.join(str(p).replace(' ', r'\ ') for p in [*folders, *args.files])
        pathlib.Path(args.depfile).write_text(f'{out / stem}.h: {seen}\n')
    return 0


if __name__ == '__main__':
    sys.exit(main())
