-- Whether a process has been asked about an upload and has not answered.
select count(*) as generation
from upload_ask_directory
where holder = :holder and id = :id and tenant_id = :tenant_id
