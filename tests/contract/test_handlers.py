"""What a contract asks of its service and nobody wrote is told with its beginning."""
import os
import subprocess
import sys
import unittest

from protos import TOP, Folder

sys.path.insert(0, os.path.join(TOP, 'services'))
import handlers  # noqa: E402

HEADER = '''\
/* Made by contractgen from proto/zoo/v1/zoo.proto.
 */
struct zoo;

/* Adds what goes with it. */
void zoo_join_animal(struct zoo *self, trl_ctx *ctx, trl_batch *work,
    const Zoo__V1__Animal *before, const Zoo__V1__Animal *after);

/* Feeds one. */
enum trl_code zoo_feed_animal(struct zoo *self, trl_ctx *ctx,
    const Zoo__V1__FeedAnimalRequest *in, Zoo__V1__Animal *out) TRL_MUST_CHECK;

extern const struct trl_contract zoo_v1_server;
'''


class Handlers(unittest.TestCase):
    def test_what_is_there_is_fine(self):
        found = {'zoo_service', 'zoo_join_animal', 'zoo_feed_animal', 'zoo_v1_server'}
        self.assertEqual(list(handlers.missing('zoo', HEADER, found)), [])
        self.assertEqual(list(handlers.missing('zoo', '', {'zoo_service'})), [])

    def test_a_forgotten_function_is_told_with_its_beginning(self):
        self.assertEqual(list(handlers.missing('zoo', HEADER, {'zoo_service', 'zoo_join_animal'})), [
            'services/zoo: no file of it defines zoo_feed_animal, which proto/zoo/v1/zoo.proto asks for. '
            'It begins:\n\nenum trl_code\nzoo_feed_animal(struct zoo *self, trl_ctx *ctx,\n'
            '    const Zoo__V1__FeedAnimalRequest *in, Zoo__V1__Animal *out)\n{\n'])
        self.assertIn('\nvoid\nzoo_join_animal(',
                      next(handlers.missing('zoo', HEADER, {'zoo_service', 'zoo_feed_animal'})))

    def test_a_service_that_is_called_otherwise_is_told(self):
        self.assertEqual(list(handlers.missing('zoo', '', {'zoos_service'})), [
            'services/zoo: no file of it defines "const struct trl_service zoo_service", which says what '
            'the service is made of.'])

    def test_the_names_that_objects_define_are_read_of_them(self):
        with Folder() as folder:
            folder.write('int zoo_a(void); int zoo_b(void); int zoo_b(void) { return zoo_a(); }', 'a.c')
            subprocess.run(['cc', '-c', 'a.c'], cwd=folder.path, check=True)
            subprocess.run(['ar', 'rcT', 'lib.a', 'a.o'], cwd=folder.path, check=True)
            self.assertEqual(handlers.defined(os.path.join(folder.path, 'lib.a')) & {'zoo_a', 'zoo_b'}, {'zoo_b'})


if __name__ == '__main__':
    unittest.main()
