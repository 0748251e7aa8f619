"""The compatibility check catches each kind of breach, and lets additions pass."""
import json
import os
import unittest

from protos import CONTRACT, Folder, changed

BREACHES = [
    ('field probe.v1.Thing.words was removed',
     ('  // Words.\n  repeated string words = 3;\n', '')),
    ('field probe.v1.Thing.words was removed or renamed', ('words = 3', 'texts = 3')),
    ('texts takes the number of words', ('words = 3', 'texts = 3')),
    ('Thing.words: number changed from 3 to 4', ('words = 3', 'words = 4')),
    ('Thing.words: type changed from string to bytes', ('repeated string words',
                                                        'repeated bytes words')),
    ('Thing.words: repeated changed', ('repeated string words', 'optional string words')),
    ('method probe.v1.Probe.Ask was removed',
     ('  // Asks a probe.\n  rpc Ask(GetRequest) returns (trellis.Empty) {\n    option '
      '(trellis.method) = { auth: MESH effect: READ callers: [ "tenants" ] };\n  }\n', '')),
    ('method probe.v1.Probe.Make: path changed', ('/api/v1/probes"', '/api/v1/probe"')),
    ('method probe.v1.Probe.Make: verb changed from post to put', ('post:', 'put:')),
    ('method probe.v1.Probe.Make: auth changed', ('auth: SESSION', 'auth: PUBLIC')),
    ('method probe.v1.Probe.Make: output changed', ('(MakeRequest) returns (Thing)',
                                                    '(MakeRequest) returns (trellis.Empty)')),
    ('Get: permission changed', ('probe.probe.read', 'probe.probe.show')),
    ('Get: role was raised', ('role: VIEWER', 'role: ADMIN')),
    ('Make: takes no If-Match any more', (' if_match: true', '')),
    ('Ask: caller tenants was removed', ('"tenants"', '"auth"')),
    ('Make: max_body_bytes was lowered', ('auth: SESSION',
                                          'auth: SESSION max_body_bytes: 9')),
    ('MakeRequest.name: max_len was lowered to 40', ('max_len: 50', 'max_len: 40')),
    ('MakeRequest.name: min_len was raised to 3', ('min_len: 2', 'min_len: 3')),
    ('MakeRequest.name: format changed from None to NAME', ('max_len: 50',
                                                            'max_len: 50 format: NAME')),
    ('MakeRequest.name: became required', ('max_len: 50', 'max_len: 50 required: true')),
    ('MakeRequest.name: became output_only', ('max_len: 50',
                                              'max_len: 50 output_only: true')),
    ('MakeRequest.name: became internal', ('max_len: 50', 'max_len: 50 internal: true')),
    ('MakeRequest.count: min was raised to 2', ('min: 1', 'min: 2')),
    ('MakeRequest.count: max was lowered to 8', ('max: 9', 'max: 8')),
    ('MakeRequest.count: is nullable no more', (' nullable: true', '')),
    ('Thing.words: item_max_len was lowered to 9',
     ('words = 3', 'words = 3 [(trellis.field) = { item_max_len: 9 }]')),
    ('MakeRequest.word: is secret no more', ('max_len: 20 secret: true', 'max_len: 20')),
    ('Make: signs_in changed from None to True', ('auth: SESSION',
                                                  'auth: SESSION signs_in: true')),
    ('Get: stream changed from None to True', ('role: VIEWER', 'role: VIEWER stream: true')),
    ('Get: tenant_field changed from None to probe_id',
     ('role: VIEWER', 'role: VIEWER tenant_field: "probe_id"')),
    ('value small of enum probe.v1.Thing.Kind was removed', ('    small = 2;\n', '')),
    ('value small of enum probe.v1.Thing.Kind was renumbered', ('small = 2', 'small = 3')),
    ('event probe.thing.lost was removed', ('"probe.thing.lost"', '"probe.thing.gone"')),
    ('event probe.thing.made is published no more', (' published: true', '')),
    ('event probe.thing.made: its message changed',
     ('// What happened to a probe.', '// Another.\nmessage Other {\n  option (trellis.event) = '
      '{ type: "probe.thing.made" about: "Made." published: true };\n}\n// What happened.'),
     ('message ProbeEvent {\n  option (trellis.event) = { type: "probe.thing.made" about: '
      '"Made." published: true };\n', 'message ProbeEvent {\n')),
    ('kind thing_made was removed', ('kind: "thing_made"', 'kind: "thing_found"')),
    ('kind thing_made: became mandatory', ('digest: true', 'mandatory: true')),
    ('kind thing_made: has no own_words any more', (' own_words: true', '')),
    ('kind thing_made: has no inbox any more', (' inbox: OFF', '')),
    ('kind thing_given: has no email any more', ('email: ON mandatory', 'slack: true mandatory')),
    ('field probe.v1.MakeRequest.age is new and required',
     ('message MakeRequest {', 'message MakeRequest {\n  // Years.\n  optional int32 age = 9 '
      '[(trellis.field) = { required: true }];')),
]

