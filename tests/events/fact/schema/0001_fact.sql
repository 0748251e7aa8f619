-- What happens in the test's producer: a number that grows.
create table fact (tenant_id uuid not null, id uuid not null, n bigint not null,
    primary key (tenant_id, id));
comment on table fact is 'class: tenant';
