-- All at once, where a relay refused many for a reason of its own.
delete from suppression
where until > :now
    and (:reason::text = '' or strpos(lower(reason), lower(:reason)) > 0)
    and (:domain::text = '' or lower(split_part(email, '@', 2)) = lower(:domain))
    and created_at >= :since
