-- What becomes of bytes that were reserved or used: each a difference.
insert into storage (tenant_id, used, reserved)
values (:tenant_id, greatest(:used::bigint, 0), greatest(:reserved::bigint, 0))
on conflict (tenant_id) do update set used = storage.used + :used::bigint,
    reserved = storage.reserved + :reserved::bigint
