-- Members, and invitations that wait.
select (select count(*) from membership m where m.tenant_id = :tenant_id)
    + (select count(*) from invitation i where i.tenant_id = :tenant_id
        and i.status = 'pending' and i.expires_at > :now) as used
