-- Newest first, as many as fit: the first, and those whose bodies together stay below
-- the room of an answer.
select id, endpoint_id, event_id, event_type, webhook_id, status, created_at, finished_at,
    replay_of, case when fits then body end as request_body, fits
from (
    select page.id, page.endpoint_id, page.event_id, page.event_type, page.webhook_id,
        page.status, page.created_at, page.finished_at, page.replay_of, page.body,
        row_number() over newest = 1 or sum(page.bytes + 400) over newest <= 262144 as fits
    from (
        select id, endpoint_id, event_id, event_type, webhook_id, status, created_at,
            finished_at, replay_of, body, bytes
        from webhook_delivery
        where tenant_id = :tenant_id and endpoint_id = :endpoint_id and id < :before
        order by id desc
        limit :limit
    ) as page
    window newest as (order by page.id desc)
) as fitted
order by id desc
