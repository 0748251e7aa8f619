"""The list of services and their folders, in the tree and in a product's: what cannot be
is refused with a sentence and its place, and what is there is found."""
import os
import subprocess
import sys
import tempfile
import unittest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
TOOL = os.path.join(TOP, 'services', 'folders.py')


class Folders(unittest.TestCase):
    def setUp(self):
        work = tempfile.TemporaryDirectory()
        self.addCleanup(work.cleanup)
        self.top, self.product = os.path.join(work.name, 'top'), os.path.join(work.name, 'shop')
        self.put('top/services/list', '# The services.\nauth\n')
        self.put('top/services/auth/auth.c')
        self.put('top/proto/trellis/auth/v1/auth.proto')
        self.put('top/proto/trellis/events/v1/events.proto')
        self.put('top/proto/trellis/trl/meson.build')
        self.put('shop/services/list', 'projects\n')
        self.put('shop/services/projects/projects.c')
        self.put('shop/proto/projects/v1/projects.proto')

    def put(self, path, text=''):
        path = os.path.join(os.path.dirname(self.top), path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'w', encoding='utf-8') as file:
            file.write(text)

    def run_tool(self, *more, product=''):
        done = subprocess.run([sys.executable, '-B', TOOL, self.top, product, *more], text=True,
                              capture_output=True, check=False)
        return done.returncode, done.stdout if done.returncode == 0 else done.stderr

    def refused(self, wanted, product=''):
        code, said = self.run_tool(product=product)
        self.assertEqual(code, 1, said)
        self.assertIn(wanted, said)

    def test_a_folder_is_what_is_in_it(self):
        for name in ('keys.c', 'rooms/door.c', 'test_keys.c', 'config.c', 'words/en/new.txt',
                     'sql/query/key_get.sql', 'auth.h', 'meson.build', '.keys.c.swp'):
            self.put(f'top/services/auth/{name}')
        self.put('top/services/auth/uses', '# Images.\nvips\n')
        self.assertEqual(self.run_tool()[1].splitlines(), [
            'service\tauth\tauth', 'source\tauth\tauth/auth.c', 'config\tauth\tauth/config.c',
            'source\tauth\tauth/keys.c', 'test\tauth\tauth/test_keys.c', 'uses\tauth\tvips',
            'source\tauth\tauth/rooms/door.c',
            'sql\tauth\tauth/sql',
            'contract\tauth_v1\ttrellis/auth/v1/auth.proto'])

    def test_a_program_beside_a_service_is_no_part_of_it(self):
        for name in ('draw/main.c', 'draw/pen.c', 'draw/test_pen.c', 'keys.c'):
            self.put(f'top/services/auth/{name}')
        self.put('top/services/auth/draw/uses', 'cairo\n')
        self.assertEqual(self.run_tool()[1].splitlines()[1:-1], [
            'source\tauth\tauth/auth.c', 'source\tauth\tauth/keys.c', 'program\tauth\tdraw',
            'program_source\tdraw\tauth/draw/main.c', 'program_source\tdraw\tauth/draw/pen.c',
            'program_test\tdraw\tauth/draw/test_pen.c', 'program_uses\tdraw\tcairo'])
        self.put('shop/services/projects/draw/main.c')
        self.refused('services/projects/draw/main.c: trellis-draw is there already', self.product)
        self.put('shop/services/projects/auth/main.c')
        os.remove(f'{self.product}/services/projects/draw/main.c')
        self.refused('services/projects/auth/main.c: trellis-auth is there already', self.product)

    def test_a_products_services_come_after(self):
        at = f'{self.product}/services/projects'
        self.assertEqual(self.run_tool(product=self.product)[1].splitlines()[-3:], [
            f'service\tprojects\t{at}', f'source\tprojects\t{at}/projects.c',
            'contract\tprojects_v1\tprojects/v1/projects.proto'])

    def test_names_that_cannot_be(self):
        for name, wanted in (
                ('auth', 'services/list:3: "auth" stands there twice'),
                ('any', '"any" has another meaning in Trellis'),
                ('test', '"test" has another meaning in Trellis'),
                ('shared', '"shared" has another meaning in Trellis'),
                ('struct', '"struct" has another meaning in C'),
                ('order', '"order" has another meaning in SQL'),
                ('Projects', '"Projects" is not a name for a service'),
                ('my-projects', '2 to 31 of a-z and 0-9'),
                ('projects', 'services/list:3: there is no folder services/projects; make it')):
            with self.subTest(name):
                self.put('top/services/list', f'# The services.\nauth\n{name}\n')
                self.refused(wanted)

    def test_a_product_that_names_what_is_trellis_own(self):
        self.put('shop/services/list', 'projects\nauth\n')
        self.refused(f'{self.product}/services/list:2: "auth" is a service or contract '
                     'of Trellis itself', self.product)

    def test_a_folder_without_a_service_in_it(self):
        self.put('top/services/list', 'auth\nmedia\n')
        self.put('top/services/media/test_media.c')
        self.refused('services/media has no .c file: it begins with media.c, which declares '
                     'struct trl_service media_service.')

    def test_a_folder_that_the_list_forgot(self):
        self.put('top/services/media/media.c')
        self.refused('services/media is not in services/list: add the line')
        self.put('top/services/list', 'auth\nmedia\n')
        self.put('top/proto/trellis/ledger/v1/ledger.proto')
        self.refused('proto/trellis/ledger is the contract of no service in services/list')
        self.put('top/services/list', 'auth\nmedia\nledger\n')
        self.put('top/services/ledger/ledger.c')
        self.put('shop/services/boxes/boxes.c')
        self.refused(f'{self.product}/services/boxes is not in {self.product}/services/list', self.product)

    def test_a_product_without_what_it_needs(self):
        self.refused('the product folder /no/such is not there', '/no/such')
        self.put('shop/services/list', 'projects\nmedia\n')
        self.refused(f'{self.product}/services/list:2: there is no folder '
                     f'{self.product}/services/media', self.product)
        self.put('shop/services/list', 'projects\n')
        self.put('shop/proto/trellis/auth/v1/auth.proto')
        self.refused(f'{self.product}/proto/trellis is the contract of no service', self.product)
        os.remove(os.path.join(self.product, 'services', 'list'))
        self.refused(f'{self.product}/services/list cannot be read', self.product)

    def test_a_listing_that_is_as_it_was_is_left_alone(self):
        out, deps = (os.path.join(self.top, name) for name in ('out', 'deps'))
        self.assertEqual(self.run_tool(out, deps)[0], 0)
        first = os.stat(out).st_ino, os.stat(out).st_mtime_ns
        self.put('top/services/auth/.hidden')
        self.run_tool(out, deps)
        self.assertEqual((os.stat(out).st_ino, os.stat(out).st_mtime_ns), first)
        with open(deps, encoding='utf-8') as file:
            self.assertIn(f'{self.top}/services/auth ', file.read() + ' ')
        self.put('top/services/auth/new.c')
        self.run_tool(out, deps)
        with open(out, encoding='utf-8') as file:
            self.assertIn('auth/new.c', file.read())


if __name__ == '__main__':
    unittest.main()
