-- What a process is asked about.
select tenant_id, id
from upload_ask_directory
where holder = :holder
limit 1000
