-- Which of these uploads are there.
select id from upload
where tenant_id = :tenant_id and id = any (:ids::uuid[])
