-- Walks the chain of the scope: how many entries, and the first number that is
-- wrong (its own hash, its link, a gap, or the head), or null.
with chain as (
    select seq, prev_hash, hash,
        lag(hash, 1, '\x') over (order by seq) as before,
        row_number() over (order by seq) as want_seq,
        trl_audit_hash(prev_hash, tenant_id, seq, id, at, action, actor_kind, actor_id,
            subject_kind, subject_id, detail, address, trace_id) as want_hash
    from audit
), head as (
    select seq, hash from audit_head
)
select (select count(*) from chain) as entries,
    (select min(seq) from (
        select want_seq as seq from chain
        where hash <> want_hash or prev_hash <> before or seq <> want_seq
        union all
        select head.seq from head
        where not exists (select 1 from chain
            where chain.seq = head.seq and chain.hash = head.hash)
        union all
        select chain.seq from chain where not exists (select 1 from head)
    ) wrong) as wrong
