#!/usr/bin/python3
"""Tests of sqlgen: what becomes a parameter, what is wrapped, what is refused."""
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
sys.dont_write_bytecode = True
import bindings  # noqa: E402
import sqlgen  # noqa: E402


def statement(text, name='x'):
    return sqlgen.Statement(name, text, f'query/{name}.sql', 'svc')


def migration(text, name='0001_x'):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / f'{name}.sql'
        path.write_text(text)
        return sqlgen.Migration(path, f'schema/{name}.sql', sqlgen.framework_tables())


class Parameters(unittest.TestCase):
    def test_a_name_is_one_position_however_often_it_stands(self):
        s = statement('select a from t where a = :b and c > :a and d = :b')
        self.assertEqual(s.params, ['b', 'a'])
        self.assertEqual(s.text, 'select a from t where a = $1 and c > $2 and d = $1')

    def test_casts_strings_comments_quotes_and_dollars_are_left_alone(self):
        for text in ("select a::text from t", "select ':a' from t", "select 'it''s :a' from t",
                     "select E'\\':a' from t", "select '\\' || ':a' from t", 'select ":a" from t',
                     "select $$ :a $$ from t", "select $x$ :a $$ $x$ from t"):
            s = statement(text)
            self.assertEqual((s.params, s.text), ([], text))
        self.assertEqual(statement('select a -- :no\nfrom t /* :no */ where b = :yes').params, ['yes'])

    def test_a_parameter_may_be_cast(self):
        self.assertEqual(statement('select a from t where b = :b::uuid').text,
                         'select a from t where b = $1::uuid')


class Variants(unittest.TestCase):
    def test_a_file_without_any_is_the_statement_of_its_name(self):
        text = "select '{}'::text[] as none"
        self.assertEqual(list(sqlgen.statements_of('x', text, 'x.sql')), [('x', text)])

    def test_each_has_its_own_words(self):
        found = {name: statement(text, name).text for name, text in sqlgen.statements_of(
            'list', '-- variant up: way = asc; past = >= :a::text\n-- variant down: past = <; way =\n'
            'select a from t where a {past} order by a {way}, b {way}', 'list.sql')}
        self.assertEqual(found, {'list_up': 'select a from t where a >= $1::text order by a asc, b asc',
                                 'list_down': 'select a from t where a < order by a , b'})

    def test_a_word_that_is_missing_or_of_no_use_is_refused(self):
        for line in ('up:', 'up: a = 1; c = 2', 'up: a = 1; b = 2; c = 3', 'Up: a = 1; b = 2', 'a = 1'):
            with self.assertRaises(sqlgen.Refused, msg=line) as caught:
                list(sqlgen.statements_of('x', f'-- Says.\n-- variant {line}\nselect {{a}}, {{b}}', 'x.sql'))
            self.assertEqual(caught.exception.args[:2], ('x.sql', 2))


class Guards(unittest.TestCase):
    def test_an_update_counts_what_it_touched(self):
        s = statement('-- expect: one PRECONDITION\nupdate t set a = :a')
        self.assertIn('with trl_g as (update t set a = $1 returning 1) select case', s.guarded)
        self.assertIn("trl_raise(8, 'svc_x', count(*))", s.guarded)

    def test_a_select_keeps_its_columns(self):
        s = statement('-- expect: one NOT_FOUND "Gone."\nselect a, b from t')
        self.assertEqual((s.text, s.message), ('select a, b from t', 'Gone.'))
        self.assertIn('select trl_g.* from (select case', s.guarded)

    def test_a_with_stays_at_the_top(self):
        s = statement('-- expect: one NOT_FOUND\nwith x as (insert into u (a) values (:a) '
                      'returning a) update t set a = 1 where a in (select a from x)')
        self.assertTrue(s.guarded.startswith('with x as (insert into u (a) values ($1) '
                                             'returning a), trl_g as (update t'))

    def test_reads_and_writes_are_told_apart(self):
        for text, writes in (('select a from t', False), ('select a from t for update', True),
                             ('select a from t for key share', True), ('delete from t', True),
                             ('with x as (delete from t returning a) select a from x', True),
                             ('select updated_at, delete_at from t', False), ('begin', True)):
            self.assertEqual(statement(text).writes, writes, text)


