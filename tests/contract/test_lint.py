"""The lint refuses each thing a contract may not be, with file, line and a sentence. (Over
400 lines: a row for each of its rules.)"""
import itertools
import re
import string
import unittest
import zlib

from protos import CONTRACT, Folder, changed

THING = 'message Thing {'
MAKE = 'auth: SESSION effect: WRITE'

BREACHES = [
    ('message Thing holds itself', (THING, THING + '\n // In.\n optional Thing t = 9;')),
    ('message A holds itself',
     ('// A probe.', '// A.\nmessage A {\n // B.\n optional B b = 1;\n}\n// B.\n'
      'message B {\n // A.\n optional A a = 1;\n}\n// A probe.')),
    ('has type google.protobuf.Any',
     (THING, THING + '\n // Any.\n optional google.protobuf.Any any = 9;'),
     ('import "trellis/empty', 'import "google/protobuf/any.proto";\nimport "trellis/empty')),
    ('has type google.protobuf.Struct',
     (THING, THING + '\n // Any.\n optional google.protobuf.Struct any = 9;'),
     ('import "trellis/empty',
      'import "google/protobuf/struct.proto";\nimport "trellis/empty')),
    ('method Make has no auth', ('auth: SESSION ', '')),
    ('method Make has no effect', (' effect: WRITE', '')),
    ('method Get is TENANT and has no permission', ('permission: "probe.probe.read"', '')),
    ('method Make has a permission and is SESSION', (MAKE, MAKE + ' permission: "probe.a.b"')),
    ('its form is probe.resource.verb', ('"probe.probe.read"', '"other.probe.read"')),
    ('has the path variable thing_id, which its request does not have',
     ('{probe_id}', '{thing_id}')),
    ('not under /api/v1/', ('"/api/v1/probes"', '"/probes"')),
    ('not under /ofrep/v1/', ('auth: TENANT effect: READ', 'auth: TENANT effect: READ protocol: OFREP')),
    ('not under /m/', ('get: "/api/v1/probes/{probe_id}"', 'get: "/api/v1/probes/{probe_id}" exact: true')),
    ('has an exact path, and is not PUBLIC',
     ('get: "/api/v1/probes/{probe_id}"', 'get: "/m/{probe_id}" exact: true')),
    ('has its verb in kind2, which is no string',
     ('message GetRequest {', 'message GetRequest {\n // Kind.\n optional uint32 kind2 = 2 '
      '[(trellis.field) = { header: ":method" }];')),
    ('is tagged, and writes', (MAKE, MAKE + ' tagged: true')),
    ("needs the feature sso of a plan and is SESSION; plans are tenants'", (MAKE, MAKE + ' feature: "sso"')),
    ("needs the feature 'Single sign-on', which is no key",
     ('auth: TENANT effect: READ', 'auth: TENANT effect: READ feature: "Single sign-on"')),
    ('is a GET that writes', ('auth: TENANT effect: READ', 'auth: TENANT effect: WRITE')),
    ('takes the message inner, which no query holds',
     ('message GetRequest {', 'message GetRequest {\n // In.\n optional Thing inner = 2;')),
    ('takes the secret key from the query',
     ('message GetRequest {', 'message GetRequest {\n // Key.\n optional string key = 2 '
      '[(trellis.field) = { secret: true }];')),
    ('has the secret probe_id in its path', ('probe_id = 1 [(trellis.field) = { format: ID',
                                             'probe_id = 1 [(trellis.field) = { format: ID '
                                             'secret: true')),
    ('has the route of probe.v1.Probe.Make',
     ('http: { get: "/api/v1/probes/{probe_id}" }', 'http: { post: "/api/v1/probes" }')),
    ('field words has no comment', ('  // Words.\n', '')),
    ('method Make has no comment', ('  // Makes a probe.\n', '')),
    ('is "required"', ('optional Kind kind', 'required Kind kind')),
    ('has a default value', ('string name = 1 [', 'string name = 1 [default = "x", ')),
    ('is not lower_snake_case', (THING, THING + '\n // Age.\n optional int32 theAge = 9;')),
    ('is not numbered from 1', ('big = 1', 'big = 0')),
    ('is not lower_snake_case', ('big = 1', 'BIG = 1')),
    ('enum Out stands outside a message', ('// A probe.', 'enum Out { a = 1; }\n// A probe.')),
    ('has format ID and is not bytes', ('optional bytes probe_id', 'optional string probe_id')),
    ('has format NAME and is not a string',
     ('count = 2 [(trellis.field) = {', 'count = 2 [(trellis.field) = { format: NAME')),
    ('is an amount (minor_of) and no int64',
     (THING, THING + '\n // Coin.\n optional string coin = 8;\n // Price.\n optional int32 '
      'price = 9 [(trellis.field) = { minor_of: "coin" }];')),
    ("is in minor units of 'coin', which is no string of its message",
     (THING, THING + '\n // Price.\n optional int64 price = 9 '
      '[(trellis.field) = { minor_of: "coin" }];')),
    ('has a min above its max', ('min: 1', 'min: 10')),
    ('has a min_len above its max_len', ('min_len: 2', 'min_len: 51')),
    ('has nullable fields but no repeated string clear', ('  repeated string clear = 3;\n', '')),
    ('is MESH: it lists callers and has no http', (' callers: [ "tenants" ]', '')),
    ('has neither http nor callers', ('auth: MESH effect: READ callers: [ "tenants" ]',
                                      'auth: SESSION effect: READ')),
    ('lists "*", which is every service, and others',
     ('[ "tenants" ]', '[ "tenants", "*" ]')),
    ('lists a fault', (MAKE, MAKE + ' errors: [ INTERNAL ]')),
    ('is not of the form service.v1', ('package probe.v1;', 'package probe;')),
    ('takes its tenant from tenant_id, which is not in the path',
     (MAKE, MAKE + ' tenant_field: "tenant_id"')),
    ('is not of the form probe.noun.happened', ('"probe.thing.lost"', '"other.thing.lost"')),
    ('event type probe.thing.made is declared twice',
     ('"probe.thing.lost"', '"probe.thing.made"')),
    ('event probe.thing.lost has no about', (' about: "Lost."', '')),
    ('event probe.thing.lost is told to product analytics, and is not published', (
        ' about: "Lost."', ' about: "Lost." product: {}')),
    ("event probe.thing.made tells product analytics 'thing.weight', which is no field", (
        'about: "Made."', 'about: "Made." product: { field: "thing.weight" }')),
    ("event probe.thing.made tells product analytics 'sealed_token', which is no field", (
        'about: "Made."', 'about: "Made." product: { field: "sealed_token" }')),
    ('event probe.thing.made tells product analytics email, which is no id, enum', (
        'about: "Made."', 'about: "Made." product: { field: [ "thing.kind", "email" ] }')),
    ("event probe.thing.made is narrowed where 'weight' is 'heavy': that is no enum", (
        'about: "Made."', 'about: "Made." narrow: { field: "weight" value: "heavy" }')),
    ("event probe.thing.made is narrowed to the account 'email', which is no id", (
        'about: "Made."', 'about: "Made." narrow: { account: "email" }')),
    ("event probe.thing.made is narrowed to those who hold 'probe.nothing', a permission", (
        'about: "Made."', 'about: "Made." narrow: { permission: "probe.nothing" }')),
    ('field thing has no comment', ('  // The probe.\n', '')),
    ('changes what Get shows with an ETag, and takes no If-Match',
     ('http: { post: "/api/v1/probes" } auth: SESSION effect: WRITE if_match: true',
      'http: { put: "/api/v1/probes/{probe_id}" } auth: SESSION effect: WRITE'),
     (THING, THING + '\n // Counts changes.\n optional int64 version = 9;')),
    ('kind thing_made of ProbeEvent is declared twice; proto/probe.proto:', ('"thing_given"',
                                                                             '"thing_made"')),
    ('has no name in lower_snake_case', ('"thing_made"', '"thing.made"')),
    ('kind without a name of ProbeEvent has no name', ('kind: "thing_made" ', '')),
    ('has the name of the frame of all mails', ('"thing_made"', '"layout"')),
    ('does not say on which event', (' on: "probe.thing.made"', '')),
    ('is on an event and without_event', ('on: "probe.thing.made" when',
                                          'on: "probe.thing.made" without_event: true when')),
    ('is on probe.thing.found, which is no event of this message',
     ('on: "probe.thing.made"', 'on: "probe.thing.found"')),
    ("looks at 'thing.weight' (when), which is no field that the event shows",
     ('"thing.kind"', '"thing.weight"')),
    ("wants 'huge' of thing.kind (when), which is none of its values", ('"big"', '"huge"')),
    ('looks at thing.id (when), which is neither an enum nor a text',
     ('"thing.kind"', '"thing.id"')),
    ('names neither a person, an address nor members to tell', ('    members: ADMIN email',
                                                             '    email')),
    ('is about somebody, which only Slack is told', ('members: ADMIN',
                                                     'members: ADMIN about: "by"')),
    ("has person 'owner', which is no field that the event shows",
     ('members: ADMIN', 'person: "owner"')),
    ("has person 'sealed_token', which is no field that the event shows",
     ('members: ADMIN', 'person: "sealed_token"')),
    ('has person email, which is no field of format ID', ('members: ADMIN', 'person: "email"')),
    ("has address 'thing.words', which is no field that the event shows",
     ('address: "email"', 'address: "thing.words"')),
    ('has address thing.language, which is no text of format EMAIL or of the name email',
     ('address: "email"', 'address: "thing.language"')),
    ("has address 'thing.key', which is no field that the event shows",
     ('address: "email"', 'address: "thing.key"')),
    ('has locale thing.id, which is no text', ('"thing.language"', '"thing.id"')),
    ('is told to by, who did it: say doer as well', ('members: ADMIN', 'person: "by"')),
    ('is told to who did it (doer), and the event has no field by with an id',
     ('members: ADMIN', 'members: ADMIN doer: true'), ('bytes by = 3', 'bytes owner = 3')),
    ('is told by no channel', (' email: ON inbox: OFF slack: true digest: true', '')),
    ('goes to an address, which has no inbox', ('email: ON mandatory',
                                                'email: ON inbox: ON mandatory')),
    ('is mandatory and may wait for a digest', ('digest: true', 'digest: true mandatory: true')),
    ('may go into a digest and is not told by e-mail', ('email: ON inbox: OFF', 'inbox: OFF')),
    ('is told to members, and of an account', ('members: ADMIN',
                                               'members: ADMIN of_account: true')),
    ('is of an account, and an organisation has its Slack', ('members: ADMIN',
                                                             'person: "thing.id" of_account: true')),
    ('has {{tenant.id}} in its page, and is of an account',
     ('members: ADMIN', 'members: ADMIN of_account: true')),
    ('which does not begin with /', ('page: "/tenants', 'page: "https://tenants')),
    ('has {{token}} in its page and no seal, or a seal and no', (' seal: "probe thing"', '')),
    ('has {{token}} in its page and no seal, or a seal and no', ('#token={{token}}', '')),
    ('has a token, which is only for a mail', ('locale: "thing.language"', 'slack: true')),
    ('the event has no internal bytes sealed_token', ('{ internal: true }', '{ max_len: 9 }')),
    ('which does not begin with "probe "', ('"probe thing"', '"notify slack"')),
    ('has {{event.thing.words}} in its page; it may hold', ('{{event.thing.id}}',
                                                            '{{event.thing.words}}')),
    ('has {{account.email}} in its page; it may hold', ('{{event.thing.id}}',
                                                        '{{account.email}}')),
    ('has a media_type, and its reply no bytes called body',
     (MAKE, MAKE + ' media_type: "image/png"')),
    ('has a media_type, and a file_name that is no string',
     (MAKE, MAKE + ' media_type: "image/png"'),
     (THING, THING + '\n // File.\n optional bytes body = 9;\n // Name.\n optional int32 file_name = 10;')),
    ('has a media_type that is none',
     (MAKE, MAKE + ' media_type: "png"'),
     (THING, THING + '\n // File.\n optional bytes body = 9;')),
    ('has the field kinds bound to Upload-Kind, which is no text, number, id or enum',
     (THING, THING + '\n // Kinds.\n repeated string kinds = 9 [(trellis.field) = { header: "Upload-Kind" }];')),
    ("has the field kind2 bound to 'Set-Cookie', which no message may hold",
     (THING, THING + '\n // Kind.\n optional string kind2 = 9 [(trellis.field) = { header: "Set-Cookie" }];')),
    ("has the field kind2 bound to 'Up load', which no message may hold",
     (THING, THING + '\n // Kind.\n optional string kind2 = 9 [(trellis.field) = { header: "Up load" }];')),
    ('has its status in kind2, which is no uint32',
     (THING, THING + '\n // Kind.\n optional string kind2 = 9 [(trellis.field) = { header: ":status" }];')),
    ('takes one value only of kind2, which is no text in a header field',
     (THING, THING + '\n // Kind.\n optional string kind2 = 9 [(trellis.field) = { only: "1" }];')),
    ('binds upload-kind twice',
     (THING, THING + '\n // Kind.\n optional string kind2 = 9 [(trellis.field) = { header: "Upload-Kind" }];'
      '\n // Kind.\n optional string kind3 = 10 [(trellis.field) = { header: "upload-kind" }];')),
    ('is a HEAD that writes', ('http: { post: "/api/v1/probes" }', 'http: { head: "/api/v1/probes" }')),
    ('is a HEAD beside a GET', ('http: { post: "/api/v1/probes" }', 'http: { head: "/api/v1/probes/{a}" }')),
    ("has 'a b' among its answers, which is no header field",
     ('http: { post: "/api/v1/probes" }', 'http: { post: "/api/v1/probes" answers: { name: "a b" value: "c" } }')),
    ('has Transfer-Encoding among its answers, which is made otherwise',
     ('http: { post: "/api/v1/probes" }',
      'http: { post: "/api/v1/probes" answers: { name: "Transfer-Encoding" value: "chunked" } }')),
    ('has Cache-Control among its answers, which is made otherwise',
     ('http: { post: "/api/v1/probes" }',
      'http: { post: "/api/v1/probes" answers: { name: "Cache-Control" value: "no-store" } }')),
    ('binds Content-Length, and gives no bytes',
     (THING, THING + '\n // Length.\n optional uint64 length2 = 9 [(trellis.field) = { header: "Content-Length" }];')),
    ('takes bytes, and name would be in a JSON body', (MAKE, MAKE + ' takes: {}')),
    ('takes bytes and is a GET', ('auth: TENANT effect: READ', 'auth: TENANT effect: READ takes: {}')),
    ('gives bytes, and its reply has fields that no header field holds',
     (MAKE, MAKE + ' gives: {}')),
    ('redirects, and gives no bytes or binds no Location',
     ('get: "/api/v1/probes/{probe_id}"', 'get: "/api/v1/probes/{probe_id}" redirects: true')),
    ('is unkeyed, and only reads', ('auth: TENANT effect: READ', 'auth: TENANT effect: READ unkeyed: true')),
    ('takes a form, and only a/b', (MAKE, MAKE + ' takes: { media_type: "a/b" form: "name" }')),
    ("takes 'png', which is no media type", (MAKE, MAKE + ' takes: { media_type: "png" }')),
    ('streams', ('returns (Thing) {', 'returns (stream Thing) {')),
]

