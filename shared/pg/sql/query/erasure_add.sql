-- A tenant is erased here from now on. That it is heard again changes nothing.
insert into erasure (tenant_id) values (:tenant_id)
on conflict do nothing
