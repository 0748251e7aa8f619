"""tools/new-service: what it writes passes the checks of the build, and what it refuses
leaves nothing behind."""
import os
import subprocess
import tempfile
import unittest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
TOOL = os.path.join(TOP, 'tools', 'new-service')
TAKEN = [ # words of the command, and what it says to them
    ('auth thing', 'there is a service or contract auth'),
    ('events thing', '"events" has another meaning in Trellis'),
    ('struct thing', '"struct" has another meaning in C'),
    ('my_things thing', '"my_things" is not a name for a service'),
    ('things', 'it takes the name of a service and of what it keeps'),
    ('things job', '"job" is a table of the framework'),
    ('things order', '"order" has another meaning in SQL'),
    ('things Thing', '"Thing" is not a name for a resource'),
    ('things thing id:int', 'the field id is there already'),
    ('things thing a:int a:text', 'the field a is there twice'),
    ('things thing a:number', '"number" is no type of a field; there are text, name'),
    ('things thing a:text:uniqe', '"uniqe" is none of the marks required, unique, filter'),
    ('things thing owner:id', 'called after it: owner_id:id'),
    ('things thing kind:big|big', 'a value stands there twice'),
    ('things thing kind:big|switch', '"switch" has another meaning in C'),
    ('things tenant', 'the contract would be refused:\n  proto/things/v1/things.proto:14: '
                      'method CreateTenant has the route of tenants.v1.Tenants.CreateTenant'),
    ('things thing --prodct=x', 'unrecognized arguments: --prodct=x; tools/new-service --help'),
]
ALL = ('name:name:required:unique note:text code:slug:unique mail:email page:url weight:int '
       'fragile:bool due_at:time order_id:id:filter size:small|large:filter')


class NewService(unittest.TestCase):
    def setUp(self):
        work = tempfile.TemporaryDirectory()
        self.addCleanup(work.cleanup)
        self.product = os.path.join(work.name, 'shop')

    def run_tool(self, words, *more):
        env = {k: v for k, v in os.environ.items() if k != 'TRELLIS_PRODUCT'}
        return subprocess.run([TOOL, '--product', self.product, *words.split(), *more], text=True,
                              capture_output=True, check=False, env=env)

    def files(self):
        return sorted(os.path.relpath(os.path.join(folder, name), self.product)
                      for folder, _, names in os.walk(self.product) for name in names)

    def text(self, name):
        with open(os.path.join(self.product, name), encoding='utf-8') as file:
            return file.read()

    def test_what_cannot_be_is_refused_and_nothing_is_written(self):
        for words, wanted in TAKEN:
            with self.subTest(words):
                done = self.run_tool(words)
                self.assertEqual(done.returncode, 1)
                self.assertIn(wanted, done.stderr)
                self.assertEqual(self.files(), [])

    def test_a_dry_run_shows_all_and_writes_nothing(self):
        shown = self.run_tool('things thing', '--dry-run').stdout
        self.assertEqual(self.files(), [])
        self.assertEqual(self.run_tool('things thing').returncode, 0)
        for name in self.files():
            if name != 'services/list':
                self.assertIn(f'==> {self.product}/{name}\n{self.text(name)}', shown)

    def test_every_type_is_written_in_contract_and_table(self):
        done = self.run_tool('things thing ' + ALL)
        self.assertEqual((done.returncode, done.stderr), (0, ''))
        self.assertEqual(self.files(), [
            'proto/things/v1/things.proto', 'services/list', 'services/things/README.md',
            'services/things/sql/schema/0001_things.sql', 'services/things/things.c'])
        self.assertTrue(self.text('services/list').endswith('\nthings\n'))
        table = self.text('services/things/sql/schema/0001_things.sql')
        for wanted in ('name       text not null', 'note       text,', 'fragile    boolean not null',
                       'due_at     timestamptz,', 'order_id   uuid,', 'weight     bigint,',
                       'constraint thing_code_key unique (tenant_id, code)',
                       "constraint thing_size_check check (size in ('small', 'large'))",
                       'create index thing_by_size on thing (tenant_id, size, id);',
                       'create index thing_by_order_id on thing (tenant_id, order_id, id);'):
            self.assertIn(wanted, table)
        for line in self.text('proto/things/v1/things.proto').splitlines():
            self.assertLess(len(line), 110, line)
        for wanted in ('tools/up --product', 'compat.py --product', 'GET /api/v1/things answers'):
            self.assertIn(wanted, done.stdout)

    def test_a_second_service_comes_behind_the_first_and_keeps_what_is_there(self):
        self.run_tool('things thing')
        self.assertEqual(self.run_tool('boxes box').returncode, 0)
        self.assertEqual(self.text('services/list').split('\n')[-3:], ['things', 'boxes', ''])
        done = self.run_tool('things other')
        self.assertIn(f'there is a service or contract things in {self.product} already', done.stderr)
        done = self.run_tool('crates box')
        self.assertIn('has the route of boxes.v1.Boxes.CreateBox', done.stderr)
        self.assertNotIn('crates', self.text('services/list'))

    def test_a_folder_of_other_things_is_no_products(self):
        os.makedirs(self.product)
        with open(os.path.join(self.product, 'letter'), 'w', encoding='utf-8'):
            pass
        self.assertIn('has other things in it', self.run_tool('things thing').stderr)
        self.assertEqual(self.files(), ['letter'])


if __name__ == '__main__':
    unittest.main()
