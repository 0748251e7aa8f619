-- Invitations that were accepted, revoked or replaced, or whose time was over, so many
-- days ($3) ago, of one piece of the table ($1, $2).
with gone as (
    delete from invitation
    where ctid = any (array(
        select ctid from invitation
        where ctid >= $1::tid and ctid < $2::tid
            and case when status = 'pending' then expires_at else updated_at end
                <= now() - make_interval(days => $3::integer)
        for update skip locked))
    returning 1
)
select count(*) from gone
