-- Drops the account's ended sessions, a few at each login; those another login is
-- dropping are left to it.
with gone as (
    delete from session s
    where s.account_id = :account_id and s.id in (
        select id from session
        where account_id = :account_id
            and (expires_at <= :now or last_used_at <= :idle_since)
        order by id
        limit 100
        for update skip locked)
    returning s.token_hash
)
delete from session_directory d
where d.token_hash in (select token_hash from gone)
