-- Invitations that were accepted, revoked or replaced, or whose time was over, so many
-- days ago ($1).
with gone as (
    delete from invitation
    where (tenant_id, id) in (
        select tenant_id, id from invitation
        where case when status = 'pending' then expires_at else updated_at end
            <= now() - make_interval(days => $1::integer)
        limit 1000
        for update skip locked)
    returning 1
)
select count(*) from gone
