-- Deliveries by their age in days ($1), with their attempts.
with gone as (
    delete from webhook_delivery
    where (tenant_id, id) in (
        select tenant_id, id from webhook_delivery
        where created_at <= now() - make_interval(days => $1::integer)
        limit 1000
        for update skip locked)
    returning tenant_id, id
), attempts as (
    delete from webhook_attempt as a using gone
    where a.tenant_id = gone.tenant_id and a.delivery_id = gone.id
)
select count(*) from gone