ADDITIONS = [
    ('message Thing {', 'message Thing {\n  // Years.\n  optional int32 age = 9;'),
    ('small = 2;', 'small = 2;\n    tiny = 3;'),
    ('max_len: 50', 'max_len: 60'),
    ('min: 1', 'min: 0'),
    ('role: VIEWER', 'role: VIEWER errors: [ NOT_FOUND ]'),
    ('"tenants"', '"tenants", "edge"'),
    ('"tenants"', '"*"'),
    ('"probe.thing.lost"', '"*.thing.lost"'),
    ('role: VIEWER', 'role: VIEWER if_match: true'),
    ('members: ADMIN', 'members: MEMBER'),
    ('inbox: OFF', 'inbox: ON'),
    ('  // The probe.\n  optional Thing thing', '  option (trellis.tells) = { kind: "thing_lost" '
     'on: "probe.thing.lost" members: OWNER email: ON };\n  // The probe.\n  optional Thing thing'),
]


class Compat(unittest.TestCase):
    def test_each_breach_is_caught_and_not_taken_in(self):
        with Folder() as folder:
            folder.write(CONTRACT)
            self.assertEqual(folder.compat('--update')[0], 0)
            self.assertEqual(folder.compat(), (0, ''))
            for wanted, *changes in BREACHES:
                with self.subTest(wanted):
                    folder.write(changed(*changes))
                    code, said = folder.compat('--update')
                    self.assertEqual(code, 1)
                    self.assertIn(wanted, said)
            folder.write(CONTRACT)
            self.assertEqual(folder.compat(), (0, ''))

    def test_an_addition_is_asked_for_and_taken_in(self):
        for change in ADDITIONS:
            with self.subTest(change[1]), Folder() as folder:
                folder.write(CONTRACT)
                folder.compat('--update')
                folder.write(changed(change))
                code, said = folder.compat()
                self.assertNotIn('incompatible', said)
                if code:
                    self.assertIn('compat.py --update', said)
                self.assertEqual(folder.compat('--update')[0], 0)
                self.assertEqual(folder.compat(), (0, ''))

    def test_what_became_every_services_stays_promised_of_the_first(self):
        with Folder() as folder:
            folder.write(CONTRACT)
            folder.compat('--update')
            folder.write(changed(('"probe.thing.lost"', '"*.thing.lost"')))
            self.assertEqual(folder.compat('--update')[0], 0)
            folder.write(changed(('"probe.thing.lost"', '"*.thing.gone"')))
            said = folder.compat('--update')[1]
            self.assertIn('event probe.thing.lost was removed', said)
            self.assertIn('event *.thing.lost was removed', said)

    def test_a_product_has_a_baseline_of_its_own_contracts_only(self):
        with Folder() as folder:
            folder.write(CONTRACT, 'proto/probe/v1/probe.proto')
            code, said = folder.compat_of_product()
            self.assertEqual(code, 1)
            self.assertIn(f'compat.py --product {folder.path} --update', said)
            self.assertEqual(folder.compat_of_product('--update')[0], 0)
            with open(os.path.join(folder.path, 'baseline.json'), encoding='utf-8') as file:
                kept = json.load(file)
            self.assertEqual((kept['codes'], set(kept['methods'])), (
                {}, {'probe.v1.Probe.Make', 'probe.v1.Probe.Get', 'probe.v1.Probe.Ask'}))
            self.assertEqual({name.split('.')[0] for name in kept['messages']}, {'probe'})
            self.assertEqual(folder.compat_of_product(), (0, ''))


if __name__ == '__main__':
    unittest.main()