# A declared resource, and what breaks one.
STORE = '''\
syntax = "proto2";
package probe.v1;
import "google/protobuf/timestamp.proto";
import "trellis/empty.proto";
import "trellis/options.proto";
// Items.
service Probe {
  // Makes one.
  rpc MakeItem(MakeItemRequest) returns (Item) {
    option (trellis.method) = { http: { post: "/api/v1/items" status: 201 } auth: TENANT effect: WRITE permission: "probe.item.create" errors: [ QUOTA, EXISTS ] does: { create: "Item" } };
  }
  // Lists them.
  rpc ListItems(ListItemsRequest) returns (ListItemsReply) {
    option (trellis.method) = { http: { get: "/api/v1/items" } auth: TENANT effect: READ permission: "probe.item.read" does: { list: "Item" } };
  }
  // Shows one.
  rpc GetItem(ItemRequest) returns (Item) {
    option (trellis.method) = { http: { get: "/api/v1/items/{item_id}" } auth: TENANT effect: READ permission: "probe.item.read" errors: [ NOT_FOUND ] does: { get: "Item" } };
  }
  // Removes one.
  rpc RemoveItem(ItemRequest) returns (trellis.Empty) {
    option (trellis.method) = { http: { delete: "/api/v1/items/{item_id}" } auth: TENANT effect: WRITE if_match: true permission: "probe.item.delete" errors: [ NOT_FOUND ] does: { delete: "Item" } };
  }
  // Marks one.
  rpc MarkItem(ItemRequest) returns (Item) {
    option (trellis.method) = { http: { post: "/api/v1/items/{item_id}/mark" } auth: TENANT effect: WRITE permission: "probe.item.mark" errors: [ NOT_FOUND, EXISTS ] does: { change: "Item" tells: "probe.item.marked" } };
  }
}
// An item.
message Item {
  option (trellis.resource) = { kind: "item" most: 5 unique: { fields: "name" says: "There is one of this name." } };
  optional bytes id = 1 [(trellis.field) = { format: ID }];
  // Counts changes.
  optional int64 version = 2;
  // Its name.
  optional string name = 3;
  // Its words.
  repeated string words = 4;
  optional google.protobuf.Timestamp created_at = 5;
}
message MakeItemRequest {
  // Its name.
  optional string name = 1 [(trellis.field) = { required: true }];
}
message ListItemsRequest {
  // How many.
  optional uint32 page_size = 1 [(trellis.field) = { min: 1 max: 100 }];
  // Where from.
  optional string page_token = 2 [(trellis.field) = { format: TOKEN max_len: 200 }];
  // Of this name.
  optional string name = 3;
}
message ListItemsReply {
  // They.
  repeated Item items = 1;
  // More.
  optional string next_page_token = 2;
}
message ItemRequest {
  // Which.
  optional bytes item_id = 1 [(trellis.field) = { format: ID }];
}
// What happened to an item.
message ItemEvent {
  option (trellis.event) = { type: "probe.item.created" about: "Made." published: true };
  option (trellis.event) = { type: "probe.item.marked" about: "Marked." };
  // The item.
  optional Item item = 1;
  // Who did it.
  optional bytes by = 2 [(trellis.field) = { format: ID }];
}
'''
RESOURCE_BREACHES = [
    ("has kind 'Item'", ('kind: "item"', 'kind: "Item"')),
    ('has the kind of ItemEvent, item', (
        '// What happened to an item.\nmessage ItemEvent {',
        '// What happened to an item.\nmessage ItemEvent {\n'
        'option (trellis.resource) = { kind: "item" };')),
    ('has the unique name name without a sentence', (' says: "There is one of this name."', '')),
    ('has a unique name of the field title, which it does not have', ('fields: "name"',
                                                                      'fields: "title"')),
    ('has a field version of another type', ('int64 version', 'int32 version')),
    ('does create to Items, which is no resource', ('create: "Item"', 'create: "Items"')),
    ('says does and not what', ('does: { get: "Item" }', 'does: { }')),
    ('does create and may answer QUOTA', ('QUOTA, ', '')),
    ('does create and may answer EXISTS', ('errors: [ QUOTA, EXISTS ]', 'errors: [ QUOTA ]')),
    ('does get and may answer NOT_FOUND', ('errors: [ NOT_FOUND ] does: { get',
                                           'does: { get')),
    ('does list and has effect WRITE', ('effect: READ permission: "probe.item.read" does: { list',
                                        'effect: WRITE permission: "probe.item.read" does: { list')),
    ('does list and its request has no page_token', ('page_token = 2', 'after = 2')),
    ('does list; its reply has "repeated Item items"', ('next_page_token', 'next')),
    ('does get and does not return Item', ('rpc GetItem(ItemRequest) returns (Item)',
                                           'rpc GetItem(ItemRequest) returns (ItemEvent)')),
    ('such a method is TENANT', ('auth: TENANT effect: READ permission: "probe.item.read" errors',
                                 'auth: SESSION effect: READ errors')),
    ('filters by title, which is no column of Item', ('string name = 3;\n}\nmessage ListItemsReply',
                                                      'string title = 3;\n}\nmessage ListItemsReply')),
    ('filters by words, which Item has as another type',
     ('string name = 3;\n}\nmessage ListItemsReply',
      'string words = 3;\n}\nmessage ListItemsReply')),
    ('takes the field title, which Item does not have', ('string name = 1 [', 'string title = 1 [')),
    ('takes the field name as another type', ('string name = 1 [', 'bytes name = 1 [')),
    ('takes the field version, which the framework sets',
     ('message MakeItemRequest {', 'message MakeItemRequest {\n// V.\noptional int64 version = 9;')),
    ('tells probe.item.lost, which no message', ('tells: "probe.item.marked"',
                                                 'tells: "probe.item.lost"')),
    ('has the field former_name; the framework fills', (
        '  // Who did it.\n', '  // Before.\n  optional string former_name = 9;\n  // Who did it.\n')),
    ('is a map, which no column holds', ('repeated string words', 'map<string, string> words')),
]

