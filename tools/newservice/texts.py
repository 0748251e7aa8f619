"""The files of a new service, as they are written."""

CONTRACT = '''\
// {name}.proto - {plural_words} of an organisation.
//
// The tenant is named by X-Tenant-Id, by the API key, or is the caller's only one.
syntax = "proto2";
package {name}.v1;

import "google/protobuf/timestamp.proto";
import "trellis/empty.proto";
import "trellis/options.proto";

// {Plural_words}.
service {Service} {{
  // Makes {a} {words}.
  rpc Create{Resource}(Create{Resource}Request) returns ({Resource}) {{
    option (trellis.method) = {{
      http: {{ post: "/api/v1/{path}" status: 201 }}
      auth: TENANT
      effect: WRITE
      permission: "{name}.{resource}.create"
      role: MEMBER
      errors: [ INVALID, QUOTA, {exists}CONFLICT ]
      does: {{ create: "{Resource}" }}
    }};
  }}

  // Lists the organisation's {plural_words}, oldest first.
  rpc List{Resources}(List{Resources}Request) returns (List{Resources}Reply) {{
    option (trellis.method) = {{
      http: {{ get: "/api/v1/{path}" }}
      auth: TENANT
      effect: READ
      permission: "{name}.{resource}.read"
      role: VIEWER
      errors: [ INVALID ]
      does: {{ list: "{Resource}" }}
    }};
  }}

  // Shows one {words}.
  rpc Get{Resource}(Get{Resource}Request) returns ({Resource}) {{
    option (trellis.method) = {{
      http: {{ get: "/api/v1/{path}/{{{resource}_id}}" }}
      auth: TENANT
      effect: READ
      permission: "{name}.{resource}.read"
      role: VIEWER
      errors: [ NOT_FOUND ]
      does: {{ get: "{Resource}" }}
    }};
  }}

  // Changes {a} {words}. A field that is absent stays.
  rpc Update{Resource}(Update{Resource}Request) returns ({Resource}) {{
    option (trellis.method) = {{
      http: {{ patch: "/api/v1/{path}/{{{resource}_id}}" }}
      auth: TENANT
      effect: WRITE
      permission: "{name}.{resource}.update"
      role: MEMBER
      if_match: true
      errors: [ NOT_FOUND, INVALID, PRECONDITION, {exists}CONFLICT ]
      does: {{ update: "{Resource}" }}
    }};
  }}

  // Removes {a} {words}.
  rpc Delete{Resource}(Delete{Resource}Request) returns (trellis.Empty) {{
    option (trellis.method) = {{
      http: {{ delete: "/api/v1/{path}/{{{resource}_id}}" }}
      auth: TENANT
      effect: WRITE
      permission: "{name}.{resource}.delete"
      role: MEMBER
      if_match: true
      errors: [ NOT_FOUND, PRECONDITION, CONFLICT ]
      does: {{ delete: "{Resource}" }}
    }};
  }}
}}

// {A} {words} of an organisation.
message {Resource} {{
  option (trellis.resource) = {{
    kind: "{resource}"{unique}
    most: 1000
  }};
{enums}  optional bytes id = 1 [(trellis.field) = {{ format: ID }}];
{fields}  optional int64 version = {version};
  optional google.protobuf.Timestamp created_at = {created};
  optional google.protobuf.Timestamp updated_at = {updated};
}}

message Create{Resource}Request {{
{given}}}

message List{Resources}Request {{
  optional uint32 page_size = 1 [(trellis.field) = {{ min: 1 max: 100 }}];
  optional string page_token = 2 [(trellis.field) = {{ format: TOKEN max_len: 200 }}];
{filters}}}

message List{Resources}Reply {{
  repeated {Resource} items = 1;
  optional string next_page_token = 2;
}}

message Get{Resource}Request {{
  optional bytes {resource}_id = 1 [(trellis.field) = {{ required: true format: ID }}];
}}

message Update{Resource}Request {{
  optional bytes {resource}_id = 1 [(trellis.field) = {{ required: true format: ID }}];
{changed}}}

message Delete{Resource}Request {{
  optional bytes {resource}_id = 1 [(trellis.field) = {{ required: true format: ID }}];
}}

// What happened to {a} {words}.
message {Resource}Event {{
  option (trellis.event) = {{
    type: "{name}.{resource}.created"
    about: "{A} {words} was made."
    published: true
  }};
  option (trellis.event) = {{
    type: "{name}.{resource}.updated"
    about: "{A} {words} was changed."
    published: true
  }};
  option (trellis.event) = {{
    type: "{name}.{resource}.deleted"
    about: "{A} {words} was removed."
    published: true
  }};
  // The {words} since; one that was removed as it was last.
  optional {Resource} {resource} = 1;
  // The account that did it; absent where an API key did.
  optional bytes by = 2 [(trellis.field) = {{ format: ID }}];
}}
'''

DECLARATION = '''\
/* The {name} service. Its resource is declared in its contract
 * ({proto}), and the framework does what that says;
 * what the service does beyond it stands here. */
#include <trl/service.h>
#include <{name}_v1.server.h>

#include "{name}_sql.h"

static const struct trl_contract *const contracts[] = {{ &{name}_v1_server, NULL }};

const struct trl_service {name}_service = {{
	.name = "{name}",
	.contracts = contracts,
	.sql = &{name}_sql,
}};
'''

MIGRATION = '''\
-- {Plural_words} of an organisation.
create table {resource} (
{columns},
    constraint {resource}_pkey primary key (tenant_id, id){constraints}
);
comment on table {resource} is 'class: tenant';
{indexes}'''

README = '''\
# {name}

{Plural_words} of an organisation.

## Owns
Schema `{name}` (roles `{name}_owner`, `{name}_app`, `{name}_sys`):

| table | class | what |
|---|---|---|
| `{resource}` | tenant | {a} {words} |

## Methods
`{proto}` says all.

## Calls
Nobody. Called by the edge.

## Events
Out: `{name}.{resource}.created`, `.updated`, `.deleted`, each with the {words} as the API shows it and who did it.

## What breaks, and how it shows
| what | shows as |
|---|---|
| PostgreSQL away | 503; writes whose commit was under way 503 `UNCERTAIN`, and their key tells later |
'''

PRODUCT_LIST = '''\
# The product's own services, a line each, in the order of the call graph: nobody calls
# what stands below. They come after those of Trellis.
'''
