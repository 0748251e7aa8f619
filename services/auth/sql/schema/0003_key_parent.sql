-- A key that another key made ends with that one. Who made a key is in the audit chain
-- since the beginning, so keys that are there already get their parent from it; one
-- whose parent was revoked should have ended then, and ends now. The directory says who
-- made a key, to find the keys of an account in all organisations.
alter table api_key add column parent_id uuid;
update api_key k set parent_id = a.actor_id
from audit a
where a.tenant_id = k.tenant_id and a.subject_id = k.id and a.action = 'auth.key.create'
    and a.actor_kind = 'key';
with recursive over as (
    select k.tenant_id, k.id from api_key k
    where k.parent_id is not null and not exists (
        select 1 from api_key p where p.tenant_id = k.tenant_id and p.id = k.parent_id)
    union
    select k.tenant_id, k.id from api_key k
    join over on k.tenant_id = over.tenant_id and k.parent_id = over.id
), way as (
    delete from api_key_directory d using over
    where d.tenant_id = over.tenant_id and d.key_id = over.id
)
delete from api_key k using over where k.tenant_id = over.tenant_id and k.id = over.id;
alter table api_key add constraint api_key_parent_fkey
    foreign key (tenant_id, parent_id) references api_key (tenant_id, id) on delete cascade;
create index api_key_by_parent on api_key (tenant_id, parent_id) where parent_id is not null;

alter table api_key_directory add column maker uuid;
update api_key_directory d set maker = k.created_by
from api_key k
where k.tenant_id = d.tenant_id and k.id = d.key_id;
create index api_key_directory_by_maker on api_key_directory (maker) where maker is not null;
