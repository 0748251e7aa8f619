-- Whether who invited could still do so: a member whose role reaches to that of the
-- invitation, and who may invite at all. One that an API key sent stands by itself.
create function invitation_stands(i invitation) returns boolean
    language sql stable as $$
    select i.invited_by is null or exists (
        select 1
        from membership m, (select array['viewer', 'member', 'admin', 'owner'] as rising) roles
        where m.tenant_id = i.tenant_id and m.account_id = i.invited_by
            and array_position(rising, m.role)
                >= greatest(array_position(rising, i.role), array_position(rising, 'admin')))
$$;
