"""The OpenAPI document is whole: references lead somewhere, ids are unique, examples
fit their schemas, and every operation says how it can end badly.

  test_openapi.py build/proto/openapi.json
"""
import json
import re
import sys
import unittest

from schema import follow, misfits

DOCUMENT = {}


def walk(node, path=''):
    """Every value with its place."""
    yield path, node
    if isinstance(node, dict):
        for key, value in node.items():
            yield from walk(value, f'{path}/{key}')
    elif isinstance(node, list):
        for i, value in enumerate(node):
            yield from walk(value, f'{path}/{i}')


def operations():
    """All but OPTIONS, which does nothing and may be asked by anybody."""
    for path, item in DOCUMENT['paths'].items():
        for verb, operation in item.items():
            if verb == 'options':
                continue
            yield f'{verb.upper()} {path}', path, verb, operation


class Openapi(unittest.TestCase):
    def test_every_reference_leads_somewhere(self):
        for place, node in walk(DOCUMENT):
            if place.endswith('/$ref'):
                self.assertIsNotNone(follow(DOCUMENT, {'$ref': node}), place)

    def test_bytes_can_be_asked_for_by_head_and_offers_by_options(self):
        heads = 0
        for path, item in DOCUMENT['paths'].items():
            gives = '*/*' in str(item.get('get', {}).get('responses', {}).get('200', {}))
            with self.subTest(path):
                if gives:
                    heads += 1
                    head = item['head']
                    self.assertEqual(set(head['responses']),
                                     set(item['get']['responses']) - {'206', '307', '416'})
                    self.assertNotIn('content', head['responses']['200'])
                    self.assertEqual(head['responses']['200']['headers'],
                                     item['get']['responses']['200']['headers'])
                    self.assertEqual(head['security'], item['get']['security'])
                if 'options' in item:
                    offered = set(item['options']['responses']['204']['headers'])
                    self.assertLessEqual({'Allow', 'Tus-Resumable', 'Tus-Extension'}, offered)
        uploads = [path for path in DOCUMENT['paths'] if path.startswith('/api/v1/uploads')]
        self.assertTrue(heads or not uploads)
        for path in uploads:
            self.assertTrue('options' in DOCUMENT['paths'][path], path)

    def test_operations_are_told_apart(self):
        ids = [operation['operationId'] for item in DOCUMENT['paths'].values()
               for operation in item.values()]
        self.assertEqual(len(ids), len(set(ids)))

    def test_each_operation_is_described_and_guarded(self):
        tags = {tag['name'] for tag in DOCUMENT['tags']}
        for name, path, verb, operation in operations():
            with self.subTest(name):
                self.assertTrue(operation['summary'])
                self.assertTrue(operation['description'])
                self.assertLessEqual(set(operation['tags']), tags)
                for wanted in ('400', '429', '500', '503', '504'):
                    self.assertIn(wanted, operation['responses'])
                if operation['security']:
                    self.assertIn('401', operation['responses'])
                declared = {p['name'] for p in operation.get('parameters', [])
                            if p.get('in') == 'path'}
                self.assertEqual(declared, set(re.findall(r'{(\w+)}', path)))
                headers = {p['$ref'].rsplit('/', 1)[1]
                           for p in operation.get('parameters', []) if '$ref' in p}
                # What an offset guards keeps no record of a key.
                asked = {p['name'] for p in operation.get('parameters', []) if p.get('required')}
                self.assertEqual('Idempotency-Key' in headers,
                                 verb not in ('get', 'head') and 'Upload-Offset' not in asked)
                if 'Idempotency-Key' not in headers:
                    self.assertNotIn('Idempotency-Replayed', str(operation['responses']))
                if '409' not in operation['responses']:  # it only reads
                    self.assertNotIn('Idempotency-Replayed', str(operation['responses']))

    def test_a_body_may_be_refused_for_its_form(self):
        for name, _, verb, operation in operations():
            with self.subTest(name):
                body = operation.get('requestBody')
                # One that is not needed is read, too, where it comes all the same.
                for status in ('408', '413', '415'):
                    self.assertEqual(status in operation['responses'],
                                     verb not in ('get', 'head', 'delete'))
                # Bytes that are not needed are, where there is a type of them.
                self.assertEqual('411' in operation['responses'], bool(body) and (
                    body['required'] or 'octet-stream' in str(list(body['content']))))
                if verb == 'patch':
                    self.assertTrue(body['required'])

    def test_a_page_has_the_bounds_that_the_contracts_give_it(self):
        pages = [(name, p['schema']) for name, _, _, operation in operations()
                 for p in operation.get('parameters', []) if p.get('name') == 'page_size']
        self.assertTrue(pages)
        for name, schema in pages:
            with self.subTest(name):
                self.assertEqual((schema['minimum'], schema['maximum']), (1, 100))

    def test_what_signs_a_request_is_said_of_each(self):
        for name, _, verb, operation in operations():
            with self.subTest(name):
                ways = [way for one in operation['security'] for way in one]
                self.assertIn(sorted(ways), [[], ['bearer', 'cookie'], ['cookie', 'session']])
                self.assertLessEqual(set(ways), set(DOCUMENT['components']['securitySchemes']))
                if 'permission' in operation['description']:
                    self.assertIn('bearer', ways)
                headers = {p['$ref'].rsplit('/', 1)[1]
                           for p in operation.get('parameters', []) if '$ref' in p}
                self.assertEqual('X-CSRF-Token' in headers,
                                 'cookie' in ways and verb not in ('get', 'head') and
                                 {} not in operation['security'])
                if 'X-Tenant-Id' in headers:
                    self.assertIn('bearer', ways)

    def test_a_form_of_one_click_is_taken_where_the_path_says_all_and_nobody_signs(self):
        for name, path, verb, operation in operations():
            content = operation.get('requestBody', {}).get('content', {})
            with self.subTest(name):
                self.assertEqual('application/x-www-form-urlencoded' in content,
                                 verb == 'post' and not operation['security'] and
                                 'application/json' not in content)

    def test_an_answer_says_which_headers_it_has(self):
        always = {'X-Request-Id', 'traceparent'}
        counted = {'RateLimit', 'RateLimit-Policy'}
        wanted = {'401': {'WWW-Authenticate'}, '403': {'WWW-Authenticate'}, '409': {'Retry-After'},
                  '415': {'Accept', 'Accept-Encoding', 'Accept-Patch', 'Accept-Post'}, '429': {'Retry-After'},
                  '416': {'Content-Range'}, '423': {'Retry-After'}, '503': {'Retry-After'}, '304': {'ETag'}}
        for name, _, _, operation in operations():
            for status, answer in operation['responses'].items():
                with self.subTest(f'{name} {status}'):
                    answer = follow(DOCUMENT, answer)
                    least = always if status == '406' else always | counted
                    self.assertLessEqual(least | wanted.get(status, set()),
                                         set(answer['headers']))
                    said = answer['description'].rstrip('.').split('; ')
                    self.assertEqual(len(said), len(set(said)), said)

    def test_bytes_that_are_not_all_given_say_so(self):
        for name, _, verb, operation in operations():
            answers = operation['responses']
            if '*/*' not in answers.get('200', {}).get('content', {}):
                continue
            with self.subTest(name):
                self.assertLessEqual({'ETag', 'Cache-Control', 'Vary'}, set(answers['304']['headers']))
                self.assertIn('Content-Range', answers['206']['headers'])
                for status in ('200', '304'):
                    self.assertFalse({'Content-Range', 'Location'} & set(answers[status]['headers']))
                if '307' in answers:
                    self.assertIn('Location', answers['307']['headers'])

    def test_bytes_of_any_type_may_come_as_a_form(self):
        for name, _, _, operation in operations():
            content = operation.get('requestBody', {}).get('content', {})
            with self.subTest(name):
                if '*/*' in content:
                    self.assertIn('multipart/form-data', content)
                    self.assertIn('file', content['multipart/form-data']['schema']['required'])

    def test_a_header_with_one_value_has_to_be_sent(self):
        for name, _, _, operation in operations():
            for one in operation.get('parameters', []):
                with self.subTest(f'{name} {one.get("name")}'):
                    if one.get('in') == 'header' and len(one['schema'].get('enum', ())) == 1:
                        self.assertTrue(one['required'])

    def test_what_is_made_is_located_where_it_can_be_read(self):
        for name, path, verb, operation in operations():
            made = operation['responses'].get('201', {})
            read = any(re.fullmatch(re.escape(path) + r'/{\w+}', other) and verb in ('get', 'head')
                       for _, other, verb, _ in operations())
            with self.subTest(name):
                self.assertEqual('Location' in made.get('headers', {}), bool(made) and read)

    def test_no_component_is_there_for_nothing(self):
        used = {node for place, node in walk(DOCUMENT) if place.endswith('/$ref')}
        for kind, components in DOCUMENT['components'].items():
            for name in components if kind != 'securitySchemes' else ():
                self.assertIn(f'#/components/{kind}/{name}', used)

    def test_a_change_is_taken_as_a_merge_patch(self):
        for name, _, verb, operation in operations():
            kinds = list(operation.get('requestBody', {}).get('content', {}))
            with self.subTest(name):
                is_json = any(kind.endswith('json') for kind in kinds) # and no bytes
                self.assertEqual('application/merge-patch+json' in kinds, verb == 'patch' and is_json)
                self.assertTrue(kinds or verb != 'patch')
                if verb == 'patch' and is_json:
                    self.assertIn('application/json', kinds)

    def test_patterns_are_the_servers(self):
        requests = {n: s for n, s in DOCUMENT['components']['schemas'].items() if n.endswith('Request')}
        key = DOCUMENT['components']['parameters']['Idempotency-Key']['schema']
        name = requests.get('SignUpRequest', {}).get('properties', {}).get('display_name')
        for schema, fine, wrong in (
            (key, ('a', '"a"', "!#[]~'", 'x' * 255, '"' + 'x' * 255 + '"'),
             ('', '""', 'a b', 'a"b', 'a\\b', 'k\xe4se', 'x' * 256, '"a', '"')),
            (name, ('Ada', 'A', 'Ada  Lovelace', '\u00c4da', '\U0001f98a'),
             ('', ' ', 'Ada ', ' Ada', 'A\nda', 'A\tda', 'A\x00da', 'A\x7f', '\u202eadA', 'A\u200bda')),
        ):
            for text in fine if schema else ():
                self.assertRegex(text, schema['pattern'])
            for text in wrong if schema else ():
                self.assertNotRegex(text, schema['pattern'])
        for message, schema in requests.items():
            for field, inner in schema['properties'].items():
                if field in ('display_name', 'sender_name', 'name') and inner.get('type') == 'string':
                    self.assertIn('pattern', inner, f'{message}.{field}')
                if inner.get('format') == 'uuid':
                    self.assertNotRegex('00000000-0000-0000-0000-000000000000', inner['pattern'])

    def test_a_new_password_has_its_least_length(self):
        schemas = DOCUMENT['components']['schemas']
        for message in ('SignUpRequest', 'ResetPasswordRequest', 'ChangePasswordRequest'):
            if message in schemas:
                self.assertEqual(schemas[message]['properties']['password']['minLength'], 8)

    def test_problems_are_problem_json(self):
        for name, response in DOCUMENT['components']['responses'].items():
            if name.endswith('-OFREP'):
                self.assertEqual(list(response['content']), ['application/json'])
                continue
            if name.endswith('-head'):  # which has no body
                self.assertNotIn('content', response)
                continue
            content = response['content']['application/problem+json']
            self.assertEqual(content['schema']['$ref'], '#/components/schemas/Problem')
            self.assertEqual(content['example']['status'], int(name[:3]))

    def test_every_property_is_described(self):
        for name, schema in DOCUMENT['components']['schemas'].items():
            for field, inner in schema.get('properties', {}).items():
                self.assertTrue(inner.get('description'), f'{name}.{field}')

    def test_examples_fit(self):
        found = []
        for place, node in walk(DOCUMENT):
            if isinstance(node, dict) and 'schema' in node and 'example' in node:
                found += misfits(DOCUMENT, node['schema'], node['example'], place)
            if isinstance(node, dict) and 'examples' in node and 'type' in node:
                for example in node['examples']:
                    found += misfits(DOCUMENT, node, example, place)
        self.assertEqual(found, [])


if __name__ == '__main__':
    with open(sys.argv.pop(1), encoding='utf-8') as file:
        DOCUMENT.update(json.load(file))
    unittest.main()
