"""Writes small contracts into a folder of their own and runs tools on them: protoc as
a process, what is Python within this one, since most of its time is its start."""
import contextlib
import io
import os
import subprocess
import sys
import tempfile

from google.protobuf import descriptor_pb2
from google.protobuf.compiler import plugin_pb2

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
PLUGIN = os.path.join(TOP, 'tools/contractgen/protoc-gen-trl')
sys.path.insert(0, os.path.dirname(PLUGIN))
import compat  # noqa: E402
from trlgen.main import main as plugin  # noqa: E402

CONTRACT = '''\
syntax = "proto2";
package probe.v1;
import "trellis/empty.proto";
import "trellis/options.proto";
// Probes.
service Probe {
  // Makes a probe.
  rpc Make(MakeRequest) returns (Thing) {
    option (trellis.method) = { http: { post: "/api/v1/probes" } auth: SESSION effect: WRITE if_match: true };
  }
  // Shows a probe.
  rpc Get(GetRequest) returns (Thing) {
    option (trellis.method) = {
      http: { get: "/api/v1/probes/{probe_id}" } auth: TENANT effect: READ
      permission: "probe.probe.read" role: VIEWER
    };
  }
  // Asks a probe.
  rpc Ask(GetRequest) returns (trellis.Empty) {
    option (trellis.method) = { auth: MESH effect: READ callers: [ "tenants" ] };
  }
}
// A probe.
message Thing {
  // What it is.
  enum Kind {
    big = 1;
    small = 2;
  }
  optional bytes id = 1 [(trellis.field) = { format: ID }];
  // Its kind.
  optional Kind kind = 2;
  // Words.
  repeated string words = 3;
  // Its language.
  optional string language = 6;
  // What opens it.
  optional string key = 7 [(trellis.field) = { secret: true }];
}
message MakeRequest {
  optional string name = 1 [(trellis.field) = { max_len: 50 min_len: 2 }];
  // How many.
  optional int32 count = 2 [(trellis.field) = { min: 1 max: 9 nullable: true }];
  repeated string clear = 3;
  // What opens it.
  optional string word = 4 [(trellis.field) = { max_len: 20 secret: true }];
}
message GetRequest {
  optional bytes probe_id = 1 [(trellis.field) = { format: ID }];
}
// What happened to a probe.
message ProbeEvent {
  option (trellis.event) = { type: "probe.thing.made" about: "Made." published: true };
  option (trellis.event) = { type: "probe.thing.lost" about: "Lost." };
  option (trellis.tells) = {
    kind: "thing_made" on: "probe.thing.made" when: { field: "thing.kind" value: "big" }
    members: ADMIN email: ON inbox: OFF slack: true digest: true own_words: true
    page: "/tenants/{{tenant.id}}/things/{{event.thing.id}}"
  };
  option (trellis.tells) = {
    kind: "thing_given" on: [ "probe.thing.made", "probe.thing.lost" ]
    address: "email" locale: "thing.language" email: ON mandatory: true
    page: "/things#token={{token}}" seal: "probe thing"
  };
  // The probe.
  optional Thing thing = 1;
  // Whom it is for.
  optional string email = 2;
  // Whom it is for, by account.
  optional bytes by = 3 [(trellis.field) = { format: ID }];
  optional bytes sealed_token = 4 [(trellis.field) = { internal: true }];
}
'''


def changed(*changes):
    """The contract with each (old, new) replaced; old must be there."""
    text = CONTRACT
    for old, new in changes:
        if old not in text:
            raise AssertionError(f'not in the contract: {old}')
        text = text.replace(old, new, 1)
    return text


class Folder:
    def __enter__(self):
        self.place = tempfile.TemporaryDirectory()
        self.path = self.place.name
        return self

    def __exit__(self, *_):
        self.place.cleanup()

    def write(self, text, name='probe.proto'):
        path = os.path.join(self.path, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'w', encoding='utf-8') as file:
            file.write(text)

    def generate(self, output='contract'):
        """Whether the plugin was content, and what it said."""
        descriptors = os.path.join(self.path, 'probe.set')
        subprocess.run(
            ['protoc', f'-I{self.path}', f'-I{TOP}/proto', '-I/usr/include', '--include_imports',
             '--include_source_info', f'--descriptor_set_out={descriptors}', 'probe.proto'],
            check=True)
        with open(descriptors, 'rb') as file:
            found = descriptor_pb2.FileDescriptorSet.FromString(file.read())
        request = plugin_pb2.CodeGeneratorRequest(
            file_to_generate=['probe.proto'], parameter=output, proto_file=found.file)
        answer, said = io.BytesIO(), io.StringIO()
        with contextlib.redirect_stderr(said):
            plugin(io.BytesIO(request.SerializeToString()), answer)
        response = plugin_pb2.CodeGeneratorResponse.FromString(answer.getvalue())
        return not response.error, said.getvalue()

    def run_plugin(self, output='contract', files=('probe.proto',)):
        """As the build runs it: by protoc."""
        done = subprocess.run(
            ['protoc', f'-I{self.path}', f'-I{TOP}/proto', '-I/usr/include',
             f'--plugin=protoc-gen-trl={PLUGIN}', f'--trl_out={output}:{self.path}',
             *files], capture_output=True, text=True, check=False)
        return done.returncode == 0, done.stderr

    def compat(self, *arguments):
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            code = compat.main(['--baseline', os.path.join(self.path, 'base.json'),
                                f'-I{self.path}', f'-I{TOP}/proto', *arguments, 'probe.proto'])
        return code, said.getvalue()

    def compat_of_product(self, *arguments):
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            code = compat.main(['--product', self.path, *arguments])
        return code, said.getvalue()