class Refusals(unittest.TestCase):
    def test_each_broken_convention_is_refused(self):
        for text in ('select * from t', 'select t.* from t', 'insert into t values (1)',
                     'delete from t returning *', 'select $1', 'select 1; select 2', '-- nothing',
                     '-- expect: one NONSENSE\nselect 1', '-- expect: many NOT_FOUND\nselect 1',
                     '-- expect: one EXISTS\n-- expect: one EXISTS\nselect 1'):
            with self.assertRaises(sqlgen.Refused, msg=text):
                statement(text)
        with self.assertRaises(sqlgen.Refused):
            statement('select 1', 'BadName')

    def test_stars_that_are_no_columns_pass(self):
        statement('select count(*), 2 * 3 as n from t')

    def test_migrations_are_read(self):
        m = migration('-- raises t_key: EXISTS slug "Taken."\n-- raises t_check: CONFLICT "No."\n')
        self.assertEqual(m.constraints, [('t_key', 'EXISTS', 'slug', 'Taken.'),
                                         ('t_check', 'CONFLICT', None, 'No.')])
        for text, name in (('-- raises nonsense', '0001_x'), ('-- raises a: NO "x"', '0001_x'),
                           ('create function f() security definer', '0001_x'), ('', '1_x')):
            with self.assertRaises(sqlgen.Refused, msg=text):
                migration(text, name)

    def test_migrations_have_each_number_once(self):
        def told(*names):
            return sqlgen.misnumbered([migration('', name) for name in names])
        self.assertEqual(told('0001_a', '0002_b'), [])
        self.assertEqual(told('0001_a', '0003_b'), [
            'schema/0003_b.sql:1: there is no 0002 before it; the numbers have no gap'])
        self.assertEqual(told('0001_a', '0001_b', '0002_c')[0],
                         'schema/0001_b.sql:1: 0001_a.sql has its number; the next free one is 0003')

    def test_no_schema_but_the_own_one_and_no_table_of_the_framework(self):
        self.assertLessEqual({'outbox', 'inbox', 'job', 'audit', 'schema_migration'},
                             sqlgen.framework_tables())
        for text, wanted in (
                ('\ncreate table if not exists tenants.tenant (a int)', (2, 'the schema tenants')),
                ('create table a (b int\n references auth.account (id))', (2, 'the schema auth')),
                ('create table "outbox" (a int)', (1, 'the table outbox is the framework')),
                ('create schema other', (1, 'makes a schema'))):
            with self.assertRaises(sqlgen.Refused, msg=text) as caught:
                migration(text)
            self.assertEqual(caught.exception.args[:2], ('schema/0001_x.sql', wanted[0]))
            self.assertIn(wanted[1], caught.exception.args[2])
        with self.assertRaises(sqlgen.Refused):
            statement('insert into tenants.tenant (a) values (:a)')
        for text in ('create table a (b int); alter table outbox set (fillfactor = 80)',
                     'select extract(epoch from a.at) from a join pg_catalog.pg_class c on true'):
            migration(text)


class Bindings(unittest.TestCase):
    """What C binds, against the statement's parameters."""

    def told(self, call):
        return [s for _, s in bindings.wrong(call, {'thing_get': ['tenant_id', 'id']}, {
            'Svc__V1__Thing': {'id'}, 'Svc__V1__Thing__Part': {'size'}})]

    def test_what_fits_is_fine(self):
        for call in (
                'trl_batch_add(work, &svc_sql_thing_get, NULL, TRL_ARG_ID("tenant_id", t), '
                'TRL_ARG_ID("id", f(a, b)));',
                'trl_batch_get(work, &svc_sql_thing_get, &in->base, &out->base, '
                'TRL_ARG_ID("tenant_id", t));',
                'trl_batch_add(work, &svc_sql_thing_get, NULL, owner);',
                'trl_batch_add(work, &svc_sql_thing_get, NULL, has ? TRL_ARG_ID("id", i) : '
                'TRL_ARG_NULL("id"), TRL_ARG_ID("tenant_id", t));'):
            self.assertEqual(self.told(call), [])

    def test_a_slip_is_told(self):
        self.assertIn('takes no :tenant; it takes :tenant_id, :id', self.told(
            'trl_batch_add(work, &svc_sql_thing_get, NULL, TRL_ARG_ID("tenant", t));')[0])
        self.assertIn('nothing gives :id to thing_get.sql', self.told(
            'trl_batch_add(work, &svc_sql_thing_get, NULL,\n TRL_ARG_ID("tenant_id", t));')[0])
        self.assertIn('nothing gives :id to thing_get.sql', self.told(
            'trl_batch_get_one(ctx, self->pg, TRL_SCOPE_TENANT(t), &svc_sql_thing_get, NULL, &out->base,\n'
            ' TRL_ARG_ID("tenant_id", t));')[0])
        self.assertIn('nothing gives :tenant_id to thing_get.sql: no argument and no message', self.told(
            'trl_batch_get(work, &svc_sql_thing_get, &in->base, &out->base);')[0])
        self.assertEqual(['nothing gives :id to thing_get.sql: no argument and no field of Svc__V1__Thing__Part '
                          'has this name'], self.told(
            'f(const Svc__V1__Thing *in)\n{\n}\ng(const Svc__V1__Thing__Part *in) {\n'
            'trl_batch_add(work, &svc_sql_thing_get, &in->base, TRL_ARG_ID("tenant_id", t)); }'))

    def test_messages_are_read_of_contracts(self):
        self.assertEqual(bindings.messages_of("""
            package svc.v1;
            // A "thing { of its own.
            message Thing {
              option (trellis.resource) = { kind: "thing" unique: { fields: "a" says: "}" } };
              message Part { optional int64 size = 1 [(trellis.field) = { example: "https://x" }]; }
              repeated Part parts = 2;
              map<string, string> marks = 3;
            }
            message Empty {}"""), {
                'Svc__V1__Thing': {'parts', 'marks'}, 'Svc__V1__Thing__Part': {'size'}, 'Svc__V1__Empty': set()})


if __name__ == '__main__':
    unittest.main()
