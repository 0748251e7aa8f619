-- The next rows of the tenant, and how many they were.
with piece as materialized (
    select place, gone from trl_erase_piece(:tenant_id::uuid, 'now', :place::integer,
        :most::integer)
), counted as (
    update erasure set gone = erasure.gone + piece.gone
    from piece
    where erasure.tenant_id = :tenant_id::uuid and piece.gone > 0
)
select place, gone from piece
