-- Uploads that somebody had begun and not ended: partial ones, too, of which no final one was
-- made; what has all of its bytes becomes a file.
select id
from upload
where tenant_id = :tenant_id and uploader = :account_id and created_at <= :until
    and (finished_at is null or reserved > 0)
    and (finished_at is not null or length is distinct from received)
    and (:after::uuid is null or id > :after::uuid)
order by id
limit :limit