SHARED = '''\
syntax = "proto2";
package entries.v1;
import "trellis/options.proto";
// An entry.
message Entry {
  TYPES
  optional string text = 1;
}
'''


class Lint(unittest.TestCase):
    def test_a_contract_without_methods_holds_what_every_service_tells(self):
        shared = SHARED.replace(
            'TYPES', 'option (trellis.event) = { type: "*.entry.added" about: "Added." };')
        with Folder() as folder:
            folder.write(shared)
            self.assertEqual(folder.run_plugin('contract'), (True, ''))
            for wrong in ('*.added', 'other.entry.added'):
                folder.write(shared.replace('*.entry.added', wrong))
                fine, said = folder.run_plugin('contract')
                self.assertFalse(fine)
                self.assertIn(f"'{wrong}' is not of the form *.noun.happened", said)

    def test_what_every_service_tells_is_declared_by_none(self):
        told = 'option (trellis.event) = { type: "*.thing.lost" about: "Lost." };'
        with Folder() as folder:
            folder.write(CONTRACT)
            folder.write(SHARED.replace('TYPES', told), 'entries.proto')
            fine, said = folder.run_plugin('catalogue', ('probe.proto', 'entries.proto'))
            self.assertFalse(fine)
            self.assertRegex(said, r'proto/probe\.proto:\d+: event type probe\.thing\.lost is told '
                             r'by every service without being declared \(\*\.thing\.lost in '
                             r'proto/entries\.proto\); take the line out')

    def test_the_contract_itself_is_fine(self):
        with Folder() as folder:
            folder.write(CONTRACT)
            for output in ('contract', 'catalogue'):
                self.assertEqual(folder.generate(output), (True, ''))
                self.assertEqual(folder.run_plugin(output), (True, ''))
            folder.write(changed((MAKE, MAKE + ' errors: [ INTERNAL ]')))
            self.assertFalse(folder.run_plugin()[0])

    def test_a_contract_stands_in_the_folder_of_its_package(self):
        with Folder() as folder:
            folder.write(CONTRACT.replace('package probe.v1', 'package auth.v1'), 'probe/v1/probe.proto')
            fine, said = folder.run_plugin('contract', ['probe/v1/probe.proto'])
            self.assertFalse(fine)
            self.assertIn('proto/probe/v1/probe.proto:1: package auth.v1 is not probe.v1, as its folder is', said)

    def test_each_breach_is_one_line_with_its_place(self):
        with Folder() as folder:
            for wanted, *changes in BREACHES:
                with self.subTest(wanted):
                    folder.write(changed(*changes))
                    fine, said = folder.generate()
                    self.assertFalse(fine)
                    self.assertRegex(said, r'(?m)^proto/probe\.proto:\d+: .*' +
                                     re.escape(wanted))

    def test_a_declared_resource_is_what_its_methods_say(self):
        with Folder() as folder:
            folder.write(STORE)
            self.assertEqual(folder.generate(), (True, ''))
            for wanted, change in RESOURCE_BREACHES:
                with self.subTest(wanted):
                    self.assertIn(change[0], STORE)
                    folder.write(STORE.replace(*change))
                    fine, said = folder.generate()
                    self.assertFalse(fine)
                    self.assertRegex(said, r'(?m)^proto/probe\.proto:\d+: .*' +
                                     re.escape(wanted))

    def test_two_permissions_of_one_number_are_refused(self):
        pair = collision()
        with Folder() as folder:
            folder.write(changed(
                ('"probe.probe.read"', f'"{pair[0]}"'),
                ('auth: SESSION effect: WRITE',
                 f'auth: TENANT effect: WRITE permission: "{pair[1]}"')))
            fine, said = folder.generate()
            self.assertFalse(fine)
            self.assertIn('whose CRC-32 is taken', said)


def collision():
    """Two permissions of one CRC-32, by trying."""
    seen = {}
    for letters in itertools.product(string.ascii_lowercase, repeat=4):
        name = 'probe.' + ''.join(letters) + '.read'
        crc = zlib.crc32(name.encode())
        if crc in seen:
            return seen[crc], name
        seen[crc] = name
    for letters in itertools.product(string.ascii_lowercase, repeat=4):
        name = 'probe.probe.' + ''.join(letters)
        crc = zlib.crc32(name.encode())
        if crc in seen:
            return seen[crc], name
    raise AssertionError('no collision found')


if __name__ == '__main__':
    unittest.main()
