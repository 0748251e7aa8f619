-- By version, likewise. There is one fallback.
with other as (
    update plan_directory set fallback = false
    where :fallback::boolean and plan <> :plan and version < :version::bigint
)
insert into plan_directory (plan, version, fallback, document)
values (:plan, :version, :fallback, :document)
on conflict (plan) do update set version = excluded.version,
    fallback = excluded.fallback, document = excluded.document
where plan_directory.version < excluded.version
