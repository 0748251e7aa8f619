-- The last numbers of the installation's series.
select coalesce(max(next) filter (where kind = 'invoice'), 1) - 1 as invoice,
    coalesce(max(next) filter (where kind = 'credit_note'), 1) - 1 as credit_note
from series_directory where tenant_id = '00000000-0000-0000-0000-000000000000'
